//! A handful of records written for a person who waits for them.

use std::time::Duration;

use scoresync_archive::{Archive, LetterId};
use scoresync_domain::{Origin, Timestamp};
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{
    KafkaSettings, Outgoing, OwnedHeaders, Publisher, Shipment, ShipmentTicket, StoredRecord, Topic, TopicNames, TopicSettings,
    dead_letter::{DirectoryPosition, Redrive},
    record_at,
};
use scoresync_positions::wait_for;
use scoresync_service::now_millis;
use tokio::runtime::Handle;

use crate::decisions::DecisionError;

/// How long the broker may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes records, and waits until the broker has them. Blocks its thread.
pub struct Resender {
    kafka: KafkaSettings,
    topics: TopicSettings,
    publisher: Publisher<ShipmentTicket>,
    raw: String,
}

/// What is known of a report's past: where it first appeared, how often it was tried, and when that failed first.
pub(crate) type Past = (Origin, u32, Timestamp);

impl Resender {
    /// Connects in the background.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn new(kafka: &KafkaSettings, topics: &TopicSettings) -> Result<Self, DecisionError> {
        Ok(Self {
            kafka: kafka.clone(),
            topics: topics.clone(),
            publisher: Publisher::new(kafka, topics)?,
            raw: TopicNames::new(topics).name(Topic::Raw),
        })
    }

    /// Sends reports (key and value) to `scores.raw` again, with their past, to be mapped by a directory that has reached a position; says how
    /// many there were.
    ///
    /// # Errors
    /// Unless the broker has acknowledged all of them.
    pub fn send<'a>(
        &self,
        reports: impl IntoIterator<Item = (Past, Option<&'a [u8]>, Option<&'a [u8]>)>,
        directory: DirectoryPosition,
    ) -> Result<u64, DecisionError> {
        let copies = reports.into_iter().map(|((origin, attempts, first_failed_at), key, value)| {
            let redrive = Redrive {
                origin,
                attempts,
                first_failed_at,
                directory,
                traceparent: None,
            };
            let copy = Outgoing {
                topic: &self.raw,
                key,
                value,
            };
            (copy, Some(redrive.headers()))
        });
        self.deliver(copies)
    }

    /// The report that first appeared at `origin`.
    ///
    /// # Errors
    /// [`DecisionError::ReportGone`] where its log does not hold it any more, or the broker's.
    pub fn report(&self, origin: Origin) -> Result<StoredRecord, DecisionError> {
        let topic = TopicNames::of_generation(&self.topics, origin.generation).name(Topic::Raw);
        let record = record_at(&self.kafka, &topic, origin.partition, origin.offset)?;
        record.ok_or(DecisionError::ReportGone(origin))
    }

    /// Sends a report whatever came of it before: its letter, where it has one, expects that.
    ///
    /// # Errors
    /// Unless the broker has acknowledged it; [`DecisionError::ReportTooLarge`] where it never will.
    pub fn send_again(
        &self,
        (origin, report): (Origin, &StoredRecord),
        (archive, runtime): (&Archive, &Handle),
        directory: DirectoryPosition,
    ) -> Result<(), DecisionError> {
        let (id, now) = (LetterId::of(origin), Timestamp::from_millis(now_millis()));
        let letter = wait_for(runtime, archive.letter(&id))?;
        // A report without a letter was tried once, whatever came of that.
        let (attempts, first_failed_at) = letter.map_or((1, now), |(letter, _)| (letter.attempt, letter.first_failed_at));
        wait_for(runtime, archive.expect_again(&id, now))?;
        fault_points::pass(Point::CopyExpected);
        let past = (origin, attempts, first_failed_at);
        match self.send([(past, report.key.as_deref(), report.value.as_deref())], directory) {
            Err(DecisionError::NotArrived(error)) if error.is_too_large() => Err(DecisionError::ReportTooLarge(origin)),
            sent => sent.map(drop),
        }
    }

    pub(crate) fn deliver<'a>(
        &self,
        records: impl IntoIterator<Item = (Outgoing<'a>, Option<OwnedHeaders>)>,
    ) -> Result<u64, DecisionError> {
        let mut shipment = Shipment::new(&self.publisher, PATIENCE);
        for (record, headers) in records {
            shipment.add(record, headers)?;
        }
        Ok(shipment.arrive()?)
    }
}
