//! The rule of [`scoresync_domain::rule`] for one result, statement after statement: what counts of each origin, the versions, their ranks.
//!
//! Each statement takes logarithmic time. Who the owner is, and who is refused, is decided before a statement comes here.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

use scoresync_domain::{Origin, Repeat, Status, rule::VersionKey};
use scoresync_fault_points::{self as fault_points, Bug};

use crate::{EnrichedPosition, record::Head};

/// What the rule looks at in a statement that was let count.
#[derive(Clone, Copy, Debug)]
struct Said {
    origin: Origin,
    precedence: (i32, i64, bool, Reverse<EnrichedPosition>),
    version: VersionKey,
    voice: Voice,
    status: Status,
    /// As [`scoresync_domain::rule::Statement::stands`] has it.
    stands: bool,
    revision: Option<i64>,
}

/// Of one version the greatest speaks, as [`scoresync_domain::rule::Statement::speaks_before`] has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Voice {
    Redelivery(Reverse<Origin>),
    Correction(Origin),
}

impl Said {
    fn of(head: &Head<'_>) -> Self {
        Self {
            origin: head.origin,
            precedence: head.precedence(),
            version: head.version(),
            voice: match head.repeat {
                Repeat::Redelivery => Voice::Redelivery(Reverse(head.origin)),
                Repeat::Correction => Voice::Correction(head.origin),
            },
            status: head.status,
            stands: head.statement(None).stands(),
            revision: head.revision,
        }
    }

    /// A withdrawal without a revision, which outranks every revision of its scheme as soon as that has any.
    fn is_open_withdrawal(&self) -> bool {
        self.status == Status::Withdrawn && self.revision.is_none()
    }
}

/// Not provisional, scheme, whether above every revision, revision, place.
type Rank = (bool, i32, bool, i64, Origin);

/// Spokesmen by rank. Apart from each other, the order of each kind never changes.
#[derive(Debug, Default)]
struct Ranking {
    scores: BTreeSet<(Rank, usize)>,
    withdrawals: BTreeSet<(Rank, usize)>,
    open_withdrawals: BTreeSet<(Rank, usize)>,
}

impl Ranking {
    fn of_kind(&mut self, said: &Said) -> &mut BTreeSet<(Rank, usize)> {
        match said.status {
            Status::Withdrawn if said.is_open_withdrawal() => &mut self.open_withdrawals,
            Status::Withdrawn => &mut self.withdrawals,
            Status::Final | Status::Provisional => &mut self.scores,
        }
    }
}

/// Statements by number, in the order in which they were admitted.
#[derive(Debug, Default)]
pub(super) struct Versions {
    said: Vec<Said>,
    counting: HashMap<Origin, usize>,
    speakers: HashMap<VersionKey, BTreeSet<(Voice, usize)>>,
    /// How many that count have a revision, by scheme.
    numbered: HashMap<i32, usize>,
    ranking: Ranking,
}

impl Versions {
    /// Takes the next statement.
    pub(super) fn admit(&mut self, head: &Head<'_>) {
        let (number, said) = (self.said.len(), Said::of(head));
        self.said.push(said);
        let kept = self.counting.get(&said.origin).copied();
        if kept.is_some_and(|kept| self.said[kept].precedence >= said.precedence) {
            return;
        }
        self.counting.insert(said.origin, number);
        if let Some(replaced) = kept {
            self.change_speakers(replaced, |speakers, speaker| {
                speakers.remove(&speaker);
            });
            self.count_numbered(replaced, |count| count.saturating_sub(1));
        }
        self.change_speakers(number, |speakers, speaker| {
            speakers.insert(speaker);
        });
        self.count_numbered(number, |count| count + 1);
    }

    fn change_speakers(&mut self, number: usize, change: impl FnOnce(&mut BTreeSet<(Voice, usize)>, (Voice, usize))) {
        let said = self.said[number];
        let speakers = self.speakers.entry(said.version).or_default();
        let before = speakers.last().map(|(_, spokesman)| *spokesman);
        change(speakers, (said.voice, number));
        let after = speakers.last().map(|(_, spokesman)| *spokesman);
        if speakers.is_empty() {
            self.speakers.remove(&said.version);
        }
        if before == after {
            return;
        }
        if let Some(spokesman) = before {
            let (said, rank) = (self.said[spokesman], self.rank(spokesman, false));
            self.ranking.of_kind(&said).remove(&(rank, spokesman));
        }
        if let Some(spokesman) = after {
            let (said, rank) = (self.said[spokesman], self.rank(spokesman, false));
            self.ranking.of_kind(&said).insert((rank, spokesman));
        }
    }

    fn count_numbered(&mut self, number: usize, change: impl FnOnce(usize) -> usize) {
        let said = self.said[number];
        if said.revision.is_some() {
            let count = self.numbered.entry(said.version.revision_scheme).or_default();
            *count = change(*count);
        }
    }

    fn rank(&self, number: usize, above_revisions: bool) -> Rank {
        let said = &self.said[number];
        let revision = said.revision.unwrap_or(0);
        (said.stands, said.version.revision_scheme, above_revisions, revision, said.origin)
    }

