//! One JSON object to fields: names nested with dots, values as they are written.

use std::fmt::Write;

use json_event_parser::{JsonEvent, JsonSyntaxError, SliceJsonParser};
use scoresync_domain::Fields;

use super::{Limits, field_list::FieldList};

/// Why a value gave no fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is JSON in its structure, and no row that can be read. A sentence without values.
    Unreadable(String),
    /// It is no JSON from this byte on.
    NotJson { offset: usize, message: String },
}

/// Reads objects one after the other, keeping its room.
pub(super) struct ObjectReader {
    limits: Limits,
    /// Dotted name of the value that is read.
    name: String,
    open: Vec<Container>,
    fields: FieldList,
}

/// An object or array inside of which the reader is.
struct Container {
    /// Length of its own name.
    name_bytes: usize,
    kind: Kind,
    is_empty: bool,
}

enum Kind {
    Object,
    Array { next: usize },
}

impl ObjectReader {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            name: String::new(),
            open: Vec::new(),
            fields: FieldList::new(limits),
        }
    }

    /// The fields of the one object that `bytes` are.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Result<Fields<'static>, Problem> {
        self.name.clear();
        self.open.clear();
        self.fields.clear();
        let mut parser = SliceJsonParser::new(bytes);
        loop {
            let event = parser.parse_next().map_err(|error| classify(bytes, &error))?;
            let is_first = self.open.is_empty();
            match event {
                JsonEvent::Eof => return Ok(self.fields.take()),
                JsonEvent::StartObject => self.enter(Kind::Object)?,
                _ if is_first => return Err(not_an_object(bytes, parser)),
                JsonEvent::StartArray => self.enter(Kind::Array { next: 0 })?,
                JsonEvent::EndObject => self.leave("{}")?,
                JsonEvent::EndArray => self.leave("[]")?,
                JsonEvent::ObjectKey(key) => self.name_by_key(&key),
                JsonEvent::String(text) => self.value(Some(text.into_owned()))?,
                JsonEvent::Number(digits) => self.value(Some(digits.into_owned()))?,
                JsonEvent::Boolean(flag) => self.value(Some(flag.to_string()))?,
                JsonEvent::Null => self.value(None)?,
            }
        }
    }

    fn enter(&mut self, kind: Kind) -> Result<(), Problem> {
        self.name_by_index();
        if self.open.len() >= self.limits.max_depth {
            let problem = format!("the row is nested deeper than {} levels", self.limits.max_depth);
            return Err(Problem::Unreadable(problem));
        }
        self.open.push(Container {
            name_bytes: self.name.len(),
            kind,
            is_empty: true,
        });
        Ok(())
    }

    fn leave(&mut self, empty: &str) -> Result<(), Problem> {
        let Some(container) = self.open.pop() else { return Ok(()) };
        self.name.truncate(container.name_bytes);
        let is_row = self.open.is_empty();
        if container.is_empty && !is_row {
            self.push(Some(empty.to_owned()))?;
        }
        Ok(())
    }

    fn value(&mut self, value: Option<String>) -> Result<(), Problem> {
        self.name_by_index();
        self.push(value)
    }

    fn push(&mut self, value: Option<String>) -> Result<(), Problem> {
        self.fields.push(&self.name, value).map_err(Problem::Unreadable)
    }

    fn name_by_key(&mut self, key: &str) {
        self.begin_name();
        self.name.push_str(key);
    }

    /// Inside of an array the next value's name is its number.
    fn name_by_index(&mut self) {
        let Some(Container {
            kind: Kind::Array { next },
            ..
        }) = self.open.last_mut()
        else {
            return;
        };
        let index = *next;
        *next += 1;
        self.begin_name();
        // Writing to a string cannot fail.
        let _ = write!(self.name, "{index}");
    }

    fn begin_name(&mut self) {
        let is_nested = self.open.len() > 1;
        if let Some(container) = self.open.last_mut() {
            container.is_empty = false;
            self.name.truncate(container.name_bytes);
        }
        if is_nested {
            self.name.push('.');
        }
    }
}

/// The rest must be JSON all the same.
fn not_an_object(bytes: &[u8], mut parser: SliceJsonParser<'_>) -> Problem {
    loop {
        match parser.parse_next() {
            Ok(JsonEvent::Eof) => return Problem::Unreadable("the row is no JSON object".to_owned()),
            Ok(_) => {}
            Err(error) => return classify(bytes, &error),
        }
    }
}

/// A row whose texts alone are at fault is unreadable and its neighbours are not; a row of another structure than JSON's is no row.
fn classify(bytes: &[u8], error: &JsonSyntaxError) -> Problem {
    let blanked = blank_texts(bytes);
    let mut parser = SliceJsonParser::new(&blanked);
    loop {
        match parser.parse_next() {
            Ok(JsonEvent::Eof) => return Problem::Unreadable(text_problem(error)),
            Ok(_) => {}
            Err(error) => {
                return Problem::NotJson {
                    offset: (error.location().start.offset as usize).min(bytes.len()),
                    message: plain_message(&error),
                };
            }
        }
    }
}

fn text_problem(error: &JsonSyntaxError) -> String {
    let what = if error.message().starts_with("Invalid UTF-8") {
        "bytes that are no UTF-8"
    } else {
        "what JSON does not allow in it (a raw control character, an unknown escape, or half of a surrogate pair)"
    };
    format!("a text of the row holds {what}")
}

/// A copy in which every character of every text is an `x`.
fn blank_texts(bytes: &[u8]) -> Vec<u8> {
    let mut blanked = bytes.to_vec();
    let mut at = 0;
    while let Some(quote) = memchr::memchr(b'"', &bytes[at..]) {
        let start = at + quote;
        at = text_end(bytes, start).unwrap_or(bytes.len());
        let inside = start + 1..at.saturating_sub(1).max(start + 1);
        if let Some(text) = blanked.get_mut(inside) {
            text.fill(b'x');
        }
    }
    blanked
}

/// What the parser says, unless it quotes the input.
pub(super) fn plain_message(error: &JsonSyntaxError) -> String {
    let message = error.message();
    if message.contains(['\'', '\\', ':']) {
        "the body is no JSON: something stands here that cannot".to_owned()
    } else {
        format!("the body is no JSON: {}", message.to_lowercase())
    }
}

/// How long the JSON value at the start of `bytes` is; `None` as long as its end is not there. Only brackets and quotes are looked at.
pub(super) fn value_length(bytes: &[u8], ended: bool) -> Option<usize> {
    match bytes.first()? {
        b'{' | b'[' => container_length(bytes),
        b'"' => text_end(bytes, 0),
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
            let end = bytes.iter().position(ends).or_else(|| ended.then_some(bytes.len()));
            end.map(|end| end.max(1))
        }
    }
}

fn container_length(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = text_end(bytes, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// The place after the quote that closes the text whose quote is at `start`.
fn text_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        let found = at + memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[found] == b'"' {
            return Some(found + 1);
        }
        at = found + 2;
    }
}
