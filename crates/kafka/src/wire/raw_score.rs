//! `RawScore` on the wire.

use std::{borrow::Cow, fmt};

use scoresync_domain::{Fields, ScoreReport, Timestamp};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de,
    ser::{self, SerializeMap},
};

use super::{
    Record,
    bytes::Bytes,
    datum::{DatumError, MAX_SEQUENCE_ITEMS},
    unique_names::{self, Entry},
};

impl Record for ScoreReport<'static> {
    const SCHEMA: &'static str = include_str!("../../../../schemas/raw_score.avsc");
    type Borrowed<'a> = ScoreReport<'a>;
    type Wire<'a> = RawScore<'a>;
}

/// The fields of `raw_score.avsc`.
#[derive(Serialize, Deserialize)]
pub struct RawScore<'a> {
    source: &'a str,
    received_at: i64,
    #[serde(default)]
    content_type: &'a str,
    #[serde(borrow, default)]
    fields: FieldMap<'a>,
    #[serde(borrow, default)]
    unparsed: Option<Bytes<'a>>,
}

impl<'a> TryFrom<RawScore<'a>> for ScoreReport<'a> {
    type Error = DatumError;

    fn try_from(wire: RawScore<'a>) -> Result<Self, Self::Error> {
        Ok(Self {
            source: Cow::Borrowed(wire.source),
            received_at: Timestamp::from_millis(wire.received_at),
            content_type: Cow::Borrowed(wire.content_type),
            fields: wire.fields.into_fields(),
            unparsed: wire.unparsed.map(|bytes| Cow::Borrowed(bytes.0)),
        })
    }
}

impl<'a> From<&'a ScoreReport<'_>> for RawScore<'a> {
    fn from(report: &'a ScoreReport<'_>) -> Self {
        Self {
            source: &report.source,
            received_at: report.received_at.as_millis(),
            content_type: &report.content_type,
            fields: FieldMap::Written(&report.fields),
            unparsed: report.unparsed.as_deref().map(Bytes),
        }
    }
}

/// The map of fields, in wire order; a key that a foreign producer wrote twice is kept as `name#2`.
enum FieldMap<'a> {
    Read(Fields<'a>),
    Written(&'a Fields<'a>),
}

impl Default for FieldMap<'_> {
    fn default() -> Self {
        Self::Read(Fields::default())
    }
}

impl<'a> FieldMap<'a> {
    fn into_fields(self) -> Fields<'a> {
        match self {
            Self::Read(fields) => fields,
            Self::Written(fields) => fields.clone(),
        }
    }
}

impl Serialize for FieldMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = match self {
            Self::Read(fields) => fields,
            Self::Written(fields) => *fields,
        };
        if fields.len() > MAX_SEQUENCE_ITEMS {
            return Err(ser::Error::custom("more fields than are read"));
        }
        let mut map = serializer.serialize_map(Some(fields.len()))?;
        for (name, value) in fields.iter() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for FieldMap<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of texts")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries: Vec<Entry<'de>> = Vec::new();
                while let Some((name, value)) = map.next_entry::<&'de str, Option<&'de str>>()? {
                    entries.push((Cow::Borrowed(name), value.map(Cow::Borrowed)));
                }
                Ok(unique_names::into_fields(entries))
            }
        }
        deserializer.deserialize_map(Visitor).map(Self::Read)
    }
}
