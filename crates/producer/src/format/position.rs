//! Where in a body something stands.

/// A place in a body; both numbers count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u64,
    /// In characters of UTF-8; in bytes for encodings that are not transcoded.
    pub(super) column: u64,
}

impl Position {
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// The place right after `bytes` that begin here.
    pub(super) fn after(self, bytes: &[u8]) -> Self {
        match memchr::memrchr(b'\n', bytes) {
            None => Self {
                column: self.column + count_characters(bytes),
                ..self
            },
            Some(last) => Self {
                line: self.line + memchr::memchr_iter(b'\n', bytes).count() as u64,
                column: 1 + count_characters(&bytes[last + 1..]),
            },
        }
    }
}

fn count_characters(bytes: &[u8]) -> u64 {
    let is_continuation = |byte: &&u8| **byte & 0xC0 == 0x80;
    (bytes.len() - bytes.iter().filter(is_continuation).count()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_lines_and_characters() {
        for (text, line, column) in [("", 1, 1), ("ab", 1, 3), ("分", 1, 2), ("a\n", 2, 1), ("a\r\n\n分数", 3, 3)] {
            assert_eq!(Position::START.after(text.as_bytes()), Position { line, column }, "{text:?}");
        }
    }
}
