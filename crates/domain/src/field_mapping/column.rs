//! Finding a field's cell in a record: which name has it, whether it has a value, and whether it has only one.

use std::borrow::Cow;

use super::{Field, MappingError};
use crate::{Fields, Reason};

/// No value that is mapped may be longer.
pub(crate) const MAX_VALUE_CHARS: usize = 1_000;

/// The fields of one report, with what is asked of them again and again found out once.
pub(crate) struct Record<'a> {
    fields: &'a Fields<'a>,
    has_repeats: bool,
}

impl<'a> Record<'a> {
    pub(crate) fn new(fields: &'a Fields<'a>) -> Self {
        let has_repeats = fields.iter().any(|(name, _)| name.ends_with("#2"));
        Self { fields, has_repeats }
    }

    fn is_repeated(&self, name: &str) -> bool {
        self.has_repeats && self.fields.is_repeated(name)
    }
}

/// One of our fields and the names that the source may give it, the preferred one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) field: Field,
    pub(crate) names: Box<[String]>,
}

/// A value that was found: trimmed, not empty, without NUL, of a sensible length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'a> {
    field: Field,
    name: &'a str,
    pub(crate) text: &'a str,
}

impl Column {
    /// The cell of the first name that has a value. Names that have different values are ambiguous, as is a name that occurs twice.
    pub(crate) fn read<'a>(&'a self, record: &Record<'a>) -> Result<Option<Cell<'a>>, MappingError> {
        let mut found: Option<Cell<'a>> = None;
        for name in &self.names {
            let Some(cell) = self.cell(name, record)? else { continue };
            match found {
                None => found = Some(cell),
                Some(first) if first.text == cell.text => {}
                Some(first) => {
                    let explanation = format!("`{}` has a value too, and another one", cell.name);
                    return Err(first.problem(Reason::AmbiguousField, explanation));
                }
            }
        }
        Ok(found)
    }

    /// Whether the record has the field at all, be it empty.
    pub(crate) fn occurs(&self, record: &Record<'_>) -> bool {
        self.names.iter().any(|name| record.fields.get(name).is_some())
    }

    /// The error that says that no name has a value.
    pub(crate) fn missing(&self) -> MappingError {
        MappingError::missing(self.field, &self.names)
    }

    fn cell<'a>(&'a self, name: &'a str, record: &Record<'a>) -> Result<Option<Cell<'a>>, MappingError> {
        let Some(value) = record.fields.get(name) else { return Ok(None) };
        let text = value.unwrap_or_default();
        let trimmed = text.trim();
        let cell = Cell {
            field: self.field,
            name,
            text: trimmed,
        };
        if record.is_repeated(name) {
            return Err(cell.problem(Reason::AmbiguousField, "the name occurs more than once in the record"));
        }
        if text.as_bytes().contains(&0) {
            return Err(cell.invalid("it contains a NUL character"));
        }
        if trimmed.len() > MAX_VALUE_CHARS && trimmed.chars().count() > MAX_VALUE_CHARS {
            return Err(cell.invalid("it is longer than 1,000 characters"));
        }
        Ok((!is_blank(trimmed)).then_some(cell))
    }
}

impl Cell<'_> {
    /// The error that says that the value cannot be read.
    pub(crate) fn invalid(&self, explanation: impl Into<Cow<'static, str>>) -> MappingError {
        self.problem(Reason::InvalidField, explanation)
    }

    fn problem(&self, reason: Reason, explanation: impl Into<Cow<'static, str>>) -> MappingError {
        MappingError {
            reason,
            field: Some(self.field),
            source_field: Some(self.name.to_owned()),
            explanation: explanation.into(),
        }
    }
}

/// What people write into a cell to say that there is nothing: nothing, or a dash of one of the usual kinds.
pub(crate) fn is_blank(trimmed: &str) -> bool {
    matches!(trimmed, "" | "-" | "－" | "–" | "—" | "——")
}
