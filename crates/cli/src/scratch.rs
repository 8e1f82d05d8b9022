//! Where commands put files that may be large, and that they need meanwhile alone.

use std::path::{Path, PathBuf};

/// The folder that was named or, where none was, what the system has for large files: its other folder is in memory on many machines.
pub(crate) fn scratch_folder(named: Option<&Path>) -> PathBuf {
    let large = Path::new("/var/tmp");
    let default = || if large.is_dir() { large.to_owned() } else { std::env::temp_dir() };
    named.map_or_else(default, Path::to_owned)
}
