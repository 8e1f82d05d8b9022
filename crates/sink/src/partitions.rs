//! The partitions that this sink reads, and where each stands.

use std::collections::BTreeMap;

use scoresync_kafka::{Error, GroupConsumer, TopicPartition};

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
