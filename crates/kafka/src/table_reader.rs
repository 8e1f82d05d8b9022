//! Reading a compacted topic as a table: all of it from the beginning, then what is added.

mod ends;
mod error;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use tokio::runtime::Handle;

pub use self::{ends::TableEnds, error::TableError};
use crate::{
    catch_up::CatchUp,
    decoder::{DecodeError, Decoder},
    error::{Error, doubts_positions},
    group_consumer::TopicPartition,
    groupless::{Context, End, NO_GROUP, groupless},
    registry::Registry,
    schema_memory::SchemaMemory,
    settings::{KafkaSettings, TopicSettings},
    topics::{Topic, TopicDescription, TopicNames, describe_topics, partition_replicas},
    wire::Record,
};

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

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

impl<R> TableChange<R> {
    /// Of a key with several records, the last one stands.
    pub fn keep_in(self, rows: &mut BTreeMap<String, R>) {
        match self.row {
            Some(row) => drop(rows.insert(self.key, row)),
            None => drop(rows.remove(&self.key)),
        }
    }
}

/// Reads one table. Belongs to a thread of its own.
pub struct TableReader<R> {
    topic: String,
    consumer: BaseConsumer<Context>,
    ends: Arc<TableEnds>,
    decoder: Decoder<R>,
    /// The next offset of each partition.
    positions: BTreeMap<i32, i64>,
    /// The topic that is read.
    topic_id: String,
    /// Whether the broker said since that it does not know the topic, or has nothing at a position.
    is_doubted: bool,
}

impl<R: for<'a> Record<Borrowed<'a> = R>> TableReader<R> {
    /// Prepares to read the table from its beginning.
    ///
    /// # Errors
    /// Where the broker does not answer or has no such topic.
    pub fn open(
        topic: Topic,
        (kafka, topics): (&KafkaSettings, &TopicSettings),
        schemas: (&Registry, &Handle),
        ends: Arc<TableEnds>,
    ) -> Result<Self, TableError> {
        let names = TopicNames::new(topics);
        let name = names.name(topic);
        let failed = |cause| TableError::Kafka {
            topic: name.clone(),
            cause,
        };
        let consumer = groupless(kafka, NO_GROUP, ("enable.partition.eof", "true")).map_err(failed)?;
        let partitions = partitions(&consumer, &name).map_err(failed)?;
        let description = describe(&consumer, &name).map_err(failed)?;
        let description = description.ok_or_else(|| failed(Error::TopicMissing(name.clone())))?;
        let reader = Self {
            topic: name,
            consumer,
            ends,
            decoder: Decoder::new(names.subject(topic), schemas.0.clone(), schemas.1.clone()).patient(),
            positions: partitions.into_iter().map(|partition| (partition, 0)).collect(),
            topic_id: description.topic_id,
            is_doubted: false,
        };
        reader.assign()?;
        Ok(reader)
    }

    /// What the schema ids of its records meant.
    #[must_use]
    pub const fn schema_memory(&self) -> &SchemaMemory {
        self.decoder.memory()
    }

    /// Reads to what is the end when the call begins.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer, or `limit` passes.
    pub fn read_to_end(&mut self, limit: Duration, mut apply: impl FnMut(TableChange<R>)) -> Result<(), TableError> {
        let ends = self.ends_of(End::Written)?;
        self.read_to(ends, limit, &mut apply)
    }

    /// Reads to what can be read when the call begins: up to the first transaction that is open then.
    ///
    /// # Errors
    /// As for [`Self::read_to_end`].
    pub fn read_to_readable_end(&mut self, limit: Duration, mut apply: impl FnMut(TableChange<R>)) -> Result<(), TableError> {
        let ends = self.ends_of(End::Readable)?;
        self.read_to(ends, limit, &mut apply)
    }

    fn read_to(&mut self, ends: BTreeMap<i32, i64>, limit: Duration, apply: &mut impl FnMut(TableChange<R>)) -> Result<(), TableError> {
        let deadline = Instant::now() + limit;
        let mut catch_up = CatchUp::new(ends, &self.positions);
        while !catch_up.is_done() {
            if Instant::now() > deadline {
                return Err(TableError::TooSlow {
                    topic: self.topic.clone(),
                    limit,
                });
            }
            match self.step_or_wait(apply)? {
                Step::Read(partition) => catch_up.read(partition, self.positions[&partition]),
                Step::EndOf(partition) => {
                    let end = catch_up.at_end(partition);
                    self.positions.extend(end.map(|end| (partition, end)));
                }
                Step::Nothing => self.ask_silent(&mut catch_up)?,
            }
        }
        Ok(())
    }

    /// The next offset of a partition.
    #[must_use]
    pub fn position(&self, partition: i32) -> i64 {
        self.positions.get(&partition).copied().unwrap_or(0)
    }

