//! The archive's rule: what stands in the file, as a pure function of everything that `scores.enriched` says about one result.
//!
//! No clock takes part. Given one directory, the order of arrival matters in one case alone: when reports name different employees and
//! nobody decided, the first to arrive names the owner.

use std::collections::HashMap;

use crate::{ContentHash, Origin, Repeat, Status};

/// One enriched score about the result, as far as the rule looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What tells two versions of a result apart: scheme, revision or 0, and content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionKey {
    /// Numbering that the revision belongs to.
    pub revision_scheme: i32,
    /// The revision, 0 where there is none.
    pub revision: i64,
    /// What the version puts into the file.
    pub content_hash: ContentHash,
}

impl Statement {
    /// The version that it states.
    #[must_use]
    pub fn version(&self) -> VersionKey {
        VersionKey {
            revision_scheme: self.revision_scheme,
            revision: self.revision.unwrap_or(0),
            content_hash: self.content_hash,
        }
    }
}

/// What follows from all statements about one result. Numbers are positions in the slice that was judged.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Judgement {
    /// In whose file the record stands.
    pub owner: Option<String>,
    /// The decision that named the owner, or 0.
    pub decision: i64,
    /// The statement that is the record; `None` only where there is no statement.
    pub record: Option<usize>,
    /// The statement whose content the record shows: the record itself, or the greatest that is no withdrawal.
    pub shown: Option<usize>,
    /// Statements that name somebody else and do not count.
    pub refused: Vec<usize>,
}

/// Judges all statements about one result, given in their order of arrival.
#[must_use]
pub fn judge(statements: &[Statement]) -> Judgement {
    let (owner, decision) = owner(statements);
    let names_another = |statement: &Statement| statement.employee_no.is_some() && statement.employee_no != owner;
    let refused: Vec<usize> = match decision {
        0 => (0..statements.len()).filter(|&number| names_another(&statements[number])).collect(),
        _ => Vec::new(),
    };
    let versions = fold_versions(statements, &counting(statements, &refused));
    let greatest =
        |candidates: &mut dyn Iterator<Item = &Version>| candidates.max_by_key(|version| version.rank).map(|version| version.spokesman);
    let record = greatest(&mut versions.iter());
    let shown = greatest(&mut versions.iter().filter(|version| !version.withdrawn));
    Judgement {
        owner,
        decision,
        record,
        shown,
        refused,
    }
}

/// The employee of the greatest decision; without one, the first that anybody named.
fn owner(statements: &[Statement]) -> (Option<String>, i64) {
    let decision = statements.iter().map(|statement| statement.decision).max().unwrap_or(0);
    let named = statements
        .iter()
        .filter(|statement| decision == 0 || statement.decision == decision);
    (named.filter_map(|statement| statement.employee_no.clone()).next(), decision)
}

/// Step 1: of each origin only the output with the greatest mapping version and decision; the first to arrive among equals.
fn counting(statements: &[Statement], refused: &[usize]) -> Vec<usize> {
    let mut best: HashMap<Origin, usize> = HashMap::new();
    let precedence = |number: usize| (statements[number].mapping_version, statements[number].decision);
    for number in (0..statements.len()).filter(|number| refused.binary_search(number).is_err()) {
        let kept = best.entry(statements[number].origin).or_insert(number);
        if precedence(number) > precedence(*kept) {
            *kept = number;
        }
    }
    let mut counting: Vec<usize> = best.into_values().collect();
    counting.sort_unstable();
    counting
}

struct Version {
    /// The statement at the version's place.
    spokesman: usize,
    withdrawn: bool,
    rank: Rank,
}

/// Step 4: not provisional, scheme, revision, place.
type Rank = (bool, i32, Revision, Origin);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Revision {
    Numbered(i64),
    /// A withdrawal without a revision, from a source that has revisions.
    AboveAll,
}

/// Step 2: statements of one version are one, at the smallest origin of redeliveries or the greatest of corrections.
fn fold_versions(statements: &[Statement], counting: &[usize]) -> Vec<Version> {
    let mut spokesmen: HashMap<VersionKey, usize> = HashMap::new();
    for &number in counting {
        let spokesman = spokesmen.entry(statements[number].version()).or_insert(number);
        if speaks_before(&statements[number], &statements[*spokesman]) {
            *spokesman = number;
        }
    }
    let has_revisions = |scheme: i32| {
        counting
            .iter()
            .any(|&number| statements[number].revision_scheme == scheme && statements[number].revision.is_some())
    };
    let version = |spokesman: usize| {
        let statement = &statements[spokesman];
        let withdrawn = statement.status == Status::Withdrawn;
        let revision = match statement.revision {
            None if withdrawn && has_revisions(statement.revision_scheme) => Revision::AboveAll,
            revision => Revision::Numbered(revision.unwrap_or(0)),
        };
        let rank = (
            statement.status != Status::Provisional,
            statement.revision_scheme,
            revision,
            statement.origin,
        );
        Version {
            spokesman,
            withdrawn,
            rank,
        }
    };
    spokesmen.into_values().map(version).collect()
}

/// Whether `candidate` rather than `present` marks the place of the version that both state. A correction marks it before a redelivery.
fn speaks_before(candidate: &Statement, present: &Statement) -> bool {
    match (candidate.repeat, present.repeat) {
        (Repeat::Redelivery, Repeat::Redelivery) => candidate.origin < present.origin,
        (Repeat::Correction, Repeat::Correction) => candidate.origin > present.origin,
        (Repeat::Correction, Repeat::Redelivery) => true,
        (Repeat::Redelivery, Repeat::Correction) => false,
    }
}
