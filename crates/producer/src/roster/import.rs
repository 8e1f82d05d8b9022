//! The import of a list of employees: only what it changes is written, and nothing before all of it was judged.

use std::time::{Duration, Instant};

use scoresync_domain::Timestamp;
use scoresync_service::Shutdown;
use serde::{Serialize, Serializer};

use super::{
    file::{RowProblem, Statements},
    lock::{LockError, RosterLock},
    patience::Patience,
    plan::{LeaversLimit, Plan, PlanError, TooManyLeavers, plan},
    statement::Statement,
    table::{EmployeesTable, Outcome, RosterSurroundings, StatementError, TableWriteError},
};
use crate::clock::is_far_ahead;

/// Records that are written before they are looked at again: few enough that an import that is killed leaves little unlooked at.
const CHUNK: usize = 2_000;
/// A wait that is shorter is not worth mentioning.
const WORTH_MENTIONING: Duration = Duration::from_secs(2);

/// How a list is imported.
#[derive(Clone, Copy, Debug)]
pub struct ImportRosterOptions {
    /// Whom the list names.
    pub extent: RosterExtent,
    /// The moment that the list speaks of. It never overwrites what was said of a later one.
    pub as_of: Timestamp,
    /// Says what would be done, and writes nothing.
    pub dry_run: bool,
    /// How long the broker may be away.
    pub broker_patience: Duration,
}

/// Whom a list names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RosterExtent {
    /// Some employees; nothing follows for the others.
    Some,
    /// All who are here: whoever is missing has left.
    All(LeaversLimit),
}

/// How far an import is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RosterProgress {
    /// Making sure that no other import is going on.
    Locking,
    /// Reading the employees that are known.
    Reading {
        /// Records read.
        employees: usize,
    },
    /// Writing.
    Writing {
        /// Employees written and looked at again.
        done: usize,
        /// Employees to be written.
        total: usize,
    },
    /// Nothing has come from the broker for so long; it is tried again.
    WaitingForBroker {
        /// For how long.
        waited: Duration,
    },
}

/// What an import did, or with `dry_run` would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ImportRosterSummary {
    /// Nothing was written.
    pub dry_run: bool,
    /// The moment that the list speaks of.
    #[serde(serialize_with = "as_text")]
    pub as_of: Timestamp,
    /// Employees who were not known.
    pub new: usize,
    /// Employees of whom something else is known now.
    pub changed: usize,
    /// Employees who are marked as having left because the list does not name them.
    pub left: usize,
    /// Employees of whom the list says what is known.
    pub unchanged: usize,
    /// Employees of whom something is known of a later moment.
    pub stale: usize,
    /// Rows that were passed over.
    pub skipped_rows: Vec<RowProblem>,
    /// How long it took.
    pub seconds: f64,
}

fn as_text<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}

/// Why a list was not imported, or not wholly. Importing it again writes what is missing.
#[derive(Debug, thiserror::Error)]
pub enum ImportRosterError {
    /// The moment lies in the future.
    #[error("the list is said to be of {as_of}, more than a day from now; nothing was written")]
    FarAhead {
        /// The moment.
        as_of: Timestamp,
    },
    /// Nobody can tell whom a full list does not name.
    #[error(
        "a full list was to be imported without its bad rows, but of some of these nobody can tell whose they are, so nobody can tell who is \
         missing; correct those rows or import the list without --full. Nothing was written"
    )]
    UnknownRows,
    /// Too many would be marked as having left.
    #[error("nothing was written")]
    TooManyLeavers(#[from] TooManyLeavers),
    /// An entry cannot be a record.
    #[error("nothing was written: a row cannot be a record")]
    Entry(#[from] scoresync_domain::RosterError),
    /// No lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The surroundings.
    #[error("the import stopped after {written} of {total} employees; import the list again, it goes on where it stopped")]
    Stopped {
        /// Employees written.
        written: usize,
        /// Employees to be written.
        total: usize,
        /// Why.
        #[source]
        cause: TableWriteError,
    },
    /// The process is to end.
    #[error("the import was interrupted after {written} of {total} employees; import the list again, it goes on where it stopped")]
    Interrupted {
        /// Employees written.
        written: usize,
        /// Employees to be written.
        total: usize,
    },
    /// The lock was lost.
    #[error("the import lost its lock to another one after {written} of {total} employees; import the list again when that one has ended")]
    LockLost {
        /// Employees written.
        written: usize,
        /// Employees to be written.
        total: usize,
    },
    /// Some records could not be written; all others were.
    #[error("{failed} of {total} employees could not be written (the first: {first}); all others were")]
    NotAll {
        /// Employees not written.
        failed: usize,
        /// Employees to be written.
        total: usize,
        /// Why the first of them was not.
        first: String,
    },
}

/// Who watches an import, and who may end it.
pub struct ImportRosterRun<'a> {
    /// Is told how far it is, several times a second.
    pub observer: &'a mut dyn FnMut(RosterProgress),
    /// Ends it between two chunks.
    pub shutdown: &'a Shutdown,
}

