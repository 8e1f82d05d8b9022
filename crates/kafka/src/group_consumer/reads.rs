//! The partitions that are read, and whether each brings what its log has.
//!
//! After a rebalance under heavy load, librdkafka 2.12 has been seen to fetch nothing any more from partitions that stayed, with no word of it.
//! What does not move although its log goes on, for ten looks at the client's statistics, is told to the owner, who starts it again.

use std::collections::BTreeMap;

use rdkafka::{Statistics, statistics::Partition};

use super::TopicPartition;

/// The statistics come once a second.
const LOOKS: u32 = 10;
/// A client that has heard nothing for so many microseconds stands still for another reason.
const DEAF_AFTER: i64 = 5_000_000;

/// The partitions.
#[derive(Default)]
pub(super) struct Reads(BTreeMap<TopicPartition, Read>);

#[derive(Default)]
struct Read {
    is_paused: bool,
    /// What would be fetched next when it was looked at last, and how often it had been the same.
    next_offset: i64,
    looks: u32,
}

impl Reads {
    pub(super) fn start(&mut self, place: TopicPartition) {
        self.0.insert(place, Read::default());
    }

    /// Says whether it was read.
    pub(super) fn end(&mut self, place: &TopicPartition) -> bool {
        self.0.remove(place).is_some()
    }

    pub(super) fn set_paused(&mut self, place: &TopicPartition, is_paused: bool) {
        if let Some(read) = self.0.get_mut(place) {
            *read = Read {
                is_paused,
                ..Read::default()
            };
        }
    }

    /// Gives the partitions that do not move.
    pub(super) fn look(&mut self, statistics: &Statistics) -> Vec<TopicPartition> {
        if statistics
            .brokers
            .values()
            .all(|broker| broker.rxidle < 0 || broker.rxidle > DEAF_AFTER)
        {
            return Vec::new();
        }
        let mut stalled = Vec::new();
        for topic in statistics.topics.values() {
            for partition in topic.partitions.values() {
                let place = TopicPartition {
                    topic: topic.topic.clone(),
                    partition: partition.partition,
                };
                let Some(read) = self.0.get_mut(&place) else { continue };
                if read.stands_still(partition) {
                    warn(statistics, &place, partition);
                    stalled.push(place);
                }
            }
        }
        stalled
    }
}

impl Read {
    fn stands_still(&mut self, partition: &Partition) -> bool {
        let has_more = partition.next_offset < partition.ls_offset && partition.fetchq_cnt == 0;
        if self.is_paused || !has_more || partition.next_offset != self.next_offset {
            self.next_offset = partition.next_offset;
            self.looks = 0;
            return false;
        }
        self.looks += 1;
        if self.looks < LOOKS {
            return false;
        }
        self.looks = 0;
        true
    }
}

fn warn(statistics: &Statistics, place: &TopicPartition, partition: &Partition) {
    let group = statistics.cgrp.as_ref();
    tracing::warn!(
        topic = place.topic,
        partition = place.partition,
        next_offset = partition.next_offset,
        app_offset = partition.app_offset,
        end = partition.ls_offset,
        fetch_state = partition.fetch_state,
        join_state = group.map(|group| group.join_state.as_str()),
        assignment_size = group.map(|group| group.assignment_size),
        "the client has stopped reading a partition whose log goes on; it is started again"
    );
}

#[cfg(test)]
mod tests {
    use rdkafka::statistics::{Broker, Topic};

    use super::*;

    const LOG_END: i64 = 50;

    fn place() -> TopicPartition {
        TopicPartition {
            topic: "t".to_owned(),
            partition: 0,
        }
    }

    fn at(next_offset: i64, fetchq_cnt: i64, rxidle: i64) -> Statistics {
        let partition = Partition {
            next_offset,
            ls_offset: LOG_END,
            fetchq_cnt,
            ..Partition::default()
        };
        let topic = Topic {
            topic: "t".to_owned(),
            partitions: [(0, partition)].into(),
            ..Topic::default()
        };
        let broker = Broker {
            rxidle,
            ..Broker::default()
        };
        Statistics {
            topics: [("t".to_owned(), topic)].into(),
            brokers: [("b".to_owned(), broker)].into(),
            ..Statistics::default()
        }
    }

    fn reading() -> Reads {
        let mut reads = Reads::default();
        reads.start(place());
        reads
    }

    /// How many of twenty looks find it standing still.
    fn found(reads: &mut Reads, statistics: impl Fn(i64) -> Statistics) -> usize {
        (0..20).map(|look| reads.look(&statistics(look)).len()).sum()
    }

    #[test]
    fn a_partition_that_does_not_move_although_its_log_goes_on_is_found_after_ten_looks() {
        let mut reads = reading();
        let looks = (0..12).map(|_| reads.look(&at(30, 0, 0)));
        let first = looks.enumerate().find(|(_, stalled)| !stalled.is_empty());
        assert_eq!(first, Some((10, vec![place()])));
    }

    #[test]
    fn what_moves_or_is_at_its_end_or_waits_for_its_owner_is_not_found() {
        assert_eq!(found(&mut reading(), |look| at(look, 0, 0)), 0, "it moves");
        assert_eq!(found(&mut reading(), |_| at(LOG_END, 0, 0)), 0, "it is at its end");
        assert_eq!(found(&mut reading(), |_| at(30, 4, 0)), 0, "records wait to be polled");
        assert_eq!(found(&mut reading(), |_| at(30, 0, DEAF_AFTER + 1)), 0, "nothing is heard");
        assert_eq!(found(&mut reading(), |_| at(30, 0, -1)), 0, "nothing was ever heard");
        let mut paused = reading();
        paused.set_paused(&place(), true);
        assert_eq!(found(&mut paused, |_| at(30, 0, 0)), 0, "it is paused");
        paused.set_paused(&place(), false);
        assert_eq!(found(&mut paused, |_| at(30, 0, 0)), 1, "it is not paused any more");
    }

    #[test]
    fn what_is_not_read_is_not_found() {
        let mut reads = reading();
        assert!(reads.end(&place()) && !reads.end(&place()));
        assert_eq!(found(&mut reads, |_| at(30, 0, 0)), 0);
    }
}
