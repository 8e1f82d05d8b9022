//! Values as rows again, in the order of the columns of their table.

use std::{borrow::Cow, str::FromStr};

use scoresync_domain::{ContentHash, Origin, Refusal, ResultId, Score, Timestamp};
use uuid::Uuid;

use crate::{
    EnrichedPosition,
    error::Failure,
    escape::unescape,
    judging::{KnownHistory, KnownRecord},
    record::{Content, Head, RefusedScore, RefusedStatement},
};

/// Takes the columns of one row from left to right.
pub(crate) trait RowReader {
    fn int4(&mut self) -> Result<Option<i32>, Failure>;
    fn int8(&mut self) -> Result<Option<i64>, Failure>;
    fn text(&mut self) -> Result<Option<String>, Failure>;
    fn bytes(&mut self) -> Result<Option<Vec<u8>>, Failure>;
    fn flag(&mut self) -> Result<Option<bool>, Failure>;
    fn id(&mut self) -> Result<Option<Uuid>, Failure>;
}

/// A value that the schema or an earlier release promised is not there: written by a newer release, or by hand.
fn unreadable(what: &str) -> Failure {
    Failure::environment(format!(
        "a row holds no readable {what}; was it changed by hand, or by a newer release?"
    ))
}

pub(crate) fn present<T>(value: Option<T>, what: &str) -> Result<T, Failure> {
    value.ok_or_else(|| unreadable(what))
}

pub(crate) fn named<T: FromStr>(name: Option<String>, what: &str) -> Result<T, Failure> {
    present(name.and_then(|name| name.parse().ok()), what)
}

fn hash(bytes: &[u8]) -> Result<ContentHash, Failure> {
    bytes.try_into().map(ContentHash).map_err(|_| unreadable("content hash"))
}

fn result_id(row: &mut impl RowReader) -> Result<Option<ResultId>, Failure> {
    Ok(row.id()?.map(ResultId::from_uuid))
}

fn score(row: &mut impl RowReader) -> Result<Option<Score>, Failure> {
    let read = |millionths| Score::from_millionths(millionths).ok_or_else(|| unreadable("score"));
    row.int8()?.map(read).transpose()
}

fn shared(text: Option<String>) -> Option<Cow<'static, str>> {
    text.map(Cow::Owned)
}

/// The head where there is one, and where it arrived in any case.
fn head(row: &mut impl RowReader) -> Result<(Option<Head<'static>>, EnrichedPosition), Failure> {
    let origin = (row.int4()?, row.int4()?, row.int8()?);
    let versions = (row.int4()?, row.int8()?);
    let (employee_no, matched_by, status) = (shared(row.text()?), shared(row.text()?), row.text()?);
    let (revision_scheme, revision) = (row.int4()?, row.int8()?);
    let (content_hash, repeat, received_ms) = (row.bytes()?, row.text()?, row.int8()?);
    let arrived = EnrichedPosition {
        generation: present(row.int4()?, "position")?,
        partition: present(row.int4()?, "position")?,
        offset: present(row.int8()?, "position")?,
    };
    let (Some(generation), Some(partition), Some(offset)) = origin else {
        return Ok((None, arrived));
    };
    let head = Head {
        origin: Origin {
            generation,
            partition,
            offset,
        },
        mapping_version: present(versions.0, "mapping version")?,
        decision: present(versions.1, "decision")?,
        employee_no,
        matched_by,
        status: named(status, "status")?,
        revision_scheme: present(revision_scheme, "revision scheme")?,
        revision,
        content_hash: hash(&present(content_hash, "content hash")?)?,
        repeat: named(repeat, "repeat")?,
        received_at: Timestamp::from_millis(present(received_ms, "received time")?),
        arrived,
    };
    Ok((Some(head), arrived))
}

/// The content; `None` where it stands in another row.
fn content(row: &mut impl RowReader) -> Result<Option<Content<'static>>, Failure> {
    let (source, system) = (row.text()?, row.text()?);
    let mut content = Content {
        source: Cow::Borrowed(""),
        system: Cow::Borrowed(""),
        employee_name: shared(row.text()?),
        department: shared(row.text()?),
        position: shared(row.text()?),
        course_id: shared(row.text()?),
        course_title: shared(row.text()?),
        exam_id: shared(row.text()?),
        exam_title: shared(row.text()?),
        attempt: row.int8()?,
        exam_score: score(row)?,
        min_score: score(row)?,
        max_score: score(row)?,
        grade: shared(row.text()?),
        passed: row.flag()?,
        finish_timestamp: row.int8()?.map(Timestamp::from_millis),
        rounded: row.flag()?.unwrap_or(false),
    };
    Ok(source.map(|source| {
        content.source = Cow::Owned(source);
        content.system = Cow::Owned(system.unwrap_or_default());
        content
    }))
}

/// A row of [`super::record_columns`].
pub(crate) fn read_record(row: &mut impl RowReader) -> Result<(ResultId, KnownRecord), Failure> {
    let result_id = present(result_id(row)?, "result id")?;
    let head = present(head(row)?.0, "origin")?;
    let (owner_employee_no, owner_decision) = (row.text()?, present(row.int8()?, "decision")?);
    let shown_instead = match (row.text()?, row.bytes()?) {
        (Some(status), Some(bytes)) => Some((named(Some(status), "status")?, hash(&bytes)?)),
        (None, _) | (_, None) => None,
    };
    let number = row.int4()?;
    let record = KnownRecord {
        head,
        owner_employee_no,
        owner_decision,
        shown_instead,
        shown: number.zip(content(row)?),
    };
    Ok((result_id, record))
}

/// A row of [`super::history_columns`].
pub(crate) fn read_history(row: &mut impl RowReader) -> Result<(ResultId, KnownHistory), Failure> {
    let result_id = present(result_id(row)?, "result id")?;
    let known = KnownHistory {
        head: present(head(row)?.0, "origin")?,
        content_number: present(row.int4()?, "content number")?,
        speaks: present(row.flag()?, "flag")?,
        content: content(row)?.map(Box::new),
    };
    Ok((result_id, known))
}

/// A row of [`super::refused_columns`].
pub(crate) fn read_refused(row: &mut impl RowReader) -> Result<RefusedScore, Failure> {
    let reason: Refusal = named(row.text()?, "reason")?;
    let result_id = result_id(row)?;
    let (head, position) = head(row)?;
    let (content, raw) = (content(row)?, row.bytes()?);
    let score = match (result_id, head, content) {
        (Some(result_id), Some(mut head), Some(mut content)) => {
            if reason == Refusal::Constraint {
                head.texts_mut().chain(content.texts_mut()).for_each(unescape);
            }
            Ok(RefusedStatement { result_id, head, content })
        }
        _ => Err(present(raw, "record or bytes of a refusal")?),
    };
    Ok(RefusedScore { position, reason, score })
}
