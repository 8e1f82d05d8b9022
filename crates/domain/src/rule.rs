//! The archive's rule: what stands in the file, as a pure function of everything that `scores.enriched` says about one result.
//!
//! No clock takes part. Given one directory, the order of arrival matters in one case alone: when reports name different employees and
//! nobody decided between them, the first to arrive names the owner.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::{ContentHash, Origin, Repeat, Status, retraction};

/// One enriched score about the result, as far as the rule looks at it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Where the report first appeared.
    pub origin: Origin,
    /// Version of the field mapping that read it.
    pub mapping_version: i32,
    /// When a person decided the owner, or 0.
    pub decision: i64,
    /// The employee that it names, after following `replaced_by`; a withdrawal may name nobody.
    pub employee_no: Option<String>,
    /// What the source says of the result.
    pub status: Status,
    /// Numbering that `revision` belongs to.
    pub revision_scheme: i32,
    /// The source's own number of the version.
    pub revision: Option<i64>,
    /// What it would put into the file.
    pub content_hash: ContentHash,
    /// What saying it again means.
    pub repeat: Repeat,
}

/// What tells two versions of a result apart: scheme, revision, and content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionKey {
    /// Numbering that the revision belongs to.
    pub revision_scheme: i32,
    /// The revision, 0 where a score states none. `None` is a withdrawal without a revision: it outranks revisions, so it is not revision 0.
    pub revision: Option<i64>,
    /// What the version puts into the file.
    pub content_hash: ContentHash,
}

impl Statement {
    /// The version that it states.
    #[must_use]
    pub fn version(&self) -> VersionKey {
        VersionKey {
            revision_scheme: self.revision_scheme,
            revision: match self.status {
                Status::Withdrawn => self.revision,
                Status::Final | Status::Provisional => Some(self.revision.unwrap_or(0)),
            },
            content_hash: self.content_hash,
        }
    }

    /// Whether it takes back what its report said of the result.
    #[must_use]
    pub fn is_retraction(&self) -> bool {
        self.revision_scheme == retraction::SCHEME && self.status == Status::Withdrawn
    }

    /// Of what one report said the greatest counts (step 1).
    #[must_use]
    pub const fn precedence(&self) -> (i32, i64, bool) {
        (self.mapping_version, self.decision, self.employee_no.is_some())
    }

    /// Whether it outranks what is provisional: a retraction outranks nothing.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.status != Status::Provisional && self.revision_scheme != retraction::SCHEME
    }

    /// Whether this rather than `present` marks the place of the version that both state. A correction marks it before a redelivery.
    #[must_use]
    pub fn speaks_before(&self, present: &Self) -> bool {
        match (self.repeat, present.repeat) {
            (Repeat::Redelivery, Repeat::Redelivery) => self.origin < present.origin,
            (Repeat::Correction, Repeat::Correction) => self.origin > present.origin,
            (Repeat::Correction, Repeat::Redelivery) => true,
            (Repeat::Redelivery, Repeat::Correction) => false,
        }
    }
}

/// What follows from all statements about one result. Numbers are positions in the slice that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Judgement {
    /// In whose file the record stands; `None` until a statement names somebody.
    pub owner: Option<String>,
    /// The decision that named the owner, or 0.
    pub decision: i64,
    /// The versions that count, each with the statement at its place.
    pub versions: HashMap<VersionKey, usize>,
    /// The statement that is the record; `None` only where there is no statement.
    pub record: Option<usize>,
    /// The statement whose content the record shows: the record itself, or the greatest that is no withdrawal.
    pub shown: Option<usize>,
    /// Statements that name somebody else, with nobody having decided, and do not count.
    pub refused: Vec<usize>,
}

/// Judges all statements about one result, given in their order of arrival.
#[must_use]
pub fn judge(statements: &[Statement]) -> Judgement {
    let (owner, decision) = owner(statements);
    let names_another =
        |statement: &Statement| statement.decision == decision && statement.employee_no.is_some() && statement.employee_no != owner;
    let refused: Vec<usize> = (0..statements.len()).filter(|&number| names_another(&statements[number])).collect();
    let counting = counting(statements, &refused);
    let versions = fold_versions(statements, &counting);
    let rank = ranking(statements, &counting);
    let greatest = |candidates: &mut dyn Iterator<Item = usize>| candidates.max_by_key(|&spokesman| rank(spokesman));
    let record = greatest(&mut versions.values().copied());
    let is_shown = |spokesman: &usize| statements[*spokesman].status != Status::Withdrawn;
    let shown = greatest(&mut versions.values().copied().filter(is_shown));
    Judgement {
        owner,
        decision,
        versions,
        record,
        shown,
        refused,
    }
}

