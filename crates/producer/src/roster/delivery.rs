//! Waiting for the broker's word on a handful of records.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use scoresync_kafka::{DeliveryFailure, Ticket};

/// What became of the records that were written together.
#[derive(Default)]
pub(super) struct Deliveries {
    state: Mutex<State>,
    settled: Condvar,
}

#[derive(Default)]
struct State {
    open: usize,
    refused: Vec<(usize, DeliveryFailure)>,
}

/// One record's place among them.
pub(super) struct WriteTicket {
    deliveries: Arc<Deliveries>,
    place: usize,
}

impl Deliveries {
    /// Takes a record in hand; `place` is given back with a refusal.
    pub(super) fn begin(self: &Arc<Self>, place: usize) -> Arc<WriteTicket> {
        self.lock().open += 1;
        let deliveries = Arc::clone(self);
        Arc::new(WriteTicket { deliveries, place })
    }

    /// The record was not even queued.
    pub(super) fn abandon(&self) {
        self.lock().open -= 1;
    }

    /// How many are not settled yet.
    pub(super) fn open(&self) -> usize {
        self.lock().open
    }

    /// Waits until all are settled, or the time is over; gives how many are open.
    pub(super) fn wait(&self, limit: Duration) -> usize {
        let waited = self.settled.wait_timeout_while(self.lock(), limit, |state| state.open > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.open
    }

    /// The places of records that the broker refused, and why.
    pub(super) fn refused(&self) -> Vec<(usize, DeliveryFailure)> {
        self.lock().refused.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket for WriteTicket {
    fn settle(&self, outcome: Result<(), DeliveryFailure>) {
        let mut state = self.deliveries.lock();
        state.open -= 1;
        if let Err(failure) = outcome {
            state.refused.push((self.place, failure));
        }
        if state.open == 0 {
            self.deliveries.settled.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_with_the_last_acknowledgement() {
        let deliveries = Arc::new(Deliveries::default());
        let (first, second) = (deliveries.begin(0), deliveries.begin(1));
        first.settle(Ok(()));
        assert_eq!(deliveries.wait(Duration::from_millis(1)), 1);
        let acknowledging = std::thread::spawn(move || second.settle(Ok(())));
        assert_eq!(deliveries.wait(Duration::from_secs(60)), 0);
        acknowledging.join().unwrap();
        assert!(deliveries.refused().is_empty());
    }
}
