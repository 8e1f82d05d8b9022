//! Avro bytes, decimals and hashes, borrowed from the message.

use std::fmt;

use scoresync_domain::{ContentHash, Score};
use serde::{Deserialize, Deserializer, de};

use super::{
    reader::{Malformed, Reader},
    writer::Writer,
};

/// A byte string.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = &'de [u8];

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("bytes")
            }

            fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(bytes)
            }
        }
        deserializer.deserialize_bytes(Visitor).map(Self)
    }
}

/// A score as Avro's `decimal` of scale 6: the millionths in two's complement, big-endian, as short as can be.
#[derive(Clone, Copy)]
pub(super) struct Decimal(pub(super) Score);

impl Decimal {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::of_bytes(reader.bytes()?)
    }

    fn of_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let (first, rest) = bytes.split_first().filter(|(_, rest)| rest.len() < 16).ok_or(Malformed)?;
        let millionths = rest
            .iter()
            .fold(i128::from(first.cast_signed()), |number, byte| number << 8 | i128::from(*byte));
        let score = i64::try_from(millionths).ok().and_then(Score::from_millionths);
        score.map(Self).ok_or(Malformed)
    }

    pub(super) fn append(writer: &mut Writer<'_>, score: Score) {
        let millionths = score.as_millionths();
        // One sign bit must stay.
        let sign_bits = (millionths ^ (millionths >> 63)).leading_zeros();
        let spare_bytes = (sign_bits - 1) / 8;
        writer.bytes(&millionths.to_be_bytes()[spare_bytes as usize..]);
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(deserializer)?.0;
        Self::of_bytes(bytes).map_err(|Malformed| de::Error::custom("a score has at most 18 digits, in 1 to 16 bytes"))
    }
}

/// The 16 bytes of a content hash.
#[derive(Clone, Copy)]
pub(super) struct Hash(pub(super) ContentHash);

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(deserializer)?.0;
        let hash = bytes.try_into().map_err(|_| de::Error::custom("a content hash has 16 bytes"))?;
        Ok(Self(ContentHash(hash)))
    }
}