/// The employee of the greatest decision that names one, the first to arrive among equals: without a decision, the first that anybody named.
///
/// Revoking a decision is one too, and leaves the employee to the reports again. Those of one decision that name somebody else than its
/// first are therefore refused, whether the decision is 0 or not; those of an earlier decision count, whomever they name.
fn owner(statements: &[Statement]) -> (Option<String>, i64) {
    let naming = || statements.iter().filter(|statement| statement.employee_no.is_some());
    let decision = naming().map(|statement| statement.decision).max().unwrap_or(0);
    let owner = naming().find(|statement| statement.decision == decision);
    (owner.and_then(|statement| statement.employee_no.clone()), decision)
}

/// Step 1: of each origin only the output with the greatest mapping version and decision; of its copies the first that names anybody.
fn counting(statements: &[Statement], refused: &[usize]) -> Vec<usize> {
    let mut best: HashMap<Origin, usize> = HashMap::with_capacity(statements.len());
    let precedence = |number: usize| statements[number].precedence();
    for number in (0..statements.len()).filter(|number| refused.binary_search(number).is_err()) {
        let kept = best.entry(statements[number].origin).or_insert(number);
        if precedence(number) > precedence(*kept) {
            *kept = number;
        }
    }
    best.into_values().collect()
}

/// Step 2: statements of one version are one, at the smallest origin of redeliveries or the greatest of corrections.
fn fold_versions(statements: &[Statement], counting: &[usize]) -> HashMap<VersionKey, usize> {
    let mut spokesmen: HashMap<VersionKey, usize> = HashMap::new();
    for &number in counting {
        let spokesman = spokesmen.entry(statements[number].version()).or_insert(number);
        if statements[number].speaks_before(&statements[*spokesman]) {
            *spokesman = number;
        }
    }
    spokesmen
}

/// Step 4: not provisional, scheme, revision, place.
type Rank = (bool, i32, Revision, Origin);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Revision {
    Numbered(i64),
    /// A withdrawal without a revision, from a source that has revisions.
    AboveAll,
}

