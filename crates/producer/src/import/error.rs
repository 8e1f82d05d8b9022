//! Why a file was not imported, or not wholly, and how to go on.

use std::{io, path::PathBuf, time::Duration};

use scoresync_domain::Problem;
use scoresync_kafka::DeliveryFailure;

use crate::{
    format::{BodyError, BrokenBody, SettingsError, UntoldFormat},
    intake::IntakeError,
};

/// Why a file was not imported, or not wholly.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be opened.
    #[error("cannot open {}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The name does not tell the format.
    #[error("{0}; state it with --format")]
    Format(UntoldFormat),
    /// The source's format settings.
    #[error("the file cannot be read with the settings of its source: {0}")]
    Source(Problem),
    /// The settings as a whole.
    #[error("the file cannot be read with the settings of its source")]
    Settings(#[from] SettingsError),
    /// How far an import is cannot be kept.
    #[error("cannot keep how far the import is in {}; choose a folder that can be written", .path.display())]
    State {
        /// Folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else imports the same file of the same source.
    #[error("another import of the file is going on; wait until it has ended, and start this one again")]
    InProgress,
    /// The topic cannot be asked for.
    #[error("cannot find the topic of score reports; no row was sent")]
    Destination(#[source] scoresync_kafka::Error),
    /// The file cannot be read on.
    #[error("{}; the rows before it are sent. Correct the file and import it again", .0)]
    Broken(BrokenBody),
    /// A row's report is larger than the topic takes.
    #[error(
        "row {row} (line {line}) would make a report of {bytes} bytes where topics.max_message_bytes leaves room for {limit}; the rows before it are sent. Raise that, or shorten the row, and import the file again"
    )]
    TooLarge {
        /// The row, from 1.
        row: u64,
        /// The line on which it begins, from 1.
        line: u64,
        /// What its report needs.
        bytes: usize,
        /// What a report may have.
        limit: usize,
    },
    /// The input failed.
    #[error("cannot read the file on after {rows_before} rows, which are sent; import it again when it can be read")]
    Input {
        /// Rows that were read before.
        rows_before: u64,
        /// Why.
        source: io::Error,
    },
    /// The broker does not acknowledge.
    #[error("the broker acknowledged nothing for {waited:.0?}; {}", .acknowledged)]
    NotAcknowledged {
        /// For how long.
        waited: Duration,
        /// What is acknowledged.
        acknowledged: Acknowledged,
    },
    /// The broker refused a row.
    #[error("the broker did not take a row; {acknowledged}")]
    Refused {
        /// What is acknowledged.
        acknowledged: Acknowledged,
        /// Why.
        #[source]
        cause: DeliveryFailure,
    },
    /// The producer cannot go on.
    #[error("row {row} cannot be sent; {acknowledged}")]
    Intake {
        /// The row.
        row: u64,
        /// What is acknowledged.
        acknowledged: Acknowledged,
        /// Why.
        #[source]
        cause: IntakeError,
    },
    /// The process is to end.
    #[error("interrupted; {acknowledged}")]
    Interrupted {
        /// What is acknowledged.
        acknowledged: Acknowledged,
    },
}

/// How far a file is acknowledged, and how to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The first row that is not, from 1.
    pub first_unacknowledged: u64,
    /// Whether that was kept.
    pub can_resume: bool,
}

impl std::fmt::Display for Acknowledged {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.first_unacknowledged {
            0 | 1 => formatter.write_str("no row is known to be acknowledged")?,
            first => write!(formatter, "all rows before row {first} are acknowledged")?,
        }
        formatter.write_str(match self.can_resume {
            true => ". Start the same import again: it goes on there",
            false => ". Start the same import again: it sends all rows once more, which is safe",
        })
    }
}

/// Its text is the whole text of the error, which has it as no cause beside.
impl From<UntoldFormat> for ImportError {
    fn from(untold: UntoldFormat) -> Self {
        Self::Format(untold)
    }
}

impl From<BodyError> for ImportError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Broken(broken) => Self::Broken(broken),
            BodyError::Input { rows_before, source } => Self::Input { rows_before, source },
        }
    }
}

impl ImportError {
    /// Whether the other files can be imported all the same.
    pub(super) fn concerns_one_file(&self) -> bool {
        match self {
            Self::Open { .. } | Self::Format(_) | Self::InProgress | Self::TooLarge { .. } | Self::Broken(_) | Self::Input { .. } => true,
            Self::Source(_)
            | Self::Settings(_)
            | Self::State { .. }
            | Self::Destination(_)
            | Self::NotAcknowledged { .. }
            | Self::Refused { .. }
            | Self::Intake { .. }
            | Self::Interrupted { .. } => false,
        }
    }
}
