//! The encodings that bodies come in, and how their bytes become text without a single replaced character.

use std::borrow::Cow;

use super::utf16;

/// An encoding that bodies are read in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    Utf8,
    /// UTF-16, least significant byte first.
    Utf16Le,
    /// UTF-16, most significant byte first.
    Utf16Be,
    /// GB 18030, of which GBK and GB 2312 are parts.
    Gb18030,
}

/// The label names no encoding that is read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the encoding is not supported: use UTF-8, UTF-16, GB18030 or GBK")]
pub struct UnknownEncoding;

/// Byte order marks, longest first where one begins another.
const BYTE_ORDER_MARKS: [(&[u8], Encoding); 4] = [
    (&[0xEF, 0xBB, 0xBF], Encoding::Utf8),
    (&[0x84, 0x31, 0x95, 0x33], Encoding::Gb18030),
    (&[0xFF, 0xFE], Encoding::Utf16Le),
    (&[0xFE, 0xFF], Encoding::Utf16Be),
];

impl Encoding {
    /// The encoding of a label as settings, `charset` parameters and XML declarations have it. `utf-16` alone is little-endian.
    ///
    /// # Errors
    ///
    /// [`UnknownEncoding`] for any other label.
    pub fn from_label(label: &str) -> Result<Self, UnknownEncoding> {
        match label.trim().to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" | "us-ascii" | "ascii" => Ok(Self::Utf8),
            "utf-16" | "utf-16le" => Ok(Self::Utf16Le),
            "utf-16be" => Ok(Self::Utf16Be),
            "gb18030" | "gbk" | "gb2312" | "cp936" => Ok(Self::Gb18030),
            _ => Err(UnknownEncoding),
        }
    }

    /// The encoding that the `charset` parameter of a `Content-Type` names; `None` without one.
    ///
    /// # Errors
    ///
    /// [`UnknownEncoding`] where it names another one.
    pub fn from_content_type(content_type: &str) -> Result<Option<Self>, UnknownEncoding> {
        let named = |parameter: &str| {
            let (name, value) = parameter.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("charset")
                .then(|| value.trim().trim_matches('"').to_owned())
        };
        let label = content_type.split(';').skip(1).find_map(named);
        label.map(|label| Self::from_label(&label)).transpose()
    }

    /// The name for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
            Self::Gb18030 => "GB18030",
        }
    }

    /// The encoding that a byte order mark at the start tells, and how long the mark is.
    pub(super) fn from_mark(start: &[u8]) -> Option<(Self, usize)> {
        let marked = BYTE_ORDER_MARKS.iter().find(|(mark, _)| start.starts_with(mark));
        marked.map(|(mark, encoding)| (*encoding, mark.len()))
    }

    /// UTF-16 without a mark, told by the zero byte of a first character that is ASCII (RFC 4627 section 3, XML 1.0 appendix F).
    pub(super) fn from_zero_bytes(start: &[u8]) -> Option<Self> {
        match start {
            [1..=0x7F, 0, ..] => Some(Self::Utf16Le),
            [0, 1..=0x7F, ..] => Some(Self::Utf16Be),
            _ => None,
        }
    }

    /// The text of bytes in the window; `None` where they are none in this encoding. UTF-16 is UTF-8 in the window.
    pub(super) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 | Self::Utf16Le | Self::Utf16Be => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Gb18030 => encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes),
        }
    }

    /// Bytes in the window as they were sent.
    pub(super) fn restore(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Utf8 | Self::Gb18030 => bytes.to_vec(),
            Self::Utf16Le => utf16::restore(bytes, utf16::ByteOrder::Little),
            Self::Utf16Be => utf16::restore(bytes, utf16::ByteOrder::Big),
        }
    }
}

/// Whether the byte always is the character of that code and nothing else.
///
/// GB 18030-2022 section 5: second bytes are 0x40 to 0x7E and 0x80 to 0xFE, second and fourth bytes of four 0x30 to 0x39. So a comma, a
/// semicolon, a colon, a tab, a quote and line ends are safe; digits, letters, `|`, `^` and `~` are not.
pub(super) fn is_safe_delimiter(byte: u8, encoding: Encoding) -> bool {
    let means_something_else = matches!(byte, 0 | b'"' | b'\r' | b'\n' | 0x80..);
    let is_trailing_byte = encoding == Encoding::Gb18030 && matches!(byte, 0x30..=0x39 | 0x40..);
    !means_something_else && !is_trailing_byte
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_parameter_tells_the_encoding() {
        for (content_type, expected) in [
            ("text/csv", Ok(None)),
            ("text/csv; header=present; charset=\"GBK\"", Ok(Some(Encoding::Gb18030))),
            ("text/csv;Charset=utf-8", Ok(Some(Encoding::Utf8))),
            ("text/csv; charset=utf-16be", Ok(Some(Encoding::Utf16Be))),
            ("text/csv; charset=shift_jis", Err(UnknownEncoding)),
        ] {
            assert_eq!(Encoding::from_content_type(content_type), expected, "{content_type}");
        }
    }

    #[test]
    fn no_character_of_gb18030_contains_a_safe_delimiter() {
        let safe: Vec<u8> = (0..=u8::MAX).filter(|byte| is_safe_delimiter(*byte, Encoding::Gb18030)).collect();
        for character in ('\u{80}'..=char::MAX).step_by(7) {
            let text = character.to_string();
            let (bytes, _, unmappable) = encoding_rs::GB18030.encode(&text);
            assert!(unmappable || !bytes.iter().any(|byte| safe.contains(byte)), "{character:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_never_replaced() {
        assert_eq!(Encoding::Gb18030.decode(&[0xB7, 0xD6, 0xCA, 0xFD]).as_deref(), Some("分数"));
        assert_eq!(Encoding::Gb18030.decode(&[0xB7]), None);
        assert_eq!(Encoding::Utf8.decode(&[0xB7, 0xD6]), None);
    }
}
