//! CSV bodies: a header row (or configured columns), then a row of as many cells per record.

use std::{
    borrow::Cow,
    io::{self, BufRead, Read},
};

use ::csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};
use scoresync_domain::Fields;

use super::{
    Encoding, FormatSettings, Limits,
    csv_quotes::Quotes,
    encoding::is_safe_delimiter,
    field_list::FieldList,
    position::Position,
    row::{NextRow, ReadRow, Stop},
    window::Window,
};

/// The rows of a CSV body.
pub(super) struct CsvRows<R> {
    reader: Reader<Recorder<R>>,
    record: ByteRecord,
    columns: Vec<String>,
    delimiter: u8,
    limits: Limits,
}

/// One record as the parser saw it: where it began, and how many bytes it is, with its line end or without.
#[derive(Clone, Copy)]
struct Extent {
    position: Position,
    bytes: usize,
    bytes_with_end: usize,
    quotes: Quotes,
}

impl<R: BufRead> CsvRows<R> {
    pub(super) fn open(mut window: Window<R>, settings: FormatSettings, limits: Limits) -> Result<Self, Stop> {
        let delimiter = read_separator_line(&mut window)?.unwrap_or(settings.csv_delimiter);
        let recorder = Recorder::new(window, limits.max_row_bytes);
        // Rows of another length are not the parser's business: they are rows, and they are kept.
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(recorder);
        let mut rows = Self {
            reader,
            record: ByteRecord::new(),
            columns: Vec::new(),
            delimiter,
            limits,
        };
        rows.columns = match settings.csv_columns {
            Some(columns) if columns.len() > limits.max_fields => return Err(Stop::broken(Position::START, too_many_columns(limits))),
            Some(columns) => {
                unique_names(columns.into_iter().map(Cow::Owned), limits).map_err(|message| Stop::broken(Position::START, message))?
            }
            None => rows.read_header()?,
        };
        Ok(rows)
    }

    pub(super) fn next_row(&mut self) -> NextRow {
        let Some(extent) = self.read_record()? else { return Ok(None) };
        let content = self
            .fields(extent.quotes)
            .map_err(|problem| self.reader.get_ref().window.unreadable(extent.bytes, problem));
        self.reader.get_mut().release(extent.bytes_with_end);
        Ok(Some(ReadRow {
            line: extent.position.line,
            content,
        }))
    }

    fn read_header(&mut self) -> Result<Vec<String>, Stop> {
        let Some(extent) = self.read_record()? else {
            let message = "the header row is missing: send one, or list the columns in csv_columns";
            return Err(Stop::broken(self.reader.get_ref().window.position(), message));
        };
        if let Err(problem) = quotes_problem(extent.quotes) {
            return Err(Stop::broken(extent.position, format!("the header row cannot be read: {problem}")));
        }
        // The names would take many times the bytes of a long row of delimiters.
        if self.record.len() > self.limits.max_fields {
            return Err(Stop::broken(extent.position, too_many_columns(self.limits)));
        }
        let encoding = self.encoding();
        let names: Option<Vec<_>> = self.record.iter().map(|cell| encoding.decode(cell)).collect();
        let Some(names) = names else {
            let message = format!(
                "the header row is no text in {}: state the encoding in csv_encoding",
                encoding.as_str()
            );
            return Err(Stop::broken(extent.position, message));
        };
        let columns = unique_names(names.into_iter(), self.limits).map_err(|message| Stop::broken(extent.position, message))?;
        self.reader.get_mut().release(extent.bytes_with_end);
        Ok(columns)
    }

    fn fields(&self, quotes: Quotes) -> Result<Fields<'static>, String> {
        quotes_problem(quotes)?;
        let (cells, columns) = (self.record.len(), self.columns.len());
        if cells != columns {
            return Err(format!("the row has {cells} cells where there are {columns} columns"));
        }
        let encoding = self.encoding();
        let (mut fields, mut bytes) = (Vec::with_capacity(columns), 0);
        for (column, cell) in self.columns.iter().zip(&self.record) {
            let Some(text) = encoding.decode(cell) else {
                let number = fields.len() + 1;
                return Err(format!("cell {number} of the row is no text in {}", encoding.as_str()));
            };
            bytes += column.len() + text.len();
            self.limits.check_field_bytes(bytes)?;
            fields.push((Cow::Owned(column.clone()), Some(Cow::Owned(text.into_owned()))));
        }
        Ok(Fields::from_unique(fields))
    }

    fn encoding(&self) -> Encoding {
        self.reader.get_ref().window.encoding()
    }

    /// Reads one record into `self.record` and leaves its bytes at the start of the window.
    fn read_record(&mut self) -> Result<Option<Extent>, Stop> {
        // Whether there was a record the bytes tell: none of them may be left over.
        let read = self.reader.read_byte_record(&mut self.record);
        let end = self.reader.position().byte();
        let recorder = self.reader.get_mut();
        // What ends a line is with the record after it: the second half of a CRLF, and blank lines.
        recorder.release(line_end_bytes(recorder.window.bytes()));
        let position = recorder.window.position();
        match read {
            Ok(_) => {}
            Err(_) if recorder.is_overrun => return Err(too_large(position, self.limits)),
            Err(error) => return Err(Stop::Input(into_io_error(error))),
        }
        let bytes_with_end = (end - recorder.released) as usize;
        if bytes_with_end == 0 {
            return Ok(None);
        }
        let raw = &recorder.window.bytes()[..bytes_with_end];
        let line = raw.strip_suffix(b"\n").or_else(|| raw.strip_suffix(b"\r")).unwrap_or(raw);
        let quotes = Quotes::of(line, self.delimiter);
        let bytes = if quotes == Quotes::Unclosed { raw.len() } else { line.len() };
        if bytes > self.limits.max_row_bytes {
            return Err(too_large(position, self.limits));
        }
        Ok(Some(Extent {
            position,
            bytes,
            bytes_with_end,
            quotes,
        }))
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.reader.get_ref().window.held_bytes() + self.record.as_slice().len()
    }
}