    /// Has silent partitions fetched anew, so that the client says whether anything is left. What a transaction that is open still holds back
    /// is written and cannot be read yet: that is waited for.
    fn ask_silent(&self, catch_up: &mut CatchUp) -> Result<(), TableError> {
        for (partition, end) in catch_up.silent() {
            let (_, readable_end) = self.bounds(partition, End::Readable)?;
            if readable_end < end {
                catch_up.is_held_back(partition);
            } else {
                self.seek(partition, from(self.positions[&partition]))?;
                catch_up.asked(partition);
            }
        }
        Ok(())
    }

    /// Reads what has come since, without waiting; says how many changes there were.
    ///
    /// # Errors
    /// Where the broker or the registry does not answer.
    pub fn read_available(&mut self, mut apply: impl FnMut(TableChange<R>)) -> Result<usize, TableError> {
        self.ends.hear();
        let mut changes = 0;
        loop {
            match self.step(Duration::ZERO, &mut apply)? {
                Step::Read(_) => changes += 1,
                Step::EndOf(_) => {}
                Step::Nothing => return Ok(changes),
            }
        }
    }

    /// A schema that the registry may learn in a moment is waited for where the whole table is waited for.
    fn step_or_wait(&mut self, apply: &mut impl FnMut(TableChange<R>)) -> Result<Step, TableError> {
        match self.step(PAUSE, apply) {
            Err(error) if error.is_too_new() => {
                std::thread::sleep(PAUSE);
                Ok(Step::Nothing)
            }
            stepped => stepped,
        }
    }

    fn step(&mut self, timeout: Duration, apply: &mut impl FnMut(TableChange<R>)) -> Result<Step, TableError> {
        if self.is_doubted {
            self.compare_topic()?;
        }
        let message = match self.consumer.poll(timeout) {
            None => return Ok(Step::Nothing),
            Some(Err(KafkaError::PartitionEOF(partition))) => return Ok(Step::EndOf(partition)),
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
                self.seek(partition, Offset::Offset(offset))?;
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
        self.positions.insert(partition, offset + 1);
        Ok(Step::Read(partition))
    }

    fn seek(&self, partition: i32, offset: Offset) -> Result<(), TableError> {
        let sought = self.consumer.seek(&self.topic, partition, offset, CALL_TIMEOUT);
        sought.map_err(|cause| self.kafka(Error::client("read a table again")(cause)))
    }

    fn trouble(&mut self, cause: KafkaError) -> Result<Step, TableError> {
        if doubts_positions(&cause) {
            self.is_doubted = true;
            return Ok(Step::Nothing);
        }
        match crate::error::kind_of(&cause) {
            crate::error::Kind::Transient => Ok(Step::Nothing),
            crate::error::Kind::Environment => Err(self.kafka(Error::client(&format!("read a table as the group {NO_GROUP}"))(cause))),
        }
    }

    /// A topic made anew under the old name has other records at the old positions, and a log that was cut off has none.
    fn compare_topic(&mut self) -> Result<(), TableError> {
        let found = describe(&self.consumer, &self.topic).map_err(|cause| self.kafka(cause))?;
        let Some(found) = found else {
            return Err(self.kafka(Error::Describe(format!("{} is not there", self.topic))));
        };
        if found.topic_id != self.topic_id {
            let topic = self.topic.clone();
            let difference = format!("topic={} was read, it is topic={}", self.topic_id, found.topic_id);
            return Err(self.kafka(Error::TopicChanged { topic, difference }));
        }
        for (&partition, &offset) in &self.positions {
            let bounds = self.bounds(partition, End::Readable)?;
            let topic = self.topic.clone();
            let has_begun = offset > 0;
            if has_begun {
                let checked = TopicPartition { topic, partition }.check_offset(offset, bounds);
                checked.map_err(|cause| self.kafka(cause))?;
            }
        }
        // The client fetches nothing any more from where it found nothing.
        self.assign()?;
        self.is_doubted = false;
        Ok(())
    }

    fn assign(&self) -> Result<(), TableError> {
        let assigned = self.assignment().and_then(|list| self.consumer.assign(&list));
        assigned.map_err(|cause| self.kafka(Error::client("assign a table")(cause)))
    }

    fn assignment(&self) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::new();
        for (partition, position) in &self.positions {
            list.add_partition_offset(&self.topic, *partition, from(*position))?;
        }
        Ok(list)
    }

    fn ends_of(&self, end: End) -> Result<BTreeMap<i32, i64>, TableError> {
        let end_of = |partition: i32| {
            let (low, high) = self.bounds(partition, end)?;
            Ok((partition, if low == high { 0 } else { high }))
        };
        self.positions.keys().map(|partition| end_of(*partition)).collect()
    }

    fn bounds(&self, partition: i32, end: End) -> Result<(i64, i64), TableError> {
        self.ends.bounds(&self.topic, partition, end).map_err(|cause| self.kafka(cause))
    }

    fn kafka(&self, cause: Error) -> TableError {
        TableError::Kafka {
            topic: self.topic.clone(),
            cause,
        }
    }
}

/// A table begins wherever its log does.
const fn from(position: i64) -> Offset {
    if position == 0 {
        Offset::Beginning
    } else {
        Offset::Offset(position)
    }
}

enum Step {
    Read(i32),
    EndOf(i32),
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
