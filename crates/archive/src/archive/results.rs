//! Records by their results.

use scoresync_domain::ResultId;

use super::Archive;
use crate::{ArchiveError, SurveyedRecord, letters::Intent, results::records_of};

impl Archive {
    /// The records of some results, as they are at one moment; of a result that has none there is nothing. In no particular order.
    ///
    /// # Errors
    /// The database's.
    pub async fn records_of_results(&self, results: &[ResultId]) -> Result<Vec<SurveyedRecord>, ArchiveError> {
        match self {
            Self::Sqlite(database) => database.letters(Intent::Look, async |session| records_of(session, results).await),
            Self::Postgres(database) => database.snapshot(async |session| records_of(session, results).await).await,
        }
        .map_err(|failure| failure.during("read the records of results"))
    }
}
