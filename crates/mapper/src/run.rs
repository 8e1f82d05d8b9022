//! The mapper's loop: one thread that polls, transforms, and records how far it is.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use scoresync_domain::{Region, Sources};
use scoresync_kafka::{
    Decoder, Encoder, Error, Event, GroupConsumer, KafkaSettings, Kind, Membership, Message, Publisher, Registry, Specification,
    TableError, Topic, TopicNames, TopicPartition, TopicSettings, kind_of,
};
use scoresync_service::{Backoff, BackoffLimits, Loudness, Shutdown, StageReadiness, now_seconds};
use tokio::runtime::Handle;

use crate::{
    live_directory::{DirectoryError, LiveDirectory},
    metrics::{MapperMetrics, STAGE},
    partitions::Partitions,
    settings::MapperSettings,
    transform::{Obstacle, OutputNames, Transform},
};

/// How long a poll may wait. Records end the wait at once; only the live directory and the bookkeeping follow this beat.
const POLL: Duration = Duration::from_millis(20);
/// How often positions are recorded.
const BOOKKEEPING: Duration = Duration::from_millis(500);
/// How long the end waits for acknowledgements.
const SETTLE: Duration = Duration::from_secs(15);

/// What the mapper works with.
pub struct Surroundings<'a> {
    /// `[kafka]`.
    pub kafka: &'a KafkaSettings,
    /// `[topics]`.
    pub topics: &'a TopicSettings,
    /// The schema registry.
    pub registry: &'a Registry,
    /// Where calls to the registry run.
    pub runtime: &'a Handle,
    /// The registry's id of the schema of enriched scores.
    pub enriched_schema_id: u32,
    /// Where phone numbers of the directory belong that have no country code.
    pub region: Region,
}

/// Why the mapper cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum MapperError {
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The schema that this program writes cannot be used.
    #[error("the schema of enriched scores cannot be used")]
    Schema(#[from] scoresync_kafka::SchemaError),
}

impl MapperError {
    /// Whether trying the same again can help.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Kafka(error) | Self::Directory(DirectoryError(TableError::Kafka { cause: error, .. })) => error.kind(),
            Self::Directory(DirectoryError(TableError::Schemas { .. } | TableError::TooSlow { .. })) => Kind::Transient,
            Self::Schema(_) => Kind::Environment,
        }
    }
}

/// The mapper. Runs on a thread of its own.
pub struct Mapper {
    consumer: GroupConsumer,
    partitions: Partitions,
    transform: Transform,
    settings: MapperSettings,
    readiness: StageReadiness,
    backoff: Backoff,
    last_bookkeeping: Instant,
    /// An assignment that waits for the broker's word where to go on.
    unanswered: Option<Vec<TopicPartition>>,
    follows_directory: bool,
}

impl Mapper {
    /// Reads the whole directory, then joins the group.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer, or the topics are not there.
    pub fn start(
        surroundings: &Surroundings<'_>,
        settings: MapperSettings,
        sources: Sources,
        (metrics, readiness): (MapperMetrics, StageReadiness),
    ) -> Result<Self, MapperError> {
        let Surroundings {
            kafka,
            topics,
            registry,
            runtime,
            ..
        } = *surroundings;
        let names = TopicNames::new(topics);
        readiness.in_transition("reading the directory");
        let mut live = LiveDirectory::open(kafka, topics, surroundings.region, (registry, runtime))?;
        live.read_to_end(settings.directory_timeout())?;
        metrics.directory_employees.set(count(live.directory().employees().len()));
        tracing::info!(employees = live.directory().employees().len(), "the directory is complete");
        let group = format!("{}.{STAGE}", kafka.group_prefix);
        let raw = names.name(Topic::Raw);
        let consumer = GroupConsumer::join(
            kafka,
            topics,
            &Membership {
                group: &group,
                topics: &[&raw],
            },
        )?;
        let transform = Transform {
            decoder: Decoder::new(names.subject(Topic::Raw), registry.clone(), runtime.clone()),
            encoder: Encoder::new(surroundings.enriched_schema_id)?,
            publisher: Publisher::new(kafka, topics)?,
            live,
            sources,
            metrics,
            names: OutputNames {
                enriched: names.name(Topic::Enriched),
                dead_letters: names.name(Topic::DeadLetters),
                group,
                instance: settings.instance_name(),
                generation: names.generation(),
                max_enriched_bytes: Specification::greatest_message_bytes(topics) - RECORD_OVERHEAD_BYTES,
            },
            directory_covers: BTreeMap::new(),
            buffer: Vec::new(),
            key: String::new(),
        };
        readiness.in_transition("waiting for partitions");
        let backoff = Backoff::new(BackoffLimits {
            longest: Duration::from_secs(5),
            ..BackoffLimits::default()
        });
        Ok(Self {
            consumer,
            partitions: Partitions::default(),
            transform,
            settings,
            readiness,
            backoff,
            last_bookkeeping: Instant::now(),
            unanswered: None,
            follows_directory: true,
        })
    }

