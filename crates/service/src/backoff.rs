//! How long to wait before a retry: exponential with full jitter, as in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// The bounds of a back-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackoffLimits {
    /// Upper bound of the first delay; each further one doubles it.
    pub first: Duration,
    /// No delay is longer.
    pub longest: Duration,
    /// From this retry on (counted from 1) it is [`Loudness::Error`].
    pub loud_after: u32,
}

impl Default for BackoffLimits {
    /// 100 ms, doubled up to 30 s; loud from the tenth retry on, which comes after about 45 s.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(30),
            loud_after: 10,
        }
    }
}

/// How loudly the retry that is due should be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loudness {
    /// The first: such things happen.
    Quiet,
    /// The second and later.
    Warn,
    /// It has gone on for so long that a person should look.
    Error,
}

/// The delays between attempts at one piece of work.
#[derive(Debug)]
pub struct Backoff {
    limits: BackoffLimits,
    generator: StdRng,
    retries: u32,
}

impl Backoff {
    /// Jitter from the system's randomness: instances that failed together do not come back together.
    #[must_use]
    pub fn new(limits: BackoffLimits) -> Self {
        Self::with_generator(limits, rand::make_rng())
    }

    /// The same delays for the same seed.
    #[must_use]
    pub fn seeded(limits: BackoffLimits, seed: u64) -> Self {
        Self::with_generator(limits, StdRng::seed_from_u64(seed))
    }

    fn with_generator(limits: BackoffLimits, generator: StdRng) -> Self {
        Self {
            limits,
            generator,
            retries: 0,
        }
    }

    /// Counts one more retry and says how long to wait before it: anything from nothing to the bound, each equally likely.
    pub fn next_delay(&mut self) -> Duration {
        let doubled = 2_u32
            .checked_pow(self.retries)
            .and_then(|factor| self.limits.first.checked_mul(factor));
        let bound = doubled.map_or(self.limits.longest, |delay| delay.min(self.limits.longest));
        self.retries = self.retries.saturating_add(1);
        self.generator.random_range(Duration::ZERO..=bound)
    }

    /// How loud the retry is that [`next_delay`](Self::next_delay) counted last.
    #[must_use]
    pub fn loudness(&self) -> Loudness {
        match self.retries {
            0 | 1 => Loudness::Quiet,
            retry if retry < self.limits.loud_after => Loudness::Warn,
            _ => Loudness::Error,
        }
    }

    /// Retries since the last success.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// The work succeeded: the next failure is a first one.
    pub fn reset(&mut self) {
        self.retries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BackoffLimits = BackoffLimits {
        first: Duration::from_millis(100),
        longest: Duration::from_millis(1_000),
        loud_after: 4,
    };

    /// The greatest and smallest delay of each of the first `retries` retries, over many seeds.
    fn extremes(retries: usize) -> Vec<(Duration, Duration)> {
        let mut extremes = vec![(Duration::MAX, Duration::ZERO); retries];
        for seed in 0..2_000 {
            let mut backoff = Backoff::seeded(LIMITS, seed);
            for (smallest, greatest) in &mut extremes {
                let delay = backoff.next_delay();
                (*smallest, *greatest) = (delay.min(*smallest), delay.max(*greatest));
            }
        }
        extremes
    }

    #[test]
    fn delays_fill_the_range_from_nothing_to_a_bound_that_doubles_up_to_the_longest() {
        let bounds = [100, 200, 400, 800, 1_000, 1_000].map(Duration::from_millis);
        for ((smallest, greatest), bound) in extremes(bounds.len()).into_iter().zip(bounds) {
            assert!(greatest <= bound && greatest > bound.mul_f64(0.98), "{greatest:?} of {bound:?}");
            assert!(smallest < bound.mul_f64(0.02), "{smallest:?} of {bound:?}");
        }
    }

    #[test]
    fn one_seed_gives_one_sequence() {
        let sequence = |seed| {
            let mut backoff = Backoff::seeded(LIMITS, seed);
            [(); 8].map(|()| backoff.next_delay())
        };
        assert_eq!(sequence(7), sequence(7));
        assert_ne!(sequence(7), sequence(8));
    }

    #[test]
    fn thousands_of_retries_do_not_pass_the_longest_delay() {
        let mut backoff = Backoff::new(LIMITS);
        assert!((0..5_000).all(|_| backoff.next_delay() <= LIMITS.longest));
    }

    #[test]
    fn retries_grow_louder_until_a_success() {
        let mut backoff = Backoff::seeded(LIMITS, 1);
        let mut hear = |retries: usize| -> Vec<Loudness> {
            let loud = |_| {
                backoff.next_delay();
                backoff.loudness()
            };
            let heard = (0..retries).map(loud).collect();
            backoff.reset();
            heard
        };
        use Loudness::{Error, Quiet, Warn};
        assert_eq!(hear(5), [Quiet, Warn, Warn, Error, Error]);
        assert_eq!(hear(2), [Quiet, Warn]);
    }
}
