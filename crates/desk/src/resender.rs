//! A handful of records written for a person who waits for them.

use std::time::Duration;

use scoresync_domain::{Origin, Timestamp};
use scoresync_kafka::{
    DeliveryTicket, KafkaSettings, OffsetTracker, Outgoing, OwnedHeaders, Publisher, Topic, TopicNames, TopicSettings,
    dead_letter::{DirectoryPosition, Redrive},
};

use crate::decisions::DecisionError;

/// How long the broker may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Writes records, and waits until the broker has them. Blocks its thread.
pub struct Resender {
    publisher: Publisher<DeliveryTicket>,
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

    pub(crate) fn deliver<'a>(
        &self,
        records: impl IntoIterator<Item = (Outgoing<'a>, Option<OwnedHeaders>)>,
    ) -> Result<u64, DecisionError> {
        let mut tracker = OffsetTracker::new(0, ());
        let mut count = 0;
        for (record, headers) in records {
            self.publisher.publish_within(PATIENCE, record, headers, tracker.begin(count))?;
            count += 1;
        }
        if self.publisher.settle(PATIENCE) && tracker.watermark() == count {
            return Ok(count.unsigned_abs());
        }
        Err(DecisionError::NotAcknowledged(self.publisher.because()))
    }
}
