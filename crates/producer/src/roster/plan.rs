//! What an import is going to change, and whether that is plausible.

use std::collections::HashSet;

use scoresync_domain::{Employee, RosterError, Timestamp};
use scoresync_kafka::DatumError;

use super::{
    file::Statements,
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

/// A full list that looks as if half of it were missing. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "{leavers} of {present} present employees are not in the list and would be marked as having left, more than {:.1} % of them; \
     check that the list is complete, and if it is, import it with --force", .max_share * 100.0
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
    pub(super) leavers: usize,
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
pub(super) fn plan(statements: Statements, (as_of, is_full): (Timestamp, bool), known: &KnownEmployees) -> Result<Plan, PlanError> {
    let mut plan = Plan::default();
    let mut named: HashSet<String> = statements.untold;
    for (entry, silence) in statements.entries {
        named.insert(normal(&entry.employee_no, known.region()).into_owned());
        let silence = if is_full { silence.broken_about_leaving() } else { silence };
        plan.add(
            Statement {
                as_of,
                said: About::Entry(entry, silence),
                repetition: Repetition::Passed,
            },
            known,
        )?;
    }
    for record in known.all() {
        let record = record?;
        let is_here = has_not_left(&record, as_of);
        plan.present += usize::from(is_here);
        if is_full && is_here && !named.contains(normal(&record.employee_no, known.region()).as_ref()) {
            plan.add(
                Statement {
                    as_of,
                    said: About::Absence(record.employee_no),
                    repetition: Repetition::Passed,
                },
                known,
            )?;
        }
    }
    Ok(plan)
}

fn has_not_left(employee: &Employee, as_of: Timestamp) -> bool {
    employee.left_at.is_none_or(|left_at| left_at > as_of)
}

impl Plan {
    fn add(&mut self, statement: Statement, known: &KnownEmployees) -> Result<(), PlanError> {
        let present = known.get(&known.key_of(statement.employee_no()))?;
        let count = match (statement.on_top_of(present.as_ref(), known.region())?, &statement.said) {
            (Next::Unchanged, _) => &mut self.unchanged,
            (Next::Stale, _) => &mut self.stale,
            (Next::Record(..), About::Absence(_)) => &mut self.leavers,
            (Next::Record(_, Change::New), About::Entry(..)) => &mut self.new,
            (Next::Record(_, Change::Content | Change::MomentAlone), About::Entry(..)) => &mut self.changed,
        };
        *count += 1;
        let is_changing = matches!(statement.on_top_of(present.as_ref(), known.region())?, Next::Record(..));
        if is_changing {
            self.changing.push(statement);
        }
        Ok(())
    }

    /// Whether so many may be marked as having left.
    #[expect(clippy::cast_precision_loss, reason = "no company has so many employees that a few of them matter")]
    pub(super) fn check(&self, limit: LeaversLimit) -> Result<(), TooManyLeavers> {
        match limit {
            LeaversLimit::Share(max_share) if self.leavers as f64 > max_share * self.present as f64 || max_share.is_nan() => {
                Err(TooManyLeavers {
                    leavers: self.leavers,
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
