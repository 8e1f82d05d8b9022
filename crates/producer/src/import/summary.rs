//! What an import did.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::{error::ImportError, resume::Notice};

/// How many rows are listed.
const MAX_LISTED: usize = 20;

/// What the import of several files did.
#[derive(Debug, Default, Serialize)]
pub struct ImportSummary {
    /// File by file, in their order.
    pub files: Vec<FileSummary>,
    /// How long all took.
    pub seconds: f64,
}

/// What the import of one file did.
#[derive(Debug, Serialize)]
pub struct FileSummary {
    /// The file as it was named.
    #[serde(serialize_with = "as_shown")]
    pub file: PathBuf,
    /// How it ended.
    pub outcome: FileOutcome,
    /// What people should know besides.
    pub notices: Vec<Notice>,
    /// Rows read, those passed over included.
    pub rows_read: u64,
    /// Rows passed over because they were acknowledged before.
    pub rows_skipped: u64,
    /// Rows sent.
    pub rows_sent: u64,
    /// Rows of those that are acknowledged, from the first on without a gap.
    pub rows_acknowledged: u64,
    /// Rows sent as bytes because they could not be read; they become dead letters.
    pub rows_unreadable: u64,
    /// The first of them.
    pub unreadable: Vec<RowReport>,
    /// How long it took.
    pub seconds: f64,
}

/// How the import of a file ended.
#[derive(Debug, Serialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "snake_case")]
pub enum FileOutcome {
    /// All rows are acknowledged.
    Complete,
    /// Nothing was sent: it was imported completely before, and this source's repetitions count as corrections. `--restart` sends it.
    AlreadyImported,
    /// It was not imported, or not wholly.
    #[serde(serialize_with = "as_text")]
    Failed(ImportError),
    /// An earlier file ended the import.
    NotBegun,
}

/// A name need not be Unicode.
fn as_shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

/// The error and its causes, in one line.
fn as_text<S: Serializer>(error: &ImportError, serializer: S) -> Result<S::Ok, S::Error> {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let texts: Vec<_> = causes.map(ToString::to_string).collect();
    serializer.serialize_str(&texts.join(": "))
}

/// A row and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowReport {
    /// Which row, from 1.
    pub row: u64,
    /// The line on which it begins, from 1.
    pub line: u64,
    /// A sentence without values.
    pub problem: String,
}

impl FileSummary {
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            file,
            outcome: FileOutcome::NotBegun,
            notices: Vec::new(),
            rows_read: 0,
            rows_skipped: 0,
            rows_sent: 0,
            rows_acknowledged: 0,
            rows_unreadable: 0,
            unreadable: Vec::new(),
            seconds: 0.0,
        }
    }

    pub(super) fn add_unreadable(&mut self, report: RowReport) {
        self.rows_unreadable += 1;
        if self.unreadable.len() < MAX_LISTED {
            self.unreadable.push(report);
        }
    }

    /// Whether nothing is left to be done about the file.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self.outcome {
            FileOutcome::Complete | FileOutcome::AlreadyImported => true,
            FileOutcome::Failed(_) | FileOutcome::NotBegun => false,
        }
    }

    /// Rows sent per second.
    #[must_use]
    pub fn rows_per_second(&self) -> f64 {
        rate(self.rows_sent, self.seconds)
    }
}

impl ImportSummary {
    /// Whether nothing is left to be done about any file.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.files.iter().all(FileSummary::is_complete)
    }

    /// The sum over all files of one of their counts, e.g. `|file| file.rows_sent`.
    #[must_use]
    pub fn total(&self, count: impl Fn(&FileSummary) -> u64) -> u64 {
        self.files.iter().map(count).sum()
    }

    /// Rows sent per second.
    #[must_use]
    pub fn rows_per_second(&self) -> f64 {
        rate(self.total(|file| file.rows_sent), self.seconds)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate is for people to look at")]
fn rate(rows: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { rows as f64 / seconds } else { 0.0 }
}
