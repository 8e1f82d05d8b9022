//! What a client without any work of its own does with the same broker: the ceilings of the stages.

use std::time::{Duration, Instant};

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

use super::usage;

const PATIENCE: Duration = Duration::from_secs(60);
const PARTITIONS: i32 = 8;

/// A broker.
pub(crate) struct BareKafka {
    brokers: String,
    /// For the ends of logs.
    looker: BaseConsumer,
}

/// How fast, and with how many seconds of processor for a million.
pub(crate) struct Bare {
    pub(crate) per_second: f64,
    pub(crate) cpu: f64,
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
    pub(crate) fn drain(&self, topic: &str) -> anyhow::Result<Bare> {
        self.timed(topic, |_| Ok(()))
    }

    /// Reads a topic and writes each record as it is to another.
    pub(crate) fn copy(&self, from: &str, to: &str) -> anyhow::Result<Bare> {
        let producer = producer(&self.brokers)?;
        let begun = Instant::now();
        let drained = self.timed(from, |message| {
            send(
                &producer,
                to,
                (message.key().unwrap_or_default(), message.payload().unwrap_or_default()),
            )
        })?;
        let reading = begun.elapsed();
        settle(&producer)?;
        let all = begun.elapsed().as_secs_f64() / reading.as_secs_f64();
        Ok(Bare {
            per_second: drained.per_second / all,
            ..drained
        })
    }

    /// Writes records that are ready in memory.
    pub(crate) fn produce(&self, topic: &str, records: &[(Vec<u8>, Vec<u8>)]) -> anyhow::Result<Bare> {
        let producer = producer(&self.brokers)?;
        let clock = Clock::start()?;
        for (key, value) in records {
            send(&producer, topic, (key, value))?;
        }
        settle(&producer)?;
        clock.stop(records.len())
    }

    /// Keys and values of the first records of a topic.
    pub(crate) fn records(&self, topic: &str, limit: usize) -> anyhow::Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut records = Vec::with_capacity(limit);
        self.timed(topic, |message| {
            if records.len() < limit {
                records.push((
                    message.key().unwrap_or_default().to_vec(),
                    message.payload().unwrap_or_default().to_vec(),
                ));
            }
            Ok(())
        })?;
        Ok(records)
    }

    fn ends(&self, topic: &str) -> anyhow::Result<Vec<(i32, i64)>> {
        let end = |partition| Ok((partition, self.looker.fetch_watermarks(topic, partition, PATIENCE)?.1));
        (0..PARTITIONS).map(end).collect()
    }

    /// From the first record on.
    fn timed(&self, topic: &str, mut take: impl FnMut(&BorrowedMessage<'_>) -> anyhow::Result<()>) -> anyhow::Result<Bare> {
        let (consumer, total) = (consumer(&self.brokers)?, self.count(&[topic])?);
        let mut assignment = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            assignment.add_partition_offset(topic, partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        let (mut clock, mut taken) = (Clock::start()?, 0);
        while taken < total {
            let message = consumer.poll(PATIENCE).context("nothing comes")??;
            if taken == 0 {
                clock = Clock::start()?;
            }
            take(&message)?;
            taken += 1;
        }
        clock.stop(usize::try_from(total)?)
    }
}

struct Clock {
    begun: Instant,
    cpu: Duration,
}

impl Clock {
    fn start() -> anyhow::Result<Self> {
        Ok(Self {
            begun: Instant::now(),
            cpu: usage::cpu(std::process::id())?,
        })
    }

    fn stop(self, count: usize) -> anyhow::Result<Bare> {
        let elapsed = self.begun.elapsed().as_secs_f64();
        let cpu = usage::cpu(std::process::id())?.saturating_sub(self.cpu);
        Ok(Bare {
            per_second: count as f64 / elapsed,
            cpu: cpu.as_secs_f64() / count as f64 * 1e6,
        })
    }
}

/// With the settings of scoresync's consumers that bear on speed.
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

/// With the settings of scoresync's producers that bear on speed.
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
