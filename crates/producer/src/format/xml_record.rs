//! One XML element to fields: children by their local names, nested with dots, attributes as `@name`.

use quick_xml::{
    Error, Reader,
    errors::IllFormedError,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event, attributes::Attribute},
};
use scoresync_domain::Fields;

use super::{Limits, field_list::FieldList};

/// Name of the field that holds the text directly inside of a row.
const OWN_TEXT: &str = "#text";

/// Why an element gave no fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// Its structure is XML's, and it is no row that can be read. A sentence without values.
    Unreadable(String),
    /// It is no XML from this byte of its text on.
    NotXml { offset: usize, message: String },
}

/// Reads elements one after the other, keeping its room.
pub(super) struct RecordReader {
    limits: Limits,
    /// Dotted name of the element that is read.
    name: String,
    open: Vec<Element>,
    fields: FieldList,
}

/// An element inside of which the reader is.
struct Element {
    /// Length of its own dotted name.
    name_bytes: usize,
    text: String,
    has_children: bool,
    is_nil: bool,
}

impl RecordReader {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            name: String::new(),
            open: Vec::new(),
            fields: FieldList::new(limits),
        }
    }

    /// The fields of the one element that `text` is.
    pub(super) fn read(&mut self, text: &str) -> Result<Fields<'static>, Problem> {
        self.open.clear();
        self.fields.clear();
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        loop {
            let start_of_event = reader.buffer_position() as usize;
            let event = reader.read_event().map_err(|error| classify(&error, reader.error_position()))?;
            let not_xml = |message: &str| Problem::NotXml {
                offset: start_of_event,
                message: message.to_owned(),
            };
            match event {
                Event::Start(start) if start.name().as_ref().is_empty() => return Err(not_xml("an element has no name")),
                Event::Start(start) => self.enter(&start)?,
                Event::End(_) => self.leave()?,
                Event::Text(text) => self.append(&text.xml10_content()),
                Event::CData(text) => self.append(&text.xml10_content()),
                Event::GeneralRef(reference) => self.append(resolve(&reference)?.encode_utf8(&mut [0; 4])),
                Event::Comment(_) | Event::PI(_) | Event::Empty(_) => {}
                Event::Decl(_) | Event::DocType(_) => return Err(not_xml("a declaration stands inside of an element")),
                Event::Eof => return Ok(self.fields.take()),
            }
        }
    }

    fn enter(&mut self, start: &BytesStart<'_>) -> Result<(), Problem> {
        if self.open.len() >= self.limits.max_depth {
            let problem = format!("the row is nested deeper than {} levels", self.limits.max_depth);
            return Err(Problem::Unreadable(problem));
        }
        match self.open.last_mut() {
            None => self.name.clear(),
            Some(parent) => {
                parent.has_children = true;
                self.name.truncate(parent.name_bytes);
                self.begin_part();
                self.name.push_str(start.local_name().as_ref());
            }
        }
        let name_bytes = self.name.len();
        self.open.push(Element {
            name_bytes,
            text: String::new(),
            has_children: false,
            is_nil: false,
        });
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| unreadable("the attributes of an element cannot be read, or one occurs twice"))?;
            self.attribute(&attribute, name_bytes)?;
        }
        Ok(())
    }

    fn attribute(&mut self, attribute: &Attribute<'_>, name_bytes: usize) -> Result<(), Problem> {
        let (local_name, prefix) = attribute.key.decompose();
        let prefix = prefix.as_ref().map(AsRef::as_ref);
        let declares_namespace = prefix == Some("xmlns") || attribute.key.as_ref() == "xmlns";
        if declares_namespace {
            return Ok(());
        }
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|_| unreadable("an attribute refers to something that XML itself does not define"))?;
        let is_row = self.open.len() == 1;
        let says_nil = prefix.is_some() && local_name.as_ref() == "nil" && matches!(value.trim(), "true" | "1");
        if let Some(element) = self.open.last_mut().filter(|_| says_nil && !is_row) {
            element.is_nil = true;
            return Ok(());
        }
        self.begin_part();
        self.name.push('@');
        self.name.push_str(local_name.as_ref());
        self.push(Some(value.into_owned()))?;
        self.name.truncate(name_bytes);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Problem> {
        let Some(element) = self.open.pop() else { return Ok(()) };
        self.name.truncate(element.name_bytes);
        let is_row = self.open.is_empty();
        let is_blank = element.text.trim_ascii().is_empty();
        match element {
            Element {
                is_nil: true,
                text,
                has_children,
                ..
            } if has_children || !text.is_empty() => Err(unreadable("an element says that it is nil and has content")),
            Element { is_nil: true, .. } => self.push(None),
            Element { has_children: true, .. } if is_blank => Ok(()),
            _ if is_row && is_blank => Ok(()),
            Element { text, .. } => {
                if is_row {
                    self.name.push_str(OWN_TEXT);
                }
                self.push(Some(text))
            }
        }
    }

    fn append(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn push(&mut self, value: Option<String>) -> Result<(), Problem> {
        self.fields.push(&self.name, value).map_err(Problem::Unreadable)
    }

    /// Names below a row's children are nested with dots; the row itself has no name.
    fn begin_part(&mut self) {
        if !self.name.is_empty() {
            self.name.push('.');
        }
    }
}

fn unreadable(problem: &str) -> Problem {
    Problem::Unreadable(problem.to_owned())
}

/// Numeric references and the five that XML 1.0 section 4.6 predefines. No others exist without a DTD.
fn resolve(reference: &BytesRef<'_>) -> Result<char, Problem> {
    let unknown = || unreadable("the row refers to something that XML itself does not define (&name;)");
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character),
        Ok(None) => resolve_predefined_entity(reference)
            .and_then(|text| text.chars().next())
            .ok_or_else(unknown),
        Err(_) => Err(unknown()),
    }
}

/// Where only a reference, an attribute or a character is wrong, the rows after it can be told all the same.
fn classify(error: &Error, offset: u64) -> Problem {
    let message = match error {
        Error::IllFormed(IllFormedError::UnclosedReference) => {
            return unreadable("the row has an & that begins no reference; write &amp;");
        }
        Error::IllFormed(
            IllFormedError::MismatchedEndTag { .. } | IllFormedError::UnmatchedEndTag(_) | IllFormedError::MissingEndTag(_),
        ) => "an end tag has another name than the start tag that it should close",
        Error::IllFormed(
            IllFormedError::MissingDeclVersion(_)
            | IllFormedError::UnknownVersion
            | IllFormedError::MissingDoctypeName
            | IllFormedError::DoubleHyphenInComment,
        )
        | Error::Syntax(_)
        | Error::Io(_) => "the body is no XML here",
        Error::InvalidAttr(_) | Error::Encoding(_) | Error::Escape(_) | Error::Namespace(_) => {
            return unreadable("a text or an attribute of the row cannot be read");
        }
    };
    Problem::NotXml {
        offset: offset as usize,
        message: message.to_owned(),
    }
}