/// Imports a list.
///
/// A list that says of an employee what is known already writes nothing, not even its later moment.
///
/// # Errors
/// See [`ImportRosterError`].
pub fn import_roster(
    surroundings: &RosterSurroundings<'_>,
    statements: Statements,
    options: &ImportRosterOptions,
    run: &mut ImportRosterRun<'_>,
) -> Result<ImportRosterSummary, ImportRosterError> {
    let begun = Instant::now();
    let is_full = match options.extent {
        RosterExtent::Some => false,
        RosterExtent::All(_) => true,
    };
    if is_far_ahead(options.as_of) {
        return Err(ImportRosterError::FarAhead { as_of: options.as_of });
    }
    if is_full && statements.has_unknown {
        return Err(ImportRosterError::UnknownRows);
    }
    let lock = if options.dry_run { None } else { Some(run.lock(surroundings)?) };
    let mut importing = Importing {
        table: EmployeesTable::open(surroundings).map_err(|cause| stopped(0, 0, cause))?,
        lock,
        patience: options.broker_patience,
        written: 0,
        total: 0,
    };
    importing.read(run)?;
    let skipped_rows = statements.skipped.clone();
    let plan = plan(statements, (options.as_of, is_full), importing.table.known())?;
    if let RosterExtent::All(limit) = options.extent {
        plan.check(limit)?;
    }
    let mut summary = summary(&plan, options, skipped_rows);
    if !options.dry_run {
        importing.write(plan.changing, run)?;
    }
    summary.seconds = begun.elapsed().as_secs_f64();
    Ok(summary)
}

fn summary(plan: &Plan, options: &ImportRosterOptions, skipped_rows: Vec<RowProblem>) -> ImportRosterSummary {
    ImportRosterSummary {
        dry_run: options.dry_run,
        as_of: options.as_of,
        new: plan.new,
        changed: plan.changed,
        left: plan.leavers,
        unchanged: plan.unchanged,
        stale: plan.stale,
        skipped_rows,
        seconds: 0.0,
    }
}

impl ImportRosterRun<'_> {
    fn lock(&mut self, surroundings: &RosterSurroundings<'_>) -> Result<RosterLock, LockError> {
        RosterLock::acquire(surroundings.kafka, surroundings.topics, &mut || {
            (self.observer)(RosterProgress::Locking);
            !self.shutdown.is_requested()
        })
    }
}

struct Importing {
    table: EmployeesTable,
    lock: Option<RosterLock>,
    patience: Duration,
    written: usize,
    total: usize,
}

impl Importing {
    fn read(&mut self, run: &mut ImportRosterRun<'_>) -> Result<(), ImportRosterError> {
        (run.observer)(RosterProgress::Reading { employees: 0 });
        self.with_patience(run, |table, patience| table.catch_up(patience))?;
        (run.observer)(RosterProgress::Reading {
            employees: self.table.known().len(),
        });
        Ok(())
    }

    fn write(&mut self, statements: Vec<Statement>, run: &mut ImportRosterRun<'_>) -> Result<(), ImportRosterError> {
        self.total = statements.len();
        let (mut failed, mut first) = (0, None);
        for chunk in statements.chunks(CHUNK) {
            self.check(run)?;
            (run.observer)(RosterProgress::Writing {
                done: self.written,
                total: self.total,
            });
            // What others wrote since the last look.
            self.with_patience(run, |table, patience| table.catch_up(patience))?;
            let outcomes = self.with_patience(run, |table, patience| table.write(chunk, patience))?;
            for failure in outcomes.into_iter().filter_map(failure) {
                failed += 1;
                first = first.or(Some(failure.to_string()));
            }
            self.written += chunk.len();
        }
        (run.observer)(RosterProgress::Writing {
            done: self.written,
            total: self.total,
        });
        match first {
            None => Ok(()),
            Some(first) => Err(ImportRosterError::NotAll {
                failed,
                total: self.total,
                first,
            }),
        }
    }

    /// Whether the import may go on.
    fn check(&self, run: &ImportRosterRun<'_>) -> Result<(), ImportRosterError> {
        let (written, total) = (self.written, self.total);
        if self.lock.as_ref().is_some_and(|lock| !lock.is_held()) {
            return Err(ImportRosterError::LockLost { written, total });
        }
        if run.shutdown.is_requested() {
            return Err(ImportRosterError::Interrupted { written, total });
        }
        Ok(())
    }

    fn with_patience<T>(
        &mut self,
        run: &mut ImportRosterRun<'_>,
        work: impl FnOnce(&mut EmployeesTable, &mut Patience<'_>) -> Result<T, TableWriteError>,
    ) -> Result<T, ImportRosterError> {
        let (limit, lock) = (self.patience, &self.lock);
        let mut goes_on = |waited: Duration| {
            if waited >= WORTH_MENTIONING {
                (run.observer)(RosterProgress::WaitingForBroker { waited });
            }
            let is_locked = lock.as_ref().is_none_or(RosterLock::is_held);
            waited < limit && is_locked && !run.shutdown.is_requested()
        };
        let outcome = work(&mut self.table, &mut Patience::new(&mut goes_on));
        outcome.map_err(|cause| match (cause, self.check(run)) {
            (TableWriteError::GivenUp { .. }, Err(reason)) => reason,
            (cause, _) => stopped(self.written, self.total, cause),
        })
    }
}

fn failure(outcome: Outcome) -> Option<StatementError> {
    match outcome {
        Outcome::Changed(_) | Outcome::Unchanged | Outcome::Stale => None,
        Outcome::Failed(error) => Some(error),
    }
}

fn stopped(written: usize, total: usize, cause: TableWriteError) -> ImportRosterError {
    ImportRosterError::Stopped { written, total, cause }
}

impl From<PlanError> for ImportRosterError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Entry(error) => Self::Entry(error),
            PlanError::Record(error) => stopped(0, 0, error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_list_was_refused_is_said_once() {
        let refused = TooManyLeavers {
            leavers: 20,
            present: 100,
            max_share: 0.1,
        };
        let error = ImportRosterError::from(refused);
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let said = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        assert_eq!(said, format!("nothing was written: {refused}"));
    }
}
