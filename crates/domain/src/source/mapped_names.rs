//! Where each of our fields comes from, looked at alike for all fields: which names, or which constant, and what is wrong with them.

use super::{
    FieldSettings, FlagSettings, NameSettings, RevisionSettings, ScoreSettings, SourceSettings, StatusSettings, TextSettings, TimeSettings,
    one_or_many::{Constant, Names, Setting},
    problem::Problems,
};
use crate::field_mapping::{Field, MAX_VALUE_CHARS};

/// Names or a constant, as they are written.
#[derive(Clone, Copy)]
pub(super) struct Mapped<'a> {
    pub(super) names: Option<&'a [String]>,
    pub(super) constant: Option<&'a str>,
}

macro_rules! mapped_from {
    ($($table:ident),+ => $mapped:expr) => {
        $(impl<'a> From<&'a $table> for Mapped<'a> {
            fn from(table: &'a $table) -> Self {
                let mapped: fn(&'a $table) -> Self = $mapped;
                mapped(table)
            }
        })+
    };
}

mapped_from!(NameSettings, FlagSettings, TimeSettings, RevisionSettings, StatusSettings => |table| Mapped {
    names: Some(&table.from.0),
    constant: None,
});
mapped_from!(TextSettings, ScoreSettings => |table| Mapped {
    names: table.from.as_ref().map(|Names(names)| names.as_slice()),
    constant: table.constant.as_ref().map(|Constant(text)| text.as_str()),
});

fn table<'a, T>(setting: &'a Option<Setting<T>>) -> Option<Mapped<'a>>
where
    Mapped<'a>: From<&'a T>,
{
    setting.as_ref().map(|Setting(table)| Mapped::from(table))
}

impl FieldSettings {
    /// Where a field comes from; `None` where it is not mapped.
    pub(super) fn mapped(&self, field: Field) -> Option<Mapped<'_>> {
        match field {
            Field::Result => table(&self.result),
            Field::Learner => table(&self.learner),
            Field::EmployeeNo => table(&self.employee_no),
            Field::Phone => table(&self.phone),
            Field::Email => table(&self.email),
            Field::Account => table(&self.account),
            Field::EmployeeName => table(&self.employee_name),
            Field::CourseId => table(&self.course_id),
            Field::CourseTitle => table(&self.course_title),
            Field::ExamId => table(&self.exam_id),
            Field::ExamTitle => table(&self.exam_title),
            Field::Attempt => table(&self.attempt),
            Field::ExamScore => table(&self.exam_score),
            Field::MinScore => table(&self.min_score),
            Field::MaxScore => table(&self.max_score),
            Field::Grade => table(&self.grade),
            Field::Passed => table(&self.passed),
            Field::FinishTimestamp => table(&self.finish_timestamp),
            Field::Revision => table(&self.revision),
            Field::Status => table(&self.status),
        }
    }

    /// The names of a field; none where it is not mapped, or a constant.
    pub(super) fn names(&self, field: Field) -> &[String] {
        self.mapped(field).and_then(|mapped| mapped.names).unwrap_or_default()
    }

    pub(super) fn is_mapped(&self, field: Field) -> bool {
        self.mapped(field).is_some()
    }
}

impl SourceSettings {
    /// What a field of the source is read as; nothing where it is not mapped.
    pub fn read_as(&self, name: &str) -> impl Iterator<Item = Field> {
        let is_named = move |field: &Field| self.fields.names(*field).iter().any(|mapped| mapped == name);
        Field::ALL.iter().copied().filter(is_named)
    }
}

/// Checks names and constants of all fields.
pub(super) fn check(fields: &FieldSettings, problems: &mut Problems) {
    for (place, &field) in Field::ALL.iter().enumerate() {
        let Some(mapped) = fields.mapped(field) else { continue };
        for explanation in explain(field, mapped) {
            problems.add(format_args!("fields.{field}"), explanation);
        }
        for &other in &Field::ALL[..place] {
            if may_share(field) || may_share(other) {
                continue;
            }
            for name in fields.names(field).iter().filter(|name| fields.names(other).contains(name)) {
                problems.add(format_args!("fields.{field}"), format!("`{name}` is mapped to {other} already"));
            }
        }
    }
}

/// Fields that say something else of a cell that another field may read as well.
fn may_share(field: Field) -> bool {
    matches!(field, Field::Learner | Field::Passed | Field::Status | Field::Revision)
}

fn explain(field: Field, mapped: Mapped<'_>) -> Vec<String> {
    match (mapped.names, mapped.constant) {
        (Some(_), Some(_)) => vec!["has `from` and `constant`: leave out one of them".to_owned()],
        (None, None) => vec!["needs the source's names in `from`, or a `constant`".to_owned()],
        (Some(names), None) => explain_names(names),
        (None, Some(_)) if field == Field::ExamScore => vec!["a score cannot be the same for every record: use `from`".to_owned()],
        (None, Some(text)) if is_unusable(text) => {
            vec!["the constant is empty, longer than 1,000 characters, or has a NUL character or white space around it".to_owned()]
        }
        (None, Some(_)) => Vec::new(),
    }
}

fn explain_names(names: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    if names.is_empty() {
        problems.push("names no field of the source: give one name or several".to_owned());
    }
    for (place, name) in names.iter().enumerate() {
        if name.trim().is_empty() || name.contains('\0') {
            problems.push("a name of a field is empty or has a NUL character".to_owned());
        } else if names[..place].contains(name) {
            problems.push(format!("names `{name}` twice"));
        }
    }
    problems
}

pub(super) fn is_unusable(text: &str) -> bool {
    text.trim().is_empty() || text.trim() != text || text.contains('\0') || text.chars().count() > MAX_VALUE_CHARS
}
