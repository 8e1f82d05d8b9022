//! The bytes of a file or of standard input, counted as they are read.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::error::ImportError;
use crate::format::Format;

/// The name of standard input.
pub(super) const STANDARD_INPUT: &str = "-";

/// What can be imported.
pub(super) enum Input {
    /// A file that can be read again from its beginning.
    File(File),
    /// A pipe, a terminal or the like.
    Stream(Box<dyn Read>),
}

impl Input {
    pub(super) fn open(path: &Path) -> Result<Self, ImportError> {
        if path == Path::new(STANDARD_INPUT) {
            return Ok(Self::Stream(Box::new(io::stdin())));
        }
        let failed = |source| ImportError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        Ok(if metadata.is_file() {
            Self::File(file)
        } else {
            Self::Stream(Box::new(file))
        })
    }
}

/// The format that was stated, or that the file's name tells.
pub(super) fn format_of(path: &Path, stated: Option<Format>) -> Result<Format, ImportError> {
    let by_name = || path.file_name().and_then(|name| Format::from_file_name(&name.to_string_lossy()));
    stated
        .or_else(by_name)
        .ok_or_else(|| ImportError::UnknownFormat { path: PathBuf::from(path) })
}

/// Counts what is read through it.
pub(super) struct Counted<R> {
    input: R,
    bytes: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub(super) fn new(input: R, bytes: &Arc<AtomicU64>) -> Self {
        Self {
            input,
            bytes: Arc::clone(bytes),
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
