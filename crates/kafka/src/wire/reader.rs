//! Reads Avro's binary encoding piece by piece (Avro specification, "Binary Encoding"). A piece that is not whole is refused, and no count makes
//! anybody reserve more than what the bytes that are there could fill.

use uuid::Uuid;

use super::datum::MAX_SEQUENCE_ITEMS;

/// Seven bits each, for 64.
const MAX_VARINT_BYTES: usize = 10;
/// No map's entry and no record of ours is shorter.
const LEAST_ITEM_BYTES: usize = 2;

/// The bytes do not follow the schema.
#[derive(Debug)]
pub struct Malformed;

/// What is left of a datum.
pub struct Reader<'a> {
    rest: &'a [u8],
    /// An end of the datum that is known to be UTF-8 as a whole; empty where none is.
    known_text: &'a str,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(datum: &'a [u8]) -> Self {
        Self {
            rest: datum,
            known_text: "",
        }
    }

    pub(super) const fn bytes_left(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Malformed> {
        match self.fixed()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Malformed),
        }
    }

    pub(super) fn int(&mut self) -> Result<i32, Malformed> {
        i32::try_from(self.long()?).map_err(|_| Malformed)
    }

    pub(super) fn long(&mut self) -> Result<i64, Malformed> {
        let zigzag = self.varint()?;
        Ok((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        match self.rest {
            [only @ ..0x80, rest @ ..] => {
                self.rest = rest;
                Ok(u64::from(*only))
            }
            _ => self.varint_of_several_bytes(),
        }
    }

    fn varint_of_several_bytes(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for (position, byte) in self.rest.iter().take(MAX_VARINT_BYTES).enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * position);
            if *byte < 0x80 {
                let is_beyond_64_bits = position + 1 == MAX_VARINT_BYTES && *byte > 1;
                self.rest = &self.rest[position + 1..];
                return if is_beyond_64_bits { Err(Malformed) } else { Ok(number) };
            }
        }
        Err(Malformed)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.length()?;
        self.take(length)
    }

    /// Looks whether all that is left is UTF-8, before many texts are read of it: once over everything costs a fraction of what it costs text by
    /// text. What stands between short texts is ASCII; where anything is not UTF-8, each text is looked at by itself.
    pub(super) fn expect_texts(&mut self) {
        self.known_text = simdutf8::basic::from_utf8(self.rest).unwrap_or_default();
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = self.length()?;
        let start = self.known_text.len().checked_sub(self.rest.len());
        let bytes = self.take(length)?;
        match start {
            Some(start) => self.known_text.get(start..start + length).ok_or(Malformed),
            None => std::str::from_utf8(bytes).map_err(|_| Malformed),
        }
    }

    fn length(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.long()?).map_err(|_| Malformed)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn uuid(&mut self) -> Result<Uuid, Malformed> {
        Uuid::try_parse_ascii(self.bytes()?).map_err(|_| Malformed)
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// A union of null and something, null first.
    pub(super) fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Malformed>) -> Result<Option<T>, Malformed> {
        match self.varint()? {
            // The number of the branch is zig-zag, too: 2 is 1.
            0 => Ok(None),
            2 => read(self).map(Some),
            _ => Err(Malformed),
        }
    }

    /// The entries of a map or the items of an array, in as many blocks as there are.
    pub(super) fn items<T>(&mut self, read: impl Fn(&mut Self) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
        let mut items = Vec::new();
        loop {
            let count = self.items_in_block()?;
            if count == 0 {
                return Ok(items);
            }
            if count > MAX_SEQUENCE_ITEMS - items.len() {
                return Err(Malformed);
            }
            items.reserve(count.min(self.rest.len() / LEAST_ITEM_BYTES));
            for _ in 0..count {
                items.push(read(self)?);
            }
        }
    }

    fn items_in_block(&mut self) -> Result<usize, Malformed> {
        let count = self.long()?;
        if count < 0 {
            // The block's size in bytes, for those who pass over it.
            self.varint()?;
        }
        usize::try_from(count.unsigned_abs()).map_err(|_| Malformed)
    }
}
