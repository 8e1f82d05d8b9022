//! `EnrichedScore` on the wire.

use std::borrow::Cow;

use scoresync_domain::{self as domain, EnrichedScore, ResultId, Score, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Record,
    bytes::{Decimal, Hash},
    datum::DatumError,
};

impl Record for EnrichedScore<'static> {
    const SCHEMA: &'static str = include_str!("../../../../schemas/enriched_score.avsc");
    type Borrowed<'a> = EnrichedScore<'a>;
    type Wire<'a> = Wire<'a>;
}

/// The fields of `enriched_score.avsc`, in its order.
#[derive(Serialize, Deserialize)]
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

#[derive(Serialize, Deserialize)]
struct Origin {
    generation: i32,
    partition: i32,
    offset: i64,
}

impl<'a> From<&'a EnrichedScore<'_>> for Wire<'a> {
    fn from(score: &'a EnrichedScore<'_>) -> Self {
        let decimal = |score: Option<Score>| score.map(Decimal);
        Self {
            result_id: *score.result_id.as_uuid(),
            source: &score.source,
            system: &score.system,
            status: score.status.as_str(),
            employee_no: score.employee_no.as_deref(),
            employee_name: score.employee_name.as_deref(),
            department: score.department.as_deref(),
            position: score.position.as_deref(),
            course_id: score.course_id.as_deref(),
            course_title: score.course_title.as_deref(),
            exam_id: score.exam_id.as_deref(),
            exam_title: score.exam_title.as_deref(),
            attempt: score.attempt,
            exam_score: decimal(score.exam_score),
            min_score: decimal(score.min_score),
            max_score: decimal(score.max_score),
            grade: score.grade.as_deref(),
            passed: score.passed,
            finish_timestamp: score.finish_timestamp.map(Timestamp::as_millis),
            revision: score.revision,
            revision_scheme: score.revision_scheme,
            mapping_version: score.mapping_version,
            repeat: score.repeat.as_str(),
            decision: score.decision,
            matched_by: score.matched_by.as_deref(),
            rounded: score.rounded,
            received_at: score.received_at.as_millis(),
            origin: Origin {
                generation: score.origin.generation,
                partition: score.origin.partition,
                offset: score.origin.offset,
            },
            content_hash: Hash(score.content_hash),
        }
    }
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
