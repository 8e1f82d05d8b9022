//! Why a report cannot be mapped, told without any value from the report.

use std::{borrow::Cow, fmt};

use super::Field;
use crate::Reason;

/// Why a report cannot be mapped.
///
/// It names fields as the configuration does and never quotes a value: values are personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingError {
    /// The dead letter's reason: missing, invalid, ambiguous or unparsed.
    pub reason: Reason,
    /// Our field; `None` where the record as a whole could not be read.
    pub field: Option<Field>,
    /// The source's name of the field; all names that were looked for, with commas between, where none had a value.
    pub source_field: Option<String>,
    /// What is wrong, and what would be right.
    pub explanation: Cow<'static, str>,
}

impl fmt::Display for MappingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.field, &self.source_field) {
            (Some(field), Some(name)) => write!(formatter, "cannot map {field} from `{name}`: {}", self.explanation),
            (Some(field), None) => write!(formatter, "cannot map {field}: {}", self.explanation),
            (None, _) => write!(formatter, "cannot map the record: {}", self.explanation),
        }
    }
}

impl std::error::Error for MappingError {}

impl MappingError {
    /// None of the names has a value.
    pub(super) fn missing<'n>(field: Field, names: impl IntoIterator<Item = &'n str>) -> Self {
        let names: Vec<&str> = names.into_iter().collect();
        Self {
            reason: Reason::MissingField,
            field: Some(field),
            source_field: (!names.is_empty()).then(|| names.join(", ")),
            explanation: Cow::Borrowed("the record has no value for it"),
        }
    }

    pub(super) fn unparsed() -> Self {
        Self {
            reason: Reason::Unparsed,
            field: None,
            source_field: None,
            explanation: Cow::Borrowed("the row was received but could not be read; its bytes are kept"),
        }
    }
}

/// Why the key of a result cannot be made: a part of it is missing, invalid or ambiguous.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct KeyProblem(#[from] pub MappingError);

impl From<KeyProblem> for MappingError {
    fn from(problem: KeyProblem) -> Self {
        problem.0
    }
}
