//! One record of `scores.raw` into one record of `scores.enriched` or `scores.dlq`.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use scoresync_domain::{EnrichedScore, Origin, Reason, Rejection, Sources, Timestamp, decide};
use scoresync_fault_points::{self as fault_points, Bug, Point};
use scoresync_kafka::{
    BorrowedMessage, DecodeError, Decoder, DeliveryTicket, DirectoryError, Encoder, GroupConsumer, LiveDirectory, Message, OffsetTracker,
    Outgoing, PublishError, Publisher, SchemaLookupError, Ticket,
    dead_letter::{self, DeadLetter, DirectoryPosition, History, LetterRecord},
};

use scoresync_service::now_millis;

use crate::metrics::MapperMetrics;

/// Turns records into outputs and hands them to the publisher.
pub(crate) struct Transform {
    pub(crate) decoder: Decoder<scoresync_domain::ScoreReport<'static>>,
    pub(crate) encoder: Encoder<EnrichedScore<'static>>,
    pub(crate) publisher: Publisher<DeliveryTicket>,
    pub(crate) live: LiveDirectory,
    pub(crate) sources: Sources,
    pub(crate) metrics: MapperMetrics,
    pub(crate) names: OutputNames,
    /// Offset, by partition, below which everything was written before the directory was last read to its end.
    pub(crate) directory_covers: BTreeMap<i32, i64>,
    pub(crate) buffer: Vec<u8>,
    pub(crate) key: String,
}

/// What outputs and headers name.
pub(crate) struct OutputNames {
    pub(crate) enriched: String,
    pub(crate) dead_letters: String,
    pub(crate) group: String,
    pub(crate) instance: String,
    pub(crate) generation: i32,
    /// No topic of ours takes a larger output: an enriched score is a dead letter then, and a dead letter goes without its value.
    pub(crate) max_output_bytes: usize,
}

/// Why a record has to wait. Never its own fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Obstacle {
    #[error(transparent)]
    Schemas(#[from] SchemaLookupError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error("an output could not be queued")]
    Publish(#[from] PublishError),
}

impl Obstacle {
    /// Label of `scoresync_retries_total`.
    pub(crate) const fn cause(&self) -> &'static str {
        match self {
            Self::Schemas(_) => "schemas",
            Self::Directory(_) => "directory",
            Self::Publish(_) => "publish",
        }
    }
}

const CATCH_UP_LIMIT: Duration = Duration::from_secs(10);
/// Well below the time after which the group takes partitions from a consumer that does not poll.
const QUEUE_LIMIT: Duration = Duration::from_secs(10);

impl Transform {
    /// Queues the one output of `record`, unless it was queued before; the tracker sees when it is durable.
    ///
    /// The directory must have been read to its end not long before `now`.
    pub(crate) fn take(
        &mut self,
        record: &BorrowedMessage<'_>,
        tracker: &mut OffsetTracker,
        (consumer, now): (&GroupConsumer, Instant),
    ) -> Result<(), Obstacle> {
        let headers = record.headers();
        let history = History::read(headers);
        let here = Origin {
            generation: self.names.generation,
            partition: record.partition(),
            offset: record.offset(),
        };
        let origin = history.origin.unwrap_or(here);
        self.reach(history.directory)?;
        let rejected = match self.enrich(record, origin, (consumer, now)) {
            Ok(()) => None,
            Err(Unfit::Rejected { source, rejection }) => Some((source, rejection)),
            Err(Unfit::Obstacle(obstacle)) => return Err(obstacle),
        };
        let Some(ticket) = tracker.begin_once(record.offset()) else {
            return Ok(());
        };
        if fault_points::has(Bug::ReportPassedOver) && record.offset() % 5 == 4 {
            ticket.settle(Ok(()));
            return Ok(());
        }
        match rejected {
            None => {
                let carried_on = dead_letter::enriched_headers(history.attempts, dead_letter::traceparent_of(headers));
                let output = Outgoing {
                    topic: &self.names.enriched,
                    key: Some(self.key.as_bytes()),
                    value: Some(&self.buffer),
                };
                self.publisher.publish_within(QUEUE_LIMIT, output, carried_on, ticket)?;
                fault_points::pass(Point::OutputQueued);
            }
            Some((source, rejection)) => {
                let end = DeadEnd {
                    source,
                    rejection,
                    origin,
                    history,
                };
                self.publish_dead_letter(record, &end, ticket)?;
            }
        }
        Ok(())
    }

