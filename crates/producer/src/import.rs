//! Score files into `scores.raw`: streamed, resumable after a kill, nothing lost in reading.
//!
//! Printing is the caller's business: it watches [`ImportProgress`] and gets an [`ImportSummary`].

mod checkpoint;
mod counted;
mod run;
mod summary;

pub use checkpoint::CheckpointError;
pub use run::{ImportError, ImportProgress, ImportRequest, import_file};
pub use summary::{ImportSummary, UnreadableRow};
