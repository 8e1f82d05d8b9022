//! The sink's loop: polls, collects, hands over when the applier is free, and follows the group and the archive.

mod assignment;
mod batches;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use scoresync_archive::{Archive, ArchiveError};
use scoresync_kafka::{
    Decoder, Error, Event, GroupConsumer, KafkaSettings, Kind, Membership, Message, Registry, SchemaLookupError, Topic, TopicNames,
    TopicPartition, TopicSettings, doubts_positions, kind_of,
};
use scoresync_positions::{StartError, TopicMemory};
use scoresync_service::{Backoff, BackoffLimits, Shutdown, StageReadiness};
use tokio::runtime::{Handle, Runtime};

use self::assignment::Pending;
use crate::{
    applier::{Applier, Outcome},
    applier_handle::ApplierHandle,
    collected::Collected,
    held::{Held, Standing},
    metrics::{STAGE, SinkMetrics},
    partitions::Partitions,
    schema_memories::SchemaMemories,
    settings::SinkSettings,
};

/// How long a poll waits when there is nothing to do.
const IDLE_POLL: Duration = Duration::from_millis(50);
/// While the applier works, its answer is waited for instead, and records are looked at this often.
const BUSY_PAUSE: Duration = Duration::from_millis(1);
/// How long a poll waits while a batch is held: whether it still has to be is looked at this often.
const HELD_POLL: Duration = Duration::from_millis(1);
/// From when on a batch in the archive's hands stops the delivery of what there is no room for. Until then nothing is polled: the client keeps
/// what it has fetched, where it throws away that of a stopped partition, and takes up to a second to go on (librdkafka 2.12 resumes on a
/// thread that does not wake the one that fetches).
const PATIENCE_WITH_BATCH: Duration = Duration::from_millis(500);
/// From when on a batch in the archive's hands is trouble.
const LONG_BATCH: Duration = Duration::from_secs(10);
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
    /// The registry, or what is recorded about its schemas.
    #[error("the sink cannot be sure of its topics' schemas")]
    Schemas(#[from] SchemaLookupError),
    /// The applying thread cannot be given what it needs.
    #[error("the thread that applies batches cannot be started")]
    ApplierStart(#[source] std::io::Error),
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
            Self::Archive(ArchiveError::Environment { .. }) | Self::ApplierStart(_) | Self::ApplierGone => Kind::Environment,
            Self::Archive(
                ArchiveError::Transient { .. } | ArchiveError::LostPosition { .. } | ArchiveError::WouldRefuse | ArchiveError::Overtaken,
            )
            | Self::Schemas(_) => Kind::Transient,
        }
    }
}

impl From<StartError> for SinkError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Kafka(error) => Self::Kafka(error),
            StartError::Archive(error) => Self::Archive(error),
            StartError::Schemas(error) => Self::Schemas(error),
        }
    }
}

fn own_runtime() -> Result<Runtime, SinkError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(SinkError::ApplierStart)
}

/// The sink. Runs on a thread of its own, with another one for applying.
pub struct Sink {
    consumer: GroupConsumer,
    partitions: Partitions,
    collected: Collected,
    collected_employees: Collected,
    applier: ApplierHandle,
    held: Option<Held>,
    /// Where the employees came to rest before their end when a batch was held last.
    employees_at_rest: Option<Standing>,
    pending: Pending,
    backoff: Backoff,
    archive: Arc<Archive>,
    runtime: Handle,
    names: TopicNames,
    employees_topic: String,
    memories: SchemaMemories,
    settings: SinkSettings,
    metrics: SinkMetrics,
    readiness: StageReadiness,
    last_bookkeeping: Instant,
    last_comparison: Instant,
    broker_is_away: bool,
    /// Where the last batch would have led that something kept from being filed that keeps the stage from its work.
    failed: BTreeMap<TopicPartition, i64>,
}

