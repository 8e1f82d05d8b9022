//! A look at the whole archive.

use std::ops::ControlFlow;

use super::Archive;
use crate::{ArchiveError, Surveyed, letters::Intent, survey::survey};

impl Archive {
    /// Shows every row as it is at one moment, beside whoever writes: positions and counts of fates first. `visit` ends it when it has enough.
    ///
    /// # Errors
    /// The database's.
    pub async fn survey(&self, visit: &mut (dyn FnMut(Surveyed) -> ControlFlow<()> + Send)) -> Result<(), ArchiveError> {
        match self {
            Self::Sqlite(database) => database.letters(Intent::Look, async |session| survey(session, visit).await),
            Self::Postgres(database) => database.snapshot(async |session| survey(session, visit).await).await,
        }
        .map_err(|failure| failure.during("survey the archive"))
    }
}
