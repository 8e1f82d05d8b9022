//! The partitions that this mapper reads, and how far each is done.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use scoresync_fault_points::{self as fault_points, Bug, Point};
use scoresync_kafka::{Committed, Error, FirstStart, GroupConsumer, OffsetTracker, TopicDescription, TopicPartition};
use scoresync_service::{Backoff, BackoffLimits, Loudness};

use crate::{
    position_note,
    schema_memories::{SchemaMemories, StartError},
    settings::MapperSettings,
};

/// No partition waits longer before it tries again.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The assigned partitions, and what is recorded with the position of each.
pub(crate) struct Partitions {
    started: BTreeMap<TopicPartition, Partition>,
    anchor: Anchor,
    memories: SchemaMemories,
}

/// A position in another topic, whose note says which topic the reports were read from: with a topic that is deleted, the broker forgets
/// all positions in it.
pub(crate) struct Anchor {
    pub(crate) place: TopicPartition,
    /// How far the directory is read there, which is what those expect who watch the group's lag.
    pub(crate) offset: i64,
}

/// One assigned partition.
pub(crate) struct Partition {
    pub(crate) tracker: OffsetTracker,
    /// The beginning of its position's note.
    topic_note: String,
    backoff: Backoff,
    /// What the group had recorded when the partition was started.
    recorded: Option<i64>,
    /// What was sent to be recorded last.
    sent: Option<i64>,
    state: State,
    /// The watermark at which it met an obstacle last: past it, the obstacle is overcome.
    obstacle: Option<i64>,
}

/// Which positions to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that moved since they were sent last.
    Moved,
    /// Those that moved since the partition was started: whether the broker took what was sent without waiting, nobody says.
    All,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// Too many outputs wait for the broker.
    Full,
    /// To be read again from the watermark when the time has come.
    WaitingUntil(Instant),
}

impl Partitions {
    pub(crate) const fn new(anchor: Anchor, memories: SchemaMemories) -> Self {
        Self {
            started: BTreeMap::new(),
            anchor,
            memories,
        }
    }

    /// The directory is read up to here.
    pub(crate) const fn directory_is_at(&mut self, offset: i64) {
        self.anchor.offset = offset;
    }

    /// Finds out where newly assigned partitions go on, and starts them.
    pub(crate) fn assign(
        &mut self,
        consumer: &GroupConsumer,
        assigned: &[TopicPartition],
        settings: &MapperSettings,
    ) -> Result<(), StartError> {
        fault_points::pass(Point::MapperAssigned);
        let mut starts = Vec::with_capacity(assigned.len());
        for place in assigned {
            let topic = consumer.describe(&place.topic)?;
            let start = self.start_of(consumer, (place, &topic), settings)?;
            tracing::info!(
                topic = place.topic,
                partition = place.partition,
                offset = start.offset,
                "reading a partition"
            );
            starts.push((place.clone(), start, position_note::topic(&topic)));
        }
        let positions: Vec<_> = starts.iter().map(|(place, start, _)| (place.clone(), start.offset)).collect();
        consumer.start(&positions)?;
        self.started
            .extend(starts.into_iter().map(|(place, start, note)| (place, Partition::new(start, note))));
        Ok(())
    }

    fn start_of(
        &self,
        consumer: &GroupConsumer,
        (place, topic): (&TopicPartition, &TopicDescription),
        settings: &MapperSettings,
    ) -> Result<Start, StartError> {
        let committed = consumer.committed(place)?;
        // Asked for after the position, which another owner may still move: what was mapped by then is in the log.
        let (low, high) = consumer.log_bounds(place)?;
        match (committed, settings.first_start) {
            (Some(committed), _) => {
                position_note::check(&place.topic, &committed.note, topic)?;
                self.memories.recall(&committed.note)?;
                place.check_offset(committed.offset, (low, high))?;
                Ok(Start {
                    offset: committed.offset,
                    recorded: Some(committed.offset),
                })
            }
            (None, FirstStart::Beginning) => {
                self.check_anchor(consumer, place)?;
                Ok(Start {
                    offset: low,
                    recorded: None,
                })
            }
            (None, FirstStart::Refuse) => {
                self.check_anchor(consumer, place)?;
                let difference = "the group has no position for it, and mapper.first_start = \"refuse\"".to_owned();
                Err(Error::TopicChanged {
                    topic: place.topic.clone(),
                    difference,
                }
                .into())
            }
        }
    }

