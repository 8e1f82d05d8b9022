//! What would put the books right.

use std::collections::BTreeSet;

use scoresync_archive::FateCount;
use scoresync_domain::{Origin, ResultId};

use crate::{
    books::{FindingKind, Item},
    said::Place,
};

/// What would put the books right, as far as that can be done.
#[derive(Clone, Debug, Default)]
pub struct Remedy {
    /// To be made anew from what `scores.enriched` says of them.
    pub results: BTreeSet<ResultId>,
    /// Of records that cannot be decoded, whose refusals are to be written anew.
    pub(crate) undecodable: BTreeSet<Place>,
    /// To be added to what the archive counted.
    pub fates: Vec<FateCount>,
    /// To be sent through the pipeline again.
    pub reports: BTreeSet<Origin>,
    /// Letters that are not filed, to be opened again.
    pub letters: BTreeSet<Origin>,
    /// Findings that only a person can do something about.
    pub beyond: u64,
}

/// Whether a result may be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repairable {
    Yes,
    /// It counts what a `replaced_by` let count that was taken back since: by the employees of today something else would come of it.
    No,
}

impl Remedy {
    /// Whether there is anything to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.results.is_empty()
            && self.undecodable.is_empty()
            && self.fates.is_empty()
            && self.reports.is_empty()
            && self.letters.is_empty()
    }

    /// Refusals of records that cannot be decoded, to be written anew.
    #[must_use]
    pub fn refusals(&self) -> usize {
        self.undecodable.len()
    }

    /// Leaves a result to a person.
    pub(crate) fn leave(&mut self, result_id: ResultId) {
        self.results.remove(&result_id);
        self.beyond += 1;
    }

    pub(crate) fn add(&mut self, kind: FindingKind, item: &Item) {
        match (kind, item) {
            (FindingKind::Lost | FindingKind::MissingLetter, Item::Report(origin) | Item::Letter(origin)) => {
                self.reports.insert(*origin);
            }
            (FindingKind::UnfiledLetter, Item::Report(origin) | Item::Letter(origin)) => drop(self.letters.insert(*origin)),
            // What each fate lacks is known to whoever compares the counts.
            (FindingKind::Fates, _) => {}
            (FindingKind::Invented | FindingKind::Position, _) => self.beyond += 1,
            (_, Item::Result(result_id)) => drop(self.results.insert(*result_id)),
            (_, Item::Score(place)) => drop(self.undecodable.insert(*place)),
            (_, Item::Report(_) | Item::Letter(_) | Item::Topic(_) | Item::Partition { .. }) => self.beyond += 1,
        }
    }
}
