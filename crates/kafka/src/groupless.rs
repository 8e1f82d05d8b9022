//! Clients that join no group: they read tables, or read nothing and ask where logs end.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use rdkafka::{
    ClientContext, Statistics,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
};

use crate::{client, error::Error, lifeline::Lifeline, log_bounds::log_bounds, settings::KafkaSettings};

pub(crate) struct Context(Lifeline);

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        self.0.look(&statistics);
    }

    /// Reaching an end is told as an error, too.
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(RDKafkaErrorCode::PartitionEOF)) {
            tracing::warn!(%error, reason, "a client has trouble with the broker; it keeps trying");
        }
    }
}

impl ConsumerContext for Context {}

/// The name that a client has who reads tables, or single records, for itself.
pub(crate) const NO_GROUP: &str = "scoresync-table";

/// Connects in the background. The client wants the name of a group that its user has a right to, and never joins it.
///
/// # Errors
/// Settings that the client refuses.
pub(crate) fn groupless(kafka: &KafkaSettings, group: &str, (setting, value): (&str, &str)) -> Result<BaseConsumer<Context>, Error> {
    let mut config = client::consumer(kafka, group)?;
    config.set(setting, value);
    let context = Context(Lifeline::to(&kafka.brokers)?);
    let consumer: BaseConsumer<Context> = config.create_with_context(context).map_err(Error::client("make a consumer"))?;
    consumer.context().0.hold(consumer.client());
    Ok(consumer)
}

/// Asks where logs begin and end, and reads nothing.
///
/// A broker answers what one connection asks one after the other, and a fetch only when there is something to fetch: a question of a client
/// that reads would wait for as long as that.
pub(crate) struct Asker {
    client: BaseConsumer<Context>,
    calls: AtomicU32,
}

/// Which end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The end of what is written, in open transactions too.
    Written,
    /// The beginning of the first transaction that is open.
    Readable,
}

const STATISTICS_AT_ONCE: usize = 3;
const CALLS_UNHEARD: u32 = 512;

impl Asker {
    /// Asks for ends of this kind.
    pub(crate) fn for_the(end: End, kafka: &KafkaSettings, group: &str) -> Result<Self, Error> {
        let isolation = match end {
            End::Written => "read_uncommitted",
            End::Readable => "read_committed",
        };
        Ok(Self {
            client: groupless(kafka, group, ("isolation.level", isolation))?,
            calls: AtomicU32::default(),
        })
    }

    /// First offset and end of a partition's log, from its leader. Waits for up to three times `timeout`.
    pub(crate) fn bounds(&self, topic: &str, partition: i32, timeout: Duration) -> Result<(i64, i64), KafkaError> {
        self.hear();
        log_bounds(&self.client, topic, partition, timeout)
    }

    /// What this client has to tell is told by the one that reads, too, but for its own statistics, which come once a second and must not pile
    /// up. A poll takes one of them, and says that there was nothing.
    pub(crate) fn hear(&self) {
        for _ in 0..STATISTICS_AT_ONCE {
            self.client.poll(Duration::ZERO);
        }
    }

    /// Hears it now and then, for whoever is in a hurry: often enough where there are a thousand calls a second.
    pub(crate) fn hear_seldom(&self) {
        if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(CALLS_UNHEARD) {
            self.hear();
        }
    }
}
