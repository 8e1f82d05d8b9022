//! How far a partition is done: the contiguous watermark below which every record's output is acknowledged.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A record that was taken in hand.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    /// To be given back when its output is acknowledged.
    pub ticket: u64,
    /// How many records are in hand with it.
    pub in_flight: usize,
}

/// Counts one assignment of one partition. Shared between the thread that reads and the one that hears acknowledgements.
#[derive(Debug)]
pub struct OffsetTracker {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Offset below which everything is acknowledged.
    watermark: i64,
    /// Ticket of the first record in flight.
    first_ticket: u64,
    in_flight: VecDeque<InFlight>,
    /// How many outputs failed. Any failure ends the assignment: it starts anew at the watermark.
    failures: u64,
}

#[derive(Debug)]
struct InFlight {
    /// The offset after the record.
    next_offset: i64,
    acknowledged: bool,
}

impl State {
    fn begin(&mut self, offset: i64) -> Begun {
        self.in_flight.push_back(InFlight {
            next_offset: offset + 1,
            acknowledged: false,
        });
        let in_flight = self.in_flight.len();
        Begun {
            ticket: self.first_ticket + in_flight as u64 - 1,
            in_flight,
        }
    }
}

impl OffsetTracker {
    /// Begins where the partition is read from.
    #[must_use]
    pub const fn new(start: i64) -> Self {
        let state = State {
            watermark: start,
            first_ticket: 0,
            in_flight: VecDeque::new(),
            failures: 0,
        };
        Self { state: Mutex::new(state) }
    }

    /// Takes a record in hand. Offsets grow, with gaps.
    pub fn begin(&self, offset: i64) -> Begun {
        self.lock().begin(offset)
    }

    /// Takes a record in hand, unless it was before: around a rebalance, the client can deliver one twice.
    pub fn begin_once(&self, offset: i64) -> Option<Begun> {
        let mut state = self.lock();
        let next_offset = state.in_flight.back().map_or(state.watermark, |last| last.next_offset);
        (offset >= next_offset).then(|| state.begin(offset))
    }

    /// The output of this record is durable. Says how many records are in hand still.
    pub fn acknowledge(&self, ticket: u64) -> usize {
        let mut state = self.lock();
        let index = ticket.checked_sub(state.first_ticket).and_then(|index| usize::try_from(index).ok());
        if let Some(record) = index.and_then(|index| state.in_flight.get_mut(index)) {
            record.acknowledged = true;
        }
        while state.in_flight.front().is_some_and(|record| record.acknowledged) {
            if let Some(done) = state.in_flight.pop_front() {
                state.watermark = done.next_offset;
                state.first_ticket += 1;
            }
        }
        state.in_flight.len()
    }

    /// The output of a record was refused: the watermark stays before it for ever. Says whether it was the first.
    pub fn fail(&self) -> bool {
        let mut state = self.lock();
        state.failures += 1;
        state.failures == 1
    }

    /// Offset below which everything is done.
    #[must_use]
    pub fn watermark(&self) -> i64 {
        self.lock().watermark
    }

