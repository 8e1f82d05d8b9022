//! Finding a field's cell in a record: which name has it, whether it has a value, and whether it has only one.

use std::borrow::Cow;

use super::{Field, MappingError, Name, Record};
use crate::Reason;

/// No value that is mapped may be longer.
pub(crate) const MAX_VALUE_CHARS: usize = 1_000;

/// One of our fields and the names that the source may give it, the preferred one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) field: Field,
    names: Box<[Name]>,
}

/// A value that was found: trimmed, not empty, without NUL, of a sensible length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'a> {
    column: &'a Column,
    name: &'a Name,
    pub(crate) text: &'a str,
}

impl Column {
    pub(crate) fn new(field: Field, names: &[String]) -> Self {
        Self {
            field,
            names: names.iter().map(Name::from).collect(),
        }
    }

    /// The names, the preferred one first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(Name::as_str)
    }

    /// The cell of the first name that has a value. Names that have different values are ambiguous, as is a name that occurs twice.
    // A cell that is returned from a call goes through memory several times, which takes longer than looking at it.
    #[inline(always)]
    pub(crate) fn read<'a>(&'a self, record: &Record<'a>) -> Result<Option<Cell<'a>>, MappingError> {
        let mut found: Option<Cell<'a>> = None;
        for name in &self.names {
            let Some(text) = record.get(name) else { continue };
            let trimmed = text.trim();
            if record.is_repeated(name) || text.as_bytes().contains(&0) || trimmed.len() > MAX_VALUE_CHARS {
                self.check(name, text, record)?;
            }
            match found {
                _ if is_blank(trimmed) => {}
                None => found = Some(self.cell(name, trimmed)),
                Some(first) if first.text == trimmed => {}
                Some(first) => return Err(first.contradicted(name)),
            }
        }
        Ok(found)
    }

    /// Whether the record has the field at all, be it empty.
    pub(crate) fn occurs(&self, record: &Record<'_>) -> bool {
        self.names.iter().any(|name| record.get(name).is_some())
    }

    /// The error that says that no name has a value.
    pub(crate) fn missing(&self) -> MappingError {
        MappingError::missing(self.field, self.names())
    }

    fn cell<'a>(&'a self, name: &'a Name, text: &'a str) -> Cell<'a> {
        Cell { column: self, name, text }
    }

    #[cold]
    fn check(&self, name: &Name, text: &str, record: &Record<'_>) -> Result<(), MappingError> {
        let cell = self.cell(name, text.trim());
        if record.is_repeated(name) {
            return Err(cell.problem(Reason::AmbiguousField, "the name occurs more than once in the record"));
        }
        if text.as_bytes().contains(&0) {
            return Err(cell.invalid("it contains a NUL character"));
        }
        if cell.text.chars().count() > MAX_VALUE_CHARS {
            return Err(cell.invalid("it is longer than 1,000 characters"));
        }
        Ok(())
    }
}

impl Cell<'_> {
    /// The error that says that the value cannot be read.
    pub(crate) fn invalid(&self, explanation: impl Into<Cow<'static, str>>) -> MappingError {
        self.problem(Reason::InvalidField, explanation)
    }

    #[cold]
    fn contradicted(&self, other: &Name) -> MappingError {
        let explanation = format!("`{}` has a value too, and another one", other.as_str());
        self.problem(Reason::AmbiguousField, explanation)
    }

    #[cold]
    fn problem(&self, reason: Reason, explanation: impl Into<Cow<'static, str>>) -> MappingError {
        MappingError {
            reason,
            field: Some(self.column.field),
            source_field: Some(self.name.as_str().to_owned()),
            explanation: explanation.into(),
        }
    }
}

/// What people write into a cell to say that there is nothing: nothing, or a dash of one of the usual kinds.
pub(crate) fn is_blank(trimmed: &str) -> bool {
    matches!(trimmed, "" | "-" | "－" | "–" | "—" | "——")
}
