//! `RawScore` on the wire.

use std::{borrow::Cow, fmt};

use scoresync_domain::{Fields, ScoreReport, Timestamp};
use serde::{Deserialize, Deserializer, de};

use super::{
    Record,
    bytes::Bytes,
    datum::DatumError,
    reader::{Malformed, Reader},
    unique_names::{self, Entry},
    writer::Writer,
};

impl Record for ScoreReport<'static> {
    const SCHEMA: &'static str = include_str!("../../../../schemas/raw_score.avsc");
    type Borrowed<'a> = ScoreReport<'a>;
    type Wire<'a> = RawScore<'a>;

    fn read<'a>(reader: &mut Reader<'a>) -> Result<RawScore<'a>, Malformed> {
        Ok(RawScore {
            source: reader.text()?,
            received_at: reader.long()?,
            content_type: reader.text()?,
            fields: read_fields(reader)?,
            unparsed: reader.optional(Reader::bytes)?.map(Bytes),
        })
    }

    fn append(report: &ScoreReport<'_>, writer: &mut Writer<'_>) -> Result<(), DatumError> {
        writer.text(&report.source);
        writer.long(report.received_at.as_millis());
        writer.text(&report.content_type);
        writer.items(report.fields.iter(), append_entry)?;
        writer.optional(report.unparsed.as_deref(), Writer::bytes);
        Ok(())
    }
}

fn read_fields<'a>(reader: &mut Reader<'a>) -> Result<FieldMap<'a>, Malformed> {
    reader.expect_texts();
    let entries = reader.items(read_entry)?;
    Ok(FieldMap(unique_names::into_fields(entries)))
}

fn read_entry<'a>(reader: &mut Reader<'a>) -> Result<Entry<'a>, Malformed> {
    let name = Cow::Borrowed(reader.text()?);
    Ok((name, reader.optional(Reader::text)?.map(Cow::Borrowed)))
}

fn append_entry(writer: &mut Writer<'_>, (name, value): (&str, Option<&str>)) {
    writer.text(name);
    writer.optional(value, Writer::text);
}

/// The fields of `raw_score.avsc`.
#[derive(Deserialize)]
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
            fields: wire.fields.0,
            unparsed: wire.unparsed.map(|bytes| Cow::Borrowed(bytes.0)),
        })
    }
}

/// The map of fields, in wire order; a key that a foreign producer wrote twice is kept as `name#2`.
#[derive(Default)]
struct FieldMap<'a>(Fields<'a>);

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
        deserializer.deserialize_map(Visitor).map(Self)
    }
}
