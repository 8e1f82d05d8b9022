//! Where tables end, asked by clients that read nothing.
//!
//! A broker answers what one connection asks one after the other, and a fetch only when there is something to fetch: a question of the client
//! that reads would wait for as long as that.

use std::time::Duration;

use rdkafka::consumer::BaseConsumer;

use super::{CALL_TIMEOUT, Context, client_of};
use crate::{
    error::Error,
    log_bounds::log_bounds,
    settings::{KafkaSettings, TopicSettings},
};

/// Which end of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The end of what is written, in open transactions too.
    Written,
    /// The beginning of the first transaction that is open.
    Readable,
}

/// Tells where tables end. One is enough for all tables of a thread.
pub struct TableEnds {
    written: BaseConsumer<Context>,
    readable: BaseConsumer<Context>,
}

impl TableEnds {
    /// Connects in the background.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn open(kafka: &KafkaSettings, topics: &TopicSettings) -> Result<Self, Error> {
        let client = |isolation| client_of((kafka, topics), &[("isolation.level", isolation)]);
        Ok(Self {
            written: client("read_uncommitted")?,
            readable: client("read_committed")?,
        })
    }

    /// First offset and end of a partition's log.
    pub(super) fn bounds(&self, topic: &str, partition: i32, end: End) -> Result<(i64, i64), Error> {
        self.hear();
        let client = match end {
            End::Written => &self.written,
            End::Readable => &self.readable,
        };
        log_bounds(client, topic, partition, CALL_TIMEOUT).map_err(Error::client("ask for the bounds of a table"))
    }

    /// What these clients have to tell is told by the one that reads, too, but for their own statistics; it must not pile up.
    pub(super) fn hear(&self) {
        for client in [&self.written, &self.readable] {
            while client.poll(Duration::ZERO).is_some() {}
        }
    }
}
