//! The runs of scheduled comparisons, whichever database is behind the archive.

use scoresync_domain::Timestamp;

use super::Archive;
use crate::{
    ArchiveError, ReconciliationResult, ReconciliationRun,
    reconciliations::{begin, end, give_back, latest},
};

impl Archive {
    /// Begins the run of a source that was due at a moment, and says whether it is the caller's: of several who begin it, it is one's. Whoever
    /// began it before `forgotten` and never ended it is not waited for.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin_reconciliation(&self, source: &str, moments: (Timestamp, Timestamp, Timestamp)) -> Result<bool, ArchiveError> {
        in_transaction!(Change, self, "begin a reconciliation", session => begin(session, source, moments))
    }

    /// Notes what the run came to that was due at a moment.
    ///
    /// # Errors
    /// The database's.
    pub async fn end_reconciliation(&self, run: (&str, Timestamp), result: &ReconciliationResult) -> Result<(), ArchiveError> {
        in_transaction!(Change, self, "note what a reconciliation came to", session => end(session, run, result))
    }

    /// Gives back a run that was begun and not carried out, to whoever begins it next.
    ///
    /// # Errors
    /// The database's.
    pub async fn give_back_reconciliation(&self, run: (&str, Timestamp)) -> Result<(), ArchiveError> {
        in_transaction!(Change, self, "give a reconciliation back", session => give_back(session, run))
    }

    /// The latest runs, of one source or of all, the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn reconciliations(&self, source: Option<&str>, limit: u32) -> Result<Vec<ReconciliationRun>, ArchiveError> {
        in_transaction!(Look, self, "read the reconciliations", session => latest(session, source, limit))
    }
}
