//! XML bodies: an element that repeats is a row; what is around the rows is checked and goes by.
//!
//! Each row is cut out of the body and read alone, so that one row is held at a time.

use std::io::BufRead;

use quick_xml::{Reader, events::Event};

use super::{
    Encoding, FormatSettings, Limits,
    row::{NextRow, ReadRow, Stop},
    window::{Found, Window},
    xml_markup::{Markup, element_length},
    xml_record::{Problem, RecordReader},
};

/// The rows of an XML body.
pub(super) struct XmlRows<R> {
    window: Window<R>,
    row_name: RowName,
    /// Names, as written, of the elements around the rows that are open.
    open: Vec<Vec<u8>>,
    place: Place,
    has_rows: bool,
    has_other_elements: bool,
    records: RecordReader,
    limits: Limits,
}

/// Which elements are rows.
enum RowName {
    /// Those of this local name, wherever they are.
    Configured(String),
    /// The children of the root; their name is known from the first one on.
    ChildrenOfRoot(Option<String>),
}

/// The parts of a document, as XML 1.0 section 2.1 has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Prolog,
    Root,
    Epilog,
}

impl<R: BufRead> XmlRows<R> {
    pub(super) fn open(mut window: Window<R>, settings: FormatSettings, limits: Limits) -> Result<Self, Stop> {
        read_declaration(&mut window, limits)?;
        Ok(Self {
            window,
            row_name: settings.xml_element.map_or(RowName::ChildrenOfRoot(None), RowName::Configured),
            open: Vec::new(),
            place: Place::Prolog,
            has_rows: false,
            has_other_elements: false,
            records: RecordReader::new(limits),
            limits,
        })
    }

    pub(super) fn next_row(&mut self) -> NextRow {
        loop {
            match self.window.skip_white_space()? {
                None => return self.end(),
                Some(b'<') => {
                    if let Some(row) = self.read_markup()? {
                        return Ok(Some(row));
                    }
                }
                Some(_) => {
                    if let Some(row) = self.read_text()? {
                        return Ok(Some(row));
                    }
                }
            }
        }
    }

    fn end(&self) -> NextRow {
        match self.place {
            Place::Prolog => Err(self.broken("the body is empty: it has no root element")),
            Place::Root => Err(self.broken("the body ends before its root element does")),
            Place::Epilog if !self.has_rows && self.has_other_elements => {
                Err(self.broken("no element has the name that xml_element says rows have"))
            }
            Place::Epilog => Ok(None),
        }
    }

    fn read_markup(&mut self) -> NextRow {
        let encoding = self.window.encoding();
        let bytes = self.find(|bytes, _| Markup::at_start(bytes, encoding).map(|(_, length)| length))?;
        let Some((markup, _)) = Markup::at_start(self.window.bytes(), encoding) else {
            return Err(self.broken("the body is no XML here"));
        };
        match markup {
            Markup::Comment | Markup::Instruction => self.window.skip(bytes),
            Markup::Declaration => {
                return Err(self.broken(
                    "the body has a DTD: those are refused, as they can make a small body huge or reach for files; send it without",
                ));
            }
            Markup::CharacterData => return self.stray_text(bytes),
            Markup::End => self.close(bytes)?,
            Markup::Start | Markup::Empty => return self.read_element(bytes, markup),
        }
        Ok(None)
    }

    fn read_element(&mut self, tag_bytes: usize, markup: Markup) -> NextRow {
        if self.place == Place::Epilog {
            return Err(self.broken("a second element follows the root element"));
        }
        if self.is_row(tag_bytes)? {
            self.has_rows = true;
            return self.read_row().map(Some);
        }
        self.has_other_elements |= self.place == Place::Root;
        let name = self.check_tag(tag_bytes)?;
        self.place = Place::Root;
        if self.open.len() >= self.limits.max_depth {
            return Err(self.broken("the elements around the rows are nested too deep"));
        }
        self.open.push(name);
        self.window.skip(tag_bytes);
        if markup == Markup::Empty {
            self.leave();
        }
        Ok(None)
    }

    fn is_row(&mut self, tag_bytes: usize) -> Result<bool, Stop> {
        let tag = &self.window.bytes()[1..tag_bytes];
        let name = self.window.encoding().decode(tag_name(tag));
        let local_name = name.as_deref().map(|name| name.rsplit_once(':').map_or(name, |(_, local)| local));
        let is_child_of_root = self.open.len() == 1;
        match &mut self.row_name {
            RowName::Configured(expected) => Ok(local_name == Some(expected)),
            RowName::ChildrenOfRoot(_) if !is_child_of_root => Ok(false),
            RowName::ChildrenOfRoot(expected) => {
                let expected = expected.get_or_insert_with(|| local_name.unwrap_or_default().to_owned());
                if local_name == Some(expected) {
                    return Ok(true);
                }
                Err(self.broken("the children of the root element have different names: say in xml_element which of them is a row"))
            }
        }
    }

    fn read_row(&mut self) -> Result<ReadRow, Stop> {
        let encoding = self.window.encoding();
        let bytes = self.find(|bytes, _| element_length(bytes, encoding))?;
        let start = self.window.position();
        let content = match encoding.decode(&self.window.bytes()[..bytes]) {
            None => Err(format!("the row is no text in {}", encoding.as_str())),
            Some(text) => match self.records.read(&text) {
                Ok(fields) => Ok(fields),
                Err(Problem::Unreadable(problem)) => Err(problem),
                Err(Problem::NotXml { offset, message }) => {
                    let before = text.get(..offset).unwrap_or_default();
                    return Err(Stop::broken(start.after(before.as_bytes()), message));
                }
            },
        };
        let content = content.map_err(|problem| self.window.unreadable(bytes, problem));
        self.window.skip(bytes);
        if self.open.is_empty() {
            self.place = Place::Epilog;
        }
        Ok(ReadRow { line: start.line, content })
    }

