//! What stands in the topics of an installation: raw reports, enriched scores, dead letters, with keys and headers.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    message::{BorrowedMessage, Headers},
};
use scoresync_domain::{EnrichedScore, Origin, ScoreReport};
use scoresync_kafka::{DecodeError, Decoder, Registry, Topic, TopicNames, dead_letter};
use tokio::runtime::Handle;

use crate::{installation::Installation, owned};

const PATIENCE: Duration = Duration::from_secs(30);

/// A record as it stands in its topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<T> {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// The key, where it is text.
    pub key: Option<String>,
    /// All headers, in their order.
    pub headers: Vec<(String, String)>,
    /// What it says; `None` where it cannot be decoded.
    pub value: Option<T>,
    /// Whether it has no value, which is not the same as one of no bytes.
    pub is_null: bool,
    /// The value's bytes.
    pub bytes: Vec<u8>,
}

impl<T> Record<T> {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Where the report first appeared: what the header of a dead letter says.
    #[must_use]
    pub fn origin_in_header(&self) -> Option<Origin> {
        self.header(dead_letter::ORIGIN)?.parse().ok()
    }
}

/// Whether what transactions have not committed is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Not.
    Committed,
    /// It is.
    Uncommitted,
}

type Decode<R, T> = fn(&mut Decoder<R>, Option<&[u8]>) -> Result<T, DecodeError>;

/// The topics of an installation.
#[derive(Clone)]
pub struct Topics {
    brokers: String,
    names: TopicNames,
    registry: Registry,
}

impl Topics {
    /// Prepares reading; nothing is sent yet.
    ///
    /// # Errors
    /// The registry's settings make no client.
    pub fn of(installation: &Installation) -> anyhow::Result<Self> {
        Ok(Self {
            brokers: installation.kafka.brokers.clone(),
            names: TopicNames::new(&installation.topics),
            registry: Registry::new(&installation.registry)?,
        })
    }

    /// How many records each topic has taken, by its partition.
    ///
    /// # Errors
    /// Kafka does not answer.
    pub async fn ends(&self, topic: Topic) -> anyhow::Result<BTreeMap<i32, i64>> {
        self.ends_for(topic, Isolation::Committed).await
    }

    /// The same for whoever also reads what transactions have not committed.
    ///
    /// # Errors
    /// Kafka does not answer.
    pub async fn ends_for(&self, topic: Topic, isolation: Isolation) -> anyhow::Result<BTreeMap<i32, i64>> {
        let (consumer, name) = (self.consumer("scoresync-tests", isolation)?, self.names.name(topic));
        tokio::task::spawn_blocking(move || ends(&consumer, &name)).await?
    }

    /// What a group has recorded for a topic, by partition.
    ///
    /// # Errors
    /// Kafka does not answer.
    pub async fn committed(&self, group: &str, topic: Topic) -> anyhow::Result<BTreeMap<i32, i64>> {
        let (consumer, name) = (self.consumer(group, Isolation::Committed)?, self.names.name(topic));
        tokio::task::spawn_blocking(move || {
            let mut list = TopicPartitionList::new();
            for partition in ends(&consumer, &name)?.keys() {
                list.add_partition(&name, *partition);
            }
            let committed = consumer.committed_offsets(list, PATIENCE)?;
            let known = committed
                .elements()
                .into_iter()
                .filter_map(|element| Some((element.partition(), element.offset().to_raw().filter(|offset| *offset >= 0)?)));
            Ok(known.collect())
        })
        .await?
    }

    /// How many records a topic has taken.
    ///
    /// # Errors
    /// Kafka does not answer.
    pub async fn count(&self, topic: Topic) -> anyhow::Result<i64> {
        Ok(self.ends(topic).await?.values().sum())
    }

