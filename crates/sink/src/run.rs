//! The sink's loop: polls, collects, hands over when the applier is free, and follows the group and the archive.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use scoresync_archive::{Archive, ArchiveError, Refusals};
use scoresync_kafka::{
    Decoder, Error, Event, GroupConsumer, KafkaSettings, Kind, Membership, Message, Registry, Topic, TopicNames, TopicPartition,
    TopicSettings, kind_of,
};
use scoresync_service::{Backoff, BackoffLimits, Loudness, Shutdown, StageReadiness};
use tokio::runtime::Handle;

use crate::{
    applier::{Applier, ApplyError, Outcome, Work},
    applier_handle::ApplierHandle,
    collected::Collected,
    metrics::{STAGE, SinkMetrics},
    partitions::{Partitions, Positions, StartError},
    settings::SinkSettings,
};

/// How long a poll waits when there is nothing to do.
const IDLE_POLL: Duration = Duration::from_millis(50);
/// How long a poll waits while the applier works: its answer is looked at this often.
const BUSY_POLL: Duration = Duration::from_millis(1);
const BOOKKEEPING: Duration = Duration::from_millis(500);

/// What the sink works with.
pub struct Surroundings<'a> {
    /// `[kafka]`.
    pub kafka: &'a KafkaSettings,
    /// `[topics]`.
    pub topics: &'a TopicSettings,
    /// The schema registry.
    pub registry: &'a Registry,
    /// Where calls to registry and database run.
    pub runtime: &'a Handle,
    /// The archive, open for writing.
    pub archive: Arc<Archive>,
}

/// Why the sink cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The applying thread is gone.
    #[error("the thread that applies batches ended unexpectedly")]
    ApplierGone,
}

impl SinkError {
    /// Whether trying the same again can help.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Kafka(error) => error.kind(),
            Self::Archive(ArchiveError::Environment { .. }) | Self::ApplierGone => Kind::Environment,
            Self::Archive(ArchiveError::Transient { .. } | ArchiveError::LostPosition { .. } | ArchiveError::WouldRefuse) => {
                Kind::Transient
            }
        }
    }
}

impl From<StartError> for SinkError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Kafka(error) => Self::Kafka(error),
            StartError::Archive(error) => Self::Archive(error),
        }
    }
}

/// The sink. Runs on a thread of its own, with another one for applying.
pub struct Sink {
    consumer: GroupConsumer,
    partitions: Partitions,
    collected: Collected,
    applier: ApplierHandle,
    /// A batch that waits until the employees are read to the end that they had when it was judged.
    held: Option<(Collected, i64)>,
    pending: Pending,
    backoff: Backoff,
    archive: Arc<Archive>,
    runtime: Handle,
    names: TopicNames,
    employees_topic: String,
    settings: SinkSettings,
    metrics: SinkMetrics,
    readiness: StageReadiness,
    last_bookkeeping: Instant,
    broker_is_away: bool,
}

/// Partitions whose position has to be read from the archive before they go on.
#[derive(Default)]
struct Pending {
    /// Newly assigned ones; the group waits for the answer.
    assigned: Option<Vec<TopicPartition>>,
    /// Ones that have to begin again.
    restart: BTreeSet<TopicPartition>,
    not_before: Option<Instant>,
}

