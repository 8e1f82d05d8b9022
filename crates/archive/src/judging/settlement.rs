//! Which refusals a changed successor settles, and the successors that changed employees lead to.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use scoresync_domain::{ResultId, meant_employee_no};

use super::{RESULTS_AT_ONCE, Successors};
use crate::EnrichedPosition;

/// A refusal that a changed successor may have to do with.
#[derive(Clone, Debug)]
pub(crate) struct Disagreement {
    pub(crate) position: EnrichedPosition,
    pub(crate) result_id: ResultId,
    pub(crate) named: String,
    pub(crate) owner: String,
}

/// Refusals that need not be any longer, about some results.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) positions: Vec<EnrichedPosition>,
    pub(crate) results: Vec<ResultId>,
}

/// The numbers that the disagreements are about.
pub(crate) fn numbers_of(disagreements: &[Disagreement]) -> BTreeSet<String> {
    let numbers = disagreements.iter().flat_map(|refused| [&refused.named, &refused.owner]);
    numbers.cloned().collect()
}

/// The disagreements between numbers that lead to one employee, a few results at a time.
pub(crate) fn settled(disagreements: &[Disagreement], successors: &Successors) -> Vec<Settled> {
    let mut by_result: BTreeMap<ResultId, Vec<EnrichedPosition>> = BTreeMap::new();
    for refused in disagreements {
        if successors.last(&refused.named) == successors.last(&refused.owner) {
            by_result.entry(refused.result_id).or_default().push(refused.position);
        }
    }
    let by_result: Vec<_> = by_result.into_iter().collect();
    let some = |results: &[(ResultId, Vec<EnrichedPosition>)]| Settled {
        positions: results.iter().flat_map(|(_, positions)| positions).copied().collect(),
        results: results.iter().map(|(result_id, _)| *result_id).collect(),
    };
    by_result.chunks(RESULTS_AT_ONCE).map(some).collect()
}

/// An employee whose successor may have to be set anew.
#[derive(Clone, Debug)]
pub(crate) struct Replaced {
    pub(crate) employee_no: String,
    pub(crate) replaced_by: Option<String>,
    pub(crate) successor: Option<String>,
    /// Whether an employee has the number of `replaced_by` as it is written.
    pub(crate) has_replaced_by: bool,
}

/// Employees whose successor is another than the one that is stored, with the one it is.
pub(crate) fn changed_successors(replaced: Vec<Replaced>) -> Vec<(String, Option<String>)> {
    let changed = replaced.into_iter().filter_map(|replaced| {
        let meant = replaced
            .replaced_by
            .as_deref()
            .map(|written| meant_employee_no(written, |_| replaced.has_replaced_by));
        let changes = meant.as_deref() != replaced.successor.as_deref();
        let meant = meant.map(Cow::into_owned);
        changes.then_some((replaced.employee_no, meant))
    });
    changed.collect()
}
