//! The runs of scheduled comparisons, whichever database is behind the archive.

use scoresync_domain::Timestamp;

use super::Archive;
use crate::{
    ArchiveError, ReconciliationResult, ReconciliationRun,
    letters::Intent,
    reconciliations::{begin, end, give_back, latest},
};

impl Archive {
    /// Begins the run of a source that was due at a moment, and says whether it is the caller's: of several who begin it, it is one's. Whoever
    /// began it before `forgotten` and never ended it is not waited for.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_reconciliation(&self, source: &str, moments: (Timestamp, Timestamp, Timestamp)) -> Result<bool, ArchiveError> {
        match self {
            Self::Sqlite(database) => database.letters(Intent::Change, async |session| begin(session, source, moments).await),
            Self::Postgres(database) => database.letters(async |session| begin(session, source, moments).await).await,
        }
        .map_err(|failure| failure.during("begin a reconciliation"))
    }

    /// Notes what the run came to that was due at a moment.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_reconciliation(&self, run: (&str, Timestamp), result: &ReconciliationResult) -> Result<(), ArchiveError> {
        match self {
            Self::Sqlite(database) => database.letters(Intent::Change, async |session| end(session, run, result).await),
            Self::Postgres(database) => database.letters(async |session| end(session, run, result).await).await,
        }
        .map_err(|failure| failure.during("note what a reconciliation came to"))
    }

    /// Gives back a run that was begun and not carried out, to whoever begins it next.
    ///
    /// # Errors
    /// The database's.
    pub async fn give_back_reconciliation(&self, run: (&str, Timestamp)) -> Result<(), ArchiveError> {
        match self {
            Self::Sqlite(database) => database.letters(Intent::Change, async |session| give_back(session, run).await),
            Self::Postgres(database) => database.letters(async |session| give_back(session, run).await).await,
        }
        .map_err(|failure| failure.during("give a reconciliation back"))
    }

    /// The latest runs, of one source or of all, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn reconciliations(&self, source: Option<&str>, limit: u32) -> Result<Vec<ReconciliationRun>, ArchiveError> {
        match self {
            Self::Sqlite(database) => database.letters(Intent::Look, async |session| latest(session, source, limit).await),
            Self::Postgres(database) => database.letters(async |session| latest(session, source, limit).await).await,
        }
        .map_err(|failure| failure.during("read the reconciliations"))
    }
}
