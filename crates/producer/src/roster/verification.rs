//! After writing: did somebody else write the same employee meanwhile, and what has to be written again?
//!
//! Kafka has no compare-and-set. Every writer reads on after its write has been acknowledged; of two that wrote on the same base, the
//! later one finds the earlier one's record before its own and merges again on top of it. What stays open: a writer that is killed after
//! its write and before this look leaves its own record on top of the other's, until the next statement about that employee. The other
//! one mends it, if it still looks and its statement is the newer one.

use scoresync_domain::{Employee, Region, RosterError};

use super::statement::{Next, Statement};

/// What a look after writing says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The last record is as it should be.
    Stands,
    /// This is to be written.
    Rewrite(Employee),
    /// Like [`Self::Rewrite`], and it is somebody else's record, of a later moment than the statement.
    Restore(Employee),
    /// The employee was erased before our record came, and our statement alone makes no record.
    Erased,
}

/// Judges the records of one employee that came after those that `written` was made from, `written` itself included; `None` is an erasure.
pub(super) fn verify(
    statement: &Statement,
    written: &Employee,
    (seen, region): (&[Option<Employee>], Region),
) -> Result<Verdict, RosterError> {
    let erasure = seen.iter().rposition(Option::is_none);
    let present: Vec<&Employee> = seen[erasure.map_or(0, |place| place + 1)..].iter().flatten().collect();
    let Some(last) = present.last() else { return Ok(Verdict::Stands) };
    // The last one need not be the newest: its writer may not have looked yet, and may have been built upon.
    let newest = present
        .iter()
        .filter(|record| **record != written)
        .max_by_key(|record| record.as_of);
    let Some(newest) = newest else {
        return if erasure.is_none() {
            Ok(Verdict::Stands)
        } else {
            after_erasure(statement, written, region)
        };
    };
    let is_ours = *last == written;
    if !is_ours && last.as_of >= newest.as_of.max(written.as_of).max(statement.as_of) {
        return Ok(Verdict::Stands);
    }
    let verdict = match statement.on_top_of(Some(newest), region)? {
        // What was restored before is newer than all that came since.
        _ if written.as_of > statement.as_of.max(newest.as_of) => Verdict::Restore(written.clone()),
        Next::Record(wanted, _) => Verdict::Rewrite(wanted),
        Next::Unchanged => Verdict::Rewrite((*newest).clone()),
        Next::Stale => Verdict::Restore((*newest).clone()),
    };
    let stands = matches!(&verdict, Verdict::Rewrite(wanted) | Verdict::Restore(wanted) if wanted == *last);
    Ok(if stands { Verdict::Stands } else { verdict })
}

/// What was made from a record that has been erased meanwhile must not bring any of it back.
fn after_erasure(statement: &Statement, written: &Employee, region: Region) -> Result<Verdict, RosterError> {
    Ok(match statement.on_top_of(None, region)? {
        Next::Record(wanted, _) if wanted == *written => Verdict::Stands,
        Next::Record(wanted, _) => Verdict::Rewrite(wanted),
        Next::Unchanged | Next::Stale => Verdict::Erased,
    })
}

#[cfg(test)]
mod tests;
