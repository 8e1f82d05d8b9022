//! How far a partition is done: the contiguous watermark below which every record's output is acknowledged.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use crate::{DeliveryFailure, Ticket};

/// The records of one assignment of one partition that are in hand, for the thread that reads them. What became of their outputs stands in
/// their tickets, which the producer's thread marks and this one looks at: neither waits for the other.
#[derive(Debug)]
pub struct OffsetTracker<O = ()> {
    /// Offset below which everything was acknowledged when it was looked at last.
    watermark: i64,
    /// Those from the watermark on.
    in_flight: VecDeque<Arc<DeliveryTicket<O>>>,
    observer: O,
}

/// A record in hand: the ticket of its output.
#[derive(Debug)]
pub struct DeliveryTicket<O = ()> {
    /// The offset after the record.
    next_offset: i64,
    fate: AtomicU8,
    observer: O,
}

/// Who hears of each record of a tracker.
pub trait DeliveryObserver: Send + Sync + 'static {
    /// Called once for each, on the thread that takes records in hand, before its ticket is there.
    fn begun(&self) {}

    /// Called at most once for each, after the tracker can see it, on the producer's thread: must be quick.
    fn settled(&self, outcome: Result<(), DeliveryFailure>);
}

impl DeliveryObserver for () {
    fn settled(&self, _: Result<(), DeliveryFailure>) {}
}

impl<O: DeliveryObserver> DeliveryObserver for Arc<O> {
    fn begun(&self) {
        O::begun(self);
    }

    fn settled(&self, outcome: Result<(), DeliveryFailure>) {
        O::settled(self, outcome);
    }
}

const PENDING: u8 = 0;
const ACKNOWLEDGED: u8 = 1;
const REFUSED: u8 = 2;

impl<O> DeliveryTicket<O> {
    fn has(&self, fate: u8) -> bool {
        self.fate.load(Ordering::Acquire) == fate
    }
}

impl<O: DeliveryObserver> Ticket for DeliveryTicket<O> {
    fn settle(&self, outcome: Result<(), DeliveryFailure>) {
        let fate = if outcome.is_ok() { ACKNOWLEDGED } else { REFUSED };
        let settled = self.fate.compare_exchange(PENDING, fate, Ordering::Release, Ordering::Relaxed);
        if settled.is_ok() {
            self.observer.settled(outcome);
        }
    }
}

impl<O: DeliveryObserver + Clone> OffsetTracker<O> {
    /// Begins where the partition is read from.
    #[must_use]
    pub const fn new(start: i64, observer: O) -> Self {
        Self {
            watermark: start,
            in_flight: VecDeque::new(),
            observer,
        }
    }

    /// Takes a record in hand: the watermark passes it when this ticket is settled well. Offsets grow, with gaps.
    pub fn begin(&mut self, offset: i64) -> Arc<DeliveryTicket<O>> {
        self.look();
        self.observer.begun();
        let record = Arc::new(DeliveryTicket {
            next_offset: offset + 1,
            fate: AtomicU8::new(PENDING),
            observer: self.observer.clone(),
        });
        self.in_flight.push_back(Arc::clone(&record));
        record
    }

    /// Takes a record in hand, unless it was before: around a rebalance, the client can deliver one twice.
    pub fn begin_once(&mut self, offset: i64) -> Option<Arc<DeliveryTicket<O>>> {
        let next_offset = self.in_flight.back().map_or(self.watermark, |last| last.next_offset);
        (offset >= next_offset).then(|| self.begin(offset))
    }

    /// Offset below which everything is done. An output that was refused holds it for ever.
    pub fn watermark(&mut self) -> i64 {
        self.look();
        self.watermark
    }

    /// How many records from the watermark on are in hand.
    pub fn in_flight(&mut self) -> usize {
        self.look();
        self.in_flight.len()
    }

    /// Whether the output at the watermark was refused. That ends the assignment: it starts anew from there.
    pub fn is_refused(&mut self) -> bool {
        self.look();
        self.in_flight.front().is_some_and(|record| record.has(REFUSED))
    }

    /// Who hears of the outputs.
    pub const fn observer(&self) -> &O {
        &self.observer
    }

