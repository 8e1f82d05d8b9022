//! How a source's files and messages are written, checked as far as it can be without reading any.

use super::{FormatSettings, problem::Problems};

/// How a source's files and messages are written; `None` is the producer's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format {
    /// Name of the XML element that is one record.
    pub xml_element: Option<String>,
    /// The byte between two cells of a CSV file.
    pub csv_delimiter: Option<u8>,
    /// Label of the encoding of CSV files; whether it exists is the producer's to say.
    pub csv_encoding: Option<String>,
    /// Names of the columns of CSV files that have no header line.
    pub csv_columns: Option<Vec<String>>,
    /// Names of the nested members that lead to the records of a JSON document, outermost first.
    pub json_rows: Option<Vec<String>>,
}

impl Format {
    pub(super) fn compile(settings: &FormatSettings, problems: &mut Problems) -> Self {
        for (setting, text) in [("xml_element", &settings.xml_element), ("csv_encoding", &settings.csv_encoding)] {
            if text
                .as_ref()
                .is_some_and(|text| text.is_empty() || text.contains(char::is_whitespace))
            {
                problems.add(
                    format_args!("format.{setting}"),
                    "is a name without spaces; leave it out for the default",
                );
            }
        }
        if let Some(columns) = &settings.csv_columns {
            check_columns(columns, problems);
        }
        let json_rows: Option<Vec<String>> = settings.json_rows.as_ref().map(|path| path.split('.').map(str::to_owned).collect());
        if json_rows.as_ref().is_some_and(|path| path.iter().any(String::is_empty)) {
            problems.add("format.json_rows", "is a path of names with dots between, such as data.items");
        }
        Self {
            xml_element: settings.xml_element.clone(),
            csv_delimiter: settings.csv_delimiter.as_ref().and_then(|text| delimiter(text, problems)),
            csv_encoding: settings.csv_encoding.clone(),
            csv_columns: settings.csv_columns.clone(),
            json_rows,
        }
    }
}

fn delimiter(text: &str, problems: &mut Problems) -> Option<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Some(*byte),
        _ => {
            let explanation = "is one ASCII character, such as \";\" or \"\\t\", and neither a quotation mark nor the end of a line";
            problems.add("format.csv_delimiter", explanation);
            None
        }
    }
}

fn check_columns(columns: &[String], problems: &mut Problems) {
    if columns.is_empty() {
        problems.add("format.csv_columns", "names no column; leave it out where files have a header line");
    }
    for (place, name) in columns.iter().enumerate() {
        if name.trim().is_empty() {
            problems.add("format.csv_columns", format!("column {} has no name", place + 1));
        } else if columns[..place].contains(name) {
            problems.add("format.csv_columns", format!("names `{name}` twice"));
        }
    }
}
