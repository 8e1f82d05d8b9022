//! Employees: what the HR system says of them, from files or one by one, becomes records of `employees`.
//!
//! Whoever writes a record looks afterwards whether somebody else wrote the same employee meanwhile, and mends what was overwritten.
//! Erasures (tombstones) are never written here.

mod columns;
mod delivery;
mod file;
mod handover;
mod http;
mod import;
mod known;
mod lock;
mod merge;
mod moment;
mod patience;
mod plan;
mod refusals;
mod row;
mod settings;
mod statement;
mod table;
mod verification;
mod writer;

#[cfg(test)]
mod fixtures;

pub use file::{BadRows, ReadRosterError, RosterFile, RowProblem, RowsRefused, Statements, read_roster};
pub use http::roster_router;
pub use import::{
    ImportRosterError, ImportRosterOptions, ImportRosterRun, ImportRosterSummary, RosterExtent, RosterProgress, import_roster,
};
pub use lock::{LockError, RosterLock};
pub use plan::{LeaversLimit, TooManyLeavers};
pub use settings::{RosterFieldSettings, RosterRules, RosterSettings, RosterSettingsError};
pub use table::{RosterSurroundings, TableWriteError};
pub use writer::{RosterFollower, RosterWriter, UpdateError, UpdateOutcome, roster_writer};
