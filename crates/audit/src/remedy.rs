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
            (_, Item::Report(_) | Item::Letter(_) | Item::Partition { .. }) => self.beyond += 1,
        }
    }
}
