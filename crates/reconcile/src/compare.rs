//! One result: what the list says of it beside what the archive has.

use std::cell::Cell;

use scoresync_archive::Successors;
use scoresync_domain::{
    ResultId, Timestamp,
    rule::{Statement, judge},
};

use crate::{
    difference::{Class, Difference, FieldDifference, RowPlace},
    item::{Archived, Item, Listed},
};

/// By what results are compared.
pub(crate) struct Comparer<'a> {
    /// Whose list it is.
    pub(crate) source: &'a str,
    /// Who took whose place.
    pub(crate) successors: &'a Successors,
    /// Of which moment the list is: what was received since, it cannot have.
    pub(crate) as_of: Timestamp,
    /// How many that was.
    pub(crate) received_since: Cell<u64>,
}

/// Everything about one result.
#[derive(Default)]
struct Known {
    listed: Vec<Listed>,
    unfit: Option<(RowPlace, String)>,
    is_unfit_in_scope: bool,
    archived: Option<Archived>,
    former: Vec<Statement>,
    is_waiting: bool,
    is_discarded: bool,
    is_refused: bool,
    is_in_flight: bool,
}

impl Known {
    fn of(items: Vec<Item>) -> Self {
        let mut known = Self::default();
        for item in items {
            match item {
                Item::Listed(listed) => known.listed.push(*listed),
                Item::Unfit {
                    file,
                    row,
                    why,
                    is_in_scope,
                } => {
                    known.unfit = Some((RowPlace { file, row }, why));
                    known.is_unfit_in_scope |= is_in_scope;
                }
                Item::Archived(archived) => known.archived = Some(*archived),
                Item::Former(stated) => known.former.push(*stated),
                Item::Waiting => known.is_waiting = true,
                Item::Discarded => known.is_discarded = true,
                Item::Refused => known.is_refused = true,
                Item::InFlight => known.is_in_flight = true,
            }
        }
        known
    }
}

impl Comparer<'_> {
    /// What differs about a result; `None` where both sides agree, or neither is in the scope.
    pub(crate) fn compare(&self, result_id: ResultId, items: Vec<Item>) -> Option<Difference> {
        let known = Known::of(items);
        let listed = self.current(&known.listed);
        let by_list = listed.map_or(known.is_unfit_in_scope, |listed| listed.is_in_scope);
        if !by_list && !known.archived.as_ref().is_some_and(|archived| archived.is_in_scope) {
            return None;
        }
        let mut difference = match (listed, &known.archived) {
            (Some(listed), Some(archived)) => self.differ(listed, archived, &known.former)?,
            (Some(listed), None) => missing(listed)?,
            // What cannot be mapped says nothing that could be compared.
            (None, archived) => match (&known.unfit, archived) {
                (Some((place, why)), archived) => unfit((*place, why), archived.as_ref()),
                (None, Some(archived)) => self.extra(archived)?,
                (None, None) => return None,
            },
        };
        difference.result_id = result_id;
        if known.is_in_flight {
            difference.class = Class::InFlight;
            difference.explanation = format!("a report about it is on its way; until then: {}", difference.explanation);
        } else if known.is_waiting {
            difference.class = Class::Waiting;
            difference.explanation = format!("a report about it waits as a dead letter: {}", difference.explanation);
        }
        difference.is_behind &= !known.is_in_flight && !known.is_waiting;
        // What a person closed as nothing, or the database did not take, would come to the same again.
        let is_closed = known.is_discarded && known.unfit.is_some() && listed.is_none();
        if is_closed {
            difference.explanation.push_str("; its letter was closed as nothing");
        } else if known.is_refused {
            difference.explanation.push_str("; the archive refused a report about it");
        }
        difference.is_behind &= !is_closed && !known.is_refused;
        Some(difference)
    }

    /// Of several rows the one that would stand in the file.
    fn current<'l>(&self, listed: &'l [Listed]) -> Option<&'l Listed> {
        if let [only] = listed {
            return Some(only);
        }
        let statement = |listed: &Listed| naming(&listed.stated, self.last(listed.view.employee_no.as_deref()));
        let statements: Vec<Statement> = listed.iter().map(statement).collect();
        judge(&statements).record.map(|number| &listed[number])
    }

    fn last(&self, employee_no: Option<&str>) -> Option<String> {
        employee_no.map(|number| self.successors.last(number).to_owned())
    }

    fn differ(&self, listed: &Listed, archived: &Archived, former: &[Statement]) -> Option<Difference> {
        let (list, archive) = (&listed.view, &archived.view);
        if list.is_withdrawn && archive.is_withdrawn {
            return None;
        }
        let mut fields = if list.is_withdrawn { Vec::new() } else { list.differences(archive) };
        if list.is_withdrawn {
            fields.push(field("status", Some("withdrawn"), Some("filed")));
        }
        let revisions = (list.revision_scheme == archive.revision_scheme).then_some((list.revision, archive.revision));
        let (is_newer, is_older) = match revisions {
            Some((Some(list), Some(archive))) => (list > archive, list < archive),
            Some(_) | None => (
                list.revision_scheme > archive.revision_scheme,
                list.revision_scheme < archive.revision_scheme,
            ),
        };
        let owners = [&list.employee_no, &archive.employee_no].map(|number| self.last(number.as_deref()));
        let is_of_another = owners[0].is_some() && owners[0] != owners[1];
        if fields.is_empty() && !is_newer && !is_of_another {
            return None;
        }
        let (class, explanation) = match (is_of_another, is_newer, is_older) {
            (true, _, _) => {
                fields.insert(0, field("employee_no", list.employee_no.as_deref(), archive.employee_no.as_deref()));
                (
                    Class::DifferentPerson,
                    "it stands in another employee's file than the list's row belongs to",
                )
            }
            (false, true, _) => (Class::StaleRevision, "the archive has an older revision than the list"),
            (false, false, true) => (Class::StaleRevision, "the list has an older revision than the archive"),
            (false, false, false) => (Class::Different, "fields differ"),
        };
        if is_newer || is_older {
            let text = |revision: Option<i64>| revision.map(|revision| revision.to_string());
            let (list, archive) = (text(list.revision), text(archive.revision));
            fields.push(field("revision", list.as_deref(), archive.as_deref()));
        }
        Some(Difference {
            class,
            row: Some(listed.place()),
            employee_no: list.employee_no.clone().or_else(|| archive.employee_no.clone()),
            course_id: list.course_id.clone().or_else(|| archive.course_id.clone()),
            origin: Some(archived.stated.origin),
            fields,
            explanation: explanation.to_owned(),
            is_behind: !is_of_another && wins(listed, archived, former),
            ..blank(class)
        })
    }

    /// Only what this source reported can be too much: others may share its system.
    fn extra(&self, archived: &Archived) -> Option<Difference> {
        let is_ours = archived.source.as_deref() == Some(self.source);
        if !is_ours || archived.view.is_withdrawn {
            return None;
        }
        if archived.received_ms >= self.as_of.as_millis() {
            self.received_since.set(self.received_since.get() + 1);
            return None;
        }
        Some(Difference {
            employee_no: archived.view.employee_no.clone(),
            course_id: archived.view.course_id.clone(),
            origin: Some(archived.stated.origin),
            explanation: "the list does not have it".to_owned(),
            ..blank(Class::Extra)
        })
    }
}

