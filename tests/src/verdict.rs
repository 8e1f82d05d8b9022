//! The truth about a company beside what an installation made of it: where every report is, what was counted, what stands in the files.

mod files;
mod found;
mod places;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::company::{Report, TrueResult, Truth};

pub use found::Found;
use places::Places;

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// For each fate and reason: how many there must be, and how many were found.
    pub counts: BTreeMap<String, Count>,
    /// Everything that is not as it must be, in sentences.
    pub mismatches: Vec<String>,
}

/// Two numbers that must be the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How many there must be.
    pub truth: i64,
    /// How many there are.
    pub found: i64,
}

/// What must be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// All reports, in the order in which they were sent.
    pub reports: &'a [Report],
    /// All results.
    pub results: &'a [TrueResult],
}

impl Verdict {
    /// Compares.
    #[must_use]
    pub fn reach(expected: Expected<'_>, found: &Found) -> Self {
        let places = Places::of(expected.reports, found);
        let mut mismatches = places.mismatches(found);
        mismatches.extend(places.fate_mismatches(found));
        mismatches.extend(files::mismatches(expected, &places, found));
        let counts = counts(expected.reports, found);
        for (label, count) in &counts {
            if count.truth != count.found {
                mismatches.push(format!("{label}: {} must be, {} are", count.truth, count.found));
            }
        }
        Self { counts, mismatches }
    }

    /// Whether every report met its true fate, and every file is true.
    #[must_use]
    pub fn is_true(&self) -> bool {
        self.mismatches.is_empty()
    }
}

fn counts(reports: &[Report], found: &Found) -> BTreeMap<String, Count> {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for report in reports {
        counts.entry(report.truth.to_string()).or_default().truth += 1;
    }
    for (truth, number) in found.counts() {
        counts.entry(Truth::to_string(&truth)).or_default().found += number;
    }
    counts
}
