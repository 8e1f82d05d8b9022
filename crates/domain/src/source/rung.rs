//! The order in which kinds of identity decide whose a report is.

use std::str::FromStr;

use crate::{IdentityKind, UnknownName};

/// One step of a source's ladder of identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The kind that decides on this step, where a report has it.
    pub kind: IdentityKind,
    /// Whether the next step decides where nobody has the value (`employee_no?`). Otherwise such a report is unmatched.
    pub optional: bool,
}

impl FromStr for Rung {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, optional) = text.strip_suffix('?').map_or((text, false), |kind| (kind, true));
        Ok(Self {
            kind: kind.parse()?,
            optional,
        })
    }
}
