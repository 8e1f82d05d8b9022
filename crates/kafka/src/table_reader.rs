//! Reading a compacted topic as a table: all of it from the beginning, then what is added.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
};
use tokio::runtime::Handle;

use crate::{
    client,
    decoder::{DecodeError, Decoder, SchemaLookupError},
    error::{Error, doubts_positions},
    registry::Registry,
    settings::{KafkaSettings, TopicSettings},
    topics::{Topic, TopicDescription, TopicNames, describe_topics, partition_replicas},
    wire::Record,
};

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Three times as long as the broker holds back an empty answer.
const GAP_AFTER: Duration = Duration::from_millis(300);
/// No group reads tables, but the client wants a name.
const GROUP: &str = "scoresync-table";

/// One row of the table, or its erasure.
#[derive(Debug)]
pub struct TableChange<R> {
    /// Key of the record.
    pub key: String,
    /// The row; `None` is a tombstone.
    pub row: Option<R>,
    /// Where the change is written.
    pub partition: i32,
    /// Where the change is written.
    pub offset: i64,
}

/// Reads one table. Belongs to a thread of its own.
pub struct TableReader<R> {
    topic: String,
    consumer: BaseConsumer<Context>,
    decoder: Decoder<R>,
    /// The next offset of each partition.
    positions: BTreeMap<i32, i64>,
    /// Since when the client says that a partition is read to its end. It says so once per end.
    at_end_since: BTreeMap<i32, Instant>,
    /// The topic that is read.
    topic_id: String,
    /// Whether the broker said since that it does not know the topic, or has nothing at a position.
    is_doubted: bool,
}

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The broker.
    #[error("the table {topic} cannot be read")]
    Kafka {
        /// The topic.
        topic: String,
        /// The broker's reason.
        #[source]
        cause: Error,
    },
    /// The registry.
    #[error("the table {topic} cannot be read")]
    Schemas {
        /// The topic.
        topic: String,
        /// The registry's reason.
        #[source]
        cause: SchemaLookupError,
    },
    /// The end was not reached in the time given.
    #[error("the end of the table {topic} was not reached within {limit:?}")]
    TooSlow {
        /// The topic.
        topic: String,
        /// The time given.
        limit: Duration,
    },
}

impl<R: for<'a> Record<Borrowed<'a> = R>> TableReader<R> {
    /// Prepares to read the table from its beginning.
    ///
    /// # Errors
    /// Where the broker does not answer or has no such topic.
    pub fn open(topic: Topic, kafka: &KafkaSettings, topics: &TopicSettings, schemas: (&Registry, &Handle)) -> Result<Self, TableError> {
        let names = TopicNames::new(topics);
        let name = names.name(topic);
        let failed = |cause| TableError::Kafka {
            topic: name.clone(),
            cause,
        };
        let mut config = client::consumer(kafka, topics, GROUP).map_err(failed)?;
        config.set("enable.partition.eof", "true");
        let consumer: BaseConsumer<Context> = config
            .create_with_context(Context)
            .map_err(|cause| failed(Error::client("make a consumer")(cause)))?;
        let partitions = partitions(&consumer, &name).map_err(failed)?;
        let description = describe(&consumer, &name).map_err(failed)?;
        let description = description.ok_or_else(|| failed(Error::TopicMissing(name.clone())))?;
        let mut list = TopicPartitionList::new();
        for partition in &partitions {
            list.add_partition_offset(&name, *partition, Offset::Beginning)
                .map_err(|cause| failed(Error::client("assign a table")(cause)))?;
        }
        consumer
            .assign(&list)
            .map_err(|cause| failed(Error::client("assign a table")(cause)))?;
        let decoder = Decoder::new(names.subject(topic), schemas.0.clone(), schemas.1.clone());
        let positions = partitions.into_iter().map(|partition| (partition, 0)).collect();
        Ok(Self {
            topic: name,
            consumer,
            decoder,
            positions,
            at_end_since: BTreeMap::new(),
            topic_id: description.topic_id,
            is_doubted: false,
        })
    }

