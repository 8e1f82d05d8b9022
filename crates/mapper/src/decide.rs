//! What becomes of a report, as a pure function of the report, the sources and the directory.

use std::borrow::Cow;

use scoresync_domain::{
    ContentHash, Directory, EnrichedScore, MappedScore, MatchError, MatchPolicy, Found, Origin, Reason, ScoreReport, Source, Sources, Status, Subject, find_employee,
};

/// Why a report becomes a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The reason, from the closed list.
    pub reason: Reason,
    /// A sentence for people, without personal values.
    pub message: String,
}

/// Maps and matches a report that first appeared at `origin`.
///
/// # Errors
/// The reason why it cannot be filed.
pub fn decide<'a>(report: &'a ScoreReport<'_>, origin: Origin, sources: &'a Sources, directory: &'a Directory) -> Result<EnrichedScore<'a>, Rejection> {
    let source = sources.get(&report.source).ok_or_else(|| Rejection {
        reason: Reason::UnknownSource,
        message: "no source of this name is configured; add it to the configuration or correct the sender".to_owned(),
    })?;
    let mapped = source.map(report).map_err(|error| Rejection { reason: error.reason, message: error.to_string() })?;
    let found = owner(source, &mapped, directory).map_err(|error| Rejection { reason: error.reason(), message: error.to_string() })?;
    Ok(enrich(mapped, found, origin))
}
