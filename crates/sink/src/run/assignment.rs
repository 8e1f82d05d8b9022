//! Partitions come and go: each begins where the archive stands, and is given up with nothing of it in hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use scoresync_archive::ArchiveError;
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{Topic, TopicPartition};
use scoresync_positions::{Positions, Reader, StartError, wait_for};

use super::{Sink, SinkError};
use crate::{metrics::STAGE, seeded_bugs};

/// How often the archive is asked whether it still stands where the last batch has left it.
const COMPARE_EVERY: Duration = Duration::from_secs(5);

/// Partitions whose position has to be read from the archive before they go on.
#[derive(Default)]
pub(super) struct Pending {
    /// Newly assigned ones, where there was an assignment.
    pub(super) assigned: Option<Vec<TopicPartition>>,
    /// Ones that have to begin again.
    pub(super) restart: BTreeSet<TopicPartition>,
    pub(super) not_before: Option<Instant>,
    /// The one whose position could not be had last. Those after it have their turn first, so that each has one.
    doubtful: Option<TopicPartition>,
}

/// A partition whose position cannot be had, and why.
struct Doubt {
    place: TopicPartition,
    error: StartError,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.assigned.is_none() && self.restart.is_empty()
    }

    fn in_turn(&self) -> Vec<&TopicPartition> {
        let mut places: Vec<_> = self.assigned.iter().flatten().chain(&self.restart).collect();
        places.sort_by_key(|place| (self.doubtful.as_ref() >= Some(*place), *place));
        places
    }
}

impl Sink {
    /// Finishes the batch in hand, then gives the partitions up; what was only collected, their next owner reads again.
    pub(super) fn revoke(&mut self, revoked: &[TopicPartition]) -> Result<(), SinkError> {
        fault_points::pass(Point::SinkRevoked);
        if let Some(outcome) = self.applier.drain()? {
            self.settle(outcome);
        }
        for place in revoked {
            self.forget(place);
            self.partitions.remove(place);
            self.pending.restart.remove(place);
        }
        // Whether it can be filed is for its next owner to say.
        self.failed.retain(|place, _| !revoked.contains(place));
        if let Some(assigned) = &mut self.pending.assigned {
            assigned.retain(|place| !revoked.contains(place));
        }
        Ok(self.consumer.release(revoked)?)
    }

    /// A topic may be gone, made anew or cut off: all partitions begin again, which compares what is recorded about them.
    pub(super) fn compare_topics(&mut self) {
        self.begin_all_again();
        self.readiness
            .not_ready("the broker does not know a topic, or has nothing at a position");
    }

    /// A database that is put back to what it was stands where it stood then, and for a long time no batch may come to notice that, or that
    /// there is no database.
    pub(super) fn compare_archive(&mut self) {
        let is_settled = !self.applier.is_busy() && self.held.is_none() && self.pending.is_empty();
        if !is_settled || self.last_comparison.elapsed() < COMPARE_EVERY || seeded_bugs::never_looks_back() {
            return;
        }
        self.last_comparison = Instant::now();
        match self.strayed() {
            Ok(strayed) if strayed.is_empty() => {}
            Ok(strayed) => {
                self.metrics.stage.retries.get([STAGE, "lost_position"]).inc();
                tracing::warn!(
                    partitions = strayed.len(),
                    "the archive stands elsewhere than this sink has left it: its database was restored, or another sink was at work"
                );
                self.begin_again(strayed);
            }
            Err(error) => {
                self.metrics.stage.retries.get([STAGE, "archive"]).inc();
                tracing::warn!(error = &error as &dyn std::error::Error, "the archive does not say where it stands");
                // Whoever has partitions is told that they cannot start; who has none is kept from nothing.
                self.begin_all_again();
            }
        }
    }

    /// Partitions with which the archive stands elsewhere than where it was left.
    fn strayed(&self) -> Result<Vec<TopicPartition>, ArchiveError> {
        let mut left: BTreeMap<TopicPartition, i64> = self.partitions.handed_over().collect();
        for topic in [self.names.name(Topic::Enriched), self.employees_topic.clone()] {
            let generation = self.memories.of(&topic).generation;
            for position in wait_for(&self.runtime, self.archive.positions(&topic, generation))? {
                let place = TopicPartition {
                    partition: position.partition.partition,
                    topic: topic.clone(),
                };
                if left.get(&place) == Some(&position.next_offset) {
                    left.remove(&place);
                }
            }
        }
        Ok(left.into_keys().collect())
    }

