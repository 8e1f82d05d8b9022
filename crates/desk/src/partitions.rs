//! The partitions that this desk reads, and how far each is.

use std::collections::BTreeMap;

use scoresync_archive::{LetterPosition, TopicPartition as ArchivePartition};
use scoresync_kafka::TopicPartition;
use scoresync_positions::TopicMemory;

/// The assigned partitions that were started.
#[derive(Default)]
pub(crate) struct Partitions(BTreeMap<TopicPartition, Standing>);

/// How far one partition is.
#[derive(Clone, Copy)]
struct Standing {
    /// The archive's position.
    archived: i64,
    /// The offset after the last record that was read.
    read: i64,
}

impl Partitions {
    pub(crate) fn start(&mut self, place: TopicPartition, offset: i64) {
        let standing = Standing {
            archived: offset,
            read: offset,
        };
        self.0.insert(place, standing);
    }

    pub(crate) fn remove(&mut self, places: &[TopicPartition]) {
        self.0.retain(|place, _| !places.contains(place));
    }

    pub(crate) fn places(&self) -> Vec<TopicPartition> {
        self.0.keys().cloned().collect()
    }

    /// A record is taken in hand, unless it was before, or its partition is not read any more: around a rebalance, the client can deliver one
    /// twice.
    pub(crate) fn take(&mut self, (topic, partition): (&str, i32), offset: i64) -> bool {
        let mut standings = self.0.iter_mut();
        let found = standings.find(|(place, _)| place.partition == partition && place.topic == topic);
        match found {
            Some((_, standing)) if offset >= standing.read => {
                standing.read = offset + 1;
                true
            }
            Some(_) | None => false,
        }
    }

    /// How far what was read leads, of the partitions that it leads on.
    pub(crate) fn moves<'m>(&self, memory: impl Fn(&TopicPartition) -> &'m TopicMemory) -> Vec<LetterPosition> {
        let ahead = self.0.iter().filter(|(_, standing)| standing.read > standing.archived);
        ahead
            .map(|(place, standing)| {
                let memory = memory(place);
                LetterPosition {
                    partition: ArchivePartition {
                        topic: place.topic.clone(),
                        generation: memory.generation,
                        partition: place.partition,
                    },
                    expected_offset: standing.archived,
                    next_offset: standing.read,
                    schemas: memory.schemas.note(),
                }
            })
            .collect()
    }

    /// The archive has what was read.
    pub(crate) fn archived(&mut self) {
        self.0.values_mut().for_each(|standing| standing.archived = standing.read);
    }

    /// Records of one topic between the archive's positions and the logs' ends.
    pub(crate) fn lag(&self, ends: &[(TopicPartition, i64)], topic: &str) -> i64 {
        let of_topic = ends.iter().filter(|(place, _)| place.topic == topic);
        of_topic
            .filter_map(|(place, end)| self.0.get(place).map(|standing| (end - standing.archived).max(0)))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_taken_once_and_only_of_a_partition_that_is_read() {
        let mut partitions = Partitions::default();
        let place = TopicPartition {
            topic: "scores.dlq".to_owned(),
            partition: 3,
        };
        partitions.start(place.clone(), 10);
        let mut take = |topic, partition, offset| partitions.take((topic, partition), offset);
        assert!(!take("scores.dlq", 3, 9));
        assert!(take("scores.dlq", 3, 12));
        assert!(!take("scores.dlq", 3, 12));
        assert!(!take("scores.dlq", 4, 12) && !take("scores.enriched", 3, 12));
        assert_eq!(partitions.lag(&[(place.clone(), 15)], "scores.dlq"), 5);
        partitions.archived();
        assert_eq!(partitions.lag(&[(place.clone(), 15)], "scores.dlq"), 2);
        partitions.remove(&[place]);
        assert!(partitions.places().is_empty());
    }
}
