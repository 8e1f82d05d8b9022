//! How far an import is, for whoever shows it.

use std::{path::Path, time::Duration};

/// How far an import is; told several times a second.
#[derive(Clone, Copy, Debug)]
pub struct ImportProgress<'a> {
    /// The file.
    pub file: &'a Path,
    /// Which of the files it is, from 1.
    pub file_number: usize,
    /// How many files there are.
    pub files: usize,
    /// Bytes of the file that were read.
    pub bytes_read: u64,
    /// Bytes of the file; `None` for standard input.
    pub bytes_total: Option<u64>,
    /// Rows read, those passed over included.
    pub rows_read: u64,
    /// Rows passed over because they were acknowledged before.
    pub rows_skipped: u64,
    /// Rows sent.
    pub rows_sent: u64,
    /// Rows acknowledged, those passed over not included.
    pub rows_acknowledged: u64,
    /// Rows sent that could not be read.
    pub rows_unreadable: u64,
    /// What is going on.
    pub state: ImportState,
}

/// What an import is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// Passing over rows that were acknowledged before.
    Skipping,
    /// Reading and sending.
    Sending,
    /// All is sent; the last rows are being acknowledged.
    Settling,
    /// The broker has acknowledged nothing for so long; it is tried again and again.
    WaitingForBroker {
        /// For how long.
        waited: Duration,
    },
}
