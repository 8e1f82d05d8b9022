//! What can go wrong with an archive, sorted by what helps: seek, read the employees first, try again, or call a person.

use std::fmt;

use crate::TopicPartition;

/// Why the archive did not do what it was asked. Nothing of the work is in the database then, save where a commit's outcome is unknown.
///
/// A connection that breaks during `COMMIT` is [`ArchiveError::Transient`] and leaves open whether the work is in the database: read the
/// positions again and go on from there. Applying the same batch again is safe as well: it ends in [`ArchiveError::LostPosition`].
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The position is not where the batch begins: another sink has moved it, or an earlier commit did succeed.
    #[error(
        "could not move {partition} on from offset {expected}, because it is not there (any more); read the position again and go on from it"
    )]
    LostPosition {
        /// The position that was to move.
        partition: TopicPartition,
        /// Where the batch expected it.
        expected: i64,
    },
    /// A score would be refused over its owner, and refusing was withheld.
    #[error(
        "a score names another employee than its record; read the employees to their present end, then apply the batch and let it judge"
    )]
    WouldRefuse,
    /// There is something of a result that was not read: the sink has filed it since, or its log does not hold it any more.
    #[error("there is more of a result than was read; read again what was said of it")]
    Overtaken,
    /// The database could not do it now: connection, conflict, time-out, restart. Do the same work again after a while.
    #[error("could not {attempt} now; it is worth trying again")]
    Transient {
        /// What was attempted.
        attempt: &'static str,
        /// What the database said.
        #[source]
        cause: DatabaseError,
    },
    /// The surroundings must be mended: credentials, missing database, disk full, newer schema, a second writer.
    #[error("could not {attempt}; the archive's surroundings need attention")]
    Environment {
        /// What was attempted.
        attempt: &'static str,
        /// What the database said.
        #[source]
        cause: DatabaseError,
    },
}

/// What a database said, without the values that it may quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseError {
    /// SQLSTATE (PostgreSQL) or the extended result code (SQLite).
    pub code: Option<String>,
    /// A sentence or part of one.
    pub text: String,
}

impl DatabaseError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            code: None,
            text: text.into(),
        }
    }
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(formatter, "{} ({code})", self.text),
            None => formatter.write_str(&self.text),
        }
    }
}

impl std::error::Error for DatabaseError {}

/// A failure inside, before it is known what was attempted.
#[derive(Debug)]
pub(crate) enum Failure {
    Transient(DatabaseError),
    Environment(DatabaseError),
    /// The database refuses the rows as such; one of them must be set aside.
    Rejected(DatabaseError),
    Decided(ArchiveError),
}

impl Failure {
    pub(crate) fn environment(text: impl Into<String>) -> Self {
        Self::Environment(DatabaseError::new(text))
    }

    pub(crate) fn during(self, attempt: &'static str) -> ArchiveError {
        match self {
            Self::Transient(cause) => ArchiveError::Transient { attempt, cause },
            Self::Environment(cause) | Self::Rejected(cause) => ArchiveError::Environment { attempt, cause },
            Self::Decided(error) => error,
        }
    }
}
