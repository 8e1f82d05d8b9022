//! The mapper's loop: one thread that polls, transforms, and records how far it is.

mod start;

use std::time::{Duration, Instant};

use scoresync_kafka::{
    DirectoryError, Error, Event, GroupConsumer, Kind, Message, PublishError, SchemaLookupError, TableError, TopicPartition,
    doubts_positions, kind_of,
};
use scoresync_service::{Backoff, Loudness, Shutdown, StageReadiness, now_seconds};

pub use self::start::Surroundings;
use crate::{
    metrics::STAGE,
    partitions::{Partitions, Which},
    schema_memories::StartError,
    settings::MapperSettings,
    transform::{Obstacle, Transform},
};

/// How long a poll may wait. Records end the wait at once; only the live directory and the bookkeeping follow this beat.
const POLL: Duration = Duration::from_millis(20);
/// Records that are taken without a look at anything else.
const PORTION: usize = 500;
/// Records that have to wait for room end the portion.
const LONGEST_PORTION: Duration = Duration::from_millis(50);
/// How often positions are recorded.
const BOOKKEEPING: Duration = Duration::from_millis(500);
/// How often positions are recorded that were sent before.
const REPETITION: Duration = Duration::from_secs(30);
/// How long the end waits for acknowledgements.
const SETTLE: Duration = Duration::from_secs(15);

/// Why the mapper cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum MapperError {
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The registry, or what is recorded about its schemas.
    #[error("the mapper cannot be sure of its topics' schemas")]
    Schemas(#[from] SchemaLookupError),
    /// The client will never write anything again: what is queued stays queued.
    #[error("the client of Kafka cannot write any more: {0}; start the mapper again")]
    CannotWrite(String),
}

impl MapperError {
    /// Whether trying the same again can help.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Kafka(error) => error.kind(),
            Self::Directory(error) => directory_kind(error),
            Self::Schemas(_) => Kind::Transient,
            Self::CannotWrite(_) => Kind::Environment,
        }
    }
}

impl From<StartError> for MapperError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Kafka(error) => Self::Kafka(error),
            StartError::Schemas(error) => Self::Schemas(error),
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
    last_repetition: Instant,
    /// Assigned partitions that wait for the broker's word where to go on, and when to ask (again).
    unstarted: Option<(Vec<TopicPartition>, Instant)>,
    /// Whether the group said what is ours, be it nothing.
    has_joined: bool,
    follows_directory: bool,
}

impl Mapper {
    /// Maps until the end is asked for, then waits for what is in flight and records the positions.
    ///
    /// # Errors
    /// What a person must mend. What passes by itself is waited for.
    pub fn run(mut self, shutdown: &Shutdown) -> Result<(), MapperError> {
        while !shutdown.is_requested() {
            self.read()?;
            self.start_partitions()?;
            if self.last_bookkeeping.elapsed() >= BOOKKEEPING {
                self.keep_books()?;
                self.last_bookkeeping = Instant::now();
            }
            if self.partitions.tend(&self.consumer, self.settings.max_in_flight.get())? {
                self.tell_refusal()?;
            }
        }
        self.finish();
        Ok(())
    }

    /// Takes what is there, at most a portion: what is looked at between portions need not be looked at for each record.
    fn read(&mut self) -> Result<(), MapperError> {
        let Some(began) = self.step(POLL)? else { return Ok(()) };
        for _ in 1..PORTION {
            match self.step(Duration::ZERO)? {
                Some(now) if now.saturating_duration_since(began) < LONGEST_PORTION => {}
                Some(_) | None => break,
            }
        }
        Ok(())
    }

