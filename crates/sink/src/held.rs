//! A batch that waits until the archive has the employees up to the end that they had when it was judged.

use std::time::{Duration, Instant};

use crate::collected::Collected;

/// How often the archive is asked.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// The end of a log can be a gap that no record ever fills (the marker of a transaction), so employees who do not move on for this long
/// are taken for read. Where that is wrong, what was refused is judged again when they arrive.
const AT_REST_AFTER: Duration = Duration::from_secs(10);

/// Where the employees end, and where the archive stands with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) end: i64,
    pub(crate) position: i64,
}

/// The batch.
pub(crate) struct Held {
    pub(crate) collected: Collected,
    pub(crate) end: i64,
    next_ask: Instant,
    progress: Progress,
}

impl Held {
    pub(crate) fn new(collected: Collected, end: i64) -> Self {
        let progress = Progress::default();
        Self {
            collected,
            end,
            next_ask: Instant::now(),
            progress,
        }
    }

    /// Whether it is time to ask the archive (again).
    pub(crate) fn asks(&mut self) -> bool {
        let asks = self.next_ask <= Instant::now();
        if asks {
            self.postpone(ASK_EVERY);
        }
        asks
    }

    /// The archive does not answer: it is asked again after `delay`.
    pub(crate) fn postpone(&mut self, delay: Duration) {
        self.next_ask = Instant::now() + delay;
    }

    /// Whether the employees do not move any more.
    pub(crate) fn is_at_rest(&mut self, position: i64) -> bool {
        self.progress.is_at_rest(position, Instant::now())
    }
}

#[derive(Default)]
struct Progress(Option<(i64, Instant)>);

impl Progress {
    fn is_at_rest(&mut self, position: i64, now: Instant) -> bool {
        match self.0 {
            Some((before, since)) if before == position => now.duration_since(since) >= AT_REST_AFTER,
            Some(_) | None => {
                self.0 = Some((position, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn employees_are_at_rest_when_their_position_stays_for_long_and_not_while_it_moves() {
        let (mut progress, begun) = (Progress::default(), Instant::now());
        let mut check = |position, seconds, expected| {
            let now = begun + Duration::from_secs(seconds);
            assert_eq!(progress.is_at_rest(position, now), expected, "{position} after {seconds} s");
        };
        check(5, 0, false);
        check(5, 9, false);
        check(6, 11, false);
        check(6, 20, false);
        check(6, 21, true);
    }

    #[test]
    fn the_archive_is_not_asked_again_at_once() {
        let mut held = Held::new(Collected::default(), 7);
        assert!(held.asks());
        assert!(!held.asks());
    }
}
