//! Bodies in the four formats, as the door and the import read them.

use std::io::{BufRead, BufReader};

use scoresync_domain::{Fields, ScoreReport, Timestamp};
use scoresync_producer::{BodyError, Encoding, Format, FormatSettings, Limits, Row, read_rows};

use super::{Cost, Target, avro::check_report_travels, prefixes::strict_prefixes};

/// A body of JSON. No beginning of it, and nothing with bytes left over, is taken for the whole.
pub const JSON: Target = Target {
    name: "json",
    check: |body| check(body, &json()),
    costs: &[
        flat(|body| read(body, &json(), SMALL)),
        whole(|body| read(body, &json(), Limits::default())),
    ],
};
/// A body of NDJSON. Every line that is not blank is one row.
pub const NDJSON: Target = Target {
    name: "ndjson",
    check: |body| check(body, &ndjson()),
    costs: &[
        flat(|body| read(body, &ndjson(), SMALL)),
        whole(|body| read(body, &ndjson(), Limits::default())),
    ],
};
/// A body of XML. No beginning of it, and nothing with bytes left over, is taken for the whole.
pub const XML: Target = Target {
    name: "xml",
    check: |body| check(body, &xml()),
    costs: &[
        flat(|body| read(body, &xml(), SMALL)),
        whole(|body| read(body, &xml(), Limits::default())),
    ],
};
/// A body of CSV in several dialects.
pub const CSV: Target = Target {
    name: "csv",
    check: |body| check(body, &csv()),
    costs: &[
        flat(|body| read(body, &csv(), SMALL)),
        whole(|body| read(body, &csv(), Limits::default())),
    ],
};

/// With these, what is held does not depend on the body's length at all.
const SMALL: Limits = Limits {
    max_row_bytes: 1_024,
    max_fields: 20,
    max_depth: 4,
};

const fn flat(read: fn(&[u8])) -> Cost {
    Cost {
        read,
        multiple: 0,
        constant_bytes: 640 * 1_024,
    }
}

/// A field is 3 bytes at least and held as two texts. A name that holds nested values is repeated in each, up to twice the greatest row.
const fn whole(read: fn(&[u8])) -> Cost {
    Cost {
        read,
        multiple: 48,
        constant_bytes: 2 * 512 * 1_024,
    }
}

/// A way to read a body.
struct Reading {
    format: Format,
    settings: FormatSettings,
}

fn json() -> [Reading; 2] {
    let inside = FormatSettings {
        json_rows: Some("data.items".to_owned()),
        ..FormatSettings::default()
    };
    [FormatSettings::default(), inside].map(|settings| Reading {
        format: Format::Json,
        settings,
    })
}

fn ndjson() -> [Reading; 1] {
    [Reading {
        format: Format::Ndjson,
        settings: FormatSettings::default(),
    }]
}

fn xml() -> [Reading; 2] {
    let named = FormatSettings {
        xml_element: Some("record".to_owned()),
        ..FormatSettings::default()
    };
    [FormatSettings::default(), named].map(|settings| Reading {
        format: Format::Xml,
        settings,
    })
}

fn csv() -> [Reading; 3] {
    let without_heading = FormatSettings {
        csv_columns: Some(["a", "b"].map(str::to_owned).to_vec()),
        csv_delimiter: b';',
        ..FormatSettings::default()
    };
    let chinese = FormatSettings {
        csv_encoding: Some(Encoding::Gb18030),
        ..FormatSettings::default()
    };
    [FormatSettings::default(), without_heading, chinese].map(|settings| Reading {
        format: Format::Csv,
        settings,
    })
}

fn read(body: &[u8], readings: &[Reading], limits: Limits) {
    for reading in readings {
        reading.rows(body, limits).for_each(drop);
    }
}

/// What came of a body: its rows, and why reading ended before the end.
#[derive(Debug, PartialEq)]
struct Outcome {
    rows: Vec<Row>,
    error: Option<String>,
}

impl Reading {
    fn rows<R: BufRead>(&self, body: R, limits: Limits) -> impl Iterator<Item = Result<Row, BodyError>> {
        let rows = read_rows(self.format, &self.settings, limits, body);
        assert!(rows.is_ok(), "settings that are used here cannot be used");
        rows.into_iter().flatten()
    }