    /// The statement that is the record.
    pub(super) fn record(&self) -> Option<usize> {
        if fault_points::has(Bug::NoVersionGuard) {
            return self.said.len().checked_sub(1);
        }
        let kinds = [&self.ranking.scores, &self.ranking.withdrawals, &self.ranking.open_withdrawals];
        let greatest = kinds.into_iter().filter_map(|ranked| ranked.last().map(|(_, number)| *number));
        greatest.max_by_key(|&number| {
            let said = &self.said[number];
            let has_revisions = self.numbered.get(&said.version.revision_scheme).is_some_and(|count| *count > 0);
            self.rank(number, said.is_open_withdrawal() && has_revisions)
        })
    }

    /// The statement whose content the record shows.
    pub(super) fn shown(&self) -> Option<usize> {
        if fault_points::has(Bug::NoVersionGuard) {
            return self.said.iter().rposition(|said| said.status != Status::Withdrawn);
        }
        self.ranking.scores.last().map(|(_, number)| *number)
    }

    pub(super) fn knows(&self, version: &VersionKey) -> bool {
        self.speakers.contains_key(version)
    }

    pub(super) fn version(&self, number: usize) -> VersionKey {
        self.said[number].version
    }

    /// Whether statements elsewhere cannot be judged without this one: it marks the place of its version, or shows that its scheme has
    /// revisions where that one does not.
    pub(super) fn speaks(&self, number: usize) -> bool {
        let said = &self.said[number];
        if self.counting.get(&said.origin) != Some(&number) {
            return false;
        }
        let spokesman = self.speakers.get(&said.version).and_then(|speakers| speakers.last());
        spokesman.is_some_and(|(_, spokesman)| *spokesman == number || said.revision.is_some() && self.said[*spokesman].revision.is_none())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::{collection::vec, prelude::*, sample::select};
    use scoresync_domain::{ContentHash, Timestamp, rule::judge};

    use super::*;

    fn any_head() -> impl Strategy<Value = Head<'static>> {
        let mapped = (1..3_i32, select(vec![0_i64, 5]), any::<bool>());
        let said = (
            select(Status::ALL),
            0..3_i32,
            select(vec![None, Some(0), Some(1)]),
            0..3_u8,
            select(Repeat::ALL),
        );
        (0..6_i64, mapped, said).prop_map(|(offset, (mapping_version, decision, names), said)| {
            let (status, revision_scheme, revision, content, repeat) = said;
            Head {
                origin: Origin {
                    generation: 1,
                    partition: 0,
                    offset,
                },
                mapping_version,
                decision,
                employee_no: names.then(|| "E1".into()),
                matched_by: None,
                status,
                revision_scheme,
                revision,
                content_hash: ContentHash([content; 16]),
                repeat,
                received_at: Timestamp::from_millis(0),
                arrived: EnrichedPosition {
                    generation: 1,
                    partition: 0,
                    offset: 0,
                },
            }
        })
    }

    /// Statements in their order of arrival, and an order to admit them in.
    fn any_log() -> impl Strategy<Value = (Vec<Head<'static>>, Vec<usize>)> {
        vec(any_head(), 1..14).prop_flat_map(|mut log| {
            for (offset, head) in (0..).zip(&mut log) {
                head.arrived.offset = offset;
            }
            let order: Vec<usize> = (0..log.len()).collect();
            (Just(log), Just(order).prop_shuffle())
        })
    }

    /// What the rule says, and what the versions say, in numbers of the log.
    fn compare(log: &[Head<'_>], order: &[usize]) -> Result<(), TestCaseError> {
        let mut versions = Versions::default();
        order.iter().for_each(|&number| versions.admit(&log[number]));
        let statements: Vec<_> = log
            .iter()
            .map(|head| head.statement(head.employee_no.as_deref().map(str::to_owned)))
            .collect();
        let judged = judge(&statements);
        let in_log = |number: Option<usize>| number.map(|number| order[number]);
        prop_assert_eq!(in_log(versions.record()), judged.record);
        prop_assert_eq!(in_log(versions.shown()), judged.shown);
        let spokesmen = versions
            .speakers
            .iter()
            .map(|(version, speakers)| (*version, speakers.last().unwrap().1));
        let places: HashMap<_, _> = spokesmen.map(|(version, number)| (version, order[number])).collect();
        prop_assert_eq!(places, judged.versions);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn one_after_the_other_gives_what_the_rule_says_of_all_whatever_the_order((log, order) in any_log()) {
            compare(&log, &order)?;
        }

        #[test]
        fn those_that_speak_say_as_much_as_all_of_them((log, order) in any_log()) {
            let mut all = Versions::default();
            order.iter().for_each(|&number| all.admit(&log[number]));
            let mut speaking: Vec<usize> = (0..order.len()).filter(|&number| all.speaks(number)).map(|number| order[number]).collect();
            speaking.sort_unstable();
            let mut few = Versions::default();
            speaking.iter().for_each(|&number| few.admit(&log[number]));
            prop_assert_eq!(few.record().map(|number| speaking[number]), all.record().map(|number| order[number]));
            prop_assert_eq!(few.shown().map(|number| speaking[number]), all.shown().map(|number| order[number]));
            prop_assert_eq!(few.speakers.len(), all.speakers.len());
        }
    }
}