    /// How many records are in hand.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.lock().in_flight.len()
    }

    /// Whether an output was refused.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.lock().failures > 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn begin(tracker: &OffsetTracker, offset: i64) -> u64 {
        tracker.begin(offset).ticket
    }

    #[test]
    fn a_record_that_was_in_hand_is_not_taken_again_and_one_further_on_is() {
        let tracker = OffsetTracker::new(10);
        assert!(tracker.begin_once(9).is_none());
        assert_eq!(tracker.begin_once(12).unwrap().in_flight, 1);
        assert!(tracker.begin_once(12).is_none());
        assert_eq!(tracker.begin_once(13).unwrap().in_flight, 2);
    }

    #[test]
    fn the_watermark_never_passes_a_record_in_flight() {
        let tracker = OffsetTracker::new(10);
        let tickets: Vec<u64> = [10, 11, 15].into_iter().map(|offset| begin(&tracker, offset)).collect();
        tracker.acknowledge(tickets[2]);
        tracker.acknowledge(tickets[1]);
        assert_eq!((tracker.watermark(), tracker.in_flight()), (10, 3));
        tracker.acknowledge(tickets[0]);
        assert_eq!((tracker.watermark(), tracker.in_flight()), (16, 0));
    }

    #[test]
    fn a_ticket_given_back_twice_changes_nothing() {
        let tracker = OffsetTracker::new(0);
        let first = begin(&tracker, 0);
        begin(&tracker, 1);
        tracker.acknowledge(first);
        tracker.acknowledge(first);
        assert_eq!((tracker.watermark(), tracker.in_flight()), (1, 1));
    }

    #[test]
    fn a_failure_holds_the_watermark() {
        let tracker = OffsetTracker::new(0);
        begin(&tracker, 0);
        let second = begin(&tracker, 1);
        tracker.fail();
        tracker.acknowledge(second);
        assert!(tracker.has_failed());
        assert_eq!(tracker.watermark(), 0);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Begin { gap: i64 },
        Acknowledge(prop::sample::Index),
        Fail,
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..5_i64).prop_map(|gap| Step::Begin { gap }),
            4 => any::<prop::sample::Index>().prop_map(Step::Acknowledge),
            1 => Just(Step::Fail),
        ]
    }

    proptest! {
        /// The plain model: all records in hand with what became of them.
        #[test]
        fn the_watermark_is_the_end_of_what_is_acknowledged_without_a_gap(start in 0..1_000_i64, steps in vec(any_step(), 0..200)) {
            let tracker = OffsetTracker::new(start);
            let mut records: Vec<(u64, i64, bool)> = Vec::new();
            let (mut next_offset, mut failures, mut last_watermark) = (start, 0, start);
            for step in steps {
                match step {
                    Step::Begin { gap } => {
                        next_offset += gap;
                        records.push((begin(&tracker, next_offset), next_offset, false));
                        next_offset += 1;
                    }
                    Step::Acknowledge(place) if !records.is_empty() => {
                        let record = place.get(&records).0;
                        tracker.acknowledge(record);
                        records.iter_mut().filter(|known| known.0 == record).for_each(|known| known.2 = true);
                    }
                    Step::Fail => {
                        tracker.fail();
                        failures += 1;
                    }
                    Step::Acknowledge(_) => {}
                }
                let done = records.iter().take_while(|(_, _, acknowledged)| *acknowledged);
                let expected = done.clone().last().map_or(start, |(_, offset, _)| offset + 1);
                prop_assert_eq!(tracker.watermark(), expected);
                prop_assert_eq!(tracker.in_flight(), records.len() - done.count());
                prop_assert_eq!(tracker.has_failed(), failures > 0);
                prop_assert!(tracker.watermark() >= last_watermark, "it went back");
                last_watermark = tracker.watermark();
            }
        }
    }

    /// The producer's thread acknowledges while ours reads: what ours sees is always behind what was acknowledged.
    #[test]
    fn two_threads_never_see_the_watermark_ahead_of_an_acknowledgement() {
        let tracker = OffsetTracker::new(0);
        let acknowledged: Vec<AtomicBool> = (0..2_000).map(|_| AtomicBool::new(false)).collect();
        let (sender, receiver) = std::sync::mpsc::sync_channel::<(usize, u64)>(64);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut waiting: Vec<(usize, u64)> = Vec::new();
                for (number, record) in receiver {
                    waiting.push((number, record));
                    // Out of order: every third record waits for the next two.
                    if number % 3 == 2 || number == acknowledged.len() - 1 {
                        for (number, ticket) in waiting.drain(..).rev() {
                            acknowledged[number].store(true, Ordering::SeqCst);
                            tracker.acknowledge(ticket);
                        }
                    }
                }
            });
            for number in 0..acknowledged.len() {
                sender.send((number, begin(&tracker, number as i64))).unwrap();
                let watermark = usize::try_from(tracker.watermark()).unwrap();
                assert!(acknowledged[..watermark].iter().all(|flag| flag.load(Ordering::SeqCst)));
            }
            drop(sender);
        });
        assert_eq!((tracker.watermark(), tracker.in_flight()), (2_000, 0));
    }
}
