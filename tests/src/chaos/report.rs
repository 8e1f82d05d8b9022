//! What many rounds have shown, as tables.

use std::{collections::BTreeMap, fmt, time::Duration};

use super::{Outcome, checker::Class};

/// Sums over rounds.
#[derive(Clone, Debug, Default)]
pub struct Report {
    rounds: usize,
    reports: usize,
    duplicates: i64,
    recoveries: BTreeMap<String, Vec<Duration>>,
    anomalies: BTreeMap<Class, usize>,
}

impl Report {
    /// Takes a round in.
    pub fn add(&mut self, outcome: &Outcome) {
        self.rounds += 1;
        self.reports += outcome.reports;
        self.duplicates += outcome.duplicates;
        for (class, recovery) in &outcome.recoveries {
            self.recoveries.entry(class.clone()).or_default().push(*recovery);
        }
        for anomaly in &outcome.anomalies {
            *self.anomalies.entry(anomaly.class).or_default() += 1;
        }
    }

    /// Whether every promise was kept in every round.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.anomalies.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events: usize = self.recoveries.values().map(Vec::len).sum();
        writeln!(formatter, "rounds                 {:>9}", self.rounds)?;
        writeln!(formatter, "reports in scores.raw  {:>9}", self.reports)?;
        writeln!(formatter, "duplicates suppressed  {:>9}", self.duplicates)?;
        writeln!(formatter, "faults                 {events:>9}")?;
        writeln!(formatter, "anomalies              {:>9}", self.anomalies.values().sum::<usize>())?;
        for (class, count) in &self.anomalies {
            writeln!(formatter, "  {:<21}{count:>9}", class.as_str())?;
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
