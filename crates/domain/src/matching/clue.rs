//! What a report can be matched by, or fail to be.

use std::fmt;

use crate::IdentityKind;

/// A piece of evidence about whose a report is. Names a kind, never a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clue {
    /// The directory's answer to an identity in the report.
    Identity(IdentityKind),
    /// A person's decision about an identity in the report.
    IdentityAlias(IdentityKind),
    /// A person's decision about the result.
    ResultAlias,
    /// The name in the report.
    Name,
}

impl Clue {
    /// The kind of identity in the report that it is about, if it is about one.
    #[must_use]
    pub const fn kind(self) -> Option<IdentityKind> {
        match self {
            Self::Identity(kind) | Self::IdentityAlias(kind) => Some(kind),
            Self::ResultAlias | Self::Name => None,
        }
    }

    /// The name that records carry: `phone`, `alias:phone`, `alias:result`, `name`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity(kind) => kind.as_str(),
            Self::IdentityAlias(IdentityKind::EmployeeNo) => "alias:employee_no",
            Self::IdentityAlias(IdentityKind::Phone) => "alias:phone",
            Self::IdentityAlias(IdentityKind::Email) => "alias:email",
            Self::IdentityAlias(IdentityKind::Account) => "alias:account",
            Self::ResultAlias => "alias:result",
            Self::Name => "name",
        }
    }
}

impl fmt::Display for Clue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