    fn begin_all_again(&mut self) {
        let places: Vec<TopicPartition> = self.partitions.places().cloned().collect();
        self.begin_again(places);
    }

    /// Partitions go on where the archive stands; what was collected of them is read again.
    pub(super) fn begin_again(&mut self, places: impl IntoIterator<Item = TopicPartition>) {
        for place in places {
            if self.partitions.contains(&place) {
                self.forget(&place);
                self.pending.restart.insert(place);
            }
        }
    }

    fn forget(&mut self, place: &TopicPartition) {
        self.collected.forget(place);
        self.collected_employees.forget(place);
        if let Some(held) = &mut self.held {
            held.collected.forget(place);
        }
        self.held.take_if(|held| held.collected.is_empty());
    }

    /// Starts partitions that wait for it, once their positions can be read. Never while a batch is on its way.
    pub(super) fn start_pending(&mut self) -> Result<(), SinkError> {
        let waits = self.pending.not_before.is_some_and(|time| time > Instant::now());
        if waits || self.applier.is_busy() || self.pending.is_empty() {
            return Ok(());
        }
        fault_points::pass(Point::SinkAssigned);
        let (known, failure) = self.positions();
        self.go_on(known)?;
        match failure {
            None => {
                self.pending = Pending::default();
                self.ready_unless_kept();
                Ok(())
            }
            Some(Doubt { error, .. }) if error.ends_stage() => Err(error.into()),
            Some(Doubt { place, error }) => {
                self.pending.doubtful = Some(place);
                self.readiness.not_ready(match &error {
                    StartError::Kafka(error) => format!("the broker does not say where partitions go on: {error}"),
                    StartError::Archive(error) => format!("the archive does not say where partitions go on: {error}"),
                    StartError::Schemas(error) => error.to_string(),
                });
                tracing::warn!(error = &error as &dyn std::error::Error, "positions cannot be read; trying again");
                self.pending.not_before = Some(Instant::now() + self.backoff.next_delay());
                Ok(())
            }
        }
    }

    /// Where partitions go on, up to the first of which that cannot be had: each that does not answer would be waited for.
    fn positions(&self) -> (Vec<(TopicPartition, i64)>, Option<Doubt>) {
        let positions = Positions {
            reader: Reader::Sink,
            consumer: &self.consumer,
            archive: &self.archive,
            runtime: &self.runtime,
            first_start: self.settings.first_start,
        };
        let mut known = Vec::new();
        for place in self.pending.in_turn() {
            let found = positions.of(place, self.memories.of(&place.topic));
            match found.and_then(|offset| seeded_bugs::position(&self.consumer, place, offset)) {
                Ok(offset) => known.push((place.clone(), offset)),
                Err(error) => {
                    let place = place.clone();
                    return (known, Some(Doubt { place, error }));
                }
            }
        }
        (known, None)
    }

    fn go_on(&mut self, positions: Vec<(TopicPartition, i64)>) -> Result<(), SinkError> {
        let places = || positions.iter().map(|(place, _)| place);
        let restart: Vec<TopicPartition> = places().filter(|place| self.pending.restart.remove(*place)).cloned().collect();
        if let Some(assigned) = &mut self.pending.assigned {
            assigned.retain(|place| !places().any(|known| known == place));
        }
        if !restart.is_empty() {
            self.consumer.release(&restart)?;
        }
        self.consumer.start(&positions)?;
        for (place, offset) in positions {
            tracing::info!(topic = place.topic, partition = place.partition, offset, "reading a partition");
            self.forget(&place);
            // The commit whose answer was lost had succeeded.
            self.failed.retain(|failed, next_offset| *failed != place || offset < *next_offset);
            self.partitions.start(place, offset);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_that_cannot_start_keep_no_other_from_its_turn() {
        let place = |partition| TopicPartition {
            topic: "t".to_owned(),
            partition,
        };
        let mut pending = Pending {
            assigned: Some(vec![place(2), place(0)]),
            restart: [place(1)].into(),
            ..Pending::default()
        };
        let mut asked = Vec::new();
        // Of 0 and 1, nobody says where they go on.
        for _ in 0..3 {
            let turn = pending.in_turn();
            let doubtful = turn.iter().position(|place| place.partition < 2).unwrap();
            asked.push(turn[..=doubtful].iter().map(|place| place.partition).collect::<Vec<_>>());
            pending.doubtful = Some(turn[doubtful].clone());
        }
        assert_eq!(asked, [vec![0], vec![1], vec![2, 0]]);
    }
}
