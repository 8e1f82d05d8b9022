//! Redriven copies of reports, and what they came to.

use std::collections::BTreeMap;

use scoresync_domain::Origin;

use crate::books::{Books, FindingKind, Item};

/// Copies that the mapper is done with, by their report and how often it was tried before.
#[derive(Debug, Default)]
pub(crate) struct Copies(BTreeMap<(Origin, u32), Owed>);

#[derive(Debug)]
struct Owed {
    /// The last of the copies.
    place: Origin,
    /// Outputs that there must be, and are.
    must_be: u64,
    are: u64,
}

impl Copies {
    /// Takes a copy down.
    pub(crate) fn add(&mut self, report: Origin, attempts: u32, place: Origin) {
        // The output of a report that was never tried before looks like that of such a copy. Of several copies of one try one is enough: another
        // one is sent where one was lost.
        let own = u64::from(attempts == 0);
        let owed = self.0.entry((report, attempts)).or_insert(Owed {
            place,
            must_be: own + 1,
            are: 0,
        });
        owed.place = place;
    }

    /// There is an output of a report that was tried so often before.
    pub(crate) fn answer(&mut self, report: Origin, attempts: u32) {
        if let Some(owed) = self.0.get_mut(&(report, attempts)) {
            owed.are += 1;
        }
    }

    /// Names those that came to nothing.
    pub(crate) fn close(self, books: &mut Books) {
        for ((report, _), owed) in self.0.into_iter().filter(|(_, owed)| owed.are < owed.must_be) {
            let text = format!("a copy of it came to nothing; the last is scores.raw:{}", owed.place);
            books.find(FindingKind::Lost, Item::Report(report), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether something is missing after copies and outputs of one report, each given by how often it was tried before.
    fn check(copies: &[u32], outputs: &[u32], is_missing: bool) {
        let report = Origin {
            generation: 1,
            partition: 0,
            offset: 5,
        };
        let mut known = Copies::default();
        for (offset, attempts) in (6..).zip(copies) {
            known.add(report, *attempts, Origin { offset, ..report });
        }
        for attempts in outputs {
            known.answer(report, *attempts);
        }
        let mut books = Books::default();
        known.close(&mut books);
        assert_eq!(!books.balance(), is_missing, "{copies:?} {outputs:?}");
    }

    #[test]
    fn a_copy_of_every_try_must_come_to_something() {
        check(&[1], &[0, 1], false);
        check(&[1], &[0], true);
        check(&[1, 1], &[0, 1], false);
        check(&[1, 2], &[0, 1], true);
        check(&[0], &[0], true);
        check(&[0], &[0, 0], false);
    }
}
