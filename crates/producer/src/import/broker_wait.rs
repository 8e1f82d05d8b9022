//! What is on its way to the broker, and since when nothing of it has arrived.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Half of what the producer's queue takes.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// A wait that is shorter is not worth mentioning.
const WORTH_MENTIONING: Duration = Duration::from_secs(2);

/// Rows on their way.
pub(super) struct InFlight {
    rows: VecDeque<(u64, usize)>,
    bytes: usize,
    max_rows: usize,
    last_arrival: Instant,
}

impl InFlight {
    pub(super) fn new(max_rows: usize) -> Self {
        Self {
            rows: VecDeque::new(),
            bytes: 0,
            max_rows: max_rows.max(1),
            last_arrival: Instant::now(),
        }
    }

    /// A row was sent.
    pub(super) fn add(&mut self, row: u64, bytes: usize) {
        if self.rows.is_empty() {
            self.last_arrival = Instant::now();
        }
        self.rows.push_back((row, bytes));
        self.bytes += bytes;
    }

    /// All rows before this one have arrived.
    pub(super) fn arrived_before(&mut self, first_unacknowledged: u64) {
        while let Some((_, bytes)) = self.rows.front().filter(|(row, _)| *row < first_unacknowledged) {
            self.bytes -= bytes;
            self.rows.pop_front();
            self.last_arrival = Instant::now();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Whether some have to arrive before more are sent. A single row always goes.
    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= self.max_rows || (self.bytes >= MAX_BYTES && !self.rows.is_empty())
    }

    /// Since when nothing has arrived, though something should.
    pub(super) fn waited(&self) -> Duration {
        if self.is_empty() {
            Duration::ZERO
        } else {
            self.last_arrival.elapsed()
        }
    }

    /// The same, where people should know.
    pub(super) fn is_worth_mentioning(&self) -> Option<Duration> {
        Some(self.waited()).filter(|waited| *waited >= WORTH_MENTIONING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_bytes_are_bounded_and_make_room_when_they_arrive() {
        let mut in_flight = InFlight::new(2);
        in_flight.add(1, 10);
        assert!(!in_flight.is_full());
        in_flight.add(3, 10);
        assert!(in_flight.is_full());
        in_flight.arrived_before(3);
        assert!(!in_flight.is_full() && in_flight.len() == 1);
        in_flight.add(4, MAX_BYTES);
        in_flight.arrived_before(4);
        assert!(in_flight.is_full());
        in_flight.arrived_before(5);
        assert!(in_flight.is_empty() && !in_flight.is_full());
        assert_eq!(in_flight.waited(), Duration::ZERO);
    }
}
