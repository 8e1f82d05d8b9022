//! What can differ.

use std::fmt;

use scoresync_domain::{Origin, ResultId};
use serde::{Serialize, Serializer};

/// In which way list and archive differ about a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The list has it, the archive does not.
    Missing,
    /// The archive has it, the list does not.
    Extra,
    /// A score or another field differs, at one revision or where the source has none.
    Different,
    /// It stands in another employee's file than the list's row belongs to.
    DifferentPerson,
    /// One of both holds an older revision.
    StaleRevision,
    /// A report about it waits as a dead letter.
    Waiting,
    /// A report about it is on its way.
    InFlight,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Missing,
        Self::Extra,
        Self::Different,
        Self::DifferentPerson,
        Self::StaleRevision,
        Self::Waiting,
        Self::InFlight,
    ];

    /// Its name in documents, CSV files and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Different => "different",
            Self::DifferentPerson => "different_person",
            Self::StaleRevision => "stale_revision",
            Self::Waiting => "waiting",
            Self::InFlight => "in_flight",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A row of the list: the number of its file and its own, each as the reader counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RowPlace {
    /// Which of the files, from 0.
    pub file: u32,
    /// Which row of it, from 1.
    pub row: u64,
}

/// A field that differs. It holds what stands in files: for people who may read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldDifference {
    /// Its name.
    pub field: &'static str,
    /// What the list says.
    pub list: Option<String>,
    /// What the archive says.
    pub archive: Option<String>,
}

/// A result about which list and archive differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// In which way.
    pub class: Class,
    /// The result; where the row names none, the id that its bytes make.
    #[serde(serialize_with = "as_text")]
    pub result_id: ResultId,
    /// The row of the list that counts.
    pub row: Option<RowPlace>,
    /// Whose it is by the list, otherwise by the archive.
    pub employee_no: Option<String>,
    /// The course's id.
    pub course_id: Option<String>,
    /// Where the report first appeared that the archive's record comes from.
    #[serde(serialize_with = "as_optional_text")]
    pub origin: Option<Origin>,
    /// The fields that differ.
    pub fields: Vec<FieldDifference>,
    /// What is to be known of it, in a sentence.
    pub explanation: String,
    /// Whether a report with the list's row, sent through the pipeline, would bring the archive up to date.
    pub is_behind: bool,
}

impl Difference {
    /// Whether a backfill sends the list's row: what is missing, and of what the archive has an older revision.
    #[must_use]
    pub const fn is_backfilled(&self) -> bool {
        self.is_behind && matches!(self.class, Class::Missing | Class::StaleRevision)
    }
}

fn as_text<S: Serializer>(value: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn as_optional_text<S: Serializer>(value: &Option<impl fmt::Display>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