    /// Reads to what is the end when the call begins.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer, or `limit` passes.
    pub fn read_to_end(&mut self, limit: Duration, mut apply: impl FnMut(TableChange<R>)) -> Result<(), TableError> {
        let deadline = Instant::now() + limit;
        let ends = self.ends()?;
        let mut behind: BTreeSet<i32> = ends
            .iter()
            .filter(|(partition, end)| self.positions[*partition] < **end)
            .map(|(partition, _)| *partition)
            .collect();
        // The end of a log can be a gap that no record ever fills. The client then says that the end is reached, but it may say so of an
        // earlier end: that counts only when nothing follows it for longer than a fetch takes.
        let begun = Instant::now();
        while !behind.is_empty() {
            if Instant::now() > deadline {
                return Err(TableError::TooSlow {
                    topic: self.topic.clone(),
                    limit,
                });
            }
            match self.step(Duration::from_millis(20), &mut apply)? {
                Step::EndOf => {}
                Step::Read(partition) => behind.retain(|behind| *behind != partition || self.positions[&partition] < ends[&partition]),
                Step::Nothing => {
                    let is_silent = |partition: &i32| {
                        let since = self.at_end_since.get(partition);
                        since.is_some_and(|since| begun.max(*since).elapsed() >= GAP_AFTER)
                    };
                    for partition in behind.extract_if(.., |partition| is_silent(partition)) {
                        self.positions.insert(partition, ends[&partition]);
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads what has come since, without waiting; says how many changes there were.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer.
    pub fn read_available(&mut self, mut apply: impl FnMut(TableChange<R>)) -> Result<usize, TableError> {
        let mut changes = 0;
        loop {
            match self.step(Duration::ZERO, &mut apply)? {
                Step::Read(_) => changes += 1,
                Step::EndOf => {}
                Step::Nothing => return Ok(changes),
            }
        }
    }

    fn step(&mut self, timeout: Duration, apply: &mut impl FnMut(TableChange<R>)) -> Result<Step, TableError> {
        if self.is_doubted {
            self.compare_topic()?;
        }
        let message = match self.consumer.poll(timeout) {
            None => return Ok(Step::Nothing),
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                self.at_end_since.insert(partition, Instant::now());
                return Ok(Step::EndOf);
            }
            Some(Err(cause)) => return self.trouble(cause),
            Some(Ok(message)) => message,
        };
        let (partition, offset) = (message.partition(), message.offset());
        let key = message.key().map(|key| String::from_utf8_lossy(key).into_owned());
        let row = match message.payload() {
            None => Ok(None),
            value => self.decoder.decode(value).map(Some),
        };
        match (key, row) {
            (Some(key), Ok(row)) => apply(TableChange {
                key,
                row,
                partition,
                offset,
            }),
            (_, Err(DecodeError::Surroundings(cause))) => {
                self.go_back(partition, offset)?;
                return Err(TableError::Schemas {
                    topic: self.topic.clone(),
                    cause,
                });
            }
            (None, _) => tracing::error!(
                topic = self.topic,
                partition,
                offset,
                "a record without a key was passed over; write it anew with its key"
            ),
            (_, Err(error)) => {
                tracing::error!(topic = self.topic, partition, offset, %error, "an unreadable record was passed over; write it anew");
            }
        }
        self.at_end_since.remove(&partition);
        self.positions.insert(partition, offset + 1);
        Ok(Step::Read(partition))
    }

    /// The record at `offset` is to be read again.
    fn go_back(&mut self, partition: i32, offset: i64) -> Result<(), TableError> {
        // An end that was reached before this record is none any more.
        self.at_end_since.remove(&partition);
        let sought = self.consumer.seek(&self.topic, partition, Offset::Offset(offset), CALL_TIMEOUT);
        sought.map_err(|cause| self.kafka(Error::client("read a table again")(cause)))
    }

    fn trouble(&mut self, cause: KafkaError) -> Result<Step, TableError> {
        if doubts_positions(&cause) {
            self.is_doubted = true;
            return Ok(Step::Nothing);
        }
        match crate::error::kind_of(&cause) {
            crate::error::Kind::Transient => Ok(Step::Nothing),
            crate::error::Kind::Environment => Err(self.kafka(Error::client("read a table")(cause))),
        }
    }

    /// A topic made anew under the old name has other records at the old positions, and a log that was cut off has none.
    fn compare_topic(&mut self) -> Result<(), TableError> {
        let found = describe(&self.consumer, &self.topic).map_err(|cause| self.kafka(cause))?;
        let Some(found) = found else {
            return Err(self.kafka(Error::Describe(format!("{} is not there", self.topic))));
        };
        let topic = self.topic.clone();
        if found.topic_id != self.topic_id {
            let difference = format!("topic={} was read, it is topic={}", self.topic_id, found.topic_id);
            return Err(self.kafka(Error::TopicChanged { topic, difference }));
        }
        for (&partition, &offset) in &self.positions {
            let (low, high) = self.bounds(partition)?;
            let has_begun = offset > 0;
            if has_begun && !(low..=high).contains(&offset) {
                return Err(self.kafka(Error::OffsetOutsideLog {
                    topic,
                    partition,
                    offset,
                    low,
                    high,
                }));
            }
        }
        self.is_doubted = false;
        Ok(())
    }

    fn ends(&self) -> Result<BTreeMap<i32, i64>, TableError> {
        let end = |partition: i32| {
            let (low, high) = self.bounds(partition)?;
            Ok((partition, if low == high { 0 } else { high }))
        };
        self.positions.keys().map(|partition| end(*partition)).collect()
    }

    fn bounds(&self, partition: i32) -> Result<(i64, i64), TableError> {
        self.consumer
            .fetch_watermarks(&self.topic, partition, CALL_TIMEOUT)
            .map_err(|cause| self.kafka(Error::client("ask for the bounds of a table")(cause)))
    }

    fn kafka(&self, cause: Error) -> TableError {
        TableError::Kafka {
            topic: self.topic.clone(),
            cause,
        }
    }
}

struct Context;

impl ClientContext for Context {
    /// Reaching an end is told as an error, too.
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(RDKafkaErrorCode::PartitionEOF)) {
            tracing::warn!(%error, reason, "a table's reader has trouble with the broker; it keeps trying");
        }
    }
}

impl ConsumerContext for Context {}

enum Step {
    Read(i32),
    EndOf,
    Nothing,
}

fn describe(consumer: &BaseConsumer<Context>, topic: &str) -> Result<Option<TopicDescription>, Error> {
    describe_topics(consumer.client(), topic, CALL_TIMEOUT)
}

fn partitions(consumer: &BaseConsumer<Context>, topic: &str) -> Result<Vec<i32>, Error> {
    let partitions = partition_replicas(consumer.client(), topic, CALL_TIMEOUT)?.unwrap_or_default();
    if partitions.is_empty() {
        Err(Error::TopicMissing(topic.to_owned()))
    } else {
        Ok(partitions.into_keys().collect())
    }
}
