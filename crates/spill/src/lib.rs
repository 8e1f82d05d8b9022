//! What is known about results or reports, on disk, so that audits and comparisons need no memory for it.

mod parts;
mod results;

use std::path::PathBuf;

pub use parts::{Part, Parts};
pub use results::{Results, Spill};

/// What the system has for files that may be large: its other folder for files that are needed for a while is in memory on many machines.
#[must_use]
pub fn scratch_folder() -> PathBuf {
    let large = PathBuf::from("/var/tmp");
    if large.is_dir() { large } else { std::env::temp_dir() }
}
