//! The producer: whatever a source sends becomes score reports in `scores.raw`, answered only when the broker has them.
//!
//! It reads the fields that make a result's key, and neither maps nor matches.

mod clock;
mod door;
mod format;
mod import;
mod intake;
mod metrics;
mod rest;
mod roster;
mod source_format;

#[cfg(test)]
mod fixtures;

pub use door::{Door, DoorError, DoorParts, DoorSettings};
pub use format::{
    BodyError, BrokenBody, Encoding, Format, FormatSettings, Limits, Row, RowReader, SettingsError, UnknownEncoding, UnknownFormat,
    Unreadable, UntoldFormat, read_rows,
};
pub use import::{
    FileOutcome, FileSummary, ImportError, ImportOptions, ImportProgress, ImportRequest, ImportRun, ImportState, ImportSummary, Notice,
    Resume, RowReport, import,
};
pub use intake::{Acknowledgement, Intake, IntakeError, Submission, Unacknowledged, key_of};
pub use metrics::{ProducerMetrics, STAGE};
pub use roster::{
    BadRows, ImportRosterError, ImportRosterOptions, ImportRosterRun, ImportRosterSummary, LeaversLimit, LockError, ReadRosterError,
    RosterExtent, RosterFieldSettings, RosterFile, RosterFollower, RosterLock, RosterProgress, RosterRules, RosterSettings,
    RosterSettingsError, RosterSurroundings, RosterWriter, RowProblem, RowsRefused, Statements, TableWriteError, TooManyLeavers,
    UpdateError, UpdateOutcome, import_roster, read_roster, roster_router, roster_writer,
};
pub use source_format::format_settings_of;
