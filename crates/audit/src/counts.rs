//! What the sink counted, beside what it has read and what that must have come to.

use std::collections::{BTreeMap, BTreeSet};

use scoresync_archive::FateCount;
use scoresync_domain::Fate;

use crate::books::{Books, FindingKind, Item};

/// Generation and partition of a topic.
pub(crate) type Partition = (i32, i32);

/// How many positions of each partition came to each fate.
pub(crate) type FateCounts = BTreeMap<(Partition, Fate), i64>;

/// What must have been counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    read: BTreeMap<Partition, i64>,
    must_be: FateCounts,
    /// Partitions in which fates depend on when people decided something, or when somebody was replaced.
    inexact: BTreeSet<Partition>,
}

impl Counts {
    /// The sink has read a score.
    pub(crate) fn read(&mut self, partition: Partition) {
        *self.read.entry(partition).or_default() += 1;
    }

    /// It must have come to this.
    pub(crate) fn expect(&mut self, partition: Partition, fate: Fate) {
        *self.must_be.entry((partition, fate)).or_default() += 1;
    }

    /// To which fates scores of a partition came cannot be told afterwards.
    pub(crate) fn doubt(&mut self, partition: Partition) {
        self.inexact.insert(partition);
    }

    /// Compares them with what the archive counted; `firsts` says where the logs begin.
    pub(crate) fn compare(&self, counted: &FateCounts, firsts: &BTreeMap<Partition, i64>, books: &mut Books) {
        let counted_in = counted.keys().map(|(partition, _)| partition);
        let partitions: BTreeSet<Partition> = self.read.keys().chain(counted_in).copied().collect();
        for partition in partitions {
            let item = Item::Partition {
                topic: "scores.enriched".to_owned(),
                generation: partition.0,
                partition: partition.1,
            };
            if firsts.get(&partition) == Some(&0) {
                if let Some(text) = self.differ(partition, counted) {
                    books.find(FindingKind::Fates, item, text);
                    if self.inexact.contains(&partition) {
                        // Each of them depends on more than can be read now.
                        books.remedy.beyond += 1;
                    } else {
                        books.remedy.fates.extend(self.corrections(partition, counted));
                    }
                }
            } else {
                books
                    .notes
                    .push(format!("the beginning of {item} is gone: its fates cannot be added up"));
            }
        }
    }

    /// What is to be added to what was counted.
    fn corrections(&self, partition: Partition, counted: &FateCounts) -> impl Iterator<Item = FateCount> {
        let correction = move |&fate| FateCount {
            generation: partition.0,
            partition: partition.1,
            fate,
            count: number((&self.must_be, partition), fate) - number((counted, partition), fate),
        };
        Fate::ALL.iter().map(correction).filter(|correction| correction.count != 0)
    }

    fn differ(&self, partition: Partition, counted: &FateCounts) -> Option<String> {
        let number = |counts: &FateCounts, fate| number((counts, partition), fate);
        let sum: i64 = Fate::ALL.iter().map(|fate| number(counted, *fate)).sum();
        let read = self.read.get(&partition).copied().unwrap_or(0);
        if sum != read {
            return Some(format!("the sink has read {read} scores, and counted {sum} fates"));
        }
        let differ = Fate::ALL
            .iter()
            .filter(|fate| number(counted, **fate) != number(&self.must_be, **fate));
        let words: Vec<String> = differ
            .map(|fate| format!("{} {fate} where {} must be", number(counted, *fate), number(&self.must_be, *fate)))
            .collect();
        (!words.is_empty() && !self.inexact.contains(&partition)).then(|| format!("it counted {}", words.join(", ")))
    }
}

fn number((counts, partition): (&FateCounts, Partition), fate: Fate) -> i64 {
    counts.get(&(partition, fate)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counted: &[(Fate, i64)], is_inexact: bool, expected: Option<&str>) {
        let place = (1, 0);
        let mut counts = Counts::default();
        for fate in [Fate::Filed, Fate::Filed, Fate::Duplicate] {
            counts.read(place);
            counts.expect(place, fate);
        }
        if is_inexact {
            counts.doubt(place);
        }
        let counted = counted.iter().map(|(fate, count)| ((place, *fate), *count)).collect();
        let mut books = Books::default();
        counts.compare(&counted, &BTreeMap::from([(place, 0)]), &mut books);
        let found = books.findings.first().map(|found| found.text.as_str());
        assert_eq!(found, expected, "{counted:?}");
    }

    #[test]
    fn counts_must_add_up_and_be_those_of_the_rule() {
        check(&[(Fate::Filed, 2), (Fate::Duplicate, 1)], false, None);
        let twice = "the sink has read 3 scores, and counted 4 fates";
        check(&[(Fate::Filed, 3), (Fate::Duplicate, 1)], true, Some(twice));
        let other = "it counted 1 filed where 2 must be, 2 duplicate where 1 must be";
        check(&[(Fate::Filed, 1), (Fate::Duplicate, 2)], false, Some(other));
        check(&[(Fate::Filed, 1), (Fate::Duplicate, 2)], true, None);
    }
}
