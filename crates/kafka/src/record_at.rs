//! One record by its place.

use std::time::{Duration, Instant};

use rdkafka::{Message, Offset, TopicPartitionList, consumer::Consumer};

use crate::{
    error::Error,
    groupless::{NO_GROUP, groupless},
    settings::KafkaSettings,
};

/// How long the broker may take.
const LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

/// Key and value of a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredRecord {
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
}

/// Reads the record at a place; `None` where the log does not hold it (any more). Blocks its thread.
///
/// # Errors
/// Where the broker does not answer in time, or refuses.
pub fn record_at(kafka: &KafkaSettings, topic: &str, partition: i32, offset: i64) -> Result<Option<StoredRecord>, Error> {
    let consumer = groupless(kafka, NO_GROUP, ("enable.partition.eof", "true"))?;
    let failed = || Error::client("read a record");
    let (low, high) = consumer.fetch_watermarks(topic, partition, LIMIT).map_err(failed())?;
    if !(low..high).contains(&offset) {
        return Ok(None);
    }
    let mut place = TopicPartitionList::new();
    place
        .add_partition_offset(topic, partition, Offset::Offset(offset))
        .map_err(failed())?;
    consumer.assign(&place).map_err(failed())?;
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        match consumer.poll(POLL) {
            // Of an offset at which there is no record, the one behind it comes.
            Some(Ok(record)) if record.offset() == offset => {
                return Ok(Some(StoredRecord {
                    key: record.key().map(<[u8]>::to_vec),
                    value: record.payload().map(<[u8]>::to_vec),
                }));
            }
            Some(Ok(_) | Err(rdkafka::error::KafkaError::PartitionEOF(_))) => return Ok(None),
            Some(Err(cause)) if crate::kind_of(&cause) == crate::Kind::Environment => return Err(failed()(cause)),
            Some(Err(_)) | None => {}
        }
    }
    Err(Error::Describe(format!(
        "{topic} {partition}/{offset} did not come within {LIMIT:?}"
    )))
}