    fn outcome<R: BufRead>(&self, body: R, limits: Limits) -> Outcome {
        let (mut rows, mut error) = (Vec::new(), None);
        for row in self.rows(body, limits) {
            assert!(error.is_none(), "something follows an error");
            match row {
                Ok(row) => rows.push(row),
                Err(broken) => error = Some(format!("{broken:?}")),
            }
        }
        Outcome { rows, error }
    }
}

fn check(body: &[u8], readings: &[Reading]) -> bool {
    let mut is_read = false;
    for reading in readings {
        for limits in [SMALL, Limits::default()] {
            let outcome = reading.outcome(body, limits);
            check_pieces(body, reading, limits, &outcome);
            check_rows(&outcome, limits);
            is_read |= outcome.error.is_none() && outcome.rows.iter().any(|row| row.content.is_ok());
            match reading.format {
                Format::Json | Format::Xml if outcome.error.is_none() => check_ends(body, (reading, limits), &outcome),
                Format::Ndjson => check_lines(body, &outcome),
                Format::Json | Format::Xml | Format::Csv => {}
            }
        }
    }
    is_read
}

fn check_pieces(body: &[u8], reading: &Reading, limits: Limits, whole: &Outcome) {
    for piece_bytes in [1, 7] {
        let in_pieces = reading.outcome(BufReader::with_capacity(piece_bytes, body), limits);
        assert_eq!(&in_pieces, whole, "other rows in pieces of {piece_bytes}");
    }
}

fn check_rows(outcome: &Outcome, limits: Limits) {
    let mut line = 1;
    for (row, number) in outcome.rows.iter().zip(1..) {
        assert_eq!(row.number, number, "rows are not counted one by one");
        assert!(row.line >= line, "a row is on a line before the last one's");
        line = row.line;
        match &row.content {
            Ok(fields) => check_fields(fields, limits),
            Err(unreadable) => {
                assert!(unreadable.bytes.len() <= limits.max_row_bytes, "a row is larger than its limit");
                assert!(!unreadable.problem.is_empty(), "nothing is said of a row that cannot be read");
            }
        }
        check_report_travels(&report(row));
    }
}

fn check_fields(fields: &Fields<'_>, limits: Limits) {
    let held_bytes: usize = fields.iter().map(|(name, value)| name.len() + value.map_or(0, str::len)).sum();
    assert!(fields.len() <= limits.max_fields, "{} fields", fields.len());
    assert!(held_bytes <= 2 * limits.max_row_bytes, "{held_bytes} bytes of names and values");
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two fields have one name");
}

fn report(row: &Row) -> ScoreReport<'_> {
    let (fields, unparsed) = match &row.content {
        Ok(fields) => (fields.clone(), None),
        Err(unreadable) => (Fields::default(), Some(unreadable.bytes.as_slice().into())),
    };
    ScoreReport {
        source: "academy".into(),
        received_at: Timestamp::from_millis(0),
        content_type: "text/csv".into(),
        fields,
        unparsed,
    }
}

/// Of a document that was read to its end: no beginning of it gives fewer rows as if they were all, and nothing may stand behind it.
fn check_ends(body: &[u8], (reading, limits): (&Reading, Limits), whole: &Outcome) {
    for prefix in strict_prefixes(body) {
        let outcome = reading.outcome(prefix, limits);
        let is_all = outcome.rows == whole.rows;
        assert!(
            outcome.error.is_some() || is_all,
            "{} of {} bytes are taken for all",
            prefix.len(),
            body.len()
        );
    }
    // In UTF-16 it is half a character.
    let longer = reading.outcome(&*[body, b"x"].concat(), limits);
    assert!(longer.error.is_some(), "a letter is left over behind the document");
}

fn check_lines(body: &[u8], outcome: &Outcome) {
    let is_plain = std::str::from_utf8(body).is_ok_and(|text| !text.contains('\0') && !text.starts_with('\u{feff}'));
    if is_plain && outcome.error.is_none() {
        let lines = body.split(|byte| *byte == b'\n');
        let rows = lines.filter(|line| !line.trim_ascii().is_empty()).count();
        assert_eq!(outcome.rows.len(), rows, "lines and rows are not the same");
    }
}
