//! JSON bodies: a row, an array of rows, or an array somewhere inside of an object.
//!
//! Each row is cut out of the body and read alone; the parser of what is around the rows sees a `null` in its place. So only one row is
//! held at a time, and the body is checked as a whole all the same.

use std::io::BufRead;

use json_event_parser::{JsonEvent, LowLevelJsonParser};

use super::{
    FormatSettings, Limits,
    json_object::{ObjectReader, Problem, plain_message, value_length},
    json_path::JsonPath,
    row::{NextRow, ReadRow, Stop},
    window::{Found, Window},
};

/// The rows of a JSON body.
pub(super) struct JsonRows<R> {
    window: Window<R>,
    envelope: LowLevelJsonParser,
    /// How many bytes the envelope's parser was given.
    envelope_bytes: u64,
    path: JsonPath,
    place: Place,
    found_rows: bool,
    objects: ObjectReader,
    max_row_bytes: usize,
}

/// What comes next in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Something of the envelope.
    Envelope,
    /// The colon before what holds the rows.
    Colon,
    /// The row, or the array of rows.
    Target,
    /// A row, a comma, or the end of the array.
    Rows,
    /// Nothing but white space.
    After,
}

impl<R: BufRead> JsonRows<R> {
    pub(super) fn new(window: Window<R>, settings: &FormatSettings, limits: Limits) -> Self {
        let path = JsonPath::new(settings.json_rows.as_deref());
        let mut envelope = LowLevelJsonParser::new();
        // The parser waits for three bytes to see whether they are a byte order mark; blanks save it the waiting.
        let blanks = b"   ";
        let _ = envelope.parse_next(blanks, false);
        Self {
            window,
            envelope,
            envelope_bytes: blanks.len() as u64,
            place: if path.is_body() { Place::Target } else { Place::Envelope },
            path,
            found_rows: false,
            objects: ObjectReader::new(limits),
            max_row_bytes: limits.max_row_bytes,
        }
    }

    pub(super) fn next_row(&mut self) -> NextRow {
        while let Some(byte) = self.window.skip_white_space()? {
            match (self.place, byte) {
                (Place::Envelope, _) => self.read_envelope(byte)?,
                (Place::Colon, _) => {
                    self.pass_byte(byte, b':')?;
                    self.place = Place::Target;
                }
                (Place::Target, b'[') => {
                    self.found_rows = true;
                    self.pass_byte(byte, b'[')?;
                    self.path.open_array();
                    self.place = Place::Rows;
                }
                (Place::Target, b'{') => {
                    self.found_rows = true;
                    let row = self.read_row()?;
                    self.leave_value();
                    return Ok(Some(row));
                }
                (Place::Target, _) => self.pass_null(byte)?,
                (Place::Rows, b',') => self.pass_byte(byte, b',')?,
                (Place::Rows, b']') => {
                    self.pass_byte(byte, b']')?;
                    self.path.close();
                    self.leave_value();
                }
                (Place::Rows, _) => return self.read_row().map(Some),
                (Place::After, _) => {
                    return Err(self.broken("text follows the end of the JSON value; objects one per line are NDJSON, not JSON"));
                }
            }
        }
        self.end()
    }

    fn end(&self) -> NextRow {
        match self.place {
            Place::After if self.found_rows => Ok(None),
            Place::After => Err(self.broken("nothing in the body is where json_rows says that the array of rows is")),
            Place::Target if self.path.is_body() => Err(self.broken("the body is empty; to send no rows, send []")),
            Place::Envelope | Place::Colon | Place::Target | Place::Rows => Err(self.broken("the body ends before its JSON does")),
        }
    }

    /// Where json_rows leads to a null there is no array, and so no row.
    fn pass_null(&mut self, byte: u8) -> Result<(), Stop> {
        if byte != b'n' || self.path.is_body() {
            return Err(self.broken("what should hold the rows is neither an object nor an array of objects"));
        }
        self.found_rows = true;
        self.place = Place::Envelope;
        self.read_envelope(byte)
    }

