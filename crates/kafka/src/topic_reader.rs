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
    settings::{KafkaSettings, TopicSettings},
    topics::{Topic, TopicNames},
};

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);
/// How long nothing may come while there is something.
const PATIENCE: Duration = Duration::from_secs(30);

/// First offset and end of each partition of a log.
pub type Bounds = BTreeMap<i32, (i64, i64)>;

/// Reads the records of a topic, each partition in its order, and says from where to where. Blocks its thread; nothing is recorded about it
/// anywhere.
///
/// # Errors
/// Where the broker does not answer in time, refuses, or has no such topic.
pub fn read_topic(kafka: &KafkaSettings, topic: &str, take: impl FnMut(&BorrowedMessage<'_>)) -> Result<Bounds, Error> {
    read_topic_from(kafka, (topic, &BTreeMap::new()), take)
}

/// The same from an offset on in each partition that has one; others from their beginning.
///
/// # Errors
/// As [`read_topic`].
pub fn read_topic_from(
    kafka: &KafkaSettings,
    (topic, starts): (&str, &BTreeMap<i32, i64>),
    mut take: impl FnMut(&BorrowedMessage<'_>),
) -> Result<Bounds, Error> {
    let consumer = groupless(kafka, NO_GROUP, ("enable.partition.eof", "true"))?;
    let mut bounds = bounds(&consumer, topic)?;
    for (partition, (low, end)) in &mut bounds {
        let start = starts.get(partition).copied().unwrap_or(*low);
        *low = start.clamp(*low, *end);
    }
    let mut left = bounds.clone();
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
    Ok(bounds)
}

/// From where to where a topic's log goes now.
///
/// # Errors
/// Where the broker does not answer in time, refuses, or has no such topic.
pub fn topic_bounds(kafka: &KafkaSettings, topic: &str) -> Result<Bounds, Error> {
    bounds(&groupless(kafka, NO_GROUP, ("enable.partition.eof", "true"))?, topic)
}

/// From where to where the log of each generation of a topic goes now, from the first to the present one; `None` where an earlier one is gone.
///
/// # Errors
/// Where the broker does not answer in time or refuses, or the present one is not there.
pub fn generation_bounds(kafka: &KafkaSettings, topics: &TopicSettings, topic: Topic) -> Result<BTreeMap<i32, Option<Bounds>>, Error> {
    let of_generation = |generation| match topic_bounds(kafka, &TopicNames::of_generation(topics, generation).name(topic)) {
        Ok(bounds) => Ok((generation, Some(bounds))),
        Err(Error::TopicMissing(_)) if generation < topics.generation => Ok((generation, None)),
        Err(error) => Err(error),
    };
    (1..=topics.generation).map(of_generation).collect()
}

/// What a group has recorded for the partitions of a topic; those for which it has nothing are not there. The user needs the right to describe
/// the group.
///
/// # Errors
/// Where the broker does not answer in time or refuses.
pub fn recorded_positions(kafka: &KafkaSettings, group: &str, topic: &str) -> Result<BTreeMap<i32, i64>, Error> {
    let consumer = groupless(kafka, group, ("enable.partition.eof", "true"))?;
    let mut list = TopicPartitionList::new();
    for partition in bounds(&consumer, topic)?.into_keys() {
        list.add_partition(topic, partition);
    }
    let action = format!("ask for positions that the group {group} recorded");
    let answer = consumer.committed_offsets(list, CALL_TIMEOUT).map_err(Error::client(&action))?;
    let mut positions = BTreeMap::new();
    for element in answer.elements() {
        element.error().map_err(Error::client(&action))?;
        if let Offset::Offset(offset) = element.offset() {
            positions.insert(element.partition(), offset);
        }
    }
    Ok(positions)
}

fn bounds(consumer: &BaseConsumer<Context>, topic: &str) -> Result<Bounds, Error> {
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
    let bounds: Bounds = bounds.collect::<Result<_, Error>>()?;
    if bounds.is_empty() {
        return Err(Error::TopicMissing(topic.to_owned()));
    }
    Ok(bounds)
}