/// The rank of a version, by the statement at its place.
fn ranking(statements: &[Statement], counting: &[usize]) -> impl Fn(usize) -> Rank {
    let numbered: HashSet<i32> = counting
        .iter()
        .map(|&number| &statements[number])
        .filter_map(|statement| statement.revision.map(|_| statement.revision_scheme))
        .collect();
    move |spokesman| {
        let statement = &statements[spokesman];
        let outranks_revisions =
            statement.status == Status::Withdrawn && statement.revision.is_none() && numbered.contains(&statement.revision_scheme);
        let revision = match statement.revision {
            None if outranks_revisions => Revision::AboveAll,
            revision => Revision::Numbered(revision.unwrap_or(0)),
        };
        (statement.stands(), statement.revision_scheme, revision, statement.origin)
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    fn statement(offset: i64, content: u8) -> Statement {
        Statement {
            origin: Origin {
                generation: 1,
                partition: 0,
                offset,
            },
            mapping_version: 1,
            decision: 0,
            employee_no: Some("E1".to_owned()),
            status: Status::Final,
            revision_scheme: 1,
            revision: None,
            content_hash: ContentHash([content; 16]),
            repeat: Repeat::Redelivery,
        }
    }

    fn withdrawal(offset: i64) -> Statement {
        Statement {
            status: Status::Withdrawn,
            employee_no: None,
            ..statement(offset, 255)
        }
    }

    /// The judged numbers: owner, record, shown, refused.
    fn check(statements: &[Statement], expected: (Option<&str>, usize, Option<usize>, &[usize])) {
        let judged = judge(statements);
        let got = (judged.owner.as_deref(), judged.record, judged.shown, judged.refused.as_slice());
        assert_eq!(got, (expected.0, Some(expected.1), expected.2, expected.3), "{statements:#?}");
    }

    #[test]
    fn without_revisions_the_last_version_in_the_log_wins() {
        check(&[statement(1, 1), statement(2, 2)], (Some("E1"), 1, Some(1), &[]));
        check(&[statement(2, 2), statement(1, 1)], (Some("E1"), 0, Some(0), &[]));
    }

    #[test]
    fn a_redelivery_keeps_its_first_place_and_a_correction_takes_the_last() {
        let log = |repeat| [statement(1, 1), statement(2, 2), statement(3, 1)].map(|stated| Statement { repeat, ..stated });
        check(&log(Repeat::Redelivery), (Some("E1"), 1, Some(1), &[]));
        check(&log(Repeat::Correction), (Some("E1"), 2, Some(2), &[]));
    }

    #[test]
    fn a_provisional_score_never_outranks_a_final_one() {
        let provisional = Statement {
            status: Status::Provisional,
            revision: Some(9),
            ..statement(2, 2)
        };
        check(&[statement(1, 1), provisional], (Some("E1"), 0, Some(0), &[]));
    }

    #[test]
    fn mapping_a_report_anew_replaces_what_it_said() {
        let anew = Statement {
            mapping_version: 2,
            ..statement(2, 3)
        };
        check(&[statement(1, 1), statement(2, 2), anew.clone()], (Some("E1"), 2, Some(2), &[]));
        check(&[anew, statement(2, 2), statement(1, 1)], (Some("E1"), 0, Some(0), &[]));
    }

    #[test]
    fn a_withdrawn_record_goes_on_showing_the_greatest_score() {
        check(&[withdrawal(3)], (None, 0, None, &[]));
        check(&[statement(1, 1), withdrawal(3), statement(2, 2)], (Some("E1"), 1, Some(2), &[]));
    }

    #[test]
    fn a_withdrawal_without_a_revision_outranks_every_revision_even_when_revision_0_was_withdrawn_before() {
        let numbered = |stated: Statement, revision| Statement {
            revision: Some(revision),
            ..stated
        };
        let revised = numbered(statement(2, 1), 7);
        check(&[withdrawal(1), revised.clone()], (Some("E1"), 0, Some(1), &[]));
        check(&[numbered(withdrawal(1), 0), revised, withdrawal(3)], (Some("E1"), 2, Some(1), &[]));
    }

    fn naming(stated: Statement, employee_no: &str, decision: i64) -> Statement {
        Statement {
            employee_no: Some(employee_no.to_owned()),
            decision,
            ..stated
        }
    }

    #[test]
    fn who_names_another_employee_than_the_first_is_refused_until_somebody_decides() {
        let first = statement(1, 1);
        let other = naming(statement(2, 2), "E2", 0);
        check(&[first.clone(), other.clone()], (Some("E1"), 0, Some(0), &[1]));
        let decided = naming(statement(1, 1), "E2", 5);
        check(&[first, other, decided], (Some("E2"), 1, Some(1), &[]));
    }

    #[test]
    fn after_a_decision_was_revoked_reports_that_disagree_are_refused_again() {
        let log = [
            naming(statement(1, 1), "E2", 5),
            naming(statement(1, 1), "E1", 9),
            naming(statement(2, 2), "E2", 9),
        ];
        check(&log, (Some("E1"), 1, Some(1), &[2]));
    }

    #[test]
    fn a_decided_statement_that_names_nobody_leaves_the_owner() {
        let decided = Statement {
            decision: 5,
            ..withdrawal(2)
        };
        check(&[statement(1, 1), decided], (Some("E1"), 1, Some(0), &[]));
    }

    #[test]
    fn no_statement_is_no_record() {
        assert_eq!(judge(&[]), Judgement::default());
    }

    /// What one origin says under one mapping is always the same; whom it names follows from the decision.
    fn any_statement() -> impl Strategy<Value = Statement> {
        let place = (0..4_i64, 1..3_i32, select(vec![0_i64, 5, 9]), any::<bool>());
        place.prop_map(|(offset, mapping_version, decision, names)| {
            let seed = offset * 2 + i64::from(mapping_version);
            let owner = if decision == 5 { "E2" } else { "E1" };
            Statement {
                mapping_version,
                decision,
                employee_no: names.then(|| owner.to_owned()),
                status: [Status::Final, Status::Withdrawn, Status::Provisional, Status::Final][(seed % 4) as usize],
                revision_scheme: (seed % 5) as i32 % 3,
                revision: (seed % 3 != 0).then_some(seed % 3 - 1),
                repeat: if seed % 7 < 4 { Repeat::Redelivery } else { Repeat::Correction },
                ..statement(offset, (seed % 3) as u8)
            }
        })
    }

    /// What a judgement says, without the numbers that depend on the order.
    fn meaning(statements: &[Statement]) -> impl PartialEq + std::fmt::Debug + use<> {
        let judged = judge(statements);
        let at = |number: Option<usize>| number.map(|number| statements[number].clone());
        (
            judged.owner,
            judged.decision,
            at(judged.record),
            at(judged.shown),
            judged.refused.len(),
        )
    }

    proptest! {
        #[test]
        fn order_and_duplication_never_change_the_record(
            log in vec(any_statement(), 1..12),
            shuffled in any::<prop::sample::Index>(),
        ) {
            let mut other: Vec<Statement> = log.iter().rev().cloned().collect();
            other.rotate_left(shuffled.index(log.len()));
            other.extend_from_slice(&log[..log.len() / 2]);
            prop_assert_eq!(meaning(&log), meaning(&other));
        }
    }
}
