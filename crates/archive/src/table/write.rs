//! Rows as values, in the order of the columns of their table.

use std::borrow::Cow;

use scoresync_domain::{ContentHash, Employee, Fate, Refusal, ResultId, Score, Status, Timestamp};
use uuid::Uuid;

use crate::{
    EnrichedPosition,
    judging::{HistoryRow, RecordRow, RefusedRow},
    record::{Content, Head},
};

/// A value on its way into a column of its kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Int4(Option<i32>),
    Int8(Option<i64>),
    Text(Option<&'a str>),
    Bytes(Option<&'a [u8]>),
    Flag(Option<bool>),
    Id(Option<Uuid>),
}

fn text<'a>(text: Option<&'a Cow<'_, str>>) -> Value<'a> {
    Value::Text(text.map(|text| &**text))
}

fn id<'a>(result_id: ResultId) -> Value<'a> {
    Value::Id(Some(*result_id.as_uuid()))
}

fn millis<'a>(time: Option<Timestamp>) -> Value<'a> {
    Value::Int8(time.map(Timestamp::as_millis))
}

fn millionths<'a>(score: Option<Score>) -> Value<'a> {
    Value::Int8(score.map(Score::as_millionths))
}

fn position_values<'a>(position: EnrichedPosition) -> [Value<'a>; 3] {
    [
        Value::Int4(Some(position.generation)),
        Value::Int4(Some(position.partition)),
        Value::Int8(Some(position.offset)),
    ]
}

fn head_values<'a>(head: &'a Head<'_>) -> [Value<'a>; 16] {
    let [generation, partition, offset] = position_values(head.arrived);
    [
        Value::Int4(Some(head.origin.generation)),
        Value::Int4(Some(head.origin.partition)),
        Value::Int8(Some(head.origin.offset)),
        Value::Int4(Some(head.mapping_version)),
        Value::Int8(Some(head.decision)),
        text(head.employee_no.as_ref()),
        text(head.matched_by.as_ref()),
        Value::Text(Some(head.status.as_str())),
        Value::Int4(Some(head.revision_scheme)),
        Value::Int8(head.revision),
        Value::Bytes(Some(&head.content_hash.0)),
        Value::Text(Some(head.repeat.as_str())),
        millis(Some(head.received_at)),
        generation,
        partition,
        offset,
    ]
}

/// The values of a refusal that could not be decoded: nothing but where it stood.
fn unknown_head<'a>(position: EnrichedPosition) -> [Value<'a>; 16] {
    let [generation, partition, offset] = position_values(position);
    let (int4, int8, text) = (Value::Int4(None), Value::Int8(None), Value::Text(None));
    [
        int4,
        int4,
        int8,
        int4,
        int8,
        text,
        text,
        text,
        int4,
        int8,
        Value::Bytes(None),
        text,
        int8,
        generation,
        partition,
        offset,
    ]
}

fn content_values<'a>(content: Option<&'a Content<'_>>) -> [Value<'a>; 17] {
    let optional = |field: fn(&'a Content<'_>) -> &'a Option<Cow<'a, str>>| text(content.and_then(|content| field(content).as_ref()));
    [
        text(content.map(|content| &content.source)),
        text(content.map(|content| &content.system)),
        optional(|content| &content.employee_name),
        optional(|content| &content.department),
        optional(|content| &content.position),
        optional(|content| &content.course_id),
        optional(|content| &content.course_title),
        optional(|content| &content.exam_id),
        optional(|content| &content.exam_title),
        Value::Int8(content.and_then(|content| content.attempt)),
        millionths(content.and_then(|content| content.exam_score)),
        millionths(content.and_then(|content| content.min_score)),
        millionths(content.and_then(|content| content.max_score)),
        optional(|content| &content.grade),
        Value::Flag(content.and_then(|content| content.passed)),
        millis(content.and_then(|content| content.finish_timestamp)),
        Value::Flag(content.map(|content| content.rounded)),
    ]
}

/// A row of [`super::RECORDS`] or [`super::FIRST_RECORDS`].
pub(crate) fn record_values<'a>(row: &'a RecordRow<'_>) -> impl Iterator<Item = Value<'a>> {
    let shown: Option<&'a (Status, ContentHash)> = row.shown_instead.as_ref();
    let owner = [
        Value::Text(row.owner_employee_no.as_deref()),
        Value::Int8(Some(row.owner_decision)),
        Value::Text(shown.map(|(status, _)| status.as_str())),
        Value::Bytes(shown.map(|(_, hash)| &hash.0[..])),
        Value::Int4(row.shown.as_ref().map(|(number, _)| *number)),
    ];
    [id(row.result_id)]
        .into_iter()
        .chain(head_values(&row.head))
        .chain(owner)
        .chain(content_values(row.shown.as_ref().map(|(_, content)| content)))
}

/// A row of [`super::HISTORY`].
pub(crate) fn history_values<'a>(row: &'a HistoryRow<'_>) -> impl Iterator<Item = Value<'a>> {
    [id(row.result_id)]
        .into_iter()
        .chain(head_values(&row.head))
        .chain([Value::Int4(Some(row.content_number)), Value::Flag(Some(row.speaks))])
        .chain(content_values(row.content.as_ref()))
}

/// A row of [`super::REFUSED`].
pub(crate) fn refused_values<'a>(row: &'a RefusedRow<'_>) -> impl Iterator<Item = Value<'a>> {
    let (reason, result_id, head, content, raw) = match row {
        RefusedRow::Undecodable { position, bytes } => {
            let head = unknown_head(*position);
            (Refusal::Undecodable, None, head, None, Some(&**bytes))
        }
        RefusedRow::Readable(row) => {
            let id = Some(*row.result_id.as_uuid());
            (row.reason, id, head_values(&row.head), Some(&row.content), None)
        }
    };
    [Value::Text(Some(reason.as_str())), Value::Id(result_id)]
        .into_iter()
        .chain(head)
        .chain(content_values(content))
        .chain([Value::Bytes(raw)])
}

/// A row of [`super::FATE_COUNTS`].
pub(crate) fn fate_values<'a>(place: (i32, i32, Fate), count: i64) -> [Value<'a>; 4] {
    let (generation, partition, fate) = place;
    [
        Value::Int4(Some(generation)),
        Value::Int4(Some(partition)),
        Value::Text(Some(fate.as_str())),
        Value::Int8(Some(count)),
    ]
}

/// A row of [`super::EMPLOYEES`].
pub(crate) fn employee_values(employee: &Employee) -> [Value<'_>; 7] {
    [
        Value::Text(Some(&employee.employee_no)),
        Value::Text(employee.name.as_deref()),
        Value::Text(employee.department.as_deref()),
        Value::Text(employee.position.as_deref()),
        millis(employee.left_at),
        Value::Text(employee.replaced_by.as_deref()),
        millis(Some(employee.as_of)),
    ]
}