    /// Maps until the end is asked for, then waits for what is in flight and records the positions.
    ///
    /// # Errors
    /// What a person must mend. What passes by itself is waited for.
    pub fn run(mut self, shutdown: &Shutdown) -> Result<(), MapperError> {
        while !shutdown.is_requested() {
            self.step()?;
            self.answer_assignment()?;
            if self.last_bookkeeping.elapsed() >= BOOKKEEPING {
                self.keep_books();
                self.last_bookkeeping = Instant::now();
            }
            let backoff = &mut self.backoff;
            self.partitions
                .tend(&self.consumer, self.settings.max_in_flight.get(), || backoff.next_delay())?;
        }
        self.finish();
        Ok(())
    }

    fn step(&mut self) -> Result<(), MapperError> {
        let Self {
            consumer,
            partitions,
            transform,
            settings,
            readiness,
            backoff,
            ..
        } = self;
        match consumer.poll(POLL) {
            Event::Record(record) => {
                if let Some((place, partition)) = partitions
                    .get_mut((record.topic(), record.partition()))
                    .filter(|(_, partition)| partition.is_reading())
                {
                    match transform.take(&record, &partition.tracker, consumer) {
                        Ok(()) => partition.pause_if_full(consumer, place, settings.max_in_flight.get())?,
                        Err(obstacle) => {
                            let delay = backoff.next_delay();
                            report(&obstacle, transform, readiness, backoff.loudness());
                            partition.wait(consumer, place, delay)?;
                        }
                    }
                }
            }
            Event::Assigned(assigned) => self.unanswered = Some(assigned),
            Event::Revoked(revoked) => partitions.revoke(consumer, &revoked)?,
            Event::Trouble(cause) => match kind_of(&cause) {
                Kind::Transient => tracing::debug!(error = %cause, "the consumer had passing trouble"),
                Kind::Environment => {
                    return Err(Error::Client {
                        action: "read scores.raw".to_owned(),
                        cause,
                    }
                    .into());
                }
            },
            Event::Nothing => self.follow_directory(),
        }
        Ok(())
    }

    /// Starts newly assigned partitions; while the broker cannot say where, the assignment stays unanswered.
    fn answer_assignment(&mut self) -> Result<(), MapperError> {
        let Some(assigned) = self.unanswered.take() else { return Ok(()) };
        match self.partitions.assign(&self.consumer, &assigned, &self.settings) {
            Ok(()) => self.readiness.ready(),
            Err(error) if error.kind() == Kind::Transient => {
                self.readiness.not_ready("the broker does not say where partitions go on");
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "partitions could not be started; trying again"
                );
                self.unanswered = Some(assigned);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Whether the directory is followed is told with the books, not at every beat.
    fn follow_directory(&mut self) {
        let followed = self.transform.live.read_available();
        if let Err(error) = &followed
            && self.follows_directory
        {
            tracing::warn!(
                error = error as &dyn std::error::Error,
                "the directory cannot be read; trying again"
            );
        }
        self.follows_directory = followed.is_ok();
    }

    fn tell_readiness(&self) {
        if !self.consumer.is_connected() {
            self.readiness.not_ready("the broker cannot be reached");
        } else if !self.follows_directory {
            self.readiness.not_ready("the directory cannot be read");
        } else if !self.partitions.is_waiting() && !self.partitions.is_empty() {
            self.readiness.ready();
        }
    }

    fn keep_books(&mut self) {
        let metrics = &self.transform.metrics;
        match self.partitions.commit(&self.consumer, false) {
            Ok(true) => {
                metrics.stage.last_progress.get([STAGE]).set(now_seconds());
                self.backoff.reset();
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "positions could not be recorded; trying again"
            ),
        }
        metrics
            .stage
            .consumer_lag
            .get([STAGE, "scores.raw"])
            .set(self.partitions.lag(&self.consumer));
        metrics
            .directory_employees
            .set(count(self.transform.live.directory().employees().len()));
        self.follow_directory();
        self.tell_readiness();
    }

    fn finish(&mut self) {
        self.readiness.in_transition("shutting down");
        if !self.transform.publisher.settle(SETTLE) {
            tracing::warn!(
                in_flight = self.transform.publisher.in_flight(),
                "not every output was acknowledged; those reports will be mapped again"
            );
        }
        if let Err(error) = self.partitions.commit(&self.consumer, true) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "positions could not be recorded at the end; some reports will be mapped again"
            );
        }
    }
}

/// Room for the record's key, headers and framing beside its value.
const RECORD_OVERHEAD_BYTES: usize = 1024;

fn report(obstacle: &Obstacle, transform: &Transform, readiness: &StageReadiness, loudness: Loudness) {
    transform.metrics.stage.retries.get([STAGE, obstacle.cause()]).inc();
    readiness.not_ready(obstacle.to_string());
    let error: &dyn std::error::Error = obstacle;
    match loudness {
        Loudness::Quiet => tracing::info!(error, "a report has to wait; trying again"),
        Loudness::Warn => tracing::warn!(error, "a report has to wait; trying again"),
        Loudness::Error => tracing::error!(error, "reports have been waiting for long; trying again"),
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