    /// Takes the next event. Where that was a record, says when it came.
    fn step(&mut self, timeout: Duration) -> Result<Option<Instant>, MapperError> {
        let Self {
            consumer,
            partitions,
            transform,
            settings,
            readiness,
            unstarted,
            has_joined,
            ..
        } = self;
        match consumer.poll(timeout) {
            Event::Record(record) => {
                let now = Instant::now();
                if let Some((place, partition)) = partitions
                    .get_mut(record.partition())
                    .filter(|(_, partition)| partition.is_reading())
                {
                    match transform.take(&record, &mut partition.tracker, (consumer, now)) {
                        Ok(()) => partition.pause_if_full(consumer, place, settings.max_in_flight.get())?,
                        Err(obstacle) => {
                            let obstacle = passing(obstacle)?;
                            partition.wait(consumer, place)?;
                            report(&obstacle, transform, readiness, partition.loudness());
                        }
                    }
                }
                return Ok(Some(now));
            }
            Event::Assigned(assigned) => add_unstarted(unstarted, assigned),
            Event::Revoked(revoked) => {
                remove_unstarted(unstarted, &revoked);
                *has_joined &= !consumer.assignment_lost();
                partitions.revoke(consumer, &revoked)?;
            }
            Event::Stalled(stalled) => {
                transform.metrics.stage.retries.get([STAGE, "stalled"]).inc();
                partitions.begin_again(consumer, &stalled)?;
            }
            Event::Trouble(cause) if doubts_positions(&cause) => {
                readiness.not_ready("the broker does not know scores.raw, or has nothing at a position");
                let stopped = partitions.stop(consumer)?;
                if !stopped.is_empty() {
                    add_unstarted(unstarted, stopped);
                }
            }
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
            Event::Nothing if timeout.is_zero() => {}
            Event::Nothing => self.follow_directory()?,
        }
        Ok(None)
    }

