//! What many rounds have shown, as tables.

use std::{collections::BTreeMap, fmt, time::Duration};

use scoresync_fault_points::Bug;

use super::{Outcome, checker::Class};

/// Sums over rounds.
#[derive(Clone, Debug, Default)]
pub struct Report {
    rounds: usize,
    /// Rounds whose surroundings did not come about.
    unplayed: usize,
    reports: usize,
    duplicates: i64,
    recoveries: BTreeMap<String, Vec<Duration>>,
    /// Faults that met nobody.
    missed: usize,
    anomalies: BTreeMap<Class, usize>,
    /// Errors that were made on purpose, and whether each was caught.
    bugs: BTreeMap<Bug, bool>,
}

impl Report {
    /// Takes a round in.
    pub fn add(&mut self, outcome: &Outcome) {
        self.rounds += 1;
        self.reports += outcome.reports;
        self.duplicates += outcome.duplicates;
        for recovery in &outcome.recoveries {
            if recovery.has_struck {
                self.recoveries.entry(recovery.class.clone()).or_default().push(recovery.took);
            } else {
                self.missed += 1;
            }
        }
        for anomaly in &outcome.anomalies {
            *self.anomalies.entry(anomaly.class).or_default() += 1;
        }
    }

    /// Takes in that a round could not be played.
    pub const fn add_unplayed(&mut self) {
        self.unplayed += 1;
    }

    /// Takes in whether an error that was made on purpose was caught.
    pub fn add_bug(&mut self, bug: Bug, is_caught: bool) {
        self.bugs.insert(bug, is_caught);
    }

    /// Whether every promise was kept in every round, and every error that was made on purpose caught.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.anomalies.is_empty() && self.unplayed == 0 && self.bugs.values().all(|is_caught| *is_caught)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: usize = self.recoveries.values().map(Vec::len).sum();
        writeln!(formatter, "rounds                 {:>9}", self.rounds)?;
        writeln!(formatter, "rounds not played      {:>9}", self.unplayed)?;
        writeln!(formatter, "reports in scores.raw  {:>9}", self.reports)?;
        writeln!(formatter, "duplicates suppressed  {:>9}", self.duplicates)?;
        writeln!(formatter, "faults                 {faults:>9}")?;
        writeln!(formatter, "faults that met nobody {:>9}", self.missed)?;
        writeln!(formatter, "anomalies              {:>9}", self.anomalies.values().sum::<usize>())?;
        for class in Class::ALL {
            let count = self.anomalies.get(&class).copied().unwrap_or_default();
            writeln!(formatter, "  {:<21}{count:>9}", class.as_str())?;
        }
        if !self.bugs.is_empty() {
            let caught = self.bugs.values().filter(|is_caught| **is_caught).count();
            writeln!(
                formatter,
                "seeded bugs caught     {:>9}",
                format!("{caught} of {}", self.bugs.len())
            )?;
        }
        if self.recoveries.is_empty() {
            return Ok(());
        }
        writeln!(formatter, "\n{:<36}{:>7}{:>14}{:>10}", "fault", "times", "filed after", "slowest")?;
        for (class, recoveries) in &self.recoveries {
            let mut sorted = recoveries.clone();
            sorted.sort();
            let (median, slowest) = (sorted[sorted.len() / 2], sorted.last().copied().unwrap_or_default());
            writeln!(
                formatter,
                "{class:<36}{:>7}{:>12.1} s{:>8.1} s",
                sorted.len(),
                median.as_secs_f64(),
                slowest.as_secs_f64()
            )?;
        }
        Ok(())
    }
}
