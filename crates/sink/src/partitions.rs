//! The partitions that this sink reads, and where each stands.

use std::{collections::BTreeMap, time::Duration};

use scoresync_archive::{Archive, ArchiveError, DatabaseError, Position, TopicPartition as ArchivePartition};
use scoresync_kafka::{Error, GroupConsumer, SchemaLookupError, TopicDescription, TopicPartition};
use tokio::runtime::Handle;

use crate::{schema_memories::SchemaMemories, seeded_bugs, settings::FirstStart};

const ARCHIVE_PATIENCE: Duration = Duration::from_secs(10);

/// The assigned partitions: the offset that the archive has reached, and the one after the last record that was read.
#[derive(Default)]
pub(crate) struct Partitions(BTreeMap<TopicPartition, Standing>);

#[derive(Clone, Copy)]
pub(crate) struct Standing {
    /// The archive's position, including the batch that is being applied.
    pub(crate) handed_over: i64,
    /// Whether delivery is stopped.
    pub(crate) paused: bool,
}

/// Why a partition cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Kafka(#[from] Error),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Schemas(#[from] SchemaLookupError),
}

/// Finds out where partitions go on.
pub(crate) struct Positions<'a> {
    pub(crate) consumer: &'a GroupConsumer,
    pub(crate) archive: &'a Archive,
    pub(crate) runtime: &'a Handle,
    pub(crate) memories: &'a SchemaMemories,
    pub(crate) first_start: FirstStart,
}

impl Positions<'_> {
    /// The archive's position, claimed at the log's beginning where this is the first start. What is recorded of schemas is recalled.
    pub(crate) fn of(&self, place: &TopicPartition) -> Result<i64, StartError> {
        let memory = self.memories.of(&place.topic);
        let topic = self.consumer.describe(&place.topic)?;
        let known = wait_for(self.runtime, self.archive.positions(&place.topic, memory.generation))?;
        // Asked for after the position, which another owner may still move: what was filed by then is in the log.
        let (low, high) = self.consumer.log_bounds(place)?;
        for position in &known {
            check(place, position, &topic)?;
        }
        let position = match known.into_iter().find(|position| position.partition.partition == place.partition) {
            Some(position) => position,
            None => self.claim(place, &topic, low)?,
        };
        check(place, &position, &topic)?;
        memory.schemas.recall(&position.schemas)?;
        let mut offset = position.next_offset;
        if seeded_bugs::trusts_group() {
            offset = seeded_bugs::position(self.consumer, place, offset)?;
        }
        place.check_offset(offset, (low, high))?;
        Ok(offset)
    }

    /// Gives the position that stands then: another sink may have been first.
    fn claim(&self, place: &TopicPartition, topic: &TopicDescription, low: i64) -> Result<Position, StartError> {
        if self.first_start == FirstStart::Refuse {
            let difference = "the archive has no position for it, and sink.first_start = \"refuse\"".to_owned();
            return Err(Error::TopicChanged {
                topic: place.topic.clone(),
                difference,
            }
            .into());
        }
        let memory = self.memories.of(&place.topic);
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
        Ok(wait_for(self.runtime, self.archive.claim_position(&position))?)
    }
}

/// The thread that polls waits, so a database that does not answer at all may not take its time.
pub(crate) fn wait_for<T>(runtime: &Handle, answer: impl Future<Output = Result<T, ArchiveError>>) -> Result<T, ArchiveError> {
    wait_at_most(ARCHIVE_PATIENCE, runtime, answer)
}

fn wait_at_most<T>(limit: Duration, runtime: &Handle, answer: impl Future<Output = Result<T, ArchiveError>>) -> Result<T, ArchiveError> {
    let bounded = async { tokio::time::timeout(limit, answer).await };
    runtime.block_on(bounded).unwrap_or_else(|_| {
        Err(ArchiveError::Transient {
            attempt: "read or claim a position",
            cause: DatabaseError {
                code: None,
                text: format!("no answer within {limit:?}"),
            },
        })
    })
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

impl Partitions {
    pub(crate) fn start(&mut self, place: TopicPartition, offset: i64) {
        self.0.insert(
            place,
            Standing {
                handed_over: offset,
                paused: false,
            },
        );
    }

    pub(crate) fn remove(&mut self, place: &TopicPartition) {
        self.0.remove(place);
    }

    pub(crate) fn get(&self, topic: &str, partition: i32) -> Option<(&TopicPartition, Standing)> {
        self.0
            .iter()
            .find(|(place, _)| place.partition == partition && place.topic == topic)
            .map(|(place, standing)| (place, *standing))
    }

    pub(crate) fn places(&self) -> impl Iterator<Item = &TopicPartition> {
        self.0.keys()
    }

    pub(crate) fn contains(&self, place: &TopicPartition) -> bool {
        self.0.contains_key(place)
    }

    /// The batch up to this offset is in the applier's hands.
    pub(crate) fn hand_over(&mut self, place: &TopicPartition, next_offset: i64) {
        if let Some(standing) = self.0.get_mut(place) {
            standing.handed_over = next_offset;
        }
    }

    /// Where each partition goes on after the batch in hand.
    pub(crate) fn handed_over(&self) -> impl Iterator<Item = (TopicPartition, i64)> {
        self.0.iter().map(|(place, standing)| (place.clone(), standing.handed_over))
    }

    /// Stops the delivery of a topic's partitions, or lets it go on.
    pub(crate) fn set_paused(&mut self, consumer: &GroupConsumer, is_paused: impl Fn(&str) -> bool) -> Result<(), Error> {
        for (place, standing) in &mut self.0 {
            let paused = is_paused(&place.topic);
            if standing.paused == paused {
                continue;
            }
            if paused {
                consumer.pause(place)?;
            } else {
                consumer.resume(place)?;
            }
            standing.paused = paused;
        }
        Ok(())
    }

    /// Records of one topic between what was handed over and the logs' ends, as far as the client heard.
    pub(crate) fn lag(&self, consumer: &GroupConsumer, topic: &str) -> i64 {
        let ends = consumer.log_ends();
        let of_topic = ends.iter().filter(|(place, _)| place.topic == topic);
        of_topic
            .filter_map(|(place, end)| self.0.get(place).map(|standing| (end - standing.handed_over).max(0)))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_never_answers_is_waited_for_in_vain_but_not_for_ever() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
        let never = std::future::pending::<Result<(), ArchiveError>>();
        let answer = wait_at_most(Duration::from_millis(10), runtime.handle(), never);
        assert!(matches!(answer, Err(ArchiveError::Transient { .. })));
    }
}
