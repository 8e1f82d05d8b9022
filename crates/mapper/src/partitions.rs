//! The partitions that this mapper reads, and how far each is done.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use scoresync_kafka::{Committed, Error, GroupConsumer, OffsetTracker, TopicPartition};

use crate::{
    position_note,
    settings::{FirstStart, MapperSettings},
};

/// The assigned partitions.
#[derive(Default)]
pub(crate) struct Partitions(BTreeMap<TopicPartition, Partition>);

/// One assigned partition.
pub(crate) struct Partition {
    pub(crate) tracker: Arc<OffsetTracker>,
    note: String,
    recorded: Option<i64>,
    state: State,
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
    /// Finds out where newly assigned partitions go on, and starts them.
    pub(crate) fn assign(&mut self, consumer: &GroupConsumer, assigned: &[TopicPartition], settings: &MapperSettings) -> Result<(), Error> {
        let mut starts = Vec::with_capacity(assigned.len());
        for place in assigned {
            let topic = consumer.describe(&place.topic)?;
            let start = start_of(consumer, place, settings, |note| position_note::check(&place.topic, note, &topic))?;
            tracing::info!(
                topic = place.topic,
                partition = place.partition,
                offset = start.offset,
                "reading a partition"
            );
            starts.push((place.clone(), start, position_note::write(&topic)));
        }
        let positions: Vec<_> = starts.iter().map(|(place, start, _)| (place.clone(), start.offset)).collect();
        consumer.start(&positions)?;
        self.0
            .extend(starts.into_iter().map(|(place, start, note)| (place, Partition::new(start, note))));
        Ok(())
    }

    /// Gives partitions up, recording how far they are done unless they were taken away already. What is in flight, the next owner does again.
    pub(crate) fn revoke(&mut self, consumer: &GroupConsumer, revoked: &[TopicPartition]) -> Result<(), Error> {
        if !consumer.assignment_lost() {
            let due = self.due(|place| revoked.contains(place));
            if let Err(error) = commit(consumer, &due, true) {
                tracing::warn!(%error, "positions could not be recorded before giving partitions up; some reports will be mapped again");
            }
        }
        self.0.retain(|place, _| !revoked.contains(place));
        consumer.release(revoked)
    }

    pub(crate) fn get_mut(&mut self, place: (&str, i32)) -> Option<(&TopicPartition, &mut Partition)> {
        self.0
            .iter_mut()
            .find(|(known, _)| known.partition == place.1 && known.topic == place.0)
    }

    /// Records how far each partition is done, where that has moved; says whether any had.
    pub(crate) fn commit(&mut self, consumer: &GroupConsumer, wait: bool) -> Result<bool, Error> {
        let due = self.due(|_| true);
        commit(consumer, &due, wait)?;
        for (place, committed) in &due {
            if let Some(partition) = self.0.get_mut(place) {
                partition.recorded = Some(committed.offset);
            }
        }
        Ok(!due.is_empty())
    }

    fn due(&self, which: impl Fn(&TopicPartition) -> bool) -> Vec<(TopicPartition, Committed)> {
        let moved = self
            .0
            .iter()
            .filter(|(place, partition)| which(place) && partition.recorded != Some(partition.tracker.watermark()));
        moved
            .map(|(place, partition)| {
                (
                    place.clone(),
                    Committed {
                        offset: partition.tracker.watermark(),
                        note: partition.note.clone(),
                    },
                )
            })
            .collect()
    }

    /// Lets paused partitions go on whose time has come, and sends failed ones back to their watermark after `delay`.
    pub(crate) fn tend(
        &mut self,
        consumer: &GroupConsumer,
        max_in_flight: usize,
        mut delay: impl FnMut() -> Duration,
    ) -> Result<(), Error> {
        for (place, partition) in &mut self.0 {
            match partition.state {
                State::Reading | State::Full if partition.tracker.has_failed() => partition.wait(consumer, place, delay())?,
                State::WaitingUntil(time) if time <= Instant::now() => partition.begin_again(consumer, place)?,
                State::Full if partition.tracker.in_flight() <= max_in_flight / 2 => {
                    consumer.resume(place)?;
                    partition.state = State::Reading;
                }
                State::Reading | State::Full | State::WaitingUntil(_) => {}
            }
        }
        Ok(())
    }

    /// How many records lie between what is done and each partition's end, as far as the client heard.
    pub(crate) fn lag(&self, consumer: &GroupConsumer) -> i64 {
        let ends = consumer.log_ends();
        let behind = |(place, end): &(TopicPartition, i64)| self.0.get(place).map(|partition| (end - partition.tracker.watermark()).max(0));
        ends.iter().filter_map(behind).sum()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.0.values().any(|partition| matches!(partition.state, State::WaitingUntil(_)))
    }
}

impl Partition {
    fn new(start: Start, note: String) -> Self {
        Self {
            tracker: Arc::new(OffsetTracker::new(start.offset)),
            note,
            recorded: start.recorded,
            state: State::Reading,
        }
    }

    /// Whether its records are to be taken; those that were on their way when it was paused come again later.
    pub(crate) fn is_reading(&self) -> bool {
        !matches!(self.state, State::WaitingUntil(_))
    }

    /// Stops delivery while too much is in flight.
    pub(crate) fn pause_if_full(&mut self, consumer: &GroupConsumer, place: &TopicPartition, max_in_flight: usize) -> Result<(), Error> {
        if self.state == State::Reading && self.tracker.in_flight() >= max_in_flight {
            consumer.pause(place)?;
            self.state = State::Full;
        }
        Ok(())
    }

    /// Stops, to begin again at the watermark after `delay`.
    pub(crate) fn wait(&mut self, consumer: &GroupConsumer, place: &TopicPartition, delay: Duration) -> Result<(), Error> {
        consumer.pause(place)?;
        self.state = State::WaitingUntil(Instant::now() + delay);
        Ok(())
    }

    /// Outputs of the tracker before are acknowledged into nothing: they count for no position any more.
    fn begin_again(&mut self, consumer: &GroupConsumer, place: &TopicPartition) -> Result<(), Error> {
        let watermark = self.tracker.watermark();
        consumer.restart(place, watermark)?;
        self.tracker = Arc::new(OffsetTracker::new(watermark));
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

fn start_of(
    consumer: &GroupConsumer,
    place: &TopicPartition,
    settings: &MapperSettings,
    check: impl FnOnce(&str) -> Result<(), Error>,
) -> Result<Start, Error> {
    let (low, high) = consumer.log_bounds(place)?;
    match (consumer.committed(place)?, settings.first_start) {
        (Some(committed), _) => {
            check(&committed.note)?;
            let offset = committed.offset;
            if low <= offset && offset <= high {
                return Ok(Start {
                    offset,
                    recorded: Some(offset),
                });
            }
            Err(Error::OffsetOutsideLog {
                topic: place.topic.clone(),
                partition: place.partition,
                offset,
                low,
                high,
            })
        }
        (None, FirstStart::Beginning) => Ok(Start {
            offset: low,
            recorded: None,
        }),
        (None, FirstStart::Refuse) => {
            let difference = "the group has no position for it, and mapper.first_start = \"refuse\"".to_owned();
            Err(Error::TopicChanged {
                topic: place.topic.clone(),
                difference,
            })
        }
    }
}

fn commit(consumer: &GroupConsumer, due: &[(TopicPartition, Committed)], wait: bool) -> Result<(), Error> {
    if due.is_empty() { Ok(()) } else { consumer.commit(due, wait) }
}