impl Sink {
    /// Joins the group and starts the applying thread.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn start(
        surroundings: &Surroundings<'_>,
        settings: SinkSettings,
        (metrics, readiness): (SinkMetrics, StageReadiness),
    ) -> Result<Self, SinkError> {
        let Surroundings {
            kafka,
            topics,
            registry,
            runtime,
            archive,
        } = surroundings;
        let names = TopicNames::new(topics);
        let (enriched, employees_topic) = (names.name(Topic::Enriched), names.name(Topic::Employees));
        let group = format!("{}.{STAGE}", kafka.group_prefix);
        let membership = Membership {
            group: &group,
            topics: &[&enriched, &employees_topic],
        };
        let consumer = GroupConsumer::join(kafka, topics, &membership)?;
        let decoder_of = |topic| (names.subject(topic), (*registry).clone(), (*runtime).clone());
        let (scores, employees) = (decoder_of(Topic::Enriched), decoder_of(Topic::Employees));
        let applier = ApplierHandle::start(Applier {
            archive: Arc::clone(archive),
            runtime: (*runtime).clone(),
            scores: Decoder::new(scores.0, scores.1, scores.2),
            employees: Decoder::new(employees.0, employees.1, employees.2),
            employees_topic: employees_topic.clone(),
            generation: names.generation(),
            metrics: metrics.clone(),
        })?;
        readiness.in_transition("waiting for partitions");
        Ok(Self {
            consumer,
            partitions: Partitions::default(),
            collected: Collected::default(),
            applier,
            held: None,
            pending: Pending::default(),
            backoff: Backoff::new(BackoffLimits {
                longest: Duration::from_secs(5),
                ..BackoffLimits::default()
            }),
            archive: Arc::clone(archive),
            runtime: (*runtime).clone(),
            names,
            employees_topic,
            settings,
            metrics,
            readiness,
            last_bookkeeping: Instant::now(),
            broker_is_away: false,
        })
    }

    /// Files until the end is asked for, then finishes the batch in hand.
    ///
    /// # Errors
    /// What a person must mend. What passes by itself is waited for.
    pub fn run(mut self, shutdown: &Shutdown) -> Result<(), SinkError> {
        while !shutdown.is_requested() {
            self.poll()?;
            if let Some(outcome) = self.applier.outcome()? {
                self.settle(outcome);
            }
            self.start_pending()?;
            self.hand_over()?;
            self.keep_books();
        }
        self.readiness.in_transition("shutting down");
        if let Some(Outcome::Failed(_, error)) = self.applier.drain()? {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the last batch was not applied; it will be read again"
            );
        }
        Ok(())
    }

    /// Takes what is there, at most a batch.
    fn poll(&mut self) -> Result<(), SinkError> {
        let busy = self.applier.is_busy() || self.held.is_some() || !self.collected.is_empty();
        let mut timeout = if busy { BUSY_POLL } else { IDLE_POLL };
        let room = self.has_room();
        self.partitions.set_paused(&self.consumer, &self.employees_topic, !room)?;
        for _ in 0..self.settings.max_batch_records.get() {
            let Self {
                consumer,
                partitions,
                collected,
                pending,
                ..
            } = self;
            match consumer.poll(timeout) {
                Event::Record(message) => {
                    let known = partitions
                        .get(message.topic(), message.partition())
                        .filter(|(place, _)| !pending.restart.contains(place));
                    if let Some((place, standing)) = known {
                        collected.push(place, standing.handed_over, &message);
                    }
                }
                Event::Assigned(assigned) => pending.assigned = Some(assigned),
                Event::Revoked(revoked) => return self.revoke(&revoked),
                Event::Trouble(cause) => match kind_of(&cause) {
                    Kind::Transient => tracing::debug!(error = %cause, "the consumer had passing trouble"),
                    Kind::Environment => {
                        return Err(Error::Client {
                            action: "read scores.enriched".to_owned(),
                            cause,
                        }
                        .into());
                    }
                },
                Event::Nothing => return Ok(()),
            }
            if !self.has_room() {
                return Ok(());
            }
            timeout = Duration::ZERO;
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.collected.records() < self.settings.max_batch_records.get() && self.collected.bytes() < self.settings.max_batch_mib.get() << 20
    }

    /// Finishes the batch in hand, then gives the partitions up; what was only collected, their next owner reads again.
    fn revoke(&mut self, revoked: &[TopicPartition]) -> Result<(), SinkError> {
        if let Some(outcome) = self.applier.drain()? {
            self.settle(outcome);
        }
        for place in revoked {
            self.forget(place);
            self.partitions.remove(place);
            self.pending.restart.remove(place);
        }
        Ok(self.consumer.release(revoked)?)
    }

    fn forget(&mut self, place: &TopicPartition) {
        self.collected.forget(place);
        if let Some((held, _)) = &mut self.held {
            held.forget(place);
        }
        self.held.take_if(|(held, _)| held.is_empty());
    }

    fn settle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done => {
                self.backoff.reset();
                self.readiness.ready();
            }
            Outcome::WouldRefuse(collected) => match self.employees_end() {
                Ok(end) => self.held = Some((collected, end)),
                Err(error) => self.fail(&collected, &error.into()),
            },
            Outcome::Failed(collected, error) => self.fail(&collected, &error),
        }
    }

    /// Whether and where the employees end now.
    fn employees_end(&self) -> Result<i64, Error> {
        let place = TopicPartition {
            topic: self.employees_topic.clone(),
            partition: 0,
        };
        let (low, high) = self.consumer.log_bounds(&place)?;
        Ok(if low == high { 0 } else { high })
    }

    /// The batch is not in the archive, or it is unknown whether it is: its partitions begin again where the archive stands.
    fn fail(&mut self, collected: &Collected, error: &ApplyError) {
        let delay = self.backoff.next_delay();
        self.metrics.stage.retries.get([STAGE, error.cause()]).inc();
        if error.concerns_people() {
            self.readiness.not_ready(error.to_string());
        }
        let error: &dyn std::error::Error = error;
        match self.backoff.loudness() {
            Loudness::Quiet => tracing::info!(error, "a batch was not applied; trying again"),
            Loudness::Warn => tracing::warn!(error, "a batch was not applied; trying again"),
            Loudness::Error => tracing::error!(error, "batches have not been applied for long; trying again"),
        }
        let places: Vec<TopicPartition> = collected.iter().map(|(place, _)| place.clone()).collect();
        for place in places.into_iter().filter(|place| self.partitions.contains(place)) {
            self.collected.forget(&place);
            self.pending.restart.insert(place);
        }
        self.pending.not_before = Some(Instant::now() + delay);
    }

    /// Starts partitions that wait for it, once their positions can be read. Never while a batch is on its way.
    fn start_pending(&mut self) -> Result<(), SinkError> {
        let waits = self.pending.not_before.is_some_and(|time| time > Instant::now());
        if waits || self.applier.is_busy() || (self.pending.assigned.is_none() && self.pending.restart.is_empty()) {
            return Ok(());
        }
        match self.positions() {
            Ok(positions) => self.go_on(positions),
            Err(error) => {
                let error = SinkError::from(error);
                let stop = matches!(&error, SinkError::Kafka(error) if error.kind() == Kind::Environment);
                if stop {
                    return Err(error);
                }
                self.readiness.not_ready(error.to_string());
                tracing::warn!(error = &error as &dyn std::error::Error, "positions cannot be read; trying again");
                self.pending.not_before = Some(Instant::now() + self.backoff.next_delay());
                Ok(())
            }
        }
    }

    fn positions(&self) -> Result<Vec<(TopicPartition, i64)>, StartError> {
        let generation = |topic: &str| {
            if topic == self.employees_topic {
                1
            } else {
                self.names.generation()
            }
        };
        let positions = Positions {
            consumer: &self.consumer,
            archive: &self.archive,
            runtime: &self.runtime,
            generation: &generation,
            first_start: self.settings.first_start,
        };
        let places = self.pending.assigned.iter().flatten().chain(&self.pending.restart);
        places.map(|place| Ok((place.clone(), positions.of(place)?))).collect()
    }

    fn go_on(&mut self, positions: Vec<(TopicPartition, i64)>) -> Result<(), SinkError> {
        let restart: Vec<TopicPartition> = std::mem::take(&mut self.pending.restart).into_iter().collect();
        if !restart.is_empty() {
            self.consumer.release(&restart)?;
        }
        self.consumer.start(&positions)?;
        for (place, offset) in positions {
            tracing::info!(topic = place.topic, partition = place.partition, offset, "reading a partition");
            self.forget(&place);
            self.partitions.start(place, offset);
        }
        self.pending = Pending::default();
        self.readiness.ready();
        Ok(())
    }

    /// Gives the free applier what it can work on: employees first; scores unless some are held back.
    fn hand_over(&mut self) -> Result<(), SinkError> {
        if self.applier.is_busy() {
            return Ok(());
        }
        let employees = self.collected.split_off_topic(&self.employees_topic);
        let work = if !employees.is_empty() {
            Work {
                collected: employees,
                refusals: Refusals::Judge,
            }
        } else if self.held.is_some() {
            match self.release_held() {
                Some(collected) => Work {
                    collected,
                    refusals: Refusals::Judge,
                },
                None => return Ok(()),
            }
        } else if !self.collected.is_empty() {
            Work {
                collected: std::mem::take(&mut self.collected),
                refusals: Refusals::Withhold,
            }
        } else {
            return Ok(());
        };
        for (place, records) in work.collected.iter() {
            self.partitions.hand_over(place, records.next_offset);
        }
        self.applier.give(work)
    }

    /// The held batch, once the archive has the employees up to where they ended.
    fn release_held(&mut self) -> Option<Collected> {
        let (_, end) = self.held.as_ref()?;
        let known = self.runtime.block_on(self.archive.positions(&self.employees_topic, 1)).ok()?;
        let reached = known.iter().any(|position| position.next_offset >= *end) || *end == 0;
        if reached {
            self.held.take().map(|(collected, _)| collected)
        } else {
            self.readiness.not_ready("waiting for the employees to be read to their end");
            None
        }
    }

    /// Says that the broker is away, and takes that back when it is not; what else keeps the stage is said elsewhere.
    fn watch_broker(&mut self) {
        let is_away = !self.consumer.is_connected();
        if is_away {
            self.readiness.not_ready("the broker cannot be reached");
        } else if self.broker_is_away && self.pending.not_before.is_none() && self.held.is_none() {
            self.readiness.ready();
        }
        self.broker_is_away = is_away;
    }

    fn keep_books(&mut self) {
        if self.last_bookkeeping.elapsed() < BOOKKEEPING {
            return;
        }
        self.last_bookkeeping = Instant::now();
        self.watch_broker();
        for (topic, label) in [(Topic::Enriched, "scores.enriched"), (Topic::Employees, "employees")] {
            let lag = self.partitions.lag(&self.consumer, &self.names.name(topic));
            self.metrics.stage.consumer_lag.get([STAGE, label]).set(lag);
        }
    }
}
