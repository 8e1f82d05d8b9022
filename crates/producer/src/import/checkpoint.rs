//! How far the import of a file is, kept on disk: written whole or not at all, by one import at a time.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;

/// Raised when the meaning of a field changes; an unknown one is no checkpoint.
const VERSION: u32 = 1;

/// How far the import of a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    version: u32,
    #[serde(flatten)]
    pub(super) fingerprint: Fingerprint,
    /// All rows before this one are acknowledged; counts from 1.
    pub(super) first_unacknowledged: u64,
    pub(super) is_complete: bool,
}

impl Checkpoint {
    pub(super) const fn new(fingerprint: Fingerprint, first_unacknowledged: u64, is_complete: bool) -> Self {
        Self {
            version: VERSION,
            fingerprint,
            first_unacknowledged,
            is_complete,
        }
    }
}

/// Where the checkpoint of one file and source is. Nobody else has it until it is dropped, or the process ends however.
#[derive(Debug)]
pub(super) struct CheckpointFile {
    folder: PathBuf,
    path: PathBuf,
    /// A file of its own, which stays: the checkpoint is replaced each time, and a lock on it would go with it.
    _lock: File,
}

impl CheckpointFile {
    /// Makes the folder where it is missing. Somebody else who has the checkpoint is [`TryLockError::WouldBlock`].
    pub(super) fn open(folder: &Path, fingerprint: &Fingerprint) -> Result<Self, TryLockError> {
        fs::create_dir_all(folder).map_err(TryLockError::Error)?;
        let path = folder.join(fingerprint.file_name());
        let lock = File::create(path.with_extension("lock")).map_err(TryLockError::Error)?;
        lock.try_lock()?;
        Ok(Self {
            folder: folder.to_owned(),
            path,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What is there; `None` where nothing is, or nothing that this program wrote.
    pub(super) fn load(&self) -> io::Result<Option<Checkpoint>> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let checkpoint: Option<Checkpoint> = serde_json::from_slice(&text).ok();
        Ok(checkpoint.filter(|checkpoint| checkpoint.version == VERSION))
    }

    /// Writes it so that, whenever the machine stops, the old or the new one is there.
    pub(super) fn save(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        let temporary = self.path.with_extension(format!("{}.tmp", std::process::id()));
        let mut file = File::create(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(checkpoint)?)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        // The new name is durable only when its folder is.
        #[cfg(unix)]
        File::open(&self.folder)?.sync_all()?;
        Ok(())
    }
}
