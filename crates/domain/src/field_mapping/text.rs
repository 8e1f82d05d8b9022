//! Reading texts: as the source writes them, or one text for all records.

use super::{Column, Field, MappingError, Record};

/// Where a text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// From the record.
    Column(Column),
    /// The same for every record.
    Constant(String),
}

impl Text {
    /// The text, trimmed.
    pub(crate) fn read<'a>(&'a self, record: &Record<'a>) -> Result<Option<&'a str>, MappingError> {
        match self {
            Self::Column(column) => Ok(column.read(record)?.map(|cell| cell.text)),
            Self::Constant(text) => Ok(Some(text)),
        }
    }

    /// The error that says that there is none.
    pub(crate) fn missing(&self, field: Field) -> MappingError {
        match self {
            Self::Column(column) => MappingError::missing(field, column.names()),
            Self::Constant(_) => MappingError::missing(field, []),
        }
    }
}
