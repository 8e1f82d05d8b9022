//! A client of Kafka that knows nothing of scoresync: writes any bytes anywhere, and reads bytes as they are.

use std::time::Duration;

use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::{BorrowedMessage, Header, Headers, OwnedHeaders},
    producer::{FutureProducer, FutureRecord},
};
use scoresync_domain::ScoreReport;
use scoresync_kafka::{Encoder, Registry, Topic, TopicNames};

use super::Scene;

const PATIENCE: Duration = Duration::from_secs(30);

/// A record as bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bytes {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, String)>,
}

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) record: Bytes,
}

/// The client.
pub(crate) struct Foreign {
    producer: FutureProducer,
    brokers: String,
    names: TopicNames,
    registry: Registry,
}

impl Bytes {
    pub(crate) fn new(key: &str, value: impl Into<Vec<u8>>) -> Self {
        Self {
            key: Some(key.into()),
            value: Some(value.into()),
            headers: Vec::new(),
        }
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Foreign {
    pub(crate) fn of(scene: &Scene) -> anyhow::Result<Self> {
        Self::with_compression(scene, "none")
    }

    pub(crate) fn with_compression(scene: &Scene, compression: &str) -> anyhow::Result<Self> {
        let brokers = scene.installation.kafka.brokers.clone();
        let mut config = ClientConfig::new();
        // The broker shall be the one who refuses what is too large.
        config.set("bootstrap.servers", &brokers).set("message.max.bytes", "10000000");
        Ok(Self {
            producer: config.set("linger.ms", "0").set("compression.type", compression).create()?,
            brokers,
            names: TopicNames::new(&scene.installation.topics),
            registry: Registry::new(&scene.installation.registry)?,
        })
    }

    pub(crate) fn name(&self, topic: Topic) -> String {
        self.names.name(topic)
    }

    /// The registry's id of a topic's schema.
    pub(crate) async fn schema_id(&self, topic: Topic) -> anyhow::Result<u32> {
        let versions = self.registry.versions(&self.names.subject(topic)).await?;
        Ok(versions.first().context("the subject has no version")?.schema_id)
    }

    /// A score report as scoresync's own producer writes it.
    pub(crate) async fn encode(&self, report: &ScoreReport<'_>) -> anyhow::Result<Vec<u8>> {
        let encoder = Encoder::<ScoreReport<'static>>::new(self.schema_id(Topic::Raw).await?);
        let mut value = Vec::new();
        encoder.encode(report, &mut value)?;
        Ok(value)
    }

    /// Writes a record; gives its offset.
    pub(crate) async fn write(&self, (topic, partition): (Topic, i32), record: &Bytes) -> anyhow::Result<i64> {
        let written = self.try_write((topic, partition), record).await;
        written?.with_context(|| format!("a record for {} is too large", self.name(topic)))
    }

    /// Writes a record; `None` where the broker finds it too large.
    pub(crate) async fn try_write(&self, (topic, partition): (Topic, i32), record: &Bytes) -> anyhow::Result<Option<i64>> {
        let name = self.name(topic);
        let mut outgoing = FutureRecord::<[u8], [u8]>::to(&name).partition(partition);
        outgoing.key = record.key.as_deref();
        outgoing.payload = record.value.as_deref();
        if !record.headers.is_empty() {
            let insert = |headers: OwnedHeaders, (key, value): &(String, String)| headers.insert(Header { key, value: Some(value) });
            outgoing = outgoing.headers(record.headers.iter().fold(OwnedHeaders::new(), insert));
        }
        match self.producer.send(outgoing, PATIENCE).await {
            Ok(delivery) => Ok(Some(delivery.offset)),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge), _)) => Ok(None),
            Err((error, _)) => Err(error.into()),
        }
    }

    /// Writes a record whose headers are bytes.
    pub(crate) async fn write_with(&self, (topic, partition): (Topic, i32), headers: &[(&str, &[u8])]) -> anyhow::Result<()> {
        let name = self.name(topic);
        let insert = |all: OwnedHeaders, (key, value): &(&str, &[u8])| all.insert(Header { key, value: Some(*value) });
        let outgoing = FutureRecord::<[u8], [u8]>::to(&name)
            .partition(partition)
            .key(b"k")
            .payload(b"not ours")
            .headers(headers.iter().fold(OwnedHeaders::new(), insert));
        self.producer.send(outgoing, PATIENCE).await.map_err(|(error, _)| error)?;
        Ok(())
    }

    /// Writes a tombstone.
    pub(crate) async fn erase(&self, (topic, partition): (Topic, i32), key: &str) -> anyhow::Result<()> {
        let name = self.name(topic);
        let outgoing = FutureRecord::<str, [u8]>::to(&name).partition(partition).key(key);
        self.producer.send(outgoing, PATIENCE).await.map_err(|(error, _)| error)?;
        Ok(())
    }

    /// Everything in a topic, by partition and offset.
    pub(crate) async fn read(&self, topic: Topic) -> anyhow::Result<Vec<Standing>> {
        let (brokers, name) = (self.brokers.clone(), self.name(topic));
        tokio::task::spawn_blocking(move || read(&brokers, &name)).await?
    }
}

fn read(brokers: &str, topic: &str) -> anyhow::Result<Vec<Standing>> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("group.id", "foreign")
        .set("fetch.wait.max.ms", "50");
    let consumer: BaseConsumer = config.set("enable.auto.commit", "false").create()?;
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let (mut assignment, mut left) = (TopicPartitionList::new(), 0);
    for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        let (low, high) = consumer.fetch_watermarks(topic, partition.id(), PATIENCE)?;
        assignment.add_partition_offset(topic, partition.id(), Offset::Offset(low))?;
        left += high - low;
    }
    consumer.assign(&assignment)?;
    let (mut all, end) = (Vec::new(), std::time::Instant::now() + PATIENCE);
    while left > 0 {
        ensure!(std::time::Instant::now() < end, "{left} records of {topic} cannot be read");
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            all.push(standing(&message?)?);
            left -= 1;
        }
    }
    all.sort_by_key(|standing| (standing.partition, standing.offset));
    Ok(all)
}

fn standing(message: &BorrowedMessage<'_>) -> anyhow::Result<Standing> {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    let text = |header: Header<'_, &[u8]>| {
        let value = header.value.with_context(|| format!("header {} has no value", header.key))?;
        anyhow::Ok((header.key.to_owned(), String::from_utf8(value.to_vec())?))
    };
    Ok(Standing {
        partition: message.partition(),
        offset: message.offset(),
        record: Bytes {
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.map(text).collect::<Result<_, _>>()?,
        },
    })
}
