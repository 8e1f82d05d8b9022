//! What a client without any work of its own does with the same broker: the ceilings of the stages.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
    producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer},
};
use uuid::Uuid;

use super::usage::{self, Speed, Stopwatch};

const PATIENCE: Duration = Duration::from_secs(60);
const PARTITIONS: i32 = 8;
/// Records that are written from memory; more of them would not make it more even.
const PRODUCED: usize = 300_000;

/// A broker.
pub(crate) struct BareKafka {
    brokers: String,
    /// For the ends of logs.
    looker: BaseConsumer,
}

impl BareKafka {
    pub(crate) fn new(brokers: &str) -> anyhow::Result<Self> {
        Ok(Self {
            brokers: brokers.to_owned(),
            looker: consumer(brokers)?,
        })
    }

    /// Makes a topic like those of scores.
    pub(crate) async fn create(&self, topic: &str) -> anyhow::Result<()> {
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", &self.brokers).create()?;
        let new = NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1));
        let answers = admin.create_topics([&new], &AdminOptions::new()).await?;
        ensure!(answers.iter().all(Result::is_ok), "{topic} is not made: {answers:?}");
        Ok(())
    }

    /// How many records topics have.
    pub(crate) fn count(&self, topics: &[&str]) -> anyhow::Result<i64> {
        let counts = topics
            .iter()
            .map(|topic| Ok(self.ends(topic)?.into_iter().map(|(_, end)| end).sum::<i64>()));
        counts.sum()
    }

    /// Reads a topic and does nothing with it.
    pub(crate) fn drain(&self, topic: &str) -> anyhow::Result<Speed> {
        self.read(topic, |_| Ok(()), || Ok(()))
    }

    /// Reads a topic and writes each record as it is to another.
    pub(crate) fn copy(&self, from: &str, to: &str) -> anyhow::Result<Speed> {
        let producer = producer(&self.brokers)?;
        self.read(from, |message| send(&producer, to, bytes(message)), || settle(&producer))
    }

    /// Writes the first records of a topic, ready in memory, to another.
    pub(crate) fn produce(&self, from: &str, to: &str) -> anyhow::Result<Speed> {
        let mut records = Vec::with_capacity(PRODUCED);
        let keep = |message: &BorrowedMessage<'_>| {
            if records.len() < PRODUCED {
                let (key, value) = bytes(message);
                records.push((key.to_vec(), value.to_vec()));
            }
            Ok(())
        };
        self.read(from, keep, || Ok(()))?;
        let producer = producer(&self.brokers)?;
        let stopwatch = Stopwatch::start(usage::cpu, std::process::id())?;
        for (key, value) in &records {
            send(&producer, to, (key, value))?;
        }
        settle(&producer)?;
        stopwatch.stop(records.len())
    }

    /// The time of each record of a topic, in milliseconds since the epoch, by its key: of those with one key the first counts.
    pub(crate) fn written(&self, topic: &str) -> anyhow::Result<HashMap<Uuid, i64>> {
        let mut written = HashMap::new();
        let note = |message: &BorrowedMessage<'_>| {
            let key = message.key().and_then(|key| Uuid::try_parse_ascii(key).ok());
            if let Some((key, time)) = key.zip(message.timestamp().to_millis()) {
                written.entry(key).or_insert(time);
            }
            Ok(())
        };
        self.read(topic, note, || Ok(()))?;
        Ok(written)
    }

    fn ends(&self, topic: &str) -> anyhow::Result<Vec<(i32, i64)>> {
        let end = |partition| Ok((partition, self.looker.fetch_watermarks(topic, partition, PATIENCE)?.1));
        (0..PARTITIONS).map(end).collect()
    }

    /// Reads all of a topic; measured from the first record on until it is finished.
    fn read(
        &self,
        topic: &str,
        mut take: impl FnMut(&BorrowedMessage<'_>) -> anyhow::Result<()>,
        finish: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<Speed> {
        let (consumer, total) = (consumer(&self.brokers)?, usize::try_from(self.count(&[topic])?)?);
        let mut assignment = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        let next = || anyhow::Ok(consumer.poll(PATIENCE).context("nothing comes")??);
        let first = next()?;
        let stopwatch = Stopwatch::start(usage::cpu, std::process::id())?;
        take(&first)?;
        for _ in 1..total {
            take(&next()?)?;
        }
        finish()?;
        stopwatch.stop(total)
    }
}

fn bytes<'a>(message: &'a BorrowedMessage<'_>) -> (&'a [u8], &'a [u8]) {
    (message.key().unwrap_or_default(), message.payload().unwrap_or_default())
}

/// With more memory than scoresync's consumers take: what bounds them should not be bounded by it.
fn consumer(brokers: &str) -> anyhow::Result<BaseConsumer> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("group.id", "bench")
        .set("enable.auto.commit", "false")
        .set("fetch.wait.max.ms", "100")
        .set("queued.max.messages.kbytes", "32768");
    config.create().context("make a consumer")
}

/// As safe as scoresync's producers, with more memory, and more time to make a batch large.
fn producer(brokers: &str) -> anyhow::Result<ThreadedProducer<DefaultProducerContext>> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        .set("linger.ms", "1")
        .set("queue.buffering.max.kbytes", "65536")
        .set("partitioner", "murmur2_random");
    config.create().context("make a producer")
}

fn send(producer: &ThreadedProducer<DefaultProducerContext>, topic: &str, (key, value): (&[u8], &[u8])) -> anyhow::Result<()> {
    let mut record = BaseRecord::to(topic).key(key).payload(value);
    while let Err((error, refused)) = producer.send(record) {
        ensure!(is_full(&error), "a record cannot be sent: {error}");
        record = refused;
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}

fn is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}

fn settle(producer: &ThreadedProducer<DefaultProducerContext>) -> anyhow::Result<()> {
    let begun = Instant::now();
    while producer.in_flight_count() > 0 {
        ensure!(begun.elapsed() < PATIENCE, "the broker does not acknowledge");
        std::thread::sleep(Duration::from_micros(500));
    }
    Ok(())
}
