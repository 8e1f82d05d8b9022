//! When which fault strikes: by chance, the same for the same seed, with quiet periods, some faults within others.

use std::{fmt, time::Duration};

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use super::faults::Fault;

/// Before the first fault, and after the last one.
const CALM: Duration = Duration::from_secs(3);

/// A fault and its moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// From the beginning of the round.
    pub at: Duration,
    /// What.
    pub fault: Fault,
}

/// All faults of a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule(pub Vec<Strike>);

impl Schedule {
    /// For a round of this length.
    #[must_use]
    pub fn generate(seed: u64, duration: Duration) -> Self {
        let mut dice = Xoshiro256PlusPlus::seed_from_u64(seed);
        let (mut strikes, mut at) = (Vec::new(), CALM);
        while at + CALM < duration {
            let fault = Fault::any(&mut dice);
            strikes.push(Strike { at, fault });
            if dice.random_range(0..3) == 0 {
                let within = fault.duration().mul_f64(dice.random_range(0.1..0.9));
                strikes.push(Strike {
                    at: at + within,
                    fault: Fault::any(&mut dice),
                });
            }
            at += fault.duration() + Duration::from_millis(dice.random_range(1_500..4_000));
        }
        Self(strikes)
    }

    /// For three brokers, in 40 seconds: a leader is lost, then there are too few replicas, and the records are locked for 30 s meanwhile.
    #[must_use]
    pub fn with_brokers_lost() -> Self {
        Self::of(&[(3, Fault::BrokersKilled(1)), (8, Fault::Locked(30)), (20, Fault::BrokersKilled(2))])
    }

    /// What strikes in which second.
    #[must_use]
    pub fn of(strikes: &[(u64, Fault)]) -> Self {
        let strike = |(seconds, fault): &(u64, Fault)| Strike {
            at: Duration::from_secs(*seconds),
            fault: *fault,
        };
        Self(strikes.iter().map(strike).collect())
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Strike { at, fault } in &self.0 {
            writeln!(formatter, "    {:>5.1} s  {} ({fault:?})", at.as_secs_f64(), fault.class())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_schedule_again_and_another_seed_another() {
        let minute = Duration::from_secs(60);
        let of = |seed| Schedule::generate(seed, minute);
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        assert!(of(7).0.len() >= 3 && of(7).0.iter().all(|strike| strike.at >= CALM));
    }
}
