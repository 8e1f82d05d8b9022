//! Finding the rows that a database refuses: a call that is refused as a whole is tried in halves, and their halves, until they are alone.

use std::{collections::BTreeSet, ops::Range};

/// Which entries of a call take part in an attempt.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Refused by the database: written to the refusals.
    pub(crate) set_aside: BTreeSet<usize>,
    /// Where it is given, nothing outside of it takes part, and the attempt is rolled back.
    pub(crate) probe: Option<Range<usize>>,
}

impl Selection {
    pub(crate) fn takes(&self, number: usize) -> bool {
        self.probe.as_ref().is_none_or(|probe| probe.contains(&number))
    }
}

/// The ranges that are still to be tried, and what was found.
#[derive(Debug)]
pub(crate) struct Bisection {
    pending: Vec<Range<usize>>,
    refused: BTreeSet<usize>,
}

impl Bisection {
    /// Of as many entries, which were refused together.
    pub(crate) fn of(count: usize) -> Self {
        let mut bisection = Self {
            pending: Vec::new(),
            refused: BTreeSet::new(),
        };
        bisection.was_refused(0..count);
        bisection
    }

    /// The next range to try alone.
    pub(crate) fn next_probe(&mut self) -> Option<Selection> {
        self.pending.pop().map(|range| Selection {
            set_aside: BTreeSet::new(),
            probe: Some(range),
        })
    }

    pub(crate) fn was_refused(&mut self, range: Range<usize>) {
        let middle = range.start + range.len() / 2;
        match range.len() {
            0 => {}
            1 => drop(self.refused.insert(range.start)),
            _ => self.pending.extend([range.start..middle, middle..range.end]),
        }
    }

    /// The entries that are refused even alone.
    pub(crate) fn found(self) -> Selection {
        Selection {
            set_aside: self.refused,
            probe: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: usize, refused: &[usize]) -> usize {
        let mut bisection = Bisection::of(count);
        let mut probes = 0;
        while let Some(selection) = bisection.next_probe() {
            probes += 1;
            if let Some(range) = selection.probe
                && refused.iter().any(|number| range.contains(number))
            {
                bisection.was_refused(range);
            }
        }
        assert_eq!(bisection.found().set_aside.into_iter().collect::<Vec<_>>(), refused, "of {count}");
        probes
    }

    #[test]
    fn exactly_the_refused_entries_are_found() {
        check(1, &[0]);
        check(7, &[0, 6]);
        check(8, &[0, 1, 2, 3, 4, 5, 6, 7]);
        check(5000, &[]);
    }

    #[test]
    fn one_refused_entry_among_thousands_takes_few_probes() {
        assert!(check(5000, &[4321]) <= 26);
    }
}