    /// Text where only elements should be: between rows it is kept like a row, inside of what is skipped it is skipped.
    fn read_text(&mut self) -> NextRow {
        let until_markup = |bytes: &[u8], ended: bool| {
            let end = memchr::memchr(b'<', bytes).or_else(|| ended.then_some(bytes.len()));
            end.filter(|end| *end > 0)
        };
        match self.row_name {
            RowName::Configured(_) if self.place == Place::Root => {
                let held = self.window.bytes();
                let bytes = memchr::memchr(b'<', held).unwrap_or(held.len());
                self.window.skip(bytes);
                Ok(None)
            }
            RowName::Configured(_) | RowName::ChildrenOfRoot(_) => {
                let bytes = self.find(until_markup)?;
                self.stray_text(bytes)
            }
        }
    }

    fn stray_text(&mut self, bytes: usize) -> NextRow {
        match self.place {
            Place::Prolog => return Err(self.broken("the body is no XML: it does not begin with an element")),
            Place::Epilog => return Err(self.broken("text follows the root element")),
            Place::Root => {}
        }
        let line = self.window.position().line;
        let kept_bytes = self.window.bytes()[..bytes].trim_ascii_end().len();
        let unreadable = self.window.unreadable(kept_bytes, "this is text between the rows, not an element");
        self.window.skip(bytes);
        let is_skipped = matches!(self.row_name, RowName::Configured(_));
        Ok((!is_skipped).then_some(ReadRow {
            line,
            content: Err(unreadable),
        }))
    }

    /// The tag's name as written, when the tag is as XML wants it.
    fn check_tag(&self, tag_bytes: usize) -> Result<Vec<u8>, Stop> {
        let tag = &self.window.bytes()[..tag_bytes];
        let name = tag_name(&tag[1..]);
        let is_sound = self.window.encoding().decode(tag).is_some_and(|text| {
            matches!(Reader::from_str(&text).read_event(), Ok(Event::Start(start) | Event::Empty(start)) if start.attributes().all(|attribute| attribute.is_ok()))
        });
        if is_sound && !name.is_empty() {
            Ok(name.to_vec())
        } else {
            Err(self.broken("the tag is no XML"))
        }
    }

    fn close(&mut self, tag_bytes: usize) -> Result<(), Stop> {
        let closed = self.window.bytes()[2..tag_bytes - 1].trim_ascii_end();
        if self.open.last().is_none_or(|open| open != closed) {
            return Err(self.broken("the end tag has another name than the start tag that it should close"));
        }
        self.window.skip(tag_bytes);
        self.leave();
        Ok(())
    }

    fn leave(&mut self) {
        self.open.pop();
        if self.open.is_empty() {
            self.place = Place::Epilog;
        }
    }

    fn find(&mut self, length_of: impl Fn(&[u8], bool) -> Option<usize>) -> Result<usize, Stop> {
        match self.window.find(self.limits.max_row_bytes, length_of)? {
            Found::Bytes(bytes) => Ok(bytes),
            Found::Ended => Err(self.broken("the body ends before what begins here does")),
            Found::TooLarge => {
                let message = format!(
                    "what begins here is larger than the {} bytes that a row may have",
                    self.limits.max_row_bytes
                );
                Err(Stop::too_large(self.window.position(), message))
            }
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

/// The name at the start of a tag's inside.
fn tag_name(inside: &[u8]) -> &[u8] {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
    let end = inside.iter().position(ends).unwrap_or(inside.len());
    &inside[..end]
}

/// XML 1.0 section 2.8 and appendix F: without a byte order mark the declaration tells the encoding.
fn read_declaration<R: BufRead>(window: &mut Window<R>, limits: Limits) -> Result<(), Stop> {
    window.skip_white_space()?;
    window.fill_to(6)?;
    let is_declaration = window.bytes().starts_with(b"<?xml") && window.bytes().get(5).is_some_and(u8::is_ascii_whitespace);
    if !is_declaration {
        return Ok(());
    }
    let Found::Bytes(bytes) = window.find(limits.max_row_bytes, |bytes, _| {
        Markup::at_start(bytes, Encoding::Utf8).map(|(_, length)| length)
    })?
    else {
        return Err(Stop::broken(window.position(), "the XML declaration does not end"));
    };
    let text = String::from_utf8_lossy(&window.bytes()[..bytes]).into_owned();
    let declared = declared_encoding(&text).map_err(|message| Stop::broken(window.position(), message))?;
    if let Some(encoding) = declared {
        window.declare_encoding(encoding);
    }
    window.skip(bytes);
    Ok(())
}

fn declared_encoding(declaration: &str) -> Result<Option<Encoding>, String> {
    let Ok(Event::Decl(declaration)) = Reader::from_str(declaration).read_event() else {
        return Err("the XML declaration cannot be read".to_owned());
    };
    match declaration.encoding() {
        None => Ok(None),
        Some(Err(_)) => Err("the encoding in the XML declaration cannot be read".to_owned()),
        Some(Ok(label)) => Encoding::from_label(&label).map(Some).map_err(|error| error.to_string()),
    }
}
