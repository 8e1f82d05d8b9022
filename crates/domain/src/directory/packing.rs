//! Numbers, moments and texts as bytes, written and read in the same order. What is read was written here.

use crate::Timestamp;

/// Seven bits a byte, the lowest first, the highest bit where more follow (LEB128).
pub(super) fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// How many bytes [`put_number`] writes.
pub(super) const fn number_bytes(number: u64) -> usize {
    (number | 1).ilog2() as usize / 7 + 1
}

pub(super) fn put_moment(bytes: &mut Vec<u8>, moment: Timestamp) {
    bytes.extend_from_slice(&moment.as_millis().to_le_bytes());
}

pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// How many bytes a moment takes.
pub(super) const MOMENT_BYTES: usize = 8;

/// What is left to read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (read, rest) = self.0.split_at(count);
        self.0 = rest;
        read
    }

    #[inline]
    pub(super) fn byte(&mut self) -> u8 {
        self.bytes(1)[0]
    }

    #[inline]
    pub(super) fn number(&mut self) -> u64 {
        let first = self.byte();
        if first < 0x80 {
            return u64::from(first);
        }
        self.long_number(first)
    }

    fn long_number(&mut self, first: u8) -> u64 {
        let mut number = u64::from(first & 0x7f);
        for place in 1.. {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << (place * 7);
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    #[inline]
    pub(super) fn moment(&mut self) -> Timestamp {
        let mut millis = [0; MOMENT_BYTES];
        millis.copy_from_slice(self.bytes(MOMENT_BYTES));
        Timestamp::from_millis(i64::from_le_bytes(millis))
    }

    /// The bytes of a text.
    #[inline]
    pub(super) fn text(&mut self) -> &'a [u8] {
        let bytes = self.number() as usize;
        self.bytes(bytes)
    }
}

/// A text whose bytes were read.
#[expect(clippy::expect_used, reason = "only the bytes of texts are written, and read at the same places")]
pub(super) fn as_text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("what was written as a text is one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let numbers = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u64::from(u32::MAX), u64::MAX];
        for number in numbers {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            assert_eq!(bytes.len(), number_bytes(number), "{number}");
            put_moment(&mut bytes, Timestamp::from_millis(-5));
            put_text(&mut bytes, "李雷");
            let mut reader = Reader(&bytes);
            assert_eq!(reader.number(), number);
            assert_eq!(reader.moment(), Timestamp::from_millis(-5));
            assert_eq!(as_text(reader.text()), "李雷");
            assert!(reader.0.is_empty());
        }
    }
}