    /// Whoever redrove a report knew a directory by which it can be filed: with an older one the attempt would be burnt. A table that does
    /// not go on so far, being made anew, is waited for no longer than to its end.
    fn reach(&mut self, directory: Option<DirectoryPosition>) -> Result<(), Obstacle> {
        if directory.is_some_and(|needed| !self.live.position().has_reached(needed)) {
            self.live.read_to_end(CATCH_UP_LIMIT)?;
        }
        Ok(())
    }

    /// Leaves the framed enriched score in `buffer` and its key in `key`.
    fn enrich(&mut self, record: &BorrowedMessage<'_>, origin: Origin, (consumer, now): (&GroupConsumer, Instant)) -> Result<(), Unfit> {
        let report = self.decoder.decode(record.payload()).map_err(Unfit::from)?;
        let known = |source: &str| self.sources.get(source).map(|source| source.name.clone()).unwrap_or_default();
        let rejected = |rejection| Unfit::Rejected {
            source: known(&report.source),
            rejection,
        };
        let covered = self
            .directory_covers
            .get(&record.partition())
            .is_some_and(|end| record.offset() < *end);
        // By a directory that can no longer be read, a report could be filed on whoever had an identity before.
        self.live
            .keep_fresh(now, CATCH_UP_LIMIT)
            .map_err(|error| Unfit::Obstacle(error.into()))?;
        let first_try = decide(&report, origin, &self.sources, self.live.directory());
        let mut score = match first_try {
            Err(rejection) if rejection.reason.depends_on_directory() && !covered => {
                // What was announced or decided before the report was sent must count: the directory is asked again, read to its end.
                let ends = consumer.log_ends();
                self.live
                    .read_to_end(CATCH_UP_LIMIT)
                    .map_err(|error| Unfit::Obstacle(error.into()))?;
                self.directory_covers = ends.into_iter().map(|(place, end)| (place.partition, end)).collect();
                decide(&report, origin, &self.sources, self.live.directory()).map_err(rejected)?
            }
            outcome => outcome.map_err(rejected)?,
        };
        if fault_points::has(Bug::ClockAsRevision) {
            score.revision = Some(now_millis());
        }
        if fault_points::has(Bug::IdentifierInLog) {
            tracing::info!(employee_no = score.employee_no.as_deref(), "a report is mapped");
        }
        score.result_id.write_to(&mut self.key);
        let written = self.encoder.encode_output(&score, &mut self.buffer, self.names.max_output_bytes);
        written.map_err(rejected)
    }

    fn publish_dead_letter(&self, record: &BorrowedMessage<'_>, end: &DeadEnd, ticket: Arc<DeliveryTicket>) -> Result<(), Obstacle> {
        let letter = DeadLetter {
            topic: record.topic(),
            partition: record.partition(),
            offset: record.offset(),
            group: &self.names.group,
            instance: &self.names.instance,
            reason: end.rejection.reason,
            message: &end.rejection.message,
            source: &end.source,
            origin: end.origin,
            attempt: end.history.attempts.saturating_add(1),
            first_failed_at: end.history.first_failed_at.unwrap_or_else(|| Timestamp::from_millis(now_millis())),
            traceparent: dead_letter::traceparent_of(record.headers()),
            is_retracted: false,
        };
        let report = Outgoing {
            topic: &self.names.dead_letters,
            key: record.key(),
            value: record.payload(),
        };
        let LetterRecord { record, headers, reason } = letter.about(report, self.names.max_output_bytes);
        if fault_points::has(Bug::LetterErrorSwallowed) {
            ticket.settle(Ok(()));
        }
        self.publisher.publish_within(QUEUE_LIMIT, record, Some(headers), ticket)?;
        fault_points::pass(Point::LetterQueued);
        self.metrics.count_dead_letter(&end.source, reason);
        Ok(())
    }
}

/// A report that can go no further.
struct DeadEnd {
    source: String,
    rejection: Rejection,
    origin: Origin,
    history: History,
}

enum Unfit {
    Rejected { source: String, rejection: Rejection },
    Obstacle(Obstacle),
}

impl From<DecodeError> for Unfit {
    fn from(error: DecodeError) -> Self {
        let reason = match error {
            DecodeError::Surroundings(cause) => return Self::Obstacle(Obstacle::Schemas(cause)),
            DecodeError::Frame(_) | DecodeError::Datum(_) => Reason::Undecodable,
            DecodeError::UnknownSchema { .. } => Reason::UnknownSchema,
        };
        let message = match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        };
        Self::Rejected {
            source: String::new(),
            rejection: Rejection { reason, message },
        }
    }
}
