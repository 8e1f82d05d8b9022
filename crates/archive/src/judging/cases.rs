//! The results whose new statements have to be judged with what is known of them.

use std::collections::BTreeSet;

use scoresync_domain::ResultId;

use super::{Known, Ledger, Newcomer, Plan, Statement, Successors};
use crate::{ArchiveError, Refusals, error::Failure, record::Head};

/// Results with their new statements, each in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Cases<'a> {
    results: Vec<(ResultId, Vec<Newcomer<'a>>)>,
}

impl<'a> Cases<'a> {
    /// Adds a result with everything that the call says about it.
    pub(crate) fn add(&mut self, said: &[Statement<'a>]) {
        if let Some(first) = said.first() {
            self.results
                .push((first.result_id(), said.iter().map(Statement::newcomer).collect()));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    pub(crate) fn result_ids(&self) -> Vec<ResultId> {
        self.results.iter().map(|(result_id, _)| *result_id).collect()
    }

    pub(crate) fn heads(&self) -> Vec<(ResultId, &Head<'a>)> {
        let results = self.results.iter();
        let heads = results.flat_map(|(result_id, newcomers)| newcomers.iter().map(|newcomer| (*result_id, &newcomer.head)));
        heads.collect()
    }

    /// The employee numbers of results about which different ones are named: there it matters who took whose place.
    pub(crate) fn disputed_numbers(&self, known: &Known) -> BTreeSet<String> {
        let mut disputed = BTreeSet::new();
        for (result_id, newcomers) in &self.results {
            let named = newcomers.iter().filter_map(|newcomer| newcomer.head.employee_no.as_deref());
            let mut numbers = named.chain(known.numbers_of(*result_id));
            let Some(first) = numbers.next() else { continue };
            let others: Vec<&str> = numbers.filter(|number| *number != first).collect();
            if !others.is_empty() {
                disputed.extend(others.into_iter().chain([first]).map(str::to_owned));
            }
        }
        disputed
    }

    /// Judges them all; where refusals are withheld, there are none.
    pub(crate) fn judge(self, (mut known, successors): (Known, &'a Successors), refusals: Refusals) -> Result<Plan<'a>, Failure> {
        let mut plan = Plan::default();
        for (result_id, newcomers) in self.results {
            let known = known.results.remove(&result_id).unwrap_or_default();
            let mut ledger = Ledger::open((result_id, known), &newcomers, successors);
            newcomers.into_iter().for_each(|newcomer| ledger.admit(newcomer));
            plan.add(ledger)?;
        }
        if refusals == Refusals::Withhold && !plan.refused.is_empty() {
            return Err(Failure::Decided(ArchiveError::WouldRefuse));
        }
        Ok(plan)
    }
}