fn naming(stated: &Statement, employee_no: Option<String>) -> Statement {
    Statement {
        employee_no,
        ..stated.clone()
    }
}

/// Whether the row would be the record if it were reported now, by the archive's rule.
fn wins(listed: &Listed, archived: &Archived, former: &[Statement]) -> bool {
    let said = former.iter().chain([&archived.stated, &listed.stated]);
    let statements: Vec<Statement> = said.map(|stated| naming(stated, None)).collect();
    let of_list = statements.last().map(Statement::version);
    let record = judge(&statements).record.map(|number| statements[number].version());
    record.is_some() && record == of_list
}

/// A result that is withdrawn need not be in the archive.
fn missing(listed: &Listed) -> Option<Difference> {
    (!listed.view.is_withdrawn).then(|| Difference {
        row: Some(listed.place()),
        employee_no: listed.view.employee_no.clone(),
        course_id: listed.view.course_id.clone(),
        explanation: "the archive does not have it".to_owned(),
        is_behind: true,
        ..blank(Class::Missing)
    })
}

fn unfit((place, why): (RowPlace, &str), archived: Option<&Archived>) -> Difference {
    Difference {
        row: Some(place),
        employee_no: archived.and_then(|archived| archived.view.employee_no.clone()),
        course_id: archived.and_then(|archived| archived.view.course_id.clone()),
        origin: archived.map(|archived| archived.stated.origin),
        explanation: format!("the list's row cannot be filed: {why}"),
        is_behind: true,
        ..blank(if archived.is_some() { Class::Different } else { Class::Missing })
    }
}

fn field(field: &'static str, list: Option<&str>, archive: Option<&str>) -> FieldDifference {
    FieldDifference {
        field,
        list: list.map(str::to_owned),
        archive: archive.map(str::to_owned),
    }
}

fn blank(class: Class) -> Difference {
    Difference {
        class,
        result_id: ResultId::from_uuid(uuid::Uuid::nil()),
        row: None,
        employee_no: None,
        course_id: None,
        origin: None,
        fields: Vec::new(),
        explanation: String::new(),
        is_behind: false,
    }
}

#[cfg(test)]
mod tests;
