//! One row of a file: what it says of its employee, and what it does not speak of at all.

use std::collections::{BTreeMap, BTreeSet};

use scoresync_domain::{Fields, Identity, IdentityKind, RosterEntry, Timestamp, check_employee_no};

use super::{
    columns::Column,
    moment::{self, DayMeans},
    settings::RosterRules,
};

/// What the rows of one employee say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) entry: RosterEntry,
    /// The columns that the rows have, filled or not. Of all others they say nothing.
    pub(super) spoken: BTreeSet<Column>,
}

/// A row that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadRow {
    /// Whose row it is, where that can be told.
    pub(super) employee_no: Option<String>,
    /// A sentence without values.
    pub(super) problem: String,
}

/// Reads a row.
pub(super) fn read(fields: &Fields<'_>, rules: &RosterRules) -> Result<Said, BadRow> {
    let cells = Cells::sort(fields, rules);
    let employee_no = cells.one(&Column::EmployeeNo);
    let known_number = employee_no.as_ref().ok().cloned().flatten();
    cells.said(employee_no, rules).map_err(|problem| BadRow {
        employee_no: known_number,
        problem,
    })
}

/// The filled cells of a row by what they hold; a column without a filled cell has an empty list.
struct Cells<'a>(BTreeMap<Column, Vec<&'a str>>);

impl<'a> Cells<'a> {
    fn sort(fields: &'a Fields<'_>, rules: &RosterRules) -> Self {
        let mut cells: BTreeMap<Column, Vec<&str>> = BTreeMap::new();
        for (name, value) in fields.iter() {
            if let Some(column) = rules.columns.find(name) {
                cells.entry(column).or_default().extend(value.and_then(filled));
            }
        }
        Self(cells)
    }

    fn said(&self, employee_no: Result<Option<String>, String>, rules: &RosterRules) -> Result<Said, String> {
        if self.0.values().flatten().any(|value| value.contains('\0')) {
            return Err("a cell has a NUL character, which no text has".to_owned());
        }
        let employee_no = employee_no?
            .ok_or("the row has no employee number: fill its cell (roster.fields.employee_no says what its column is called)")?;
        let replaced_by = self.one(&Column::ReplacedBy)?;
        for number in replaced_by.iter().chain([&employee_no]) {
            check_employee_no(number).map_err(|error| error.to_string())?;
        }
        if replaced_by.as_ref() == Some(&employee_no) {
            return Err("replaced_by is the row's own employee number: leave it empty".to_owned());
        }
        let valid_from = self.moment(&Column::ValidFrom, DayMeans::Start, rules)?;
        let entry = RosterEntry {
            employee_no,
            name: self.one(&Column::Name)?,
            department: self.one(&Column::Department)?,
            position: self.one(&Column::Position)?,
            identities: self.identities(valid_from),
            left_at: self.moment(&Column::LeftAt, DayMeans::End, rules)?,
            replaced_by,
        };
        let spoken = self.0.keys().cloned().collect();
        Ok(Said { entry, spoken })
    }

    /// The one value that all filled cells of a column agree on.
    fn one(&self, column: &Column) -> Result<Option<String>, String> {
        match self.0.get(column).map_or(&[][..], Vec::as_slice) {
            [] => Ok(None),
            [first, rest @ ..] if rest.iter().all(|other| other == first) => Ok(Some((*first).to_owned())),
            [_, ..] => Err(format!("the row has several columns for {column} that say different things")),
        }
    }

    fn moment(&self, column: &Column, day_means: DayMeans, rules: &RosterRules) -> Result<Option<Timestamp>, String> {
        let Some(text) = self.one(column)? else { return Ok(None) };
        moment::read(&text, day_means, rules.zone).map_err(|error| format!("{column} {error}"))
    }

