//! The bytes of a file or of standard input, counted as they are read.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::error::ImportError;

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