    /// All raw reports.
    ///
    /// # Errors
    /// Kafka or the registry does not answer.
    pub async fn raw(&self) -> anyhow::Result<Vec<Record<ScoreReport<'static>>>> {
        self.read(Topic::Raw, Topic::Raw, report).await
    }

    /// All dead letters; their values are raw reports, untouched.
    ///
    /// # Errors
    /// Kafka or the registry does not answer.
    pub async fn dead_letters(&self) -> anyhow::Result<Vec<Record<ScoreReport<'static>>>> {
        self.read(Topic::DeadLetters, Topic::Raw, report).await
    }

    /// All enriched scores.
    ///
    /// # Errors
    /// Kafka or the registry does not answer.
    pub async fn enriched(&self) -> anyhow::Result<Vec<Record<EnrichedScore<'static>>>> {
        self.read(Topic::Enriched, Topic::Enriched, score).await
    }

    /// Reads a topic from its beginning to its present end, partition by partition. Values have schemas of `schemas_of`.
    async fn read<R, T>(&self, topic: Topic, schemas_of: Topic, decode: Decode<R, T>) -> anyhow::Result<Vec<Record<T>>>
    where
        R: scoresync_kafka::Record + 'static,
        T: Send + 'static,
    {
        let (consumer, name) = (self.consumer("scoresync-tests", Isolation::Committed)?, self.names.name(topic));
        let (subject, registry, runtime) = (self.names.subject(schemas_of), self.registry.clone(), Handle::current());
        tokio::task::spawn_blocking(move || {
            let mut decoder = Decoder::new(subject, registry, runtime);
            let mut records = Vec::new();
            read_to_end(&consumer, &name, |message| {
                let value = once_known(|| decode(&mut decoder, message.payload()))?;
                records.push(record(message, value));
                Ok(())
            })?;
            records.sort_by_key(|record| (record.partition, record.offset));
            Ok(records)
        })
        .await?
    }

    fn consumer(&self, group: &str, isolation: Isolation) -> anyhow::Result<BaseConsumer> {
        let mut config = ClientConfig::new();
        let isolation = match isolation {
            Isolation::Committed => "read_committed",
            Isolation::Uncommitted => "read_uncommitted",
        };
        config
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", group)
            .set("isolation.level", isolation)
            .set("enable.auto.commit", "false");
        config.set("auto.offset.reset", "error").set("fetch.wait.max.ms", "50");
        config.create().context("make a consumer")
    }
}

fn ends(consumer: &BaseConsumer, topic: &str) -> anyhow::Result<BTreeMap<i32, i64>> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
    let end = |partition: i32| Ok((partition, consumer.fetch_watermarks(topic, partition, PATIENCE)?.1));
    partitions.map(|partition| end(partition.id())).collect()
}

fn report(decoder: &mut Decoder<ScoreReport<'static>>, bytes: Option<&[u8]>) -> Result<ScoreReport<'static>, DecodeError> {
    decoder.decode(bytes).map(owned::report)
}

fn score(decoder: &mut Decoder<EnrichedScore<'static>>, bytes: Option<&[u8]>) -> Result<EnrichedScore<'static>, DecodeError> {
    decoder.decode(bytes).map(owned::score)
}

/// A value, or that there is none that can be read. A registry that does not answer says neither.
fn once_known<T>(mut decode: impl FnMut() -> Result<T, DecodeError>) -> anyhow::Result<Option<T>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match decode() {
            Ok(value) => return Ok(Some(value)),
            Err(DecodeError::Surroundings(cause)) if Instant::now() >= deadline => return Err(cause.into()),
            Err(DecodeError::Surroundings(_)) => std::thread::sleep(Duration::from_millis(100)),
            Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => return Ok(None),
        }
    }
}

fn read_to_end(
    consumer: &BaseConsumer,
    topic: &str,
    mut take: impl FnMut(&BorrowedMessage<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let ends = ends(consumer, topic)?;
    let mut assignment = TopicPartitionList::new();
    for partition in ends.keys() {
        assignment.add_partition_offset(topic, *partition, Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;
    let mut left: i64 = ends.values().sum();
    let deadline = Instant::now() + PATIENCE;
    while left > 0 {
        ensure!(
            Instant::now() < deadline,
            "{topic} cannot be read to its end: {left} records are missing"
        );
        let Some(message) = consumer.poll(Duration::from_millis(100)) else {
            continue;
        };
        let message = message?;
        if message.offset() < ends[&message.partition()] {
            take(&message)?;
            left -= 1;
        }
    }
    Ok(())
}

fn record<T>(message: &BorrowedMessage<'_>, value: Option<T>) -> Record<T> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    Record {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(text),
        headers: headers
            .map(|header| (header.key.to_owned(), header.value.map(text).unwrap_or_default()))
            .collect(),
        value,
        is_null: message.payload().is_none(),
        bytes: message.payload().unwrap_or_default().to_vec(),
    }
}
