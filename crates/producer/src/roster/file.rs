//! A file of employees: all of it is read and judged before anything is written.

use std::{
    collections::{HashMap, HashSet},
    io::{self, BufRead},
};

use scoresync_domain::{IdentityKind, RosterEntry, normalise_identity};

use super::{
    columns::Column,
    merge::merge,
    row::{self, BadRow, Said},
    settings::RosterRules,
    statement::Silence,
};
use crate::format::{BodyError, BrokenBody, Format, Limits, Row, SettingsError, read_rows};

/// What stands in a file: what it says of each employee, and what is wrong with it.
#[derive(Debug)]
pub struct RosterFile {
    entries: Vec<Said>,
    rows: u64,
    problems: Vec<RowProblem>,
    /// Employees whom a bad row names: of them the file says nothing that can be relied on.
    untold: HashSet<String>,
    /// Whether there is a bad row of which nobody can tell whose it is.
    has_unknown: bool,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RowProblem {
    /// Which row, from 1, the header not counted.
    pub row: u64,
    /// The line on which it begins, from 1.
    pub line: u64,
    /// A sentence without values.
    pub problem: String,
}

/// A file that cannot be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadRosterError {
    /// The settings do not fit any file.
    #[error("cannot read employees with these settings of [roster]")]
    Settings(#[from] SettingsError),
    /// The file is not what its format says. Nothing was written.
    #[error("cannot read the file of employees; nothing was written")]
    Broken(#[from] BrokenBody),
    /// The file cannot be read on.
    #[error("cannot read the file of employees; nothing was written")]
    Input(#[source] io::Error),
    /// No column holds employee numbers.
    #[error(
        "the file of employees has no column of employee numbers: name it in roster.fields.employee_no, and check roster.csv_delimiter and roster.csv_encoding"
    )]
    NoEmployeeNumbers,
}

/// What to do about rows that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRows {
    /// Write nothing while there is one.
    Refuse,
    /// Write what the others say. Employees whom a bad row names are left as they are; where there is one that names nobody, the others
    /// only add: it could be a further row of any of them.
    Skip,
}

/// Rows that cannot be used. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} of {rows} rows cannot be used (the first on line {}: {}); correct them, or skip them with --skip-bad-rows",
    .problems.len(), .problems.first().map_or(0, |first| first.line), .problems.first().map_or("", |first| &first.problem))]
pub struct RowsRefused {
    /// Every one of them.
    pub problems: Vec<RowProblem>,
    /// Rows of the file.
    pub rows: u64,
}

/// What a file says, ready to be imported.
#[derive(Debug)]
pub struct Statements {
    pub(super) entries: Vec<(RosterEntry, Silence)>,
    pub(super) untold: HashSet<String>,
    pub(super) has_unknown: bool,
    /// Rows that were passed over.
    pub(super) skipped: Vec<RowProblem>,
}

/// Reads a file of employees whole.
///
/// # Errors
/// See [`ReadRosterError`]; rows that cannot be used are no error here.
pub fn read_roster(format: Format, rules: &RosterRules, input: impl BufRead) -> Result<RosterFile, ReadRosterError> {
    let mut reading = Reading {
        rules,
        file: RosterFile {
            entries: Vec::new(),
            rows: 0,
            problems: Vec::new(),
            untold: HashSet::new(),
            has_unknown: false,
        },
        places: HashMap::new(),
    };
    for row in read_rows(format, &rules.format, Limits::default(), input)? {
        let row = row.map_err(ReadRosterError::from)?;
        if format == Format::Csv && row.number == 1 && !has_numbers(&row, rules) {
            return Err(ReadRosterError::NoEmployeeNumbers);
        }
        reading.take(row);
    }
    Ok(reading.file)
}

/// All rows of a table have the same columns; a row that cannot be read says nothing of them.
fn has_numbers(row: &Row, rules: &RosterRules) -> bool {
    let is_number = |name: &str| rules.columns.find(name) == Some(Column::EmployeeNo);
    row.content
        .as_ref()
        .is_ok_and(|fields| fields.iter().any(|(name, _)| is_number(name)))
        || row.content.is_err()
}

struct Reading<'a> {
    rules: &'a RosterRules,
    file: RosterFile,
    /// Which entry an employee number, normalised, has.
    places: HashMap<String, usize>,
}

impl Reading<'_> {
    fn take(&mut self, row: Row) {
        self.file.rows += 1;
        let (number, line) = (row.number, row.line);
        let taken = match row.content {
            Ok(fields) => row::read(&fields, self.rules).and_then(|said| self.add(said)),
            Err(unreadable) => Err(BadRow {
                employee_no: None,
                problem: unreadable.problem,
            }),
        };
        if let Err(BadRow { employee_no, problem }) = taken {
            self.file.problems.push(RowProblem {
                row: number,
                line,
                problem,
            });
            match employee_no {
                Some(employee_no) => drop(self.file.untold.insert(self.normal(&employee_no))),
                None => self.file.has_unknown = true,
            }
        }
    }

    fn add(&mut self, said: Said) -> Result<(), BadRow> {
        let normal = self.normal(&said.entry.employee_no);
        if let Some(place) = self.places.get(&normal) {
            return merge(&mut self.file.entries[*place], said).map_err(|problem| BadRow {
                employee_no: Some(normal),
                problem,
            });
        }
        self.places.insert(normal, self.file.entries.len());
        self.file.entries.push(said);
        Ok(())
    }

    fn normal(&self, employee_no: &str) -> String {
        normalise_identity(IdentityKind::EmployeeNo, employee_no, self.rules.region).into_owned()
    }
}

impl RosterFile {
    /// Rows that cannot be used, in their order.
    #[must_use]
    pub fn problems(&self) -> &[RowProblem] {
        &self.problems
    }

    /// How many employees the file speaks of.
    #[must_use]
    pub fn employees(&self) -> usize {
        self.entries.len()
    }

    /// The statements of the file, if its bad rows allow it.
    ///
    /// # Errors
    /// All bad rows, unless they are to be skipped.
    pub fn accept(self, bad_rows: BadRows, rules: &RosterRules) -> Result<Statements, RowsRefused> {
        match bad_rows {
            BadRows::Refuse if !self.problems.is_empty() => {
                return Err(RowsRefused {
                    problems: self.problems,
                    rows: self.rows,
                });
            }
            BadRows::Refuse | BadRows::Skip => {}
        }
        let is_told = |said: &Said| {
            let normal = normalise_identity(IdentityKind::EmployeeNo, &said.entry.employee_no, rules.region);
            !self.untold.contains(normal.as_ref())
        };
        let told = self.entries.into_iter().filter(is_told).map(|said| {
            let silence = Silence::about_all_but(said.spoken);
            (said.entry, if self.has_unknown { silence.about_what_is_empty() } else { silence })
        });
        Ok(Statements {
            entries: told.collect(),
            untold: self.untold,
            has_unknown: self.has_unknown,
            skipped: self.problems,
        })
    }
}

impl From<BodyError> for ReadRosterError {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Broken(broken) => Self::Broken(broken),
            BodyError::Input { source, .. } => Self::Input(source),
        }
    }
}

#[cfg(test)]
mod tests;
