//! What a replay would change, as it is printed.

use std::collections::BTreeMap;

use serde::Serialize;

/// Rows that are told one by one; the others are counted.
pub(crate) const MOST_TOLD: usize = 1_000;

/// What differs between the archive and what the present field mapping makes of a source's reports.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// The source.
    pub source: String,
    /// The version of its field mapping.
    pub mapping_version: i32,
    /// The least version with which everything that differs would count, where the present one is not enough.
    pub least_mapping_version: Option<i32>,
    /// What the source's reports come to.
    pub reports: Reports,
    /// Records of `scores.enriched` that say what differs.
    pub outputs: u64,
    /// Results of which anything is said otherwise.
    pub results: u64,
    /// Why reports that were filed can be filed no longer, and how many.
    pub reasons: BTreeMap<String, u64>,
    /// Results that would stand otherwise in a file, or be refused.
    pub rows: Rows,
    /// The first of them.
    pub told: Vec<Row>,
}

/// The source's reports of the time that was asked for, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reports {
    /// All of them.
    pub read: u64,
    /// They say what they said.
    pub same: u64,
    /// They say something else, or can be filed no longer, or by now.
    pub differ: u64,
    /// They were dead letters, and are.
    pub still_rejected: u64,
    /// A person discarded their letters: they stay as they are.
    pub discarded: u64,
    /// Their employee was erased: they stay as they are.
    pub erased: u64,
    /// No mapper is done with them yet.
    pub in_flight: u64,
}

/// How many rows there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// See [`RowKind::Changed`].
    pub changed: u64,
    /// See [`RowKind::NewlyFiled`].
    pub newly_filed: u64,
    /// See [`RowKind::Moved`].
    pub moved: u64,
    /// See [`RowKind::NoLongerFiled`].
    pub no_longer_filed: u64,
    /// See [`RowKind::Refused`].
    pub refused: u64,
}

/// What becomes of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// It stands in the same file, with something else in it.
    Changed,
    /// It stands in no file, and will.
    NewlyFiled,
    /// It comes into another file.
    Moved,
    /// It stands in a file, and will be withdrawn.
    NoLongerFiled,
    /// It stays as it is, as what is said of it now names another employee and nobody decided.
    Refused,
}

/// A result that would stand otherwise. Personal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The result.
    pub result_id: String,
    /// What becomes of it.
    pub kind: RowKind,
    /// In whose file it stands, or will.
    pub employee_no: Option<String>,
    /// Its course.
    pub course: Option<String>,
    /// Its exam.
    pub exam: Option<String>,
    /// Every field that differs.
    pub changes: Vec<Change>,
    /// Why it can be filed no longer.
    pub because: Option<String>,
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Our name of it.
    pub field: &'static str,
    /// What it holds.
    pub before: Option<String>,
    /// What it will hold.
    pub after: Option<String>,
}

impl Difference {
    /// Whether nothing differs.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.outputs == 0
    }

    pub(crate) fn add(&mut self, row: Row) {
        let counter = match row.kind {
            RowKind::Changed => &mut self.rows.changed,
            RowKind::NewlyFiled => &mut self.rows.newly_filed,
            RowKind::Moved => &mut self.rows.moved,
            RowKind::NoLongerFiled => &mut self.rows.no_longer_filed,
            RowKind::Refused => &mut self.rows.refused,
        };
        *counter += 1;
        if self.told.len() < MOST_TOLD {
            self.told.push(row);
        }
    }
}

impl Rows {
    /// All of them.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.changed + self.newly_filed + self.moved + self.no_longer_filed + self.refused
    }
}
