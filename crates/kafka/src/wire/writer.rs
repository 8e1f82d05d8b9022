//! Writes Avro's binary encoding piece by piece (Avro specification, "Binary Encoding").

use uuid::Uuid;

use super::datum::{DatumError, MAX_SEQUENCE_ITEMS};

/// Where a datum is written, behind what is there.
pub struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
}

impl<'b> Writer<'b> {
    pub(super) const fn new(buffer: &'b mut Vec<u8>) -> Self {
        Self { buffer }
    }

    pub(super) fn boolean(&mut self, value: bool) {
        self.buffer.push(u8::from(value));
    }

    pub(super) fn int(&mut self, number: i32) {
        self.long(i64::from(number));
    }

    pub(super) fn long(&mut self, number: i64) {
        let mut zigzag = ((number << 1) ^ (number >> 63)).cast_unsigned();
        while zigzag >= 0x80 {
            self.buffer.push((zigzag & 0x7f) as u8 | 0x80);
            zigzag >>= 7;
        }
        self.buffer.push(zigzag as u8);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        // No slice is longer than `isize::MAX`.
        self.long(bytes.len() as i64);
        self.fixed(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(super) fn uuid(&mut self, uuid: &Uuid) {
        self.text(uuid.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    }

    pub(super) fn fixed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// A union of null and something, null first.
    pub(super) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.long(i64::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// The entries of a map or the items of an array, in one block; no more than are read.
    pub(super) fn items<T>(&mut self, items: impl ExactSizeIterator<Item = T>, write: impl Fn(&mut Self, T)) -> Result<(), DatumError> {
        let count = items.len();
        if count > MAX_SEQUENCE_ITEMS {
            return Err(DatumError::Unwritable);
        }
        if count > 0 {
            self.long(count as i64);
            items.for_each(|item| write(self, item));
        }
        self.long(0);
        Ok(())
    }
}
