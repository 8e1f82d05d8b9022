//! What tells a file, how it is read, and where it goes from others: only the same again can be gone on with.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::format::{Format, FormatSettings};

/// How much of a file's beginning is looked at.
const HEAD_BYTES: u64 = 64 * 1024;

/// A file at one moment, read in one way, on its way to one topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    pub(super) source: String,
    /// As people read it: several names that are no Unicode can look the same.
    pub(super) path: String,
    /// Of the canonical path.
    pub(super) path_sha256: String,
    pub(super) size: u64,
    /// Milliseconds since the epoch.
    pub(super) modified_ms: u64,
    /// Of the first 64 KiB.
    pub(super) head_sha256: String,
    /// Of all that decides which row is which. How much a row may hold does not: a row over that ends the file, and with more room the rows
    /// before it are the same.
    pub(super) reading_sha256: String,
    /// The broker's id of the topic.
    pub(super) topic_id: String,
}

/// How a file is read and where it goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route<'a> {
    pub(super) source: &'a str,
    pub(super) format: Format,
    pub(super) settings: &'a FormatSettings,
    pub(super) topic_id: &'a str,
}

impl Fingerprint {
    /// Looks at a file and leaves it at its beginning.
    pub(super) fn take(file: &mut File, path: &Path, route: Route<'_>) -> io::Result<Self> {
        let (size, modified_ms) = state(&file.metadata()?)?;
        let mut head = Vec::new();
        file.take(HEAD_BYTES).read_to_end(&mut head)?;
        file.seek(SeekFrom::Start(0))?;
        let path = path.canonicalize()?;
        Ok(Self {
            source: route.source.to_owned(),
            path: path.display().to_string(),
            path_sha256: hex(&Sha256::digest(path.as_os_str().as_encoded_bytes())),
            size,
            modified_ms,
            head_sha256: hex(&Sha256::digest(&head)),
            reading_sha256: hex(&Sha256::digest(format!("{} {:?}", route.format, route.settings))),
            topic_id: route.topic_id.to_owned(),
        })
    }

    /// Whether the file is still as it was.
    pub(super) fn is_current(&self, path: &Path) -> bool {
        fs::metadata(path)
            .and_then(|metadata| state(&metadata))
            .is_ok_and(|state| state == (self.size, self.modified_ms))
    }

    /// A name for what is kept of this file and source; the same whatever stands in the file.
    pub(super) fn file_name(&self) -> String {
        let mut name = hex(&Sha256::digest(format!("{}\0{}", self.source, self.path_sha256)));
        name.truncate(32);
        name + ".json"
    }
}

/// Size and time of the last change.
fn state(metadata: &Metadata) -> io::Result<(u64, u64)> {
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok((metadata.len(), u64::try_from(modified.as_millis()).unwrap_or(u64::MAX)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