    /// Described after the bounds were asked for, which are those of the present topic.
    fn check_anchor(&self, consumer: &GroupConsumer, place: &TopicPartition) -> Result<(), StartError> {
        let Some(anchor) = consumer.committed(&self.anchor.place)? else {
            return Ok(());
        };
        let topic = consumer.describe(&place.topic)?;
        Ok(position_note::check_anchor(&place.topic, &anchor.note, &topic)?)
    }

    /// Gives partitions up, recording how far they are done unless they were taken away already. What is in flight, the next owner does again.
    pub(crate) fn revoke(&mut self, consumer: &GroupConsumer, revoked: &[TopicPartition]) -> Result<(), Error> {
        fault_points::pass(Point::MapperRevoked);
        if !consumer.assignment_lost() {
            let mut due = self.due(Which::All);
            due.retain(|(place, _)| revoked.contains(place));
            if let Err(error) = commit(consumer, &due, true) {
                tracing::warn!(%error, "positions could not be recorded before giving partitions up; some reports will be mapped again");
            }
        }
        self.started.retain(|place, _| !revoked.contains(place));
        consumer.release(revoked)
    }

    /// Stops all partitions that are read, and says which they were: what is recorded about them has to be compared again.
    pub(crate) fn stop(&mut self, consumer: &GroupConsumer) -> Result<Vec<TopicPartition>, Error> {
        let places: Vec<TopicPartition> = self.started.keys().cloned().collect();
        self.revoke(consumer, &places)?;
        Ok(places)
    }

    /// Reads partitions again from where they are done.
    pub(crate) fn begin_again(&mut self, consumer: &GroupConsumer, places: &[TopicPartition]) -> Result<(), Error> {
        let mut ours = self.started.iter_mut().filter(|(place, _)| places.contains(place));
        ours.try_for_each(|(place, partition)| partition.begin_again(consumer, place))
    }

    /// A partition of the one topic that is read.
    pub(crate) fn get_mut(&mut self, partition: i32) -> Option<(&TopicPartition, &mut Partition)> {
        let first = TopicPartition {
            partition,
            topic: String::new(),
        };
        self.started
            .range_mut(first..)
            .next()
            .filter(|(place, _)| place.partition == partition)
    }

    /// Records how far partitions are done; says whether any had moved.
    pub(crate) fn commit(&mut self, consumer: &GroupConsumer, which: Which, wait: bool) -> Result<bool, Error> {
        let due = self.due(which);
        let anchor = self.anchored().filter(|_| which == Which::All || !due.is_empty());
        let all: Vec<_> = due.iter().cloned().chain(anchor).collect();
        commit(consumer, &all, wait)?;
        let mut moved = false;
        for (place, committed) in &due {
            if let Some(partition) = self.started.get_mut(place) {
                moved |= partition.sent.replace(committed.offset) != Some(committed.offset);
            }
        }
        Ok(moved)
    }

    fn due(&mut self, which: Which) -> Vec<(TopicPartition, Committed)> {
        let memories = &self.memories;
        let due = self.started.iter_mut().filter_map(|(place, partition)| {
            let known = match which {
                Which::Moved => partition.sent,
                Which::All => partition.recorded,
            };
            let offset = partition.tracker.watermark();
            (known != Some(offset)).then(|| {
                let note = position_note::write(&partition.topic_note, memories);
                (place.clone(), Committed { offset, note })
            })
        });
        due.collect()
    }

    /// The anchor with its note, once any partition is read.
    fn anchored(&self) -> Option<(TopicPartition, Committed)> {
        let (place, partition) = self.started.first_key_value()?;
        let committed = Committed {
            offset: self.anchor.offset,
            note: position_note::anchor(&place.topic, &partition.topic_note),
        };
        Some((self.anchor.place.clone(), committed))
    }

