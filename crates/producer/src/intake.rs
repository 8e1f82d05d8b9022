//! Rows into score reports, queued for the broker; who sent them hears when all are acknowledged.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use prometheus::IntCounter;
use scoresync_domain::{ResultId, ScoreReport, Source, Timestamp};
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{
    DatumError, DeliveryFailure, DeliveryObserver, DeliveryTicket, Encoder, Error, KafkaSettings, OffsetTracker, Outgoing, PublishError,
    Publisher, Topic, TopicNames, TopicSettings,
};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{format::Row, metrics::ProducerMetrics};

/// Room for a record's key and framing beside its value.
const RECORD_OVERHEAD_BYTES: usize = 1024;

/// The way into `scores.raw`, one per process; shared between threads.
pub struct Intake {
    publisher: Publisher<DeliveryTicket<Arc<Tally>>>,
    encoder: Encoder<ScoreReport<'static>>,
    topic: String,
    max_value_bytes: usize,
    metrics: ProducerMetrics,
}

/// Why a row was not queued. Rows before it were.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The producer's queue stayed full: the broker is slow or away.
    #[error("the broker does not take reports fast enough; send again later")]
    Busy,
    /// The row's report would be larger than the topic takes.
    #[error("the row would make a report of {bytes} bytes, {limit} are allowed")]
    TooLarge {
        /// What it needs.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// The broker refuses reports, as the client knows from earlier ones.
    #[error(transparent)]
    Refused(DeliveryFailure),
    /// The producer cannot go on.
    #[error("the report cannot be queued")]
    Publish(#[source] PublishError),
    /// The report does not fit its schema.
    #[error("the report cannot be written")]
    Encode(#[from] DatumError),
}

impl Intake {
    /// Connects in the background. `schema_id` is the registry's id of our schema of raw scores.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn new(kafka: &KafkaSettings, topics: &TopicSettings, schema_id: u32, metrics: ProducerMetrics) -> Result<Self, Error> {
        Ok(Self {
            publisher: Publisher::new(kafka, topics)?,
            encoder: Encoder::new(schema_id),
            topic: TopicNames::new(topics).name(Topic::Raw),
            max_value_bytes: max_value_bytes(topics),
            metrics,
        })
    }

    /// Begins to take the rows of one request or file.
    #[must_use]
    pub fn submission<'a>(&'a self, source: &'a Source, content_type: &'a str) -> Submission<'a> {
        Submission {
            intake: self,
            source,
            content_type,
            received: self.metrics.received(&source.name, content_type),
            rows: OffsetTracker::new(1, Arc::default()),
            key: String::new(),
            buffer: Vec::new(),
        }
    }

    /// Greatest value of a record, in bytes.
    pub(crate) const fn max_value_bytes(&self) -> usize {
        self.max_value_bytes
    }

    /// Why nothing will ever be acknowledged any more, if it is so.
    pub(crate) fn fatal_error(&self) -> Option<String> {
        self.publisher.fatal_error()
    }

    /// Waits until everything of everybody is acknowledged, or the time is over; says whether it is.
    #[must_use]
    pub fn settle(&self, limit: Duration) -> bool {
        self.publisher.settle(limit)
    }
}

/// Greatest value of a record in `scores.raw`, in bytes.
pub(crate) const fn max_value_bytes(topics: &TopicSettings) -> usize {
    topics.max_message_bytes.saturating_sub(RECORD_OVERHEAD_BYTES)
}

/// The rows of one request or file, and how many of them are acknowledged.
pub struct Submission<'a> {
    intake: &'a Intake,
    source: &'a Source,
    content_type: &'a str,
    received: IntCounter,
    rows: OffsetTracker<Arc<Tally>>,
    key: String,
    buffer: Vec<u8>,
}

impl Submission<'_> {
    /// Queues a row, whatever it is: one that cannot be read becomes a report, too. While the queue is full it blocks, up to `patience`.
    ///
    /// The id is `None` where the fields that make the result's key are not there.
    ///
    /// # Errors
    /// The row was not queued: see [`IntakeError`].
    pub fn accept(&mut self, row: Row, received_at: Timestamp, patience: Duration) -> Result<Option<ResultId>, IntakeError> {
        fault_points::pass(Point::ReportReceived);
        let number = row.number;
        let report = row.into_report(self.source, self.content_type, received_at);
        let (result_id, key) = key_of(self.source, &report);
        self.intake.encoder.encode(&report, &mut self.buffer)?;
        if self.buffer.len() > self.intake.max_value_bytes {
            return Err(IntakeError::TooLarge {
                bytes: self.buffer.len(),
                limit: self.intake.max_value_bytes,
            });
        }
        key.write_to(&mut self.key);
        self.publish(number, patience)?;
        self.received.inc();
        Ok(result_id)
    }

    fn publish(&mut self, row_number: u64, patience: Duration) -> Result<(), IntakeError> {
        // Where the row is not queued, its place stays open, so that no watermark ever passes a row that was not written.
        let ticket = self.rows.begin(i64::try_from(row_number).unwrap_or(i64::MAX));
        let record = Outgoing {
            topic: &self.intake.topic,
            key: Some(self.key.as_bytes()),
            value: Some(&self.buffer),
        };
        match self.intake.publisher.publish_within(patience, record, None, ticket) {
            Ok(()) => {
                fault_points::pass(Point::ReportQueued);
                Ok(())
            }
            Err(PublishError::QueueFull) => Err(IntakeError::Busy),
            Err(error) => Err(match error.refusal(&self.intake.topic) {
                Some(refusal) => IntakeError::Refused(refusal),
                None => IntakeError::Publish(error),
            }),
        }
    }

    /// Number of the first row that is not yet acknowledged, counting from 1.
    pub fn first_unacknowledged(&mut self) -> u64 {
        u64::try_from(self.rows.watermark()).unwrap_or(1)
    }

    /// How many rows are queued or on their way.
    pub fn in_flight(&mut self) -> usize {
        self.rows.in_flight()
    }

    /// The first refusal by the broker, if there was one.
    #[must_use]
    pub fn failure(&self) -> Option<&DeliveryFailure> {
        self.rows.observer().failure.get()
    }

    /// Ends the submission: no further row, and the sender waits for those that are queued.
    #[must_use]
    pub fn into_acknowledgement(self) -> Acknowledgement {
        Acknowledgement(self.rows)
    }
}

