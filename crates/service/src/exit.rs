//! Exit codes of the command.

use std::process::{ExitCode, Termination};

/// How a run of the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All was done.
    Ok,
    /// It could not be done, or was ended hard.
    Failed,
    /// The command line was wrong.
    Usage,
    /// The settings were wrong (`EX_CONFIG` of BSD's sysexits).
    Configuration,
}

impl Exit {
    /// The code that the system sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Configuration => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        self.into()
    }
}