    fn look(&mut self) {
        while let Some(first) = self.in_flight.front().filter(|record| record.has(ACKNOWLEDGED)) {
            self.watermark = first.next_offset;
            self.in_flight.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, OnceLock, atomic::AtomicBool};

    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::publisher::tests::refusal;

    fn tracker(start: i64) -> OffsetTracker {
        OffsetTracker::new(start, ())
    }

    #[test]
    fn a_record_that_was_in_hand_is_not_taken_again_and_one_further_on_is() {
        let mut tracker = tracker(10);
        assert!(tracker.begin_once(9).is_none());
        assert!(tracker.begin_once(12).is_some());
        assert!(tracker.begin_once(12).is_none());
        assert!(tracker.begin_once(13).is_some());
        assert_eq!((tracker.watermark(), tracker.in_flight()), (10, 2));
    }

    #[test]
    fn a_record_that_is_done_is_not_taken_again() {
        let mut tracker = tracker(10);
        tracker.begin(12).settle(Ok(()));
        assert!(tracker.begin_once(12).is_none());
        assert_eq!(tracker.watermark(), 13);
        assert!(tracker.begin_once(12).is_none());
    }

    #[test]
    fn the_watermark_never_passes_a_record_in_flight() {
        let mut tracker = tracker(10);
        let tickets = [10, 11, 15].map(|offset| tracker.begin(offset));
        tickets[2].settle(Ok(()));
        tickets[1].settle(Ok(()));
        assert_eq!((tracker.watermark(), tracker.in_flight()), (10, 3));
        tickets[0].settle(Ok(()));
        assert_eq!((tracker.watermark(), tracker.in_flight()), (16, 0));
    }

    #[test]
    fn a_refusal_holds_the_watermark_and_is_told_when_all_before_it_is_done() {
        let mut tracker = tracker(0);
        let tickets = [0, 1, 2].map(|offset| tracker.begin(offset));
        tickets[1].settle(Err(refusal()));
        tickets[2].settle(Ok(()));
        assert!(!tracker.is_refused());
        tickets[0].settle(Ok(()));
        assert!(tracker.is_refused());
        assert_eq!((tracker.watermark(), tracker.in_flight()), (1, 2));
    }

    #[test]
    fn an_observer_hears_once_of_each_output_when_the_tracker_can_see_it() {
        #[derive(Default)]
        struct Heard {
            begun: AtomicU8,
            ticket: OnceLock<Arc<DeliveryTicket<Arc<Self>>>>,
            seen: Mutex<Vec<(bool, u8)>>,
        }
        impl DeliveryObserver for Heard {
            fn begun(&self) {
                self.begun.fetch_add(1, Ordering::SeqCst);
            }

            fn settled(&self, outcome: Result<(), DeliveryFailure>) {
                let fate = self.ticket.get().unwrap().fate.load(Ordering::SeqCst);
                self.seen.lock().unwrap().push((outcome.is_ok(), fate));
            }
        }
        for (outcome, expected) in [(Ok(()), (true, ACKNOWLEDGED)), (Err(refusal()), (false, REFUSED))] {
            let mut tracker = OffsetTracker::new(0, Arc::<Heard>::default());
            let ticket = tracker.begin(0);
            assert!(tracker.observer().ticket.set(Arc::clone(&ticket)).is_ok());
            ticket.settle(outcome);
            ticket.settle(Ok(()));
            ticket.settle(Err(refusal()));
            assert_eq!(tracker.observer().begun.load(Ordering::SeqCst), 1);
            assert_eq!(*tracker.observer().seen.lock().unwrap(), [expected]);
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Begin { gap: i64 },
        Settle { place: prop::sample::Index, is_refused: bool },
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..5_i64).prop_map(|gap| Step::Begin { gap }),
            (any::<prop::sample::Index>(), prop::bool::weighted(0.1)).prop_map(|(place, is_refused)| Step::Settle { place, is_refused }),
        ]
    }

    proptest! {
        /// The plain model: all records that were in hand, with what became of them.
        #[test]
        fn the_watermark_is_the_end_of_what_is_acknowledged_without_a_gap(start in 0..1_000_i64, steps in vec(any_step(), 0..200)) {
            let mut tracker = tracker(start);
            let mut records: Vec<(Arc<DeliveryTicket>, i64, u8)> = Vec::new();
            let (mut next_offset, mut last_watermark) = (start, start);
            for step in steps {
                match step {
                    Step::Begin { gap } => {
                        next_offset += gap;
                        records.push((tracker.begin(next_offset), next_offset, PENDING));
                        next_offset += 1;
                    }
                    Step::Settle { place, is_refused } => {
                        let open: Vec<usize> = (0..records.len()).filter(|number| records[*number].2 == PENDING).collect();
                        if !open.is_empty() {
                            let (ticket, _, fate) = &mut records[*place.get(&open)];
                            ticket.settle(if is_refused { Err(refusal()) } else { Ok(()) });
                            *fate = if is_refused { REFUSED } else { ACKNOWLEDGED };
                        }
                    }
                }
                let done = records.iter().take_while(|(_, _, fate)| *fate == ACKNOWLEDGED);
                let expected = done.clone().last().map_or(start, |(_, offset, _)| offset + 1);
                let done = done.count();
                prop_assert_eq!(tracker.in_flight(), records.len() - done);
                let first = records.get(done);
                prop_assert_eq!(tracker.watermark(), expected);
                prop_assert_eq!(tracker.is_refused(), first.is_some_and(|(_, _, fate)| *fate == REFUSED));
                prop_assert!(tracker.watermark() >= last_watermark, "it went back");
                last_watermark = tracker.watermark();
            }
        }
    }

    /// The producer's thread acknowledges while ours reads: what ours sees is always behind what was acknowledged.
    #[test]
    fn two_threads_never_see_the_watermark_ahead_of_an_acknowledgement() {
        let mut tracker = tracker(0);
        let acknowledged: Vec<AtomicBool> = (0..2_000).map(|_| AtomicBool::new(false)).collect();
        let (sender, receiver) = std::sync::mpsc::sync_channel::<(usize, Arc<DeliveryTicket>)>(64);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut waiting = Vec::new();
                for (number, ticket) in receiver {
                    waiting.push((number, ticket));
                    // Out of order: every third record waits for the next two.
                    if number % 3 == 2 || number == acknowledged.len() - 1 {
                        for (number, ticket) in waiting.drain(..).rev() {
                            acknowledged[number].store(true, Ordering::SeqCst);
                            ticket.settle(Ok(()));
                        }
                    }
                }
            });
            for number in 0..acknowledged.len() {
                sender.send((number, tracker.begin(number as i64))).unwrap();
                let watermark = usize::try_from(tracker.watermark()).unwrap();
                assert!(acknowledged[..watermark].iter().all(|flag| flag.load(Ordering::SeqCst)));
            }
            drop(sender);
        });
        assert_eq!((tracker.watermark(), tracker.in_flight()), (2_000, 0));
    }
}
