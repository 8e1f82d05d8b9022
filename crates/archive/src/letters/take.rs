//! Taking letters in, and closing those whose report was filed.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use scoresync_domain::{IdentityKey, LetterFamily, LetterState, Timestamp, identity_hash};

use super::{FiledReport, IncomingLetter, LetterBatch, LetterId, LettersTaken, Session, positions::move_on};
use crate::{error::Failure, table::Value};

/// A letter that is known is opened again by a later try alone: what is read twice changes nothing. Once its report is filed, it stays
/// closed; where that was heard of before the letter was read, what it says is filled in.
const TAKE: &str = "INSERT INTO dead_letter (topic, generation, partition, place, family, state, reason, message, source, attempt,
        first_failed_ms, last_failed_ms, letter_partition, letter_offset, group_id, result_id, mapping_version, received_ms,
        queued_ms, requested_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
    ON CONFLICT (topic, generation, partition, place) DO UPDATE SET
        state = CASE WHEN dead_letter.state = 'filed' THEN 'filed' ELSE excluded.state END,
        family = excluded.family, reason = excluded.reason, message = excluded.message, source = excluded.source,
        attempt = CASE WHEN dead_letter.attempt > excluded.attempt THEN dead_letter.attempt ELSE excluded.attempt END,
        first_failed_ms = CASE WHEN dead_letter.reason = '' THEN excluded.first_failed_ms ELSE dead_letter.first_failed_ms END,
        last_failed_ms = excluded.last_failed_ms,
        letter_partition = excluded.letter_partition, letter_offset = excluded.letter_offset,
        group_id = excluded.group_id, result_id = excluded.result_id, mapping_version = excluded.mapping_version,
        received_ms = excluded.received_ms,
        queued_ms = CASE WHEN dead_letter.state = 'filed' THEN dead_letter.queued_ms ELSE excluded.queued_ms END,
        sent_ms = CASE WHEN dead_letter.state = 'filed' THEN dead_letter.sent_ms END,
        requested_by = CASE WHEN dead_letter.state = 'filed' THEN dead_letter.requested_by ELSE excluded.requested_by END,
        closed_ms = CASE WHEN dead_letter.state = 'filed' THEN dead_letter.closed_ms END,
        closed_by = NULL, closing_reason = NULL
    WHERE dead_letter.reason = '' OR (dead_letter.state <> 'filed' AND excluded.attempt > dead_letter.attempt)";

/// What was taken back is not filed any more, unless a later try has filed it again.
const REOPEN: &str = "UPDATE dead_letter SET state = 'open', closed_ms = NULL
    WHERE topic = $1 AND generation = $2 AND partition = $3 AND place = $4 AND state = 'filed' AND attempt < $5";

/// A report stays what it is, however often it fails.
const BODY: &str = "INSERT INTO letter_body (topic, generation, partition, place, record_key, record_value, headers, fields)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (topic, generation, partition, place) DO NOTHING";

const GROUP: &str = "INSERT INTO letter_group (group_id, source, reason, field, identities, touched_ms) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (group_id) DO UPDATE SET touched_ms = excluded.touched_ms";

const IDENTITY: &str = "INSERT INTO letter_identity (identity_hash, group_id, touched_ms) VALUES ($1, $2, $3)
    ON CONFLICT (identity_hash, group_id) DO UPDATE SET touched_ms = excluded.touched_ms";

/// Of a letter that was not read yet, that its report is filed is remembered.
const CLOSE: &str = "INSERT INTO dead_letter (topic, generation, partition, place, family, state, reason, message, source, attempt,
        first_failed_ms, last_failed_ms, group_id, result_id, closed_ms)
    VALUES ('', $1, $2, $3, 'scoresync', 'filed', '', '', '', $4, $5, $6, $7, $8, $9)
    ON CONFLICT (topic, generation, partition, place) DO UPDATE SET
        state = 'filed', closed_ms = excluded.closed_ms, closed_by = NULL, closing_reason = NULL,
        result_id = excluded.result_id
    WHERE dead_letter.state <> 'filed'";

/// Who redrives by itself.
pub(super) const DESK: &str = "desk";

/// Takes a batch in, and moves the positions.
pub(crate) async fn take(session: &impl Session, batch: &LetterBatch<'_>) -> Result<LettersTaken, Failure> {
    move_on(session, &batch.positions).await?;
    let letters = latest(&batch.letters);
    let (mut groups, mut identities) = (BTreeMap::new(), BTreeSet::new());
    for letter in letters.values() {
        groups
            .entry(letter.group_id)
            .or_insert((letter, identities_as_json(&letter.sought)));
        identities.extend(letter.sought.iter().map(|key| (identity_hash(key), letter.group_id)));
    }
    let rows: Vec<_> = groups
        .iter()
        .map(|(id, (letter, identities))| group_values(id, letter, (identities, batch.now)))
        .collect();
    session.change(GROUP, &rows).await?;
    let rows = identities.iter().map(|(hash, group_id)| {
        vec![
            Value::Bytes(Some(hash)),
            Value::Bytes(Some(group_id)),
            Value::Int8(Some(batch.now.as_millis())),
        ]
    });
    session.change(IDENTITY, &rows.collect::<Vec<_>>()).await?;
    let plain: Vec<_> = letters.values().map(|letter| Plain::of(letter)).collect();
    let rows: Vec<_> = letters
        .values()
        .zip(&plain)
        .map(|(letter, plain)| letter_values((letter, plain), batch))
        .collect();
    let retracted = letters.values().filter(|letter| letter.is_retracted);
    let reopened = retracted.map(|letter| [id_values(&letter.id), vec![Value::Int4(Some(attempt(letter.attempt)))]].concat());
    session.change(REOPEN, &reopened.collect::<Vec<_>>()).await?;
    let opened = session.change(TAKE, &rows).await?;
    let bodies: Vec<_> = letters.values().map(|letter| body_values(letter)).collect();
    session.change(BODY, &bodies).await?;
    let filed = batch.filed.iter().map(|filed| (filed.origin, filed)).collect::<BTreeMap<_, _>>();
    let rows: Vec<_> = filed.values().map(|filed| filed_values(filed)).collect();
    let closed = session.change(CLOSE, &rows).await?;
    Ok(LettersTaken {
        opened: opened.iter().sum(),
        failed_again: letters
            .values()
            .zip(&opened)
            .filter(|(letter, _)| letter.attempt > 1)
            .map(|(_, changed)| changed)
            .sum(),
        filed: closed.iter().sum(),
    })
}

