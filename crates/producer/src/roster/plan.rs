//! What an import is going to change, and whether that is plausible.

use std::collections::{HashMap, HashSet};

use scoresync_domain::{Employee, Identity, RosterError, Timestamp};
use scoresync_kafka::DatumError;

use super::{
    file::Statements,
    handover::{held_by, one_by_one},
    known::{KnownEmployees, normal},
    statement::{About, Change, Next, Repetition, Statement},
};

/// How many employees a full import may mark as having left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LeaversLimit {
    /// This share of the present ones, from 0 to 1.
    Share(f64),
    /// Any number: a person looked at it.
    None,
}

/// A full list that looks as if half of it were missing, or by which too many have left. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "{leavers} of {present} present employees would be marked as having left, more than {:.1} % of them, because they are not in the list or \
     have left by it; check that the list is complete and its dates of leaving are right, and if so, import it with --force",
    .max_share * 100.0
)]
pub struct TooManyLeavers {
    /// Who would be marked as having left.
    pub leavers: usize,
    /// Who has not left at the moment of the list.
    pub present: usize,
    /// The share that is allowed.
    pub max_share: f64,
}

/// What an import is going to do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Statements that change a record, and what they change.
    pub(super) changing: Vec<Statement>,
    pub(super) new: usize,
    pub(super) changed: usize,
    /// Who is not in the list and is marked as having left.
    pub(super) leavers: usize,
    /// Who is here before the list and not after it, in the list or not.
    pub(super) ending: usize,
    pub(super) unchanged: usize,
    pub(super) stale: usize,
    /// Who has not left at the moment of the list.
    pub(super) present: usize,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    #[error(transparent)]
    Entry(#[from] RosterError),
    #[error(transparent)]
    Record(#[from] DatumError),
}

/// Compares what a list says with what is known; `is_full` also of those whom it does not name.
///
/// Those who are known come first, so that what one of them gives on is closed before it is opened for somebody new.
pub(super) fn plan(statements: Statements, (as_of, is_full): (Timestamp, bool), known: &KnownEmployees) -> Result<Plan, PlanError> {
    let mut plan = Plan::default();
    let mut named: HashSet<String> = statements.untold;
    let mut new = Vec::new();
    for (entry, silence) in statements.entries {
        named.insert(normal(&entry.employee_no, known.region()).into_owned());
        let silence = if is_full { silence.broken_about_leaving() } else { silence };
        let statement = statement(as_of, About::Entry(entry, silence));
        if known.contains(&known.key_of(statement.employee_no())) {
            plan.add(statement, known)?;
        } else {
            new.push(statement);
        }
    }
    for record in known.all() {
        let record = record?;
        let is_here = has_not_left(&record, as_of);
        plan.present += usize::from(is_here);
        if is_full && is_here && !named.contains(normal(&record.employee_no, known.region()).as_ref()) {
            plan.add(statement(as_of, About::Absence(record.employee_no)), known)?;
        }
    }
    let places = plan.places(known);
    for mut statement in new {
        statement.date_handovers(known, |identity| plan.held(identity, (&places, known)))?;
        plan.add(statement, known)?;
    }
    Ok(plan)
}

fn statement(as_of: Timestamp, said: About) -> Statement {
    Statement {
        as_of,
        said,
        repetition: Repetition::Passed,
    }
}

fn has_not_left(employee: &Employee, as_of: Timestamp) -> bool {
    employee.left_at.is_none_or(|left_at| left_at > as_of)
}

impl Plan {
    fn add(&mut self, statement: Statement, known: &KnownEmployees) -> Result<(), PlanError> {
        let present = known.get(&known.key_of(statement.employee_no()))?;
        let next = statement.on_top_of(present.as_ref(), known.region())?;
        let count = match (&next, &statement.said) {
            (Next::Unchanged, _) => &mut self.unchanged,
            (Next::Stale, _) => &mut self.stale,
            (Next::Record(..), About::Absence(_)) => &mut self.leavers,
            (Next::Record(_, Change::New), About::Entry(..)) => &mut self.new,
            (Next::Record(_, Change::Content | Change::MomentAlone), About::Entry(..)) => &mut self.changed,
        };
        *count += 1;
        if let Next::Record(next, _) = next {
            let was_here = present.is_some_and(|present| has_not_left(&present, statement.as_of));
            self.ending += usize::from(was_here && !has_not_left(&next, statement.as_of));
            self.changing.push(statement);
        }
        Ok(())
    }

    /// Where in `changing` the statement about a key is.
    fn places(&self, known: &KnownEmployees) -> HashMap<String, usize> {
        let keys = self.changing.iter().map(|statement| known.key_of(statement.employee_no()));
        keys.zip(0..).collect()
    }

    /// When anybody who is known has or had an identity, by what the list says of them; each is looked at only when they are come to.
    fn held<'a>(
        &'a self,
        identity: &Identity,
        (places, known): (&'a HashMap<String, usize>, &'a KnownEmployees),
    ) -> impl Iterator<Item = Result<Identity, PlanError>> + use<'a> {
        let (holders, identity) = (known.holders(identity), identity.clone());
        let held_under = move |key: &str| {
            let record = self.record_of(key, (places, known))?;
            Ok(record.map_or_else(Vec::new, |record| held_by(record, &identity, known.region())))
        };
        holders.flat_map(move |key| one_by_one(held_under(key)))
    }

    /// The record of somebody who is known as it is going to be.
    fn record_of(&self, key: &str, (places, known): (&HashMap<String, usize>, &KnownEmployees)) -> Result<Option<Employee>, PlanError> {
        let Some(present) = known.get(key)? else { return Ok(None) };
        let statement = places.get(key).and_then(|place| self.changing.get(*place));
        let next = statement
            .map(|statement| statement.on_top_of(Some(&present), known.region()))
            .transpose()?;
        Ok(Some(match next {
            Some(Next::Record(next, _)) => next,
            Some(Next::Unchanged | Next::Stale) | None => present,
        }))
    }

    /// Whether so many may be marked as having left.
    #[expect(clippy::cast_precision_loss, reason = "no company has so many employees that a few of them matter")]
    pub(super) fn check(&self, limit: LeaversLimit) -> Result<(), TooManyLeavers> {
        match limit {
            LeaversLimit::Share(max_share) if self.ending as f64 > max_share * self.present as f64 || max_share.is_nan() => {
                Err(TooManyLeavers {
                    leavers: self.ending,
                    present: self.present,
                    max_share,
                })
            }
            LeaversLimit::Share(_) | LeaversLimit::None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
