//! What would become of each row of score files, told while they are read: a file may be larger than the memory.

use std::{
    collections::BTreeMap,
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use scoresync_domain::ScoreReport;
use scoresync_service::Exit;
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    output::{Output, table, visible},
    score_files::ReadReport,
};

/// Rows of a table; its columns are as wide as these need.
const TABLE_ROWS: usize = 500;

/// What would become of a row.
pub(crate) struct Judged {
    /// The word under which it is counted.
    pub(crate) outcome: String,
    /// What is told of it.
    pub(crate) document: Value,
}

/// What there is to say when all is told.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Rows by outcome.
    pub(crate) counts: BTreeMap<String, u64>,
    /// Whether every file was read to its end.
    pub(crate) is_whole: bool,
}

/// Tells rows: tables and a last line for people, one document for machines.
pub(crate) struct RowListing<W> {
    output: Output,
    columns: &'static [&'static str],
    to: W,
    /// Cells that are not printed yet.
    table: Vec<Vec<String>>,
    /// Between the last document and the next.
    separator: &'static str,
    counts: BTreeMap<String, u64>,
    problems: Vec<(PathBuf, anyhow::Error)>,
}

impl<W: Write> RowListing<W> {
    /// Begins with nothing but what comes before the first row.
    pub(crate) fn begin(output: Output, columns: &'static [&'static str], mut to: W) -> io::Result<Self> {
        match output {
            Output::Human => {}
            Output::Json => write!(to, "{{\"rows\": [")?,
        }
        Ok(Self {
            output,
            columns,
            to,
            table: Vec::new(),
            separator: "\n",
            counts: BTreeMap::new(),
            problems: Vec::new(),
        })
    }

    /// Judges and tells the rows of a file. Errors are of telling alone: what cannot be read on is told at the end.
    pub(crate) fn read<'a>(
        &mut self,
        file: &Path,
        opened: anyhow::Result<impl Iterator<Item = ReadReport<'a>>>,
        mut judge: impl FnMut(u64, &ScoreReport<'a>) -> Judged,
    ) -> io::Result<()> {
        let reports = match opened {
            Ok(reports) => reports,
            Err(error) => {
                self.problems.push((file.to_owned(), error));
                return Ok(());
            }
        };
        for report in reports {
            match report {
                Ok((row, report)) => self.tell(judge(row, &report))?,
                Err(error) => self.problems.push((file.to_owned(), error.into())),
            }
        }
        Ok(())
    }

    fn tell(&mut self, judged: Judged) -> io::Result<()> {
        match self.output {
            Output::Human => {
                let cells = self.columns.iter().map(|column| cell(&judged.document[column]));
                self.table.push(cells.collect());
                if self.table.len() == TABLE_ROWS {
                    self.print_table()?;
                }
            }
            Output::Json => write!(self.to, "{}{}", self.separator, judged.document)?,
        }
        self.separator = ",\n";
        *self.counts.entry(judged.outcome).or_default() += 1;
        Ok(())
    }

    fn print_table(&mut self) -> io::Result<()> {
        if self.table.is_empty() {
            return Ok(());
        }
        self.table
            .insert(0, self.columns.iter().map(|column| (*column).to_owned()).collect());
        for line in table(&self.table) {
            writeln!(self.to, "{line}")?;
        }
        self.table.clear();
        writeln!(self.to)?;
        self.to.flush()
    }

    /// Tells how many rows had which outcome, after these words, and which files could not be read to their end.
    pub(crate) fn end(mut self, words: &str) -> io::Result<Listed> {
        match self.output {
            Output::Human => {
                self.print_table()?;
                let counts: Vec<String> = self.counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
                let counts = if counts.is_empty() {
                    "no rows".to_owned()
                } else {
                    counts.join(", ")
                };
                writeln!(self.to, "{words}{counts}")?;
                for (file, problem) in &self.problems {
                    let line = format!("not read to its end: {}: {problem:#}", file.display());
                    writeln!(self.to, "{}", visible(&line))?;
                }
            }
            Output::Json => {
                let problems = self
                    .problems
                    .iter()
                    .map(|(file, problem)| json!({ "file": file.display().to_string(), "problem": format!("{problem:#}") }));
                let (counts, problems) = (json!(self.counts), json!(problems.collect::<Vec<_>>()));
                writeln!(self.to, "\n],\n\"counts\": {counts},\n\"problems\": {problems}}}")?;
            }
        }
        self.to.flush()?;
        Ok(Listed {
            is_whole: self.problems.is_empty(),
            counts: self.counts,
        })
    }
}

