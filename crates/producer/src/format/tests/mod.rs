//! Reading as its users see it: bodies in, rows and errors out.

use std::io::{self, BufRead, BufReader, Read};

use super::{BodyError, Encoding, Format, FormatSettings, Limits, Row, read_rows};

mod chunks;
mod csv;
mod json;
mod ndjson;
mod properties;
mod streaming;
mod xml;

/// A format with its settings, ready to read bodies.
#[derive(Clone)]
struct Reading {
    format: Format,
    settings: FormatSettings,
    limits: Limits,
}

impl Reading {
    fn of(format: Format) -> Self {
        Self {
            format,
            settings: FormatSettings::default(),
            limits: Limits::default(),
        }
    }

    fn set(mut self, change: impl FnOnce(&mut FormatSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    fn limit(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.limits);
        self
    }

    fn rows(&self, input: impl BufRead) -> Vec<Result<Row, BodyError>> {
        read_rows(self.format, &self.settings, self.limits, input).unwrap().collect()
    }

    /// What reading gives, one text each: `name=value;other=∅` for a row, `!bytes` for an unreadable one, `X line:column` for the end.
    fn shown(&self, body: &[u8]) -> Vec<String> {
        self.rows(body).iter().map(show).collect()
    }

    /// Everything that reading gives, in full.
    fn in_full(&self, input: impl BufRead) -> Vec<String> {
        self.rows(input).iter().map(|row| format!("{row:?}")).collect()
    }

    /// Number and line of each row.
    fn places(&self, body: &str) -> Vec<(u64, u64)> {
        let place = |row: Result<Row, BodyError>| row.map(|row| (row.number, row.line));
        self.rows(body.as_bytes()).into_iter().map(|row| place(row).unwrap()).collect()
    }

    fn check(&self, body: impl AsRef<[u8]>, expected: &[&str]) {
        let body = body.as_ref();
        assert_eq!(self.shown(body), expected, "{}", String::from_utf8_lossy(body));
    }

    /// The sentence that goes with the last row or error of a body.
    fn sentence(&self, body: &[u8]) -> String {
        match self.rows(body).pop().expect("nothing was read") {
            Ok(row) => row.content.expect_err("the row could be read").problem,
            Err(error) => error.to_string(),
        }
    }
}

fn show(row: &Result<Row, BodyError>) -> String {
    match row {
        Ok(row) => match &row.content {
            Ok(fields) => {
                let show = |(name, value): (&str, Option<&str>)| format!("{name}={}", value.unwrap_or("∅"));
                fields.iter().map(show).collect::<Vec<_>>().join(";")
            }
            Err(unreadable) => format!("!{}", unreadable.bytes.escape_ascii()),
        },
        Err(BodyError::Broken(broken)) => format!("X {}:{}", broken.line, broken.column),
        Err(BodyError::Input { source, .. }) => format!("input: {source}"),
    }
}

/// Gives out a few bytes at a time, with an interruption now and then.
struct Drip<'a> {
    rest: &'a [u8],
    piece_bytes: usize,
    calls: usize,
}

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.calls += 1;
        if self.calls.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let piece_bytes = self.piece_bytes.min(buffer.len());
        (&mut self.rest).take(piece_bytes as u64).read(buffer)
    }
}

fn drip(body: &[u8], piece_bytes: usize) -> BufReader<Drip<'_>> {
    let drip = Drip {
        rest: body,
        piece_bytes,
        calls: 0,
    };
    BufReader::with_capacity(piece_bytes, drip)
}

/// A text as UTF-16LE, without a byte order mark.
fn utf16_le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn gb18030(text: &str) -> Vec<u8> {
    let (bytes, _, has_unmappable) = encoding_rs::GB18030.encode(text);
    assert!(!has_unmappable);
    bytes.into_owned()
}
