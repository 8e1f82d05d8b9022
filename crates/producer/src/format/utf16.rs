//! UTF-16 to UTF-8 in a stream, and back to exactly the bytes that were sent.
//!
//! What is no character is written as bytes that UTF-8 never has: a lone surrogate as its three bytes (WTF-8), an odd last byte as 0xFF
//! and its two halves. So the text around it can be read, it is noticed where it stands, and nothing of it is lost.

/// Which byte of a unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// Turns UTF-16 that arrives in pieces into UTF-8.
#[derive(Debug)]
pub(super) struct Transcoder {
    order: ByteOrder,
    odd: Option<u8>,
    high: Option<u16>,
}

impl Transcoder {
    pub(super) const fn new(order: ByteOrder) -> Self {
        Self {
            order,
            odd: None,
            high: None,
        }
    }

    /// Appends the text of `bytes` to `output`; what the piece cuts in two waits for the next one.
    pub(super) fn transcode(&mut self, bytes: &[u8], output: &mut Vec<u8>) {
        let mut rest = bytes;
        if let Some(first) = self.odd.take() {
            let Some((second, after)) = rest.split_first() else {
                self.odd = Some(first);
                return;
            };
            self.unit([first, *second], output);
            rest = after;
        }
        let (pairs, odd) = rest.as_chunks::<2>();
        for pair in pairs {
            self.unit(*pair, output);
        }
        self.odd = odd.first().copied();
    }

    /// Appends what waited for more that never came.
    pub(super) fn finish(&mut self, output: &mut Vec<u8>) {
        if let Some(high) = self.high.take() {
            push_surrogate(high, output);
        }
        if let Some(byte) = self.odd.take() {
            output.extend([0xFF, 0x80 | byte >> 4, 0x80 | byte & 0x0F]);
        }
    }

    fn unit(&mut self, pair: [u8; 2], output: &mut Vec<u8>) {
        let unit = match self.order {
            ByteOrder::Little => u16::from_le_bytes(pair),
            ByteOrder::Big => u16::from_be_bytes(pair),
        };
        if let Some(high) = self.high.take() {
            if let Some(Ok(character)) = char::decode_utf16([high, unit]).next() {
                push_character(character, output);
                return;
            }
            push_surrogate(high, output);
        }
        match char::from_u32(u32::from(unit)) {
            Some(character) => push_character(character, output),
            None if unit < 0xDC00 => self.high = Some(unit),
            None => push_surrogate(unit, output),
        }
    }
}

fn push_character(character: char, output: &mut Vec<u8>) {
    output.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

fn push_surrogate(unit: u16, output: &mut Vec<u8>) {
    let low_bits = |bits: u16| 0x80 | (bits & 0x3F) as u8;
    output.extend([0xE0 | (unit >> 12) as u8, low_bits(unit >> 6), low_bits(unit)]);
}

/// The UTF-16 that [`Transcoder`] made these bytes of.
pub(super) fn restore(transcoded: &[u8], order: ByteOrder) -> Vec<u8> {
    let mut original = Vec::with_capacity(transcoded.len() * 2);
    let mut rest = transcoded;
    while !rest.is_empty() {
        let valid_bytes = match std::str::from_utf8(rest) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let (valid, after) = rest.split_at(valid_bytes);
        for unit in std::str::from_utf8(valid).unwrap_or_default().encode_utf16() {
            push_unit(unit, order, &mut original);
        }
        rest = restore_invalid(after, order, &mut original);
    }
    original
}

/// Appends what three bytes that are no UTF-8 stand for, and returns the bytes after them.
fn restore_invalid<'a>(bytes: &'a [u8], order: ByteOrder, original: &mut Vec<u8>) -> &'a [u8] {
    match bytes {
        [0xFF, first, second, after @ ..] => {
            original.push(first << 4 | second & 0x0F);
            after
        }
        [lead, middle, last, after @ ..] => {
            let [lead, middle, last] = [lead & 0x0F, middle & 0x3F, last & 0x3F].map(u16::from);
            push_unit(lead << 12 | middle << 6 | last, order, original);
            after
        }
        cut => {
            original.extend_from_slice(cut);
            &[]
        }
    }
}

fn push_unit(unit: u16, order: ByteOrder, output: &mut Vec<u8>) {
    match order {
        ByteOrder::Little => output.extend(unit.to_le_bytes()),
        ByteOrder::Big => output.extend(unit.to_be_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn transcode(bytes: &[u8], order: ByteOrder, piece_bytes: usize) -> Vec<u8> {
        let (mut transcoder, mut output) = (Transcoder::new(order), Vec::new());
        for piece in bytes.chunks(piece_bytes) {
            transcoder.transcode(piece, &mut output);
        }
        transcoder.finish(&mut output);
        output
    }

    #[test]
    fn text_becomes_utf8() {
        let text = "分数,😀\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(transcode(&little, ByteOrder::Little, 1), text.as_bytes());
        assert_eq!(transcode(&big, ByteOrder::Big, 3), text.as_bytes());
    }

    #[test]
    fn a_lone_surrogate_is_never_text() {
        for units in [&[0xD800_u16][..], &[0xDC00], &[0xD800, 0x41], &[0xDC00, 0xD800]] {
            let bytes: Vec<u8> = units.iter().copied().flat_map(u16::to_le_bytes).collect();
            assert!(std::str::from_utf8(&transcode(&bytes, ByteOrder::Little, 64)).is_err(), "{units:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_restored_exactly(bytes: Vec<u8>, piece_bytes in 1..7_usize, little: bool) {
            let order = if little { ByteOrder::Little } else { ByteOrder::Big };
            prop_assert_eq!(restore(&transcode(&bytes, order, piece_bytes), order), bytes);
        }

        #[test]
        fn any_units_are_restored_exactly(units in prop::collection::vec(prop_oneof![0xD800_u16..0xE000, 0..0x80_u16, any::<u16>()], 0..40)) {
            let bytes: Vec<u8> = units.into_iter().flat_map(u16::to_be_bytes).collect();
            prop_assert_eq!(restore(&transcode(&bytes, ByteOrder::Big, 5), ByteOrder::Big), bytes);
        }
    }
}
