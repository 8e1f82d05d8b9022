//! Avro bytes and decimals as serde sees them, borrowed from the message.

use std::fmt;

use scoresync_domain::{ContentHash, Score};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A byte string.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

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

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millionths = self.0.as_millionths();
        let bytes = millionths.to_be_bytes();
        let sign_bits = if millionths < 0 {
            (!millionths).leading_zeros()
        } else {
            millionths.leading_zeros()
        };
        // One sign bit must stay.
        let spare_bytes = (sign_bits.saturating_sub(1) / 8) as usize;
        serializer.serialize_bytes(&bytes[spare_bytes..])
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(deserializer)?.0;
        let (first, rest) = match bytes {
            [first, rest @ ..] if rest.len() < 16 => (*first, rest),
            _ => return Err(de::Error::custom("a decimal has 1 to 16 bytes")),
        };
        let millionths = rest
            .iter()
            .fold(i128::from(first.cast_signed()), |number, byte| number << 8 | i128::from(*byte));
        let score = i64::try_from(millionths).ok().and_then(Score::from_millionths);
        score.map(Self).ok_or_else(|| de::Error::custom("a score has at most 18 digits"))
    }
}

/// The 16 bytes of a content hash.
#[derive(Clone, Copy)]
pub(super) struct Hash(pub(super) ContentHash);

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0.0)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Bytes::deserialize(deserializer)?.0;
        let hash = bytes.try_into().map_err(|_| de::Error::custom("a content hash has 16 bytes"))?;
        Ok(Self(ContentHash(hash)))
    }
}
