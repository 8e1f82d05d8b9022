//! Why no one employee can be named.

use std::fmt::Display;

use super::Clue;
use crate::{IdentityKind, Reason};

/// Why a report belongs to nobody for now. Its sentences name kinds of identity, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatchError {
    /// The report has no identity of the kinds that may decide.
    #[error("the report has none of the identities that decide whose it is: {}", listed(sought))]
    MissingIdentity {
        /// The kinds of the ladder.
        sought: Vec<IdentityKind>,
    },
    /// Nobody had what decides when the learner finished, or a person decided that it is nobody's.
    #[error("no employee is known by {} at the time when the exam was finished", listed(tried))]
    Unmatched {
        /// What was tried, in this order.
        tried: Vec<Clue>,
    },
    /// More than one employee had it.
    #[error("more than one employee is known by {by} at the time when the exam was finished")]
    Ambiguous {
        /// What was to decide.
        by: Clue,
    },
    /// Something else in the report points away from the employee.
    #[error("{against} in the report is not that of the employee who was found by {decided_by}")]
    Conflicting {
        /// What the employee was found by.
        decided_by: Clue,
        /// What points to somebody else.
        against: Clue,
    },
}

impl MatchError {
    /// The reason that the dead letter carries.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::MissingIdentity { .. } => Reason::MissingField,
            Self::Unmatched { .. } => Reason::UnmatchedEmployee,
            Self::Ambiguous { .. } => Reason::AmbiguousEmployee,
            Self::Conflicting { .. } => Reason::ConflictingIdentity,
        }
    }
}

fn listed(items: &[impl Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
