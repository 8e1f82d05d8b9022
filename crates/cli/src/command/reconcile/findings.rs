//! What a comparison found, told as a table, a document and a CSV file.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use scoresync_domain::ResultId;
use scoresync_reconcile::{Class, Comparison, Difference, Extra, NotWithdrawable, RowPlace};
use serde_json::{Value, json};

use super::name;
use crate::output::table;

/// So many differences are told one by one; a CSV file has all of them.
const MOST_TOLD: usize = 1_000;
const CSV_COLUMNS: [&str; 10] = [
    "class",
    "result_id",
    "file",
    "row",
    "employee_no",
    "course_id",
    "field",
    "list",
    "archive",
    "explanation",
];

/// What a comparison found.
pub(super) struct Findings {
    pub(super) comparison: Comparison,
    /// Rows that bring the archive up to date, of what is missing or stale, and of what differs otherwise.
    pub(super) to_backfill: Vec<(RowPlace, ResultId)>,
    pub(super) to_correct: Vec<(RowPlace, ResultId)>,
    /// What the list does not have, as far as it may be withdrawn.
    pub(super) extras: Vec<Extra>,
    most_extras: u64,
    told: Vec<Difference>,
    csv: Option<csv::Writer<File>>,
}

/// What was done about it.
#[derive(Default)]
pub(super) struct Done {
    pub(super) sent: u64,
    pub(super) withdrawn: u64,
    pub(super) not_withdrawn: Vec<(Extra, NotWithdrawable)>,
}

impl Findings {
    /// Nothing yet; all of it goes to the CSV file, too.
    pub(super) fn begin(csv: Option<&Path>, most_extras: u64) -> anyhow::Result<Self> {
        let create = |path: &Path| csv::Writer::from_path(path).with_context(|| format!("cannot write {}", path.display()));
        let mut csv = csv.map(create).transpose()?;
        if let Some(csv) = &mut csv {
            csv.write_record(CSV_COLUMNS)?;
        }
        Ok(Self {
            comparison: Comparison::default(),
            to_backfill: Vec::new(),
            to_correct: Vec::new(),
            extras: Vec::new(),
            most_extras,
            told: Vec::new(),
            csv,
        })
    }

    pub(super) fn add(&mut self, difference: Difference) -> io::Result<()> {
        let row = difference.row.map(|place| (place, difference.result_id));
        if difference.is_backfilled() {
            self.to_backfill.extend(row);
        } else if difference.is_behind {
            self.to_correct.extend(row);
        }
        if let (Class::Extra, Some(origin)) = (difference.class, difference.origin)
            && (self.extras.len() as u64) < self.most_extras
        {
            self.extras.push(Extra {
                result_id: difference.result_id,
                origin,
            });
        }
        self.write_csv(&difference)?;
        if self.told.len() < MOST_TOLD {
            self.told.push(difference);
        }
        Ok(())
    }

    /// A line for each field that differs, and one where none does.
    fn write_csv(&mut self, difference: &Difference) -> io::Result<()> {
        let Some(csv) = &mut self.csv else { return Ok(()) };
        let result_id = difference.result_id.to_string();
        let [file, row] = difference
            .row
            .map_or_else(Default::default, |place| [(place.file + 1).to_string(), place.row.to_string()]);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut write = |[field, list, archive]: [&str; 3]| {
            let (employee_no, course_id) = (text(&difference.employee_no), text(&difference.course_id));
            csv.write_record([
                difference.class.as_str(),
                &result_id,
                &file,
                &row,
                &employee_no,
                &course_id,
                field,
                list,
                archive,
                &difference.explanation,
            ])
        };
        if difference.fields.is_empty() {
            write(["", "", ""])?;
        }
        for field in &difference.fields {
            write([field.field, &text(&field.list), &text(&field.archive)])?;
        }
        Ok(())
    }

