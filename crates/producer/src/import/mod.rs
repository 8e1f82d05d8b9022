//! `scoresync import`: files of scores into `scores.raw`, so that it can be killed at any moment and go on where it stopped.
//!
//! A checkpoint never passes a row that the broker has not acknowledged. Rows that are sent again change nothing downstream where the
//! source's `repeat` is `redelivery`; where it is `correction`, a file that was imported completely is not imported again unasked.

mod broker_wait;
mod checkpoint;
mod error;
mod fingerprint;
mod input;
mod progress;
mod resume;
mod run;
mod sending;
mod summary;

#[cfg(test)]
mod tests;

pub use error::ImportError;
pub use progress::{ImportProgress, ImportState};
pub use resume::{Notice, Resume};
pub use run::{ImportOptions, ImportRequest, ImportRun, import};
pub use summary::{FileOutcome, FileSummary, ImportSummary, RowReport};