impl Sink {
    /// Makes sure that the registry is the one of before, joins the group and starts the applying thread.
    ///
    /// # Errors
    /// Settings that the client refuses, a registry whose schemas are not those that the archive has recorded, or no answer.
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
        let scores = Decoder::new(names.subject(Topic::Enriched), (*registry).clone(), (*runtime).clone()).patient();
        let employees = Decoder::new(names.subject(Topic::Employees), (*registry).clone(), (*runtime).clone()).patient();
        let memories = SchemaMemories {
            scores: TopicMemory {
                topic: enriched.clone(),
                generation: names.generation(),
                schemas: scores.memory().clone(),
            },
            employees: TopicMemory {
                topic: employees_topic.clone(),
                generation: 1,
                schemas: employees.memory().clone(),
            },
        };
        memories.recall((archive, registry), runtime)?;
        let consumer = GroupConsumer::join(kafka, &membership)?;
        let applier = ApplierHandle::start(Applier {
            archive: archive.apart()?,
            runtime: own_runtime()?,
            scores,
            employees,
            employees_topic: employees_topic.clone(),
            generation: names.generation(),
            metrics: metrics.clone(),
        })?;
        readiness.in_transition("waiting for partitions");
        Ok(Self {
            consumer,
            partitions: Partitions::default(),
            collected: Collected::default(),
            collected_employees: Collected::default(),
            applier,
            held: None,
            employees_at_rest: None,
            pending: Pending::default(),
            backoff: Backoff::new(BackoffLimits {
                longest: Duration::from_secs(5),
                ..BackoffLimits::default()
            }),
            archive: Arc::clone(archive),
            runtime: (*runtime).clone(),
            names,
            employees_topic,
            memories,
            settings,
            metrics,
            readiness,
            last_bookkeeping: Instant::now(),
            last_comparison: Instant::now(),
            broker_is_away: false,
            failed: BTreeMap::new(),
        })
    }

    /// Files until the end is asked for, then finishes the batch in hand.
    ///
    /// # Errors
    /// What a person must mend. What passes by itself is waited for.
    pub fn run(mut self, shutdown: &Shutdown) -> Result<(), SinkError> {
        while !shutdown.is_requested() {
            if let Some(outcome) = self.applier.outcome_within(BUSY_PAUSE)? {
                self.settle(outcome);
            }
            self.poll()?;
            self.compare_archive();
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
        let mut timeout = if self.held.is_some() {
            HELD_POLL
        } else if self.applier.is_busy() || !self.collected.is_empty() || !self.collected_employees.is_empty() {
            Duration::ZERO
        } else {
            IDLE_POLL
        };
        if !self.stop_what_is_full()? {
            return Ok(());
        }
        for _ in 0..self.settings.max_batch_records.get() {
            let Self {
                consumer,
                partitions,
                collected,
                collected_employees,
                pending,
                ..
            } = self;
            match consumer.poll(timeout) {
                Event::Record(message) => {
                    let known = partitions
                        .get(message.topic(), message.partition())
                        .filter(|(place, _)| !pending.restart.contains(place));
                    if let Some((place, standing)) = known {
                        let collected = if place.topic == self.employees_topic {
                            collected_employees
                        } else {
                            collected
                        };
                        collected.push(place, standing.handed_over, &message);
                    }
                }
                Event::Assigned(assigned) => pending.assigned.get_or_insert_default().extend(assigned),
                Event::Revoked(revoked) => return self.revoke(&revoked),
                Event::Stalled(stalled) => {
                    self.metrics.stage.retries.get([STAGE, "stalled"]).inc();
                    self.begin_again(stalled);
                    return Ok(());
                }
                Event::Trouble(cause) if doubts_positions(&cause) => {
                    self.compare_topics();
                    return Ok(());
                }
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
            if !self.has_room(&self.collected) || !self.has_room(&self.collected_employees) {
                return Ok(());
            }
            timeout = Duration::ZERO;
        }
        Ok(())
    }

    /// Says whether to poll: for a short while, whoever has no room for one of them takes none of both.
    fn stop_what_is_full(&mut self) -> Result<bool, SinkError> {
        let (is_full, employees_are_full) = (!self.has_room(&self.collected), !self.has_room(&self.collected_employees));
        let waits_long = self.held.is_some() || self.applier.is_busy_for(PATIENCE_WITH_BATCH);
        if (is_full || employees_are_full) && !waits_long {
            return Ok(false);
        }
        let is_paused = |topic: &str| {
            if topic == self.employees_topic {
                employees_are_full
            } else {
                is_full
            }
        };
        self.partitions.set_paused(&self.consumer, is_paused)?;
        Ok(true)
    }

    /// Scores and employees have room of their own: while scores are held, the employees must go on.
    fn has_room(&self, collected: &Collected) -> bool {
        collected.records() < self.settings.max_batch_records.get() && collected.bytes() < self.settings.max_batch_mib.get() << 20
    }

    /// Says that the broker is away, and takes that back when it is not; what else keeps the stage is said elsewhere.
    fn watch_broker(&mut self) {
        let is_away = !self.consumer.is_connected();
        if is_away {
            self.readiness.not_ready("the broker cannot be reached");
        } else if self.broker_is_away {
            self.ready_unless_kept();
        }
        self.broker_is_away = is_away;
    }

    /// What keeps the stage from its work takes itself back when it is overcome, and nobody else does.
    fn ready_unless_kept(&self) {
        if self.pending.is_empty() && self.failed.is_empty() && self.held.is_none() {
            self.readiness.ready();
        }
    }

    fn keep_books(&mut self) {
        if self.last_bookkeeping.elapsed() < BOOKKEEPING {
            return;
        }
        self.last_bookkeeping = Instant::now();
        self.watch_broker();
        if self.applier.is_busy_for(LONG_BATCH) {
            self.readiness.not_ready("the archive does not answer for long about a batch");
        }
        for (topic, label) in [(Topic::Enriched, "scores.enriched"), (Topic::Employees, "employees")] {
            let lag = self.partitions.lag(&self.consumer, &self.names.name(topic));
            self.metrics.stage.consumer_lag.get([STAGE, label]).set(lag);
        }
    }
}
