//! A whole topic, from its beginning to what is its end when the reading begins.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
    message::BorrowedMessage,
};

use crate::{
    error::{Error, Kind, kind_of},
    groupless::{Context, NO_GROUP, groupless},
    settings::KafkaSettings,
};

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);
/// How long nothing may come while there is something.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the records of a topic, each partition in its order. Blocks its thread; nothing is recorded about it anywhere.
///
/// # Errors
/// Where the broker does not answer in time, refuses, or has no such topic.
pub fn read_topic(kafka: &KafkaSettings, topic: &str, mut take: impl FnMut(&BorrowedMessage<'_>)) -> Result<(), Error> {
    let consumer = groupless(kafka, NO_GROUP, ("enable.partition.eof", "true"))?;
    let mut left = bounds(&consumer, topic)?;
    let mut assignment = TopicPartitionList::new();
    for (partition, (low, _)) in &left {
        let added = assignment.add_partition_offset(topic, *partition, Offset::Offset(*low));
        added.map_err(Error::client("read a topic"))?;
    }
    left.retain(|_, (low, end)| low < end);
    consumer.assign(&assignment).map_err(Error::client("read a topic"))?;
    let mut last_news = Instant::now();
    while !left.is_empty() {
        match consumer.poll(POLL) {
            Some(Ok(record)) => {
                last_news = Instant::now();
                let (partition, offset) = (record.partition(), record.offset());
                let end = left.get(&partition).map_or(0, |(_, end)| *end);
                if offset < end {
                    take(&record);
                }
                if offset + 1 >= end {
                    left.remove(&partition);
                }
            }
            // Behind the last record there can be marks of transactions up to the end.
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(left.remove(&partition)),
            Some(Err(cause)) if kind_of(&cause) == Kind::Environment => return Err(Error::client("read a topic")(cause)),
            Some(Err(_)) | None if last_news.elapsed() > PATIENCE => {
                return Err(Error::Describe(format!(
                    "{topic} cannot be read to its end: nothing came for {PATIENCE:?}"
                )));
            }
            Some(Err(_)) | None => {}
        }
    }
    Ok(())
}

/// First offset and end of each partition.
fn bounds(consumer: &BaseConsumer<Context>, topic: &str) -> Result<BTreeMap<i32, (i64, i64)>, Error> {
    let metadata = consumer
        .fetch_metadata(Some(topic), CALL_TIMEOUT)
        .map_err(Error::client("ask for the partitions of a topic"))?;
    let partitions = metadata
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions())
        .map(|partition| partition.id());
    let bounds = partitions.map(|partition| {
        let bounds = consumer.fetch_watermarks(topic, partition, CALL_TIMEOUT);
        Ok((partition, bounds.map_err(Error::client("ask for the bounds of a log"))?))
    });
    let bounds: BTreeMap<i32, (i64, i64)> = bounds.collect::<Result<_, Error>>()?;
    if bounds.is_empty() {
        return Err(Error::TopicMissing(topic.to_owned()));
    }
    Ok(bounds)
}
