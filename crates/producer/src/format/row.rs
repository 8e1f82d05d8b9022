//! What reading gives out: rows, and why a body cannot be read on.

use std::{borrow::Cow, io};

use scoresync_domain::{Fields, ScoreReport, Source, Timestamp};

use super::position::Position;

/// One row of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which row of the body it is, from 1, unreadable ones counted.
    pub number: u64,
    /// The line that it begins on, from 1.
    pub line: u64,
    /// Its fields as the source wrote them, or its bytes.
    pub content: Result<Fields<'static>, Unreadable>,
}

impl Row {
    /// The report that it is: its fields, or its bytes.
    #[must_use]
    pub fn into_report<'a>(self, source: &'a Source, content_type: &'a str, received_at: Timestamp) -> ScoreReport<'a> {
        let (fields, unparsed) = match self.content {
            Ok(fields) => (fields, None),
            Err(unreadable) => (Fields::default(), Some(Cow::Owned(unreadable.bytes))),
        };
        ScoreReport {
            source: Cow::Borrowed(&source.name),
            received_at,
            content_type: Cow::Borrowed(content_type),
            fields,
            unparsed,
        }
    }
}

/// A row that could not be read. Nothing of it is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The row exactly as it was sent, without the line end or comma after it.
    pub bytes: Vec<u8>,
    /// What is wrong with it, in a sentence without values.
    pub problem: String,
}

/// Why reading stopped before the end; no row follows.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The body cannot be read on: it is not what its format says, or a row is larger than its limit.
    #[error(transparent)]
    Broken(#[from] BrokenBody),
    /// The input could not be read; the body may be all right.
    #[error("cannot read the body on after {rows_before} rows")]
    Input {
        /// Rows that were given out before.
        rows_before: u64,
        /// What the input said.
        source: io::Error,
    },
}

/// A body that cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read the body on at line {line}, column {column}, after {rows_before} rows: {message}")]
pub struct BrokenBody {
    /// The line, from 1.
    pub line: u64,
    /// The column, in characters from 1.
    pub column: u64,
    /// What is wrong and what to do, without values.
    pub message: String,
    /// Rows that were given out before.
    pub rows_before: u64,
    /// The body may be all right, but a row of it is larger than its limit.
    pub is_too_large: bool,
}

/// A row before it is numbered.
pub(super) struct ReadRow {
    pub(super) line: u64,
    pub(super) content: Result<Fields<'static>, Unreadable>,
}

/// Why a format's reader stopped.
pub(super) enum Stop {
    Broken { position: Position, message: String },
    TooLarge { position: Position, message: String },
    Input(io::Error),
}

impl Stop {
    pub(super) fn broken(position: Position, message: impl Into<String>) -> Self {
        Self::Broken {
            position,
            message: message.into(),
        }
    }

    pub(super) fn too_large(position: Position, message: impl Into<String>) -> Self {
        Self::TooLarge {
            position,
            message: message.into(),
        }
    }

    pub(super) fn after_rows(self, rows_before: u64) -> BodyError {
        let (position, message, is_too_large) = match self {
            Self::Input(source) => return BodyError::Input { rows_before, source },
            Self::Broken { position, message } => (position, message, false),
            Self::TooLarge { position, message } => (position, message, true),
        };
        BodyError::Broken(BrokenBody {
            line: position.line,
            column: position.column,
            message,
            rows_before,
            is_too_large,
        })
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Input(error)
    }
}

/// What a reader of one format gives next: a row, the end, or a reason to stop.
pub(super) type NextRow = Result<Option<ReadRow>, Stop>;
