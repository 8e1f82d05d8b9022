//! Putting an archive right that was altered, whichever database is behind it.

use super::Archive;
use crate::{
    ArchiveError, FateCount, Rebuild,
    rebuild::{correct_fates, rebuild},
};

impl Archive {
    /// Makes some results anew from all that was said of them, in one transaction: what stands of them goes, and what the rule makes of the
    /// entries comes. Beside a sink that goes on, for which it is safe; the archive may be open as [`crate::Access::Desk`].
    ///
    /// # Errors
    /// [`ArchiveError::Overtaken`] where anything of a result comes from what was not read, or the database's.
    pub async fn rebuild(&self, request: Rebuild<'_>) -> Result<(), ArchiveError> {
        in_transaction!(Change, self, "make results anew", session => rebuild(session, request))
    }

    /// Adds to the counts of fates, or takes away from them.
    ///
    /// # Errors
    /// The database's.
    pub async fn correct_fates(&self, corrections: &[FateCount]) -> Result<(), ArchiveError> {
        in_transaction!(Change, self, "correct the counts of fates", session => correct_fates(session, corrections))
    }
}