    /// Lets paused partitions go on whose time has come, and sends those back to their watermark after a while whose output was
    /// refused; says whether there were any.
    pub(crate) fn tend(&mut self, consumer: &GroupConsumer, max_in_flight: usize) -> Result<bool, Error> {
        let mut any_refused = false;
        for (place, partition) in &mut self.started {
            match partition.state {
                State::Reading | State::Full if partition.tracker.is_refused() => {
                    any_refused = true;
                    partition.wait(consumer, place)?;
                }
                State::WaitingUntil(time) if time <= Instant::now() => partition.begin_again(consumer, place)?,
                State::Full if partition.tracker.in_flight() <= max_in_flight / 2 => {
                    consumer.resume(place)?;
                    partition.state = State::Reading;
                }
                State::Reading | State::Full | State::WaitingUntil(_) => {}
            }
        }
        Ok(any_refused)
    }

    /// How many records lie between what is done and each partition's end, as far as the client heard.
    pub(crate) fn lag(&mut self, consumer: &GroupConsumer) -> i64 {
        let behind = |(place, end): (TopicPartition, i64)| {
            let partition = self.started.get_mut(&place)?;
            Some((end - partition.tracker.watermark()).max(0))
        };
        consumer.log_ends().into_iter().filter_map(behind).sum()
    }

    /// Reports from the watermarks on that were taken in hand.
    pub(crate) fn in_hand(&mut self) -> usize {
        self.started.values_mut().map(|partition| partition.tracker.in_flight()).sum()
    }

    /// Whether any has not come past its last obstacle yet.
    pub(crate) fn is_obstructed(&mut self) -> bool {
        self.started.values_mut().any(Partition::is_obstructed)
    }
}

impl Partition {
    fn new(start: Start, topic_note: String) -> Self {
        Self {
            tracker: OffsetTracker::new(start.offset, ()),
            topic_note,
            backoff: Backoff::new(BackoffLimits {
                longest: LONGEST_WAIT,
                ..BackoffLimits::default()
            }),
            recorded: start.recorded,
            sent: start.recorded,
            state: State::Reading,
            obstacle: None,
        }
    }

    /// Whether its records are to be taken; those that were on their way when it was paused come again later.
    pub(crate) fn is_reading(&self) -> bool {
        !matches!(self.state, State::WaitingUntil(_))
    }

    fn is_obstructed(&mut self) -> bool {
        self.obstacle.is_some_and(|watermark| self.tracker.watermark() <= watermark)
    }

    /// Stops delivery while too much is in flight.
    pub(crate) fn pause_if_full(&mut self, consumer: &GroupConsumer, place: &TopicPartition, max_in_flight: usize) -> Result<(), Error> {
        if self.state == State::Reading && self.tracker.in_flight() >= max_in_flight {
            consumer.pause(place)?;
            self.state = State::Full;
        }
        Ok(())
    }

    /// Stops, to begin again at the watermark after a while, which is the longer the more often it met the same obstacle.
    pub(crate) fn wait(&mut self, consumer: &GroupConsumer, place: &TopicPartition) -> Result<(), Error> {
        consumer.pause(place)?;
        self.meet_obstacle();
        Ok(())
    }

    fn meet_obstacle(&mut self) {
        if !self.is_obstructed() {
            self.backoff.reset();
        }
        self.obstacle = Some(self.tracker.watermark());
        self.state = State::WaitingUntil(Instant::now() + self.backoff.next_delay());
    }

    /// How loudly its present wait should be logged.
    pub(crate) fn loudness(&self) -> Loudness {
        self.backoff.loudness()
    }

    /// Outputs of the tracker before are acknowledged into nothing: they count for no position any more.
    fn begin_again(&mut self, consumer: &GroupConsumer, place: &TopicPartition) -> Result<(), Error> {
        let watermark = self.tracker.watermark();
        consumer.restart(place, watermark)?;
        self.tracker = OffsetTracker::new(watermark, ());
        self.state = State::Reading;
        Ok(())
    }
}

/// Where a partition goes on, and what the group has recorded for it. A first start is recorded at once, so that a later one knows of it.
#[derive(Clone, Copy)]
struct Start {
    offset: i64,
    recorded: Option<i64>,
}