    pub(super) fn end(mut self, comparison: Comparison) -> anyhow::Result<Self> {
        self.comparison = comparison;
        if let Some(csv) = &mut self.csv {
            csv.flush().context("cannot write the CSV file to its end")?;
        }
        Ok(self)
    }

    pub(super) fn document(&self, files: &[PathBuf], done: &Done) -> Value {
        let Comparison { listed, archived, .. } = self.comparison;
        let not_withdrawn = done
            .not_withdrawn
            .iter()
            .map(|(extra, reason)| json!({ "result_id": extra.result_id.to_string(), "reason": reason.to_string() }));
        json!({
            "agrees": self.comparison.agrees(),
            "files": files,
            "listed": listed,
            "unkeyed": self.comparison.unkeyed,
            "received_since": self.comparison.received_since,
            "archived": archived,
            "classes": self.counts().map(|(class, count)| (class.as_str().to_owned(), json!(count))).collect::<serde_json::Map<_, _>>(),
            "differences": self.told,
            "untold": self.comparison.differences() - self.told.len() as u64,
            "sent": done.sent,
            "withdrawn": done.withdrawn,
            "not_withdrawn": not_withdrawn.collect::<Vec<_>>(),
        })
    }

    pub(super) fn count(&self, class: Class) -> u64 {
        self.comparison.classes.get(&class).copied().unwrap_or(0)
    }

    fn counts(&self) -> impl Iterator<Item = (Class, u64)> {
        Class::ALL.into_iter().map(|class| (class, self.count(class)))
    }

    pub(super) fn lines(&self, files: &[PathBuf], done: &Done) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.told.is_empty() {
            let heading = ["class", "row", "employee", "course", "what"];
            let mut rows = vec![heading.map(str::to_owned).to_vec()];
            rows.extend(self.told.iter().flat_map(|difference| table_rows(files, difference)));
            lines.extend(table(&rows));
        }
        let untold = self.comparison.differences() - self.told.len() as u64;
        if untold > 0 {
            lines.push(format!("… and {untold} more; --csv FILE writes all of them"));
        }
        if done.sent + done.withdrawn > 0 {
            lines.push(format!("{} reports were sent, {} results withdrawn", done.sent, done.withdrawn));
        }
        let not_withdrawn = done.not_withdrawn.iter();
        lines.extend(not_withdrawn.map(|(extra, reason)| format!("result {} was not withdrawn: {reason}", extra.result_id)));
        let Comparison { listed, archived, .. } = self.comparison;
        if self.comparison.unkeyed > 0 {
            let unkeyed = self.comparison.unkeyed;
            lines.push(format!(
                "note: {unkeyed} rows do not say which result they are about; what is extra may be theirs"
            ));
        }
        if self.comparison.received_since > 0 {
            let since = self.comparison.received_since;
            lines.push(format!(
                "note: {since} results that the list does not have were received since it was made, and are none the worse (--as-of)"
            ));
        }
        let compared = format!("{listed} rows in the list, {archived} results in the archive");
        let counts: Vec<String> = self
            .counts()
            .filter(|(_, count)| *count > 0)
            .map(|(class, count)| format!("{count} {class}"))
            .collect();
        lines.push(if counts.is_empty() {
            format!("{compared}: they agree")
        } else {
            format!("{compared}: {}", counts.join(", "))
        });
        lines
    }
}

/// A row for each field that differs; where none does, what is to be known.
fn table_rows(files: &[PathBuf], difference: &Difference) -> Vec<Vec<String>> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let row = |what: String| {
        vec![
            difference.class.to_string(),
            difference.row.map(|place| name(files, place)).unwrap_or_default(),
            text(&difference.employee_no),
            text(&difference.course_id),
            what,
        ]
    };
    if difference.fields.is_empty() {
        return vec![row(difference.explanation.clone())];
    }
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    let fields = difference.fields.iter();
    fields
        .map(|field| {
            row(format!(
                "{}: {} in the list, {} in the archive",
                field.field,
                shown(&field.list),
                shown(&field.archive)
            ))
        })
        .collect()
}
