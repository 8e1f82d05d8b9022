//! `EnrichedScore` on the wire.

use std::borrow::Cow;

use scoresync_domain::{self as domain, ContentHash, EnrichedScore, ResultId, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Record,
    bytes::{Decimal, Hash},
    datum::DatumError,
    reader::{Malformed, Reader},
    writer::Writer,
};

impl Record for EnrichedScore<'static> {
    const SCHEMA: &'static str = include_str!("../../../../schemas/enriched_score.avsc");
    type Borrowed<'a> = EnrichedScore<'a>;
    type Wire<'a> = Wire<'a>;

    fn read<'a>(reader: &mut Reader<'a>) -> Result<Wire<'a>, Malformed> {
        Ok(Wire {
            result_id: reader.uuid()?,
            source: reader.text()?,
            system: reader.text()?,
            status: reader.text()?,
            employee_no: reader.optional(Reader::text)?,
            employee_name: reader.optional(Reader::text)?,
            department: reader.optional(Reader::text)?,
            position: reader.optional(Reader::text)?,
            course_id: reader.optional(Reader::text)?,
            course_title: reader.optional(Reader::text)?,
            exam_id: reader.optional(Reader::text)?,
            exam_title: reader.optional(Reader::text)?,
            attempt: reader.optional(Reader::long)?,
            exam_score: reader.optional(Decimal::read)?,
            min_score: reader.optional(Decimal::read)?,
            max_score: reader.optional(Decimal::read)?,
            grade: reader.optional(Reader::text)?,
            passed: reader.optional(Reader::boolean)?,
            finish_timestamp: reader.optional(Reader::long)?,
            revision: reader.optional(Reader::long)?,
            revision_scheme: reader.int()?,
            mapping_version: reader.int()?,
            repeat: reader.text()?,
            decision: reader.long()?,
            matched_by: reader.optional(Reader::text)?,
            rounded: reader.boolean()?,
            received_at: reader.long()?,
            origin: Origin {
                generation: reader.int()?,
                partition: reader.int()?,
                offset: reader.long()?,
            },
            content_hash: Hash(ContentHash(reader.fixed()?)),
        })
    }

    fn append(score: &EnrichedScore<'_>, writer: &mut Writer<'_>) -> Result<(), DatumError> {
        writer.uuid(score.result_id.as_uuid());
        writer.text(&score.source);
        writer.text(&score.system);
        writer.text(score.status.as_str());
        writer.optional(score.employee_no.as_deref(), Writer::text);
        writer.optional(score.employee_name.as_deref(), Writer::text);
        writer.optional(score.department.as_deref(), Writer::text);
        writer.optional(score.position.as_deref(), Writer::text);
        writer.optional(score.course_id.as_deref(), Writer::text);
        writer.optional(score.course_title.as_deref(), Writer::text);
        writer.optional(score.exam_id.as_deref(), Writer::text);
        writer.optional(score.exam_title.as_deref(), Writer::text);
        writer.optional(score.attempt, Writer::long);
        writer.optional(score.exam_score, Decimal::append);
        writer.optional(score.min_score, Decimal::append);
        writer.optional(score.max_score, Decimal::append);
        writer.optional(score.grade.as_deref(), Writer::text);
        writer.optional(score.passed, Writer::boolean);
        writer.optional(score.finish_timestamp.map(Timestamp::as_millis), Writer::long);
        writer.optional(score.revision, Writer::long);
        writer.int(score.revision_scheme);
        writer.int(score.mapping_version);
        writer.text(score.repeat.as_str());
        writer.long(score.decision);
        writer.optional(score.matched_by.as_deref(), Writer::text);
        writer.boolean(score.rounded);
        writer.long(score.received_at.as_millis());
        writer.int(score.origin.generation);
        writer.int(score.origin.partition);
        writer.long(score.origin.offset);
        writer.fixed(&score.content_hash.0);
        Ok(())
    }
}

/// The fields of `enriched_score.avsc`, in its order.
#[derive(Deserialize)]
pub struct Wire<'a> {
    result_id: Uuid,
    source: &'a str,
    system: &'a str,
    status: &'a str,
    #[serde(default)]
    employee_no: Option<&'a str>,
    #[serde(default)]
    employee_name: Option<&'a str>,
    #[serde(default)]
    department: Option<&'a str>,
    #[serde(default)]
    position: Option<&'a str>,
    #[serde(default)]
    course_id: Option<&'a str>,
    #[serde(default)]
    course_title: Option<&'a str>,
    #[serde(default)]
    exam_id: Option<&'a str>,
    #[serde(default)]
    exam_title: Option<&'a str>,
    #[serde(default)]
    attempt: Option<i64>,
    #[serde(default)]
    exam_score: Option<Decimal>,
    #[serde(default)]
    min_score: Option<Decimal>,
    #[serde(default)]
    max_score: Option<Decimal>,
    #[serde(default)]
    grade: Option<&'a str>,
    #[serde(default)]
    passed: Option<bool>,
    #[serde(default)]
    finish_timestamp: Option<i64>,
    #[serde(default)]
    revision: Option<i64>,
    #[serde(default = "one")]
    revision_scheme: i32,
    #[serde(default = "one")]
    mapping_version: i32,
    #[serde(default = "redelivery")]
    repeat: &'a str,
    #[serde(default)]
    decision: i64,
    #[serde(default)]
    matched_by: Option<&'a str>,
    #[serde(default)]
    rounded: bool,
    received_at: i64,
    origin: Origin,
    content_hash: Hash,
}

const fn one() -> i32 {
    1
}

const fn redelivery() -> &'static str {
    domain::Repeat::Redelivery.as_str()
}

#[derive(Deserialize)]
struct Origin {
    generation: i32,
    partition: i32,
    offset: i64,
}

impl<'a> TryFrom<Wire<'a>> for EnrichedScore<'a> {
    type Error = DatumError;

    fn try_from(wire: Wire<'a>) -> Result<Self, Self::Error> {
        let text = |text: Option<&'a str>| text.map(Cow::Borrowed);
        let score = |decimal: Option<Decimal>| decimal.map(|decimal| decimal.0);
        Ok(Self {
            result_id: ResultId::from_uuid(wire.result_id),
            source: Cow::Borrowed(wire.source),
            system: Cow::Borrowed(wire.system),
            status: wire
                .status
                .parse()
                .map_err(|_| DatumError::Content("the status is not a known one"))?,
            employee_no: text(wire.employee_no),
            employee_name: text(wire.employee_name),
            department: text(wire.department),
            position: text(wire.position),
            course_id: text(wire.course_id),
            course_title: text(wire.course_title),
            exam_id: text(wire.exam_id),
            exam_title: text(wire.exam_title),
            attempt: wire.attempt,
            exam_score: score(wire.exam_score),
            min_score: score(wire.min_score),
            max_score: score(wire.max_score),
            grade: text(wire.grade),
            passed: wire.passed,
            finish_timestamp: wire.finish_timestamp.map(Timestamp::from_millis),
            revision: wire.revision,
            revision_scheme: wire.revision_scheme,
            mapping_version: wire.mapping_version,
            repeat: wire
                .repeat
                .parse()
                .map_err(|_| DatumError::Content("the meaning of a repetition is not a known one"))?,
            decision: wire.decision,
            matched_by: text(wire.matched_by),
            rounded: wire.rounded,
            received_at: Timestamp::from_millis(wire.received_at),
            origin: domain::Origin {
                generation: wire.origin.generation,
                partition: wire.origin.partition,
                offset: wire.origin.offset,
            },
            content_hash: wire.content_hash.0,
        })
    }
}