    /// Starts newly assigned partitions, once the broker says where they go on.
    fn start_partitions(&mut self) -> Result<(), MapperError> {
        let Some((assigned, _)) = self.unstarted.take_if(|(_, not_before)| *not_before <= Instant::now()) else {
            return Ok(());
        };
        match self.partitions.assign(&self.consumer, &assigned, &self.settings) {
            Ok(()) => {
                self.has_joined = true;
                self.backoff.reset();
                self.readiness.ready();
            }
            Err(error) if passes(&error) => {
                self.readiness.not_ready(match &error {
                    StartError::Kafka(_) => "the broker does not say where partitions go on".to_owned(),
                    StartError::Schemas(error) => error.to_string(),
                });
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "partitions could not be started; trying again"
                );
                self.unstarted = Some((assigned, Instant::now() + self.backoff.next_delay()));
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Whether the directory is followed is told with the books, not at every beat.
    fn follow_directory(&mut self) -> Result<(), MapperError> {
        let followed = self.transform.live.read_available(&mut |_| {});
        let follows = followed.is_ok();
        if let Err(obstacle) = followed.map_err(Obstacle::from) {
            let error = passing(obstacle)?;
            if self.follows_directory {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the directory cannot be read; trying again"
                );
            }
        }
        self.follows_directory = follows;
        Ok(())
    }

    fn tell_refusal(&self) -> Result<(), MapperError> {
        self.transform.metrics.stage.retries.get([STAGE, "deliver"]).inc();
        let refusal = self.transform.publisher.last_refusal();
        let error = refusal.as_ref().map(|refusal| refusal as &dyn std::error::Error);
        tracing::error!(error, "an output was not taken; its partition begins again at its position");
        let missing_right = refusal.as_ref().and_then(|refusal| refusal.missing_right());
        let cause = self.transform.publisher.because();
        self.readiness.not_ready(format!("the broker does not take outputs{cause}"));
        match missing_right {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    fn tell_readiness(&mut self) {
        if !self.consumer.is_connected() {
            self.readiness.not_ready("the broker cannot be reached");
        } else if !self.follows_directory {
            self.readiness.not_ready("the directory cannot be read");
        } else if self.has_joined && self.unstarted.is_none() && !self.partitions.is_obstructed() {
            self.readiness.ready();
        }
    }

    fn keep_books(&mut self) -> Result<(), MapperError> {
        if let Some(cause) = self.transform.publisher.fatal_error() {
            return Err(MapperError::CannotWrite(cause));
        }
        self.partitions.directory_is_at(self.transform.live.position().employees);
        let metrics = &self.transform.metrics;
        let which = if self.last_repetition.elapsed() >= REPETITION {
            self.last_repetition = Instant::now();
            Which::All
        } else {
            Which::Moved
        };
        match self.partitions.commit(&self.consumer, which, false) {
            Ok(true) => metrics.stage.last_progress.get([STAGE]).set(now_seconds()),
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
            .set(count(self.transform.live.directory().employee_count()));
        self.follow_directory()?;
        self.tell_readiness();
        Ok(())
    }

    fn finish(&mut self) {
        self.readiness.in_transition("shutting down");
        // Whether all are acknowledged is looked at below; refused ones are on their way no more.
        let _ = self.transform.publisher.settle(SETTLE);
        let in_hand = self.partitions.in_hand();
        if in_hand > 0 {
            tracing::warn!(in_hand, "reports whose outputs were not acknowledged will be mapped again");
        }
        if let Err(error) = self.partitions.commit(&self.consumer, Which::All, true) {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "positions could not be recorded at the end; some reports will be mapped again"
            );
        }
    }
}

/// An assignment of nothing is one, too.
fn add_unstarted(unstarted: &mut Option<(Vec<TopicPartition>, Instant)>, places: Vec<TopicPartition>) {
    let (waiting, _) = unstarted.get_or_insert_with(|| (Vec::new(), Instant::now()));
    waiting.extend(places);
}

/// What was taken away before it was started is no assignment of nothing.
fn remove_unstarted(unstarted: &mut Option<(Vec<TopicPartition>, Instant)>, revoked: &[TopicPartition]) {
    if let Some((waiting, _)) = unstarted {
        let before = waiting.len();
        waiting.retain(|place| !revoked.contains(place));
        if waiting.is_empty() && before > 0 {
            *unstarted = None;
        }
    }
}

/// A topic that is missing may be made anew at this moment; another registry may be put right.
fn passes(error: &StartError) -> bool {
    match error {
        StartError::Kafka(Error::TopicMissing(_)) | StartError::Schemas(_) => true,
        StartError::Kafka(error) => error.kind() == Kind::Transient,
    }
}

/// An obstacle that stays until a person acts is none to wait at: the stage ends.
fn passing(obstacle: Obstacle) -> Result<Obstacle, MapperError> {
    match obstacle {
        Obstacle::Publish(PublishError::Client(cause)) if kind_of(&cause) == Kind::Environment => Err(Error::Client {
            action: "write outputs".to_owned(),
            cause,
        }
        .into()),
        Obstacle::Directory(error) if directory_kind(&error) == Kind::Environment => Err(error.into()),
        Obstacle::Publish(_) | Obstacle::Directory(_) | Obstacle::Schemas(_) => Ok(obstacle),
    }
}

fn directory_kind(DirectoryError(error): &DirectoryError) -> Kind {
    match error {
        TableError::Kafka { cause, .. } => cause.kind(),
        TableError::Schemas { .. } | TableError::TooSlow { .. } => Kind::Transient,
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_that_was_taken_away_before_its_start_is_not_one_of_nothing() {
        let place = |partition| TopicPartition {
            topic: "scores.raw".to_owned(),
            partition,
        };
        let check = |assigned: &[i32], revoked: &[i32], left: Option<usize>| {
            let places = |partitions: &[i32]| partitions.iter().copied().map(place).collect::<Vec<_>>();
            let mut unstarted = None;
            add_unstarted(&mut unstarted, places(assigned));
            remove_unstarted(&mut unstarted, &places(revoked));
            assert_eq!(unstarted.map(|(waiting, _)| waiting.len()), left, "{assigned:?} {revoked:?}");
        };
        check(&[0, 1], &[0, 1], None);
        check(&[0, 1], &[1], Some(1));
        check(&[], &[1], Some(0));
    }

    fn directory(cause: Error) -> Obstacle {
        let topic = "employees".to_owned();
        Obstacle::Directory(DirectoryError(TableError::Kafka { topic, cause }))
    }

    #[test]
    fn an_obstacle_that_stays_until_a_person_acts_ends_the_stage_and_others_do_not() {
        assert!(passing(directory(Error::TopicMissing("employees".to_owned()))).is_err());
        for waits in [
            directory(Error::Describe("no answer in time".to_owned())),
            Obstacle::Publish(PublishError::QueueFull),
        ] {
            assert!(passing(waits).is_ok());
        }
    }
}
