//! Where the markup of an XML document ends, without looking at what it says: enough to cut rows out of a stream of bytes.

use super::Encoding;

/// What stands between `<` and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    Comment,
    CharacterData,
    Instruction,
    Start,
    Empty,
    End,
    /// `<!DOCTYPE`, or anything else that begins with `<!`; only its first two bytes are measured.
    Declaration,
}

const CHARACTER_DATA: &[u8] = b"<![CDATA[";
const COMMENT: &[u8] = b"<!--";

impl Markup {
    /// The markup at the start of `bytes`, which is a `<`, and its length; `None` as long as its end is not there.
    pub(super) fn at_start(bytes: &[u8], encoding: Encoding) -> Option<(Self, usize)> {
        match bytes.get(1)? {
            b'!' => at_exclamation(bytes, encoding),
            b'?' => end_of(bytes, 2, b"?>").map(|end| (Self::Instruction, end)),
            b'/' => end_of(bytes, 2, b">").map(|end| (Self::End, end)),
            _ => {
                let end = tag_end(bytes)?;
                let markup = if bytes[..end].ends_with(b"/>") { Self::Empty } else { Self::Start };
                Some((markup, end))
            }
        }
    }
}

fn at_exclamation(bytes: &[u8], encoding: Encoding) -> Option<(Markup, usize)> {
    if bytes.starts_with(COMMENT) {
        return end_of(bytes, COMMENT.len(), b"-->").map(|end| (Markup::Comment, end));
    }
    if bytes.starts_with(CHARACTER_DATA) {
        return character_data_end(bytes, encoding).map(|end| (Markup::CharacterData, end));
    }
    let may_become_more = COMMENT.starts_with(bytes) || CHARACTER_DATA.starts_with(bytes);
    (!may_become_more).then_some((Markup::Declaration, 2))
}

fn end_of(bytes: &[u8], from: usize, end: &[u8]) -> Option<usize> {
    let found = memchr::memmem::find(bytes.get(from..)?, end)?;
    Some(from + found + end.len())
}

/// In GB 18030 a `]` may be the second byte of a character, so there the end is looked for character by character.
fn character_data_end(bytes: &[u8], encoding: Encoding) -> Option<usize> {
    let mut from = CHARACTER_DATA.len();
    if encoding != Encoding::Gb18030 {
        return end_of(bytes, from, b"]]>");
    }
    loop {
        match bytes.get(from..)? {
            [b']', b']', b'>', ..] => return Some(from + 3),
            [0x81..=0xFE, 0x40..=0x7E | 0x80..=0xFE, ..] => from += 2,
            [_, _, _, ..] => from += 1,
            _ => return None,
        }
    }
}

/// The place after the `>` of a tag; one inside of an attribute's value does not end it.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        let found = at + memchr::memchr3(b'>', b'"', b'\'', bytes.get(at..)?)?;
        let byte = bytes[found];
        if byte == b'>' {
            return Some(found + 1);
        }
        at = found + 1 + memchr::memchr(byte, &bytes[found + 1..])? + 1;
    }
}

/// How long the element is whose start tag begins `bytes`; `None` as long as its end is not there.
pub(super) fn element_length(bytes: &[u8], encoding: Encoding) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    loop {
        let (markup, length) = Markup::at_start(&bytes[at..], encoding)?;
        at += length;
        match markup {
            Markup::Start => depth += 1,
            Markup::End => depth = depth.saturating_sub(1),
            Markup::Empty | Markup::Comment | Markup::CharacterData | Markup::Instruction | Markup::Declaration => {}
        }
        if depth == 0 {
            return Some(at);
        }
        at += memchr::memchr(b'<', bytes.get(at..)?)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_ends_where_xml_ends_it() {
        for (text, expected) in [
            ("<a>x", Some((Markup::Start, 3))),
            ("<a b='>' c=\"/>\">x", Some((Markup::Start, 16))),
            ("<a b='>'/>x", Some((Markup::Empty, 10))),
            ("</a >x", Some((Markup::End, 5))),
            ("<!-- <a> - -->x", Some((Markup::Comment, 14))),
            ("<![CDATA[ ]] ]]>x", Some((Markup::CharacterData, 16))),
            ("<?a > ?>x", Some((Markup::Instruction, 8))),
            ("<!DOCTYPE a>", Some((Markup::Declaration, 2))),
            ("<", None),
            ("<!", None),
            ("<!-", None),
            ("<![CDA", None),
            ("<!--->", None),
            ("<a b='>", None),
        ] {
            assert_eq!(Markup::at_start(text.as_bytes(), Encoding::Utf8), expected, "{text}");
        }
    }

    #[test]
    fn a_bracket_inside_of_a_character_of_gb18030_ends_nothing() {
        let bytes = [CHARACTER_DATA, &[0x81, b']', b']', b'>', b']', b']', b'>']].concat();
        assert_eq!(
            Markup::at_start(&bytes, Encoding::Gb18030),
            Some((Markup::CharacterData, bytes.len()))
        );
    }

    #[test]
    fn an_element_ends_with_its_own_end_tag() {
        for (text, expected) in [
            ("<a/><b/>", Some(4)),
            ("<a><a></a><!--</a>--></a>x", Some(25)),
            ("<a><![CDATA[</a>]]></a>", Some(23)),
            ("<a><b/>", None),
            ("<a", None),
        ] {
            assert_eq!(element_length(text.as_bytes(), Encoding::Utf8), expected, "{text}");
        }
    }
}