fn too_large(position: Position, limits: Limits) -> Stop {
    let message = format!(
        "the row that begins here is larger than {} bytes; is a quote in it never closed?",
        limits.max_row_bytes
    );
    Stop::too_large(position, message)
}

fn too_many_columns(limits: Limits) -> String {
    format!("there are more than {} columns", limits.max_fields)
}

fn quotes_problem(quotes: Quotes) -> Result<(), String> {
    match quotes {
        Quotes::Sound => Ok(()),
        Quotes::Unclosed => Err("a quote of the row is never closed".to_owned()),
        Quotes::TextAfter => Err("a cell of the row goes on after its closing quote".to_owned()),
    }
}

fn line_end_bytes(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

fn into_io_error(error: ::csv::Error) -> io::Error {
    if let ErrorKind::Io(error) = error.into_kind() {
        error
    } else {
        io::Error::other("the CSV parser stopped without saying why")
    }
}

/// Names without blanks and byte order marks around them; none is empty and none occurs twice.
fn unique_names<'a>(names: impl Iterator<Item = Cow<'a, str>>, limits: Limits) -> Result<Vec<String>, String> {
    let mut unique = FieldList::new(limits);
    for (index, name) in names.enumerate() {
        let trimmed = name.trim_matches(|character: char| character.is_whitespace() || character == '\u{FEFF}');
        let numbered = format!("column {}", index + 1);
        unique.push(if trimmed.is_empty() { &numbered } else { trimmed }, None)?;
    }
    Ok(unique.take().iter().map(|(name, _)| name.to_owned()).collect())
}

/// A first line `sep=;`, as Excel understands and writes it.
fn read_separator_line<R: BufRead>(window: &mut Window<R>) -> Result<Option<u8>, Stop> {
    let longest = b"sep=;\r\n".len();
    window.fill_to(longest)?;
    let line_bytes = match window.bytes() {
        [s, e, p, b'=', _, after @ ..] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => match after {
            [b'\r', b'\n', ..] => 7,
            [b'\r' | b'\n', ..] => 6,
            [] => 5,
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let delimiter = window.bytes()[4];
    if !is_safe_delimiter(delimiter, window.encoding()) {
        let message = "the first line names a delimiter that cannot be told from text: use a comma, a semicolon or a tab";
        return Err(Stop::broken(window.position(), message));
    }
    window.skip(line_bytes);
    Ok(Some(delimiter))
}

/// Hands the window's bytes to the CSV parser and keeps them until their record is done with.
struct Recorder<R> {
    window: Window<R>,
    /// How many of the window's bytes the parser has.
    given: usize,
    /// How many bytes left the window, counted from where the parser began.
    released: u64,
    max_row_bytes: usize,
    /// The parser asked for more of a record that is larger than it may be.
    is_overrun: bool,
}

impl<R: BufRead> Recorder<R> {
    const fn new(window: Window<R>, max_row_bytes: usize) -> Self {
        Self {
            window,
            given: 0,
            released: 0,
            max_row_bytes,
            is_overrun: false,
        }
    }

    fn release(&mut self, bytes: usize) {
        self.window.skip(bytes);
        self.given -= bytes;
        self.released += bytes as u64;
    }
}

impl<R: BufRead> Read for Recorder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.window.bytes().len() {
            // The parser asks only when it has used up what it has: after the line ends before it, all of that is one record.
            self.release(line_end_bytes(self.window.bytes()));
            let line_end_bytes = 1;
            if self.given > self.max_row_bytes + line_end_bytes {
                self.is_overrun = true;
                return Err(io::Error::other("the row is larger than it may be"));
            }
            let wanted = self.given + 1;
            self.window.fill_to(wanted)?;
        }
        let fresh = &self.window.bytes()[self.given..];
        let bytes = fresh.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&fresh[..bytes]);
        self.given += bytes;
        Ok(bytes)
    }
}