/// The exit code of a listing. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn exit_of(listed: io::Result<Listed>, is_good: impl FnOnce(&Listed) -> bool) -> Result<Exit, Failure> {
    match listed {
        Ok(listed) if is_good(&listed) => Ok(Exit::Ok),
        Ok(_) => Ok(Exit::Failed),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Ok),
        Err(error) => Err(error.into()),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use scoresync_domain::{Sources, SourcesSettings};
    use scoresync_producer::{Format, Limits};

    use super::*;
    use crate::score_files::ScoreFiles;

    /// Lists these files and one that cannot be opened by the field `no`, and gives what was printed.
    fn list(output: Output, files: &[(&str, &str)]) -> (String, Listed) {
        let settings: SourcesSettings = serde_json::from_value(json!({ "academy": {
            "system": "academy",
            "mapping_version": 1,
            "repeat": "redelivery",
            "attempt": "none",
            "time_zone": "Asia/Shanghai",
            "employees_match": ["employee_no"],
            "key": ["learner", "course_id"],
            "fields": { "employee_no": "no", "course_id": "course", "exam_score": "score", "finish_timestamp": "at" },
        } }))
        .unwrap();
        let sources = Sources::compile(&settings).unwrap();
        let academy = ScoreFiles {
            source: sources.get("academy").unwrap(),
            format: None,
            limits: Limits::default(),
        };
        let mut printed = Vec::new();
        let mut listing = RowListing::begin(output, &["row", "no"], &mut printed).unwrap();
        let judge = |row, report: &ScoreReport<'_>| Judged {
            outcome: "seen".to_owned(),
            document: json!({ "row": row, "no": report.fields.get("no").flatten() }),
        };
        for (file, text) in files {
            let file = Path::new(file);
            let opened = academy.read(Format::of_file(file).unwrap(), text.as_bytes());
            listing.read(file, opened, judge).unwrap();
        }
        let missing = Path::new("there/is/no/such.csv");
        listing.read(missing, academy.open(missing), judge).unwrap();
        let listed = listing.end("in all ").unwrap();
        (String::from_utf8(printed).unwrap(), listed)
    }

    #[test]
    fn what_cannot_be_read_on_is_told_after_the_rows_before_it_and_keeps_no_file_from_being_read() {
        let contents = [("a.json", r#"[{"no": "E1"}, {"no": "E2"}, {"n"#), ("b.ndjson", "{\"no\": null}\n")];
        let (printed, listed) = list(Output::Human, &contents);
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines[..6], ["row  no", "1    E1", "2    E2", "1    -", "", "in all 3 seen"]);
        assert!(lines[6].starts_with("not read to its end: ") && lines[6].contains("a.json: cannot read the body on at line 1"));
        assert!(lines[7].contains("such.csv: cannot open it") && lines.len() == 8, "{printed}");
        assert!(!listed.is_whole && listed.counts["seen"] == 3);

        let (printed, listed) = list(Output::Json, &contents);
        let document: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(
            document["rows"],
            json!([{ "row": 1, "no": "E1" }, { "row": 2, "no": "E2" }, { "row": 1, "no": null }])
        );
        assert_eq!(
            (&document["counts"], document["problems"].as_array().unwrap().len()),
            (&json!({ "seen": 3 }), 2)
        );
        assert!(!listed.is_whole);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_whose_name_is_no_unicode_is_told_of_like_others() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
        let mut printed = Vec::new();
        let mut listing = RowListing::begin(Output::Json, &["row"], &mut printed).unwrap();
        let name = Path::new(OsStr::from_bytes(b"\xb3\xc9\xbc\xa8.csv"));
        let missing: anyhow::Result<std::iter::Empty<ReadReport<'_>>> = Err(anyhow::anyhow!("cannot open it"));
        listing.read(name, missing, |_, _| unreachable!("it has no rows")).unwrap();
        listing.end("").unwrap();
        let document: Value = serde_json::from_slice(&printed).unwrap();
        assert_eq!(document["problems"][0]["problem"], "cannot open it");
    }

    #[test]
    fn a_listing_without_rows_is_a_document_too() {
        let (printed, _) = list(Output::Json, &[("a.json", "[]")]);
        assert_eq!(serde_json::from_str::<Value>(&printed).unwrap()["rows"], json!([]));
    }

    #[test]
    fn rows_are_told_while_others_are_still_to_be_read_and_not_kept() {
        for output in [Output::Human, Output::Json] {
            let mut listing = RowListing::begin(output, &["row"], Vec::new()).unwrap();
            for row in 1..=10_000 {
                let judged = Judged {
                    outcome: "seen".to_owned(),
                    document: json!({ "row": row }),
                };
                listing.tell(judged).unwrap();
                assert!(listing.table.len() < TABLE_ROWS);
            }
            let told = String::from_utf8_lossy(&listing.to).matches("9500").count();
            assert_eq!(told, 1, "{output:?}");
        }
    }

    #[test]
    fn what_would_command_a_terminal_is_shown_instead() {
        let (printed, _) = list(Output::Human, &[("a.json", r#"{"no": "E1\u001b[2J\r\n\u009b31m分"}"#)]);
        assert!(printed.contains(r"1    E1\u{1b}[2J\r\n\u{9b}31m分"), "{printed}");
    }
}