/// Of letters about one report the one of the latest try; in one order, so that no two desks wait for each other.
fn latest<'l, 'a>(letters: &'l [IncomingLetter<'a>]) -> BTreeMap<&'l LetterId, &'l IncomingLetter<'a>> {
    let mut latest: BTreeMap<&LetterId, &IncomingLetter<'_>> = BTreeMap::new();
    for letter in letters {
        let known = latest.entry(&letter.id).or_insert(letter);
        if letter.attempt > known.attempt {
            *known = letter;
        }
    }
    latest
}

/// Texts from headers, as both databases take them.
struct Plain<'a> {
    reason: Cow<'a, str>,
    message: Cow<'a, str>,
    source: Cow<'a, str>,
}

impl<'a> Plain<'a> {
    fn of(letter: &'a IncomingLetter<'_>) -> Self {
        let reason = if letter.reason.is_empty() { "unknown" } else { &*letter.reason };
        Self {
            reason: without_nul(reason),
            message: without_nul(&letter.message),
            source: without_nul(&letter.source),
        }
    }
}

fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn letter_values<'v>((letter, plain): (&'v IncomingLetter<'_>, &'v Plain<'_>), batch: &LetterBatch<'_>) -> Vec<Value<'v>> {
    let is_ours = letter.family == LetterFamily::Scoresync;
    let goes_on = is_ours && letter.can_be_filed && letter.attempt < batch.max_attempts;
    let state = if goes_on { LetterState::Redriven } else { LetterState::Open };
    let mut values = id_values(&letter.id);
    values.extend([
        Value::Text(Some(letter.family.as_str())),
        Value::Text(Some(state.as_str())),
        Value::Text(Some(&plain.reason)),
        Value::Text(Some(&plain.message)),
        Value::Text(Some(&plain.source)),
        Value::Int4(Some(attempt(letter.attempt))),
        Value::Int8(Some(letter.first_failed_at.as_millis())),
        Value::Int8(Some(letter.last_failed_at.as_millis())),
        Value::Int4(Some(letter.stands_at.0)),
        Value::Int8(Some(letter.stands_at.1)),
        Value::Bytes(Some(&letter.group_id)),
        Value::Id(letter.result_id.map(|id| *id.as_uuid())),
        Value::Int4(letter.mapping_version),
        Value::Int8(letter.received_at.map(|time| time.as_millis())),
        Value::Int8(goes_on.then(|| batch.now.as_millis() + pause_ms(letter.attempt))),
        Value::Text(goes_on.then_some(DESK)),
    ]);
    values
}

fn body_values<'v>(letter: &'v IncomingLetter<'_>) -> Vec<Value<'v>> {
    let mut values = id_values(&letter.id);
    values.extend([
        Value::Bytes(letter.key),
        Value::Bytes(letter.value),
        Value::Text(Some(&letter.headers)),
        Value::Text(letter.fields.as_deref()),
    ]);
    values
}

fn group_values<'v>(group_id: &'v [u8; 16], letter: &'v IncomingLetter<'_>, (identities, now): (&'v str, Timestamp)) -> Vec<Value<'v>> {
    vec![
        Value::Bytes(Some(group_id)),
        Value::Text(Some(letter.source.split('\0').next().unwrap_or_default())),
        Value::Text(Some(letter.reason.split('\0').next().unwrap_or_default())),
        Value::Text(letter.field),
        Value::Text(Some(identities)),
        Value::Int8(Some(now.as_millis())),
    ]
}

fn filed_values(filed: &FiledReport) -> Vec<Value<'_>> {
    let at = Value::Int8(Some(filed.at.as_millis()));
    vec![
        Value::Int4(Some(filed.origin.generation)),
        Value::Int4(Some(filed.origin.partition)),
        Value::Int8(Some(filed.origin.offset)),
        Value::Int4(Some(attempt(filed.attempts))),
        at,
        at,
        Value::Bytes(Some(&[0; 16])),
        Value::Id(Some(*filed.result_id.as_uuid())),
        at,
    ]
}

/// How long the desk lets a report rest that failed although the desk finds that it can be filed: mapper and desk may have different settings.
const fn pause_ms(attempt: u32) -> i64 {
    match attempt {
        0 | 1 => 0,
        2 => 30_000,
        3 => 300_000,
        _ => 3_600_000,
    }
}

/// A number that nobody counted to, but anybody can write into a header.
fn attempt(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

pub(super) fn id_values(id: &LetterId) -> Vec<Value<'_>> {
    vec![
        Value::Text(Some(&id.topic)),
        Value::Int4(Some(id.origin.generation)),
        Value::Int4(Some(id.origin.partition)),
        Value::Int8(Some(id.origin.offset)),
    ]
}

fn identities_as_json(identities: &[IdentityKey]) -> String {
    let all = identities
        .iter()
        .map(|(kind, system, value)| serde_json::json!({ "kind": kind.as_str(), "system": system, "value": value }));
    serde_json::Value::Array(all.collect()).to_string()
}