    fn identities(&self, valid_from: Option<Timestamp>) -> Vec<Identity> {
        let mut identities = Vec::new();
        for (column, cells) in &self.0 {
            let (kind, system) = match column {
                Column::Phone => (IdentityKind::Phone, None),
                Column::Email => (IdentityKind::Email, None),
                Column::Account(system) => (IdentityKind::Account, Some(system)),
                Column::EmployeeNo
                | Column::Name
                | Column::Department
                | Column::Position
                | Column::LeftAt
                | Column::ReplacedBy
                | Column::ValidFrom => continue,
            };
            let values = cells.iter().flat_map(|cell| cell.split([';', '；']).filter_map(filled));
            for value in values {
                let identity = Identity {
                    kind,
                    system: system.cloned(),
                    value: value.to_owned(),
                    valid_from,
                    valid_to: None,
                };
                if !identities.contains(&identity) {
                    identities.push(identity);
                }
            }
        }
        identities
    }
}

/// What a cell says; nothing, a dash and an empty list say nothing.
fn filled(cell: &str) -> Option<&str> {
    let text = cell.trim();
    (!matches!(text, "" | "-" | "[]" | "{}")).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::fixtures::{at, rules};

    fn read_row(row: &[(&str, &str)]) -> Result<Said, BadRow> {
        let mut fields = Fields::default();
        for (name, value) in row {
            fields.push(*name, Some(*value));
        }
        read(&fields, &rules())
    }

    fn check_problem(row: &[(&str, &str)], employee_no: Option<&str>, problem: &str) {
        let bad = read_row(row).unwrap_err();
        assert_eq!(bad.employee_no.as_deref(), employee_no, "{row:?}");
        assert!(bad.problem.contains(problem), "{} instead of {problem}", bad.problem);
    }

    #[test]
    fn a_row_gives_an_entry_and_says_what_it_speaks_of() {
        let said = read_row(&[
            ("工号", " E1001 "),
            ("姓名", "韩梅梅"),
            ("岗位", "-"),
            ("手机号", "19900000001; 19900000002；"),
            ("手机号2", "19900000001"),
            ("account.lms", "han"),
            ("离职日期", "2026-11-22"),
            ("性别", "女"),
        ])
        .unwrap();
        let identity = |kind, system: Option<&str>, value: &str| Identity {
            kind,
            system: system.map(str::to_owned),
            value: value.to_owned(),
            valid_from: None,
            valid_to: None,
        };
        let expected = RosterEntry {
            employee_no: "E1001".to_owned(),
            name: Some("韩梅梅".to_owned()),
            department: None,
            position: None,
            identities: vec![
                identity(IdentityKind::Phone, None, "19900000001"),
                identity(IdentityKind::Phone, None, "19900000002"),
                identity(IdentityKind::Account, Some("lms"), "han"),
            ],
            left_at: Some(at("2026-11-22T16:00:00Z")),
            replaced_by: None,
        };
        assert_eq!(said.entry, expected);
        let spoken = [
            Column::EmployeeNo,
            Column::Name,
            Column::Position,
            Column::Phone,
            Column::Account("lms".to_owned()),
            Column::LeftAt,
        ];
        assert_eq!(said.spoken, BTreeSet::from(spoken));
    }

    #[test]
    fn the_start_of_a_row_is_that_of_its_identities() {
        let said = read_row(&[("工号", "E1"), ("邮箱", "e1@example.com"), ("生效日期", "2026-11-22")]).unwrap();
        assert_eq!(said.entry.identities[0].valid_from, Some(at("2026-11-21T16:00:00Z")));
    }

    #[test]
    fn a_row_that_cannot_be_used_says_why_without_a_value() {
        check_problem(&[("姓名", "李雷")], None, "no employee number");
        check_problem(&[("工号", "  "), ("姓名", "李雷")], None, "no employee number");
        check_problem(&[("工号", "E1"), ("离职日期", "下周")], Some("E1"), "left_at is no date");
        check_problem(&[("工号", "E1"), ("工号#2", "E2")], None, "several columns for employee_no");
        check_problem(
            &[("工号", "E1"), ("姓名", "李雷"), ("name", "韩梅梅")],
            Some("E1"),
            "several columns for name",
        );
        check_problem(&[("工号", "E1"), ("新工号", "E1")], Some("E1"), "replaced_by");
        check_problem(&[("工号", "E1"), ("姓名", "李\0雷")], Some("E1"), "NUL");
        let long = "7".repeat(201);
        check_problem(&[("工号", &long)], Some(&long), "more than 200 characters");
        check_problem(&[("工号", "E1"), ("新工号", &long)], Some("E1"), "more than 200 characters");
    }
}