fn commit(consumer: &GroupConsumer, due: &[(TopicPartition, Committed)], wait: bool) -> Result<(), Error> {
    if due.is_empty() || fault_points::has(Bug::AutoCommit) {
        return Ok(());
    }
    fault_points::pass(Point::BeforePositions);
    consumer.commit(due, wait)?;
    fault_points::pass(Point::AfterPositions);
    Ok(())
}

#[cfg(test)]
mod tests {
    use scoresync_kafka::Ticket;

    use super::*;
    use crate::schema_memories::tests::nothing;

    /// A partition that was started at offset 10, where the group had recorded `recorded`, and is done up to `watermark`.
    fn started(recorded: Option<i64>, watermark: i64) -> Partitions {
        let place = TopicPartition {
            topic: "scores.raw".to_owned(),
            partition: 0,
        };
        let mut partition = Partition::new(Start { offset: 10, recorded }, "topic=a partitions=8".to_owned());
        for offset in 10..watermark {
            partition.tracker.begin(offset).settle(Ok(()));
        }
        Partitions {
            started: BTreeMap::from([(place, partition)]),
            anchor: Anchor {
                place: TopicPartition {
                    topic: "employees".to_owned(),
                    partition: 0,
                },
                offset: 3,
            },
            memories: nothing(),
        }
    }

    fn only(partitions: &mut Partitions) -> &mut Partition {
        partitions.started.values_mut().next().unwrap()
    }

    #[test]
    fn a_position_that_was_sent_is_due_again_with_all() {
        let check = |partitions: &mut Partitions, moved: &[i64], all: &[i64]| {
            let mut offsets = |which| -> Vec<i64> { partitions.due(which).iter().map(|(_, due)| due.offset).collect() };
            assert_eq!((offsets(Which::Moved), offsets(Which::All)), (moved.to_vec(), all.to_vec()));
        };
        check(&mut started(Some(10), 10), &[], &[]);
        check(&mut started(None, 10), &[10], &[10]);
        let mut partitions = started(Some(10), 12);
        check(&mut partitions, &[12], &[12]);
        only(&mut partitions).sent = Some(12);
        check(&mut partitions, &[], &[12]);
    }

    #[test]
    fn a_position_is_recorded_with_the_schemas_that_were_met_by_then() {
        let mut partitions = started(None, 10);
        let note = |partitions: &mut Partitions| partitions.due(Which::Moved)[0].1.note.clone();
        assert_eq!(note(&mut partitions), "topic=a partitions=8");
        partitions.memories.raw.remember(5, "\"string\"").unwrap();
        let note = note(&mut partitions);
        assert!(note.starts_with("topic=a partitions=8 schemas.raw=5:"), "{note}");
    }

    #[test]
    fn an_obstacle_is_overcome_by_the_record_that_met_it_and_not_by_beginning_again() {
        let mut partitions = started(Some(10), 12);
        assert!(!partitions.is_obstructed());
        only(&mut partitions).obstacle = Some(12);
        only(&mut partitions).tracker = OffsetTracker::new(12, ());
        assert!(partitions.is_obstructed());
        only(&mut partitions).tracker.begin(12).settle(Ok(()));
        assert!(!partitions.is_obstructed());
    }

    #[test]
    fn the_anchor_outside_the_topic_says_which_topic_was_read() {
        let (place, anchored) = started(None, 10).anchored().unwrap();
        let said = (place.topic.as_str(), anchored.offset, anchored.note.as_str());
        assert_eq!(said, ("employees", 3, "of=scores.raw topic=a partitions=8"));
    }

    #[test]
    fn a_partition_waits_longer_at_the_same_obstacle_and_not_at_the_next() {
        let mut partitions = started(Some(10), 10);
        let partition = only(&mut partitions);
        partition.meet_obstacle();
        partition.meet_obstacle();
        assert_eq!((partition.backoff.retries(), partition.loudness()), (2, Loudness::Warn));
        partition.tracker.begin(10).settle(Ok(()));
        partition.meet_obstacle();
        assert_eq!((partition.backoff.retries(), partition.loudness()), (1, Loudness::Quiet));
    }
}