    fn leave_value(&mut self) {
        self.path.pass_value();
        self.place = if self.path.is_outside() { Place::After } else { Place::Envelope };
    }

    fn read_row(&mut self) -> Result<ReadRow, Stop> {
        self.tell_envelope(b"null")?;
        let bytes = self.find_value("the row")?;
        let start = self.window.position();
        let row = &self.window.bytes()[..bytes];
        let content = match self.objects.read(row) {
            Ok(fields) => Ok(fields),
            Err(Problem::Unreadable(problem)) => Err(self.window.unreadable(bytes, problem)),
            Err(Problem::NotJson { offset, message }) => return Err(Stop::broken(start.after(&row[..offset]), message)),
        };
        self.window.skip(bytes);
        Ok(ReadRow { line: start.line, content })
    }

    /// Reads the next token of what is around the rows.
    fn read_envelope(&mut self, byte: u8) -> Result<(), Stop> {
        let found_bytes = match byte {
            b',' | b':' => return self.pass_byte(byte, byte),
            b'{' | b'}' | b'[' | b']' => 1,
            _ => self.find_value("a text outside of the rows")?,
        };
        // The token alone: of one that is none, the parser would say other things with other bytes behind it, which only happen to be held.
        let token = &self.window.bytes()[..found_bytes];
        let result = self.envelope.parse_next(token, true);
        let event = match result.event {
            Some(Ok(event)) => event,
            None => return Err(self.broken("the body is no JSON here")),
            Some(Err(error)) => {
                let offset = error.location().start.offset.saturating_sub(self.envelope_bytes) as usize;
                let position = self.window.position().after(&token[..offset.min(token.len())]);
                return Err(Stop::broken(position, plain_message(&error)));
            }
        };
        self.place = follow(&mut self.path, &event);
        self.envelope_bytes += result.consumed_bytes as u64;
        self.window.skip(result.consumed_bytes);
        Ok(())
    }

    /// The length of the value that begins here, all of which is held then.
    fn find_value(&mut self, what: &str) -> Result<usize, Stop> {
        match self.window.find(self.max_row_bytes, value_length)? {
            Found::Bytes(bytes) => Ok(bytes),
            Found::Ended => Err(self.broken("the body ends before what begins here does")),
            Found::TooLarge => {
                let message = format!("{what} is larger than the {} bytes that it may have", self.max_row_bytes);
                Err(Stop::too_large(self.window.position(), message))
            }
        }
    }

    /// Passes one byte of the envelope, which must be `expected`.
    fn pass_byte(&mut self, byte: u8, expected: u8) -> Result<(), Stop> {
        if byte != expected {
            return Err(self.broken("the body is no JSON: a colon was expected"));
        }
        self.tell_envelope(&[byte])?;
        self.window.skip(1);
        Ok(())
    }

    /// Lets the envelope's parser see a whole token.
    fn tell_envelope(&mut self, token: &[u8]) -> Result<(), Stop> {
        self.envelope_bytes += token.len() as u64;
        match self.envelope.parse_next(token, false).event {
            Some(Err(error)) => Err(self.broken(plain_message(&error))),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    fn broken(&self, message: impl Into<String>) -> Stop {
        Stop::broken(self.window.position(), message)
    }

    #[cfg(test)]
    pub(super) const fn window(&self) -> &Window<R> {
        &self.window
    }
}

/// Takes a step in the envelope and says what comes next.
fn follow(path: &mut JsonPath, event: &JsonEvent<'_>) -> Place {
    match event {
        JsonEvent::StartObject => path.open_object(),
        JsonEvent::StartArray => path.open_array(),
        JsonEvent::EndObject | JsonEvent::EndArray => path.close(),
        JsonEvent::ObjectKey(name) if path.leads_to(name) => return Place::Colon,
        JsonEvent::ObjectKey(_) => return Place::Envelope,
        JsonEvent::String(_) | JsonEvent::Number(_) | JsonEvent::Boolean(_) | JsonEvent::Null | JsonEvent::Eof => path.pass_value(),
    }
    if path.is_outside() { Place::After } else { Place::Envelope }
}
