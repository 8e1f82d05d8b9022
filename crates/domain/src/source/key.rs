//! The key by which a system tells its results apart, and how it is read: by the producer and by the mapper, with one outcome.

use std::borrow::Cow;

use super::{Rung, SourceSettings};
use crate::{
    IdentityKind, Region, ResultId,
    field_mapping::{Column, Field, FieldMapping, MappingError, Record, Text, whole_number},
    normalise_identity, normalise_key_part,
};

/// The fields that a key can be made of.
pub(super) const KEY_FIELDS: [Field; 5] = [Field::Result, Field::Learner, Field::CourseId, Field::ExamId, Field::Attempt];

/// The parts of a key in their configured order; each part once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    parts: Box<[KeyPart]>,
    region: Region,
}

#[derive(Clone, Debug, PartialEq)]
enum KeyPart {
    Id { field: Field, text: Text },
    Learner { column: Column, kind: Option<IdentityKind> },
    Attempt(Column),
}

/// Who a source's learner is: the names that say it, and the kind of identity that they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Learner<'a> {
    pub(super) names: &'a [String],
    pub(super) kind: Option<IdentityKind>,
}

/// The field `learner`, an identity if it reads only names that the identity reads; without it the first kind that is matched by.
pub(super) fn learner(settings: &SourceSettings) -> Option<Learner<'_>> {
    let fields = &settings.fields;
    let names_of = |kind: IdentityKind| fields.names(Field::from(kind));
    if fields.is_mapped(Field::Learner) {
        let names = fields.names(Field::Learner);
        let is_kind = |kind: &IdentityKind| names.iter().all(|name| names_of(*kind).contains(name));
        let kind = IdentityKind::ALL.iter().copied().find(is_kind);
        return Some(Learner { names, kind });
    }
    let first: Rung = settings.employees_match.first()?.parse().ok()?;
    Some(Learner {
        names: names_of(first.kind),
        kind: Some(first.kind),
    })
}

/// The field of a key's part, where it is one.
pub(super) fn key_field(part: &str) -> Option<Field> {
    KEY_FIELDS.into_iter().find(|field| field.as_str() == part)
}

impl Key {
    /// The key of settings that were checked; `None` where something was found to be wrong.
    pub(super) fn compile(settings: &SourceSettings, mapping: &FieldMapping, region: Region) -> Option<Self> {
        let part = |name: &String| KeyPart::compile(name, settings, mapping);
        let parts = settings.key.iter().map(part).collect::<Option<_>>()?;
        Some(Self { parts, region })
    }

    /// The id of the result that a record speaks of. Reads the key's fields and nothing else.
    pub(crate) fn result_id(&self, system: &str, record: &Record<'_>) -> Result<ResultId, MappingError> {
        let mut values: [Cow<'_, str>; KEY_FIELDS.len()] = Default::default();
        for (value, part) in values.iter_mut().zip(&self.parts) {
            *value = part.read(record, self.region)?;
        }
        Ok(ResultId::from_key(system, values[..self.parts.len()].iter().map(AsRef::as_ref)))
    }
}

impl KeyPart {
    fn compile(name: &str, settings: &SourceSettings, mapping: &FieldMapping) -> Option<Self> {
        let id = |field, text: &Option<Text>| text.clone().map(|text| Self::Id { field, text });
        match name {
            "result" => id(Field::Result, &mapping.result),
            "course_id" => id(Field::CourseId, &mapping.course_id),
            "exam_id" => id(Field::ExamId, &mapping.exam_id),
            "attempt" => mapping.attempt.clone().map(Self::Attempt),
            "learner" => learner(settings).map(|Learner { names, kind }| Self::Learner {
                column: Column::new(Field::Learner, names),
                kind,
            }),
            _ => None,
        }
    }

    fn read<'a>(&'a self, record: &Record<'a>, region: Region) -> Result<Cow<'a, str>, MappingError> {
        match self {
            Self::Id { field, text } => {
                let id = text.read(record)?.ok_or_else(|| text.missing(*field))?;
                Ok(normalise_key_part(id))
            }
            Self::Learner { column, kind } => {
                let learner = column.read(record)?.ok_or_else(|| column.missing())?.text;
                Ok(match kind {
                    Some(kind) => normalise_identity(*kind, learner, region),
                    None => normalise_key_part(learner),
                })
            }
            Self::Attempt(column) => {
                let cell = column.read(record)?.ok_or_else(|| column.missing())?;
                Ok(Cow::Owned(whole_number(cell)?.to_string()))
            }
        }
    }
}
