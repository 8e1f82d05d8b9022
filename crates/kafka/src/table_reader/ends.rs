//! Where tables end: of all that is written, or of what can be read.

use super::CALL_TIMEOUT;
use crate::{
    error::Error,
    groupless::{Asker, End, NO_GROUP},
    settings::KafkaSettings,
};

/// Tells where tables end. One is enough for all tables of a thread.
pub struct TableEnds {
    written: Asker,
    readable: Asker,
}

impl TableEnds {
    /// Connects in the background.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn open(kafka: &KafkaSettings) -> Result<Self, Error> {
        Ok(Self {
            written: Asker::for_the(End::Written, kafka, NO_GROUP)?,
            readable: Asker::for_the(End::Readable, kafka, NO_GROUP)?,
        })
    }

    /// First offset and end of a partition's log.
    pub(super) fn bounds(&self, topic: &str, partition: i32, end: End) -> Result<(i64, i64), Error> {
        let asker = match end {
            End::Written => &self.written,
            End::Readable => &self.readable,
        };
        let bounds = asker.bounds(topic, partition, CALL_TIMEOUT);
        bounds.map_err(Error::client("ask for the bounds of a table"))
    }

    /// To be called now and then.
    pub(super) fn hear(&self) {
        self.written.hear();
        self.readable.hear();
    }
}
