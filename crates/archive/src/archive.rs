//! The archive as the rest of scoresync sees it, whichever database is behind it.

use std::{collections::BTreeMap, sync::Arc};

use scoresync_domain::{Refusal, normalise_employee_no};

use crate::{
    Access, Applied, ArchiveError, ArchiveSettings, Batch, EmployeeBatch, EmployeesApplied, EnrichedPosition, FateCount, Position,
    PostgresArchive, Refusals, RefusedScore, SqliteArchive, TrainingRecord,
};

/// Does the same in one transaction of both databases, and says what was attempted where it fails. Only what changes something keeps others
/// from changing anything meanwhile.
macro_rules! in_transaction {
    ($intent:ident, $archive:expr, $attempt:literal, $session:ident => $work:expr) => {
        match $archive {
            Archive::Sqlite(database) => database.letters($crate::letters::Intent::$intent, async |$session| $work.await),
            Archive::Postgres(database) => database.letters(async |$session| $work.await).await,
        }
        .map_err(|failure| failure.during($attempt))
    };
}

mod letters;
mod rebuild;
mod reconciliations;
mod results;
mod survey;

/// Training records, their history, what was refused, counts of fates, and how far the topics were read.
///
/// Every change is one transaction that also moves the offset, by compare-and-set. All errors are [`ArchiveError`].
pub enum Archive {
    /// The embedded database.
    Sqlite(Box<SqliteArchive>),
    /// A server.
    Postgres(Box<PostgresArchive>),
}

/// Does the same with both databases, and says what was attempted where it fails.
macro_rules! both {
    ($archive:expr, $attempt:literal, $database:ident => $work:expr) => {
        match $archive {
            Archive::Sqlite($database) => $work,
            Archive::Postgres($database) => ($work).await,
        }
        .map_err(|failure| failure.during($attempt))
    };
}

impl Archive {
    /// Opens the archive; as a writer, brings its schema up to date first.
    ///
    /// # Errors
    /// [`ArchiveError::Environment`] where the schema is newer than this release or another writer has the file.
    pub async fn open(settings: &ArchiveSettings, access: Access) -> Result<Self, ArchiveError> {
        match &settings.postgres {
            Some(postgres) => PostgresArchive::open(postgres, access)
                .await
                .map(|archive| Self::Postgres(Box::new(archive))),
            None => SqliteArchive::open(&settings.sqlite, access).map(|archive| Self::Sqlite(Box::new(archive))),
        }
        .map_err(|failure| failure.during("open the archive"))
    }

    /// The same archive for a thread that asks it one thing after the other: with a connection of its own where there are connections. The
    /// runtime that the thread blocks on must be its own, too, as it alone drives the connection.
    ///
    /// # Errors
    /// Settings that the database's client refuses.
    pub fn apart(self: &Arc<Self>) -> Result<Arc<Self>, ArchiveError> {
        match &**self {
            Self::Sqlite(_) => Ok(Arc::clone(self)),
            Self::Postgres(database) => database
                .apart()
                .map(|apart| Arc::new(Self::Postgres(Box::new(apart))))
                .map_err(|failure| failure.during("open the archive")),
        }
    }

    /// Whether a writer has ever opened the archive: before that, a reader finds nothing to read. Changes nothing.
    ///
    /// # Errors
    /// The database's.
    pub async fn is_prepared(settings: &ArchiveSettings) -> Result<bool, ArchiveError> {
        match &settings.postgres {
            Some(postgres) => PostgresArchive::is_prepared(postgres).await,
            None => Ok(settings.sqlite.path.exists()),
        }
        .map_err(|failure| failure.during("open the archive"))
    }

    /// Where each claimed partition of a topic's generation goes on.
    ///
    /// # Errors
    /// The database's.
    pub async fn positions(&self, topic: &str, generation: i32) -> Result<Vec<Position>, ArchiveError> {
        both!(self, "read the archive's positions", database => database.positions(topic, generation))
    }

    /// Claims a partition at its first start; returns what stands, which is another's where that was first.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_position(&self, position: &Position) -> Result<Position, ArchiveError> {
        both!(self, "claim a position in the archive", database => database.claim_position(position))
    }

    /// Applies what was read of any partitions of `scores.enriched`, a batch each: all of it, or nothing.
    ///
    /// Statements are judged in order of arrival. An entry that the database refuses as such is set aside, and stops nobody.
    ///
    /// # Errors
    /// [`ArchiveError::LostPosition`] where a partition is not at its expected offset, [`ArchiveError::WouldRefuse`], or the database's.
    pub async fn apply_scores(&self, batches: &[Batch<'_>], refusals: Refusals) -> Result<Applied, ArchiveError> {
        both!(self, "apply scores to the archive", database => database.apply_scores(batches, refusals))
    }

    /// Applies what was read of a partition of `employees`, and judges again the refusals that a changed `replaced_by` has to do with.
    ///
    /// # Errors
    /// [`ArchiveError::LostPosition`] where the partition is not at its expected offset, or the database's.
    pub async fn apply_employees(&self, batch: &EmployeeBatch<'_>) -> Result<EmployeesApplied, ArchiveError> {
        both!(self, "apply employees to the archive", database => database.apply_employees(batch))
    }

    /// The records in an employee's file, those of all whose place the number took included, by finish time.
    ///
    /// # Errors
    /// The database's.
    pub async fn records_of(&self, employee_no: &str) -> Result<Vec<TrainingRecord>, ArchiveError> {
        both!(self, "read an employee's records", database => database.records_of(employee_no))
    }

    /// How the HR system spells a number, of which the archive knows the employees: all that have the same normal form.
    ///
    /// Reads the numbers of all employees, as no database knows the normal form: for a person who asks, not for each record.
    ///
    /// # Errors
    /// The database's.
    pub async fn spellings_of(&self, employee_no: &str) -> Result<Vec<String>, ArchiveError> {
        let normal = normalise_employee_no(employee_no);
        let mut numbers = both!(self, "read the numbers of employees", database => database.employee_numbers())?;
        numbers.retain(|number| normalise_employee_no(number) == normal);
        Ok(numbers)
    }

    /// How many positions came to each fate; the sum over a partition is the number of records that were read of it.
    ///
    /// # Errors
    /// The database's.
    pub async fn fate_counts(&self) -> Result<Vec<FateCount>, ArchiveError> {
        both!(self, "read the counts of fates", database => database.fate_counts())
    }

    /// How many refusals wait, by reason.
    ///
    /// # Errors
    /// The database's.
    pub async fn refused_counts(&self) -> Result<BTreeMap<Refusal, u64>, ArchiveError> {
        both!(self, "count the refusals", database => database.refused_counts())
    }

    /// Refusals behind a position, in order of arrival, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub async fn refused_scores(&self, after: Option<EnrichedPosition>, limit: u32) -> Result<Vec<RefusedScore>, ArchiveError> {
        both!(self, "read the refusals", database => database.refused_scores(after, limit))
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// The database's.
    pub async fn ping(&self) -> Result<(), ArchiveError> {
        both!(self, "reach the archive", database => database.ping())
    }
}
