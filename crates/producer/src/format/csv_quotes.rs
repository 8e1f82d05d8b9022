//! Whether the quotes of one CSV row are as RFC 4180 section 2 has them; the parser itself forgives what would change a value.

/// How the quotes of a row are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Every cell that begins with a quote ends with one.
    Sound,
    /// A quote opened and the input ended before another closed it.
    Unclosed,
    /// Between a closing quote and the next delimiter there is something.
    TextAfter,
}

impl Quotes {
    /// Looks at the bytes of one row, without its line end.
    pub(super) fn of(row: &[u8], delimiter: u8) -> Self {
        if memchr::memchr(b'"', row).is_none() {
            return Self::Sound;
        }
        let mut rest = row;
        loop {
            let after_cell = match rest.strip_prefix(b"\"") {
                None => rest,
                Some(quoted) => match after_closing_quote(quoted) {
                    None => return Self::Unclosed,
                    Some(after) if after.first().is_some_and(|byte| *byte != delimiter) => return Self::TextAfter,
                    Some(after) => after,
                },
            };
            match memchr::memchr(delimiter, after_cell) {
                None => return Self::Sound,
                Some(end) => rest = &after_cell[end + 1..],
            }
        }
    }
}

fn after_closing_quote(quoted: &[u8]) -> Option<&[u8]> {
    let mut rest = quoted;
    loop {
        rest = &rest[memchr::memchr(b'"', rest)? + 1..];
        match rest.strip_prefix(b"\"") {
            Some(after_pair) => rest = after_pair,
            None => return Some(rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_sound_when_they_enclose_whole_cells() {
        for (row, expected) in [
            ("a,b", Quotes::Sound),
            ("\"a\",\"b\"", Quotes::Sound),
            ("\"a\"\"b\",\"\"", Quotes::Sound),
            ("5\" disk,b", Quotes::Sound),
            ("\"a,\nb\",c", Quotes::Sound),
            ("\"a\"b,c", Quotes::TextAfter),
            ("a,\"b\" ", Quotes::TextAfter),
            ("a,\"b", Quotes::Unclosed),
            ("a,\"", Quotes::Unclosed),
            ("\"a\"\"", Quotes::Unclosed),
        ] {
            assert_eq!(Quotes::of(row.as_bytes(), b','), expected, "{row}");
        }
    }
}
