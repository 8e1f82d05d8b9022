//! Where a consumer goes on whose positions are in the archive's database: sink and desk.
//!
//! A position is believed only where the topic is the one that it was recorded for, and where its log holds it.

mod memory;
mod waiting;

use scoresync_archive::{Archive, ArchiveError, Position, TopicPartition as ArchivePartition};
use scoresync_kafka::{Error, FirstStart, GroupConsumer, Kind, SchemaLookupError, TopicDescription, TopicPartition};
use tokio::runtime::Handle;

pub use self::{memory::TopicMemory, waiting::wait_for};

/// Whose positions are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The sink's.
    Sink,
    /// The desk's.
    Desk,
}

/// Why a partition cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The registry, or what is recorded about its schemas.
    #[error(transparent)]
    Schemas(#[from] SchemaLookupError),
}

impl StartError {
    /// Whether waiting is in vain. A topic that is missing may be made anew at this moment, and is compared once it is there.
    #[must_use]
    pub fn ends_stage(&self) -> bool {
        match self {
            Self::Kafka(Error::TopicMissing(_)) | Self::Archive(_) | Self::Schemas(_) => false,
            Self::Kafka(error) => error.kind() == Kind::Environment,
        }
    }
}

impl Reader {
    /// Where each claimed partition of a topic's generation goes on.
    ///
    /// # Errors
    /// The database's.
    pub async fn positions(self, archive: &Archive, topic: &str, generation: i32) -> Result<Vec<Position>, ArchiveError> {
        match self {
            Self::Sink => archive.positions(topic, generation).await,
            Self::Desk => archive.desk_positions(topic, generation).await,
        }
    }

    async fn claim(self, archive: &Archive, position: &Position) -> Result<Position, ArchiveError> {
        match self {
            Self::Sink => archive.claim_position(position).await,
            Self::Desk => archive.claim_desk_position(position).await,
        }
    }
}

/// Finds out where partitions go on.
pub struct Positions<'a> {
    /// Whose.
    pub reader: Reader,
    /// Who reads them.
    pub consumer: &'a GroupConsumer,
    /// Where they are recorded.
    pub archive: &'a Archive,
    /// Where calls to the database run.
    pub runtime: &'a Handle,
    /// What happens where there is no position.
    pub first_start: FirstStart,
}

impl Positions<'_> {
    /// The position of a partition of the memory's topic, claimed at the log's beginning where this is the first start. What is recorded of
    /// schemas is recalled.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn of(&self, place: &TopicPartition, memory: &TopicMemory) -> Result<i64, StartError> {
        let topic = self.consumer.describe(&place.topic)?;
        let known = wait_for(self.runtime, self.reader.positions(self.archive, &place.topic, memory.generation))?;
        // Asked for after the position, which another owner may still move: what was done by then is in the log.
        let (low, high) = self.consumer.log_bounds(place)?;
        for position in &known {
            check(place, position, &topic)?;
        }
        let position = match known.into_iter().find(|position| position.partition.partition == place.partition) {
            Some(position) => position,
            None => self.claim((place, memory), &topic, low)?,
        };
        check(place, &position, &topic)?;
        memory.schemas.recall(&position.schemas)?;
        place.check_offset(position.next_offset, (low, high))?;
        Ok(position.next_offset)
    }

    /// Gives the position that stands then: another process may have been first.
    fn claim(&self, (place, memory): (&TopicPartition, &TopicMemory), topic: &TopicDescription, low: i64) -> Result<Position, StartError> {
        if self.first_start == FirstStart::Refuse {
            let table = match self.reader {
                Reader::Sink => "sink",
                Reader::Desk => "desk",
            };
            let difference = format!("the archive has no position for it, and {table}.first_start = \"refuse\"");
            return Err(Error::TopicChanged {
                topic: place.topic.clone(),
                difference,
            }
            .into());
        }
        let position = Position {
            partition: ArchivePartition {
                topic: place.topic.clone(),
                generation: memory.generation,
                partition: place.partition,
            },
            topic_id: topic.topic_id.clone(),
            next_offset: low,
            partition_count: topic.partitions,
            schemas: memory.schemas.note(),
        };
        Ok(wait_for(self.runtime, self.reader.claim(self.archive, &position))?)
    }
}

fn check(place: &TopicPartition, position: &Position, topic: &TopicDescription) -> Result<(), Error> {
    let recorded = format!("topic={} partitions={}", position.topic_id, position.partition_count);
    let present = format!("topic={} partitions={}", topic.topic_id, topic.partitions);
    if recorded == present {
        return Ok(());
    }
    let difference = format!("they were recorded for {recorded}, it is {present}");
    Err(Error::TopicChanged {
        topic: place.topic.clone(),
        difference,
    })
}
