//! What a token may be good for.

use std::{fmt, str::FromStr};

/// What the holder of a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Send reports of its sources.
    Reports,
    /// Send employees.
    Employees,
    /// Look at dead letters, without seeing who somebody is.
    Look,
    /// Send, discard and forget dead letters, decide whose they are, and see all that they hold.
    Resolve,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 4] = [Self::Reports, Self::Employees, Self::Look, Self::Resolve];

    /// The name in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reports => "reports",
            Self::Employees => "employees",
            Self::Look => "look",
            Self::Resolve => "resolve",
        }
    }
}

/// The text names no right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a right is \"reports\", \"employees\", \"look\" or \"resolve\"")]
pub struct UnknownRight;

impl FromStr for Right {
    type Err = UnknownRight;

    fn from_str(text: &str) -> Result<Self, UnknownRight> {
        Self::ALL.into_iter().find(|right| right.as_str() == text).ok_or(UnknownRight)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