/// The result that a report is about, where it says so, and the key of its record in `scores.raw`: the same id, or one made of its own bytes,
/// which keep it apart.
#[must_use]
pub fn key_of(source: &Source, report: &ScoreReport<'_>) -> (Option<ResultId>, ResultId) {
    let result_id = source.result_key(&report.fields).ok();
    (result_id, result_id.unwrap_or_else(|| key_of_its_own(report)))
}

fn key_of_its_own(report: &ScoreReport<'_>) -> ResultId {
    let mut bytes = report.source.as_bytes().to_vec();
    for (name, value) in report.fields.iter() {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(value.unwrap_or_default().as_bytes());
        bytes.push(0);
    }
    bytes.extend_from_slice(report.unparsed.as_deref().unwrap_or_default());
    ResultId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_OID, &bytes))
}

/// What became of the queued rows of a submission.
pub struct Acknowledgement(OffsetTracker<Arc<Tally>>);

/// The broker has not acknowledged every row.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unacknowledged {
    /// Not within the time given; the rows may still be written.
    #[error("the broker has not acknowledged the reports yet; sending them again is safe")]
    TimeOut,
    /// The broker refused a row.
    #[error("the broker did not take a report")]
    Refused(#[from] DeliveryFailure),
}

impl Acknowledgement {
    /// How many rows, from the first on and without a gap, the broker has by now.
    pub fn acknowledged_rows(&mut self) -> u64 {
        u64::try_from(self.0.watermark() - 1).unwrap_or(0)
    }

    /// Waits until the broker has every queued row, durably.
    ///
    /// # Errors
    /// A refusal, or `limit` passed.
    pub async fn wait(&self, limit: Duration) -> Result<(), Unacknowledged> {
        let tally = self.0.observer();
        let all = async {
            loop {
                // Registered before looking, so that no settlement falls between the two.
                let settled = tally.settled.notified();
                if let Some(failure) = tally.failure.get() {
                    return Err(failure.clone().into());
                }
                if tally.pending.load(Ordering::Acquire) == 0 {
                    return Ok(());
                }
                settled.await;
            }
        };
        tokio::time::timeout(limit, all).await.unwrap_or(Err(Unacknowledged::TimeOut))
    }
}

#[derive(Default)]
struct Tally {
    /// Rows that were taken in hand and are not acknowledged.
    pending: AtomicUsize,
    /// Only the first is told; the sender sends everything again.
    failure: OnceLock<DeliveryFailure>,
    settled: Notify,
}

impl DeliveryObserver for Tally {
    fn begun(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    fn settled(&self, outcome: Result<(), DeliveryFailure>) {
        let is_settled = match outcome {
            Ok(()) => self.pending.fetch_sub(1, Ordering::AcqRel) == 1,
            Err(failure) => self.failure.set(failure).is_ok(),
        };
        if is_settled {
            self.settled.notify_one();
        }
    }
}

impl fmt::Debug for Acknowledgement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pending = self.0.observer().pending.load(Ordering::Relaxed);
        write!(formatter, "Acknowledgement({pending} in flight)")
    }
}

#[cfg(test)]
mod tests {
    use scoresync_domain::Fields;

    use super::*;
    use crate::{
        fixtures::sources,
        format::{Format, Limits, Unreadable},
    };

    fn check(content: Result<Fields<'static>, Unreadable>, limits: Limits) {
        let sources = sources();
        let mut source = sources.get("academy").unwrap().clone();
        source.name = "s".repeat(64);
        let row = Row {
            number: u64::MAX,
            line: u64::MAX,
            content,
        };
        let report = row.into_report(&source, Format::Ndjson.content_type(), Timestamp::from_millis(i64::MAX));
        let mut encoded = Vec::new();
        Encoder::<ScoreReport<'static>>::new(u32::MAX)
            .encode(&report, &mut encoded)
            .unwrap();
        let limit = limits.max_report_bytes();
        assert!(encoded.len() <= limit, "{} bytes where {limit} are promised", encoded.len());
    }

    #[test]
    fn no_row_within_the_limits_makes_a_report_that_is_larger_than_they_promise() {
        let limits = Limits::default();
        let room = limits.max_row_bytes * 2;
        let fields = |count: usize| {
            let name = |number: usize| format!("{number:04}");
            let value = "x".repeat(room / count - 4);
            let fields = (0..count).map(|number| (name(number).into(), Some(value.clone().into())));
            Fields::from_unique(fields.collect())
        };
        check(Ok(fields(limits.max_fields)), limits);
        check(Ok(fields(1)), limits);
        let unreadable = Unreadable {
            bytes: vec![b'x'; limits.max_row_bytes],
            problem: String::new(),
        };
        check(Err(unreadable), limits);
    }
}
