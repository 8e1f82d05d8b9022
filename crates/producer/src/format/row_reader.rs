//! The one door to all formats: an iterator over the rows of a body.

use std::io::BufRead;

use super::{
    BodyError, Format, FormatSettings, Limits, Row, SettingsError,
    csv::CsvRows,
    json::JsonRows,
    ndjson::NdjsonRows,
    row::{NextRow, Stop},
    window::Window,
    xml::XmlRows,
};

/// Reads the rows of `input` one by one; nothing is read before the first is asked for.
///
/// What is held at any moment is bounded by the limits, whatever the length of the body.
///
/// # Errors
///
/// Settings that no body could be read with.
pub fn read_rows<R: BufRead>(format: Format, settings: &FormatSettings, limits: Limits, input: R) -> Result<RowReader<R>, SettingsError> {
    settings.check()?;
    let waiting = Waiting {
        window: Window::new(input),
        format,
        settings: settings.clone(),
        limits,
    };
    Ok(RowReader {
        state: State::Waiting(Box::new(waiting)),
        rows_read: 0,
    })
}

/// The rows of one body. After an error there are no more.
pub struct RowReader<R> {
    state: State<R>,
    rows_read: u64,
}

enum State<R> {
    Waiting(Box<Waiting<R>>),
    Json(Box<JsonRows<R>>),
    Ndjson(Box<NdjsonRows<R>>),
    Xml(Box<XmlRows<R>>),
    Csv(Box<CsvRows<R>>),
    Ended,
}

struct Waiting<R> {
    window: Window<R>,
    format: Format,
    settings: FormatSettings,
    limits: Limits,
}

impl<R: BufRead> Waiting<R> {
    fn open(mut self) -> Result<State<R>, Stop> {
        let (settings, limits) = (self.settings, self.limits);
        let stated = match self.format {
            // A first character outside of ASCII hides UTF-16 from sight, so CSV, where that is common, is never guessed.
            Format::Csv => Some(settings.csv_encoding.unwrap_or(super::Encoding::Utf8)),
            Format::Json | Format::Ndjson | Format::Xml => None,
        };
        self.window.detect_encoding(stated)?;
        Ok(match self.format {
            Format::Json => State::Json(Box::new(JsonRows::new(self.window, &settings, limits))),
            Format::Ndjson => State::Ndjson(Box::new(NdjsonRows::new(self.window, limits))),
            Format::Xml => State::Xml(Box::new(XmlRows::open(self.window, settings, limits)?)),
            Format::Csv => State::Csv(Box::new(CsvRows::open(self.window, settings, limits)?)),
        })
    }
}

impl<R: BufRead> RowReader<R> {
    fn next_row(&mut self) -> NextRow {
        match &mut self.state {
            State::Json(rows) => rows.next_row(),
            State::Ndjson(rows) => rows.next_row(),
            State::Xml(rows) => rows.next_row(),
            State::Csv(rows) => rows.next_row(),
            State::Ended => Ok(None),
            State::Waiting(_) => {
                if let State::Waiting(waiting) = std::mem::replace(&mut self.state, State::Ended) {
                    self.state = waiting.open()?;
                }
                self.next_row()
            }
        }
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        match &self.state {
            State::Json(rows) => rows.window().held_bytes(),
            State::Ndjson(rows) => rows.window().held_bytes(),
            State::Xml(rows) => rows.window().held_bytes(),
            State::Csv(rows) => rows.held_bytes(),
            State::Waiting(_) | State::Ended => 0,
        }
    }
}

impl<R: BufRead> Iterator for RowReader<R> {
    type Item = Result<Row, BodyError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_row();
        if !matches!(next, Ok(Some(_))) {
            self.state = State::Ended;
        }
        let row = match next {
            Ok(row) => row?,
            Err(stop) => return Some(Err(stop.after_rows(self.rows_read))),
        };
        self.rows_read += 1;
        Some(Ok(Row {
            number: self.rows_read,
            line: row.line,
            content: row.content,
        }))
    }
}

impl<R: BufRead> std::iter::FusedIterator for RowReader<R> {}
