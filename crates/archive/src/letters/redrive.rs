//! Letters on their way through the pipeline again: which are waited for, which are asked for, which are sent, which are given up.

use scoresync_domain::{Origin, ResultId, Timestamp};

use super::{
    DueRedrive, LetterId, LetterToJudge, Request, Session, WaitingGroup,
    events::{change_each, note},
    list::{read_group_id, read_id, read_waiting_group},
    take::{DESK, id_values},
};
use crate::{
    error::Failure,
    table::{RowReader, Value, present},
};

const ID: &str = "topic, generation, partition, place";
/// The states of a letter that is named, so written that no index of all letters in a state fits: where PostgreSQL takes such an index to be
/// nearly empty, as it is before letters melt away, it would go through all of it for each letter instead of looking at the key.
const IS_OPEN: &str = "coalesce(state, '') = 'open'";
const IS_UNSENT: &str = "coalesce(state, '') = 'redriven' AND sent_ms IS NULL";

/// The groups that wait for one of these identities.
pub(crate) async fn waiting_for(session: &impl Session, identities: &[[u8; 16]]) -> Result<Vec<[u8; 16]>, Failure> {
    let sql = "SELECT group_id FROM letter_identity WHERE identity_hash = $1";
    let mut groups = Vec::new();
    for hash in identities {
        for mut row in session.ask(sql, &[Value::Bytes(Some(hash))]).await? {
            groups.push(read_group_id(&mut row)?);
        }
    }
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

/// Groups with open letters behind this one, in the order of their ids.
pub(crate) async fn open_groups(session: &impl Session, after: Option<[u8; 16]>, limit: u32) -> Result<Vec<WaitingGroup>, Failure> {
    let sql = "SELECT known.group_id, known.source, known.identities FROM letter_group AS known
        WHERE known.group_id > $1 AND EXISTS
            (SELECT 1 FROM dead_letter AS letter WHERE letter.group_id = known.group_id AND letter.state = 'open')
        ORDER BY known.group_id LIMIT $2";
    let after = after.as_ref().map_or(&[][..], |after| &after[..]);
    let rows = session
        .ask(sql, &[Value::Bytes(Some(after)), Value::Int8(Some(limit.into()))])
        .await?;
    rows.into_iter().map(read_waiting_group).collect()
}

/// The open letters of a group behind this one, in the order of their origins.
pub(crate) async fn open_letters_of(
    session: &impl Session,
    group_id: &[u8; 16],
    (after, limit): (Option<&LetterId>, u32),
) -> Result<Vec<LetterToJudge>, Failure> {
    // The group stands in both conditions: PostgreSQL takes few to be behind a place, and without it goes through the letters of all groups.
    let sql = format!(
        "SELECT {ID}, record_value FROM (SELECT {ID} FROM dead_letter WHERE group_id = $1 AND state = 'open'
            AND reason <> 'too_large' AND (group_id, {ID}) > ($1, $2, $3, $4, $5) ORDER BY group_id, {ID} LIMIT $6) AS chosen
            JOIN letter_body USING ({ID}) ORDER BY {ID}"
    );
    let before_all = LetterId::of(Origin {
        generation: i32::MIN,
        partition: i32::MIN,
        offset: i64::MIN,
    });
    let mut parameters = vec![Value::Bytes(Some(group_id))];
    parameters.extend(id_values(after.unwrap_or(&before_all)));
    parameters.push(Value::Int8(Some(limit.into())));
    letters_to_judge(session.ask(&sql, &parameters).await?)
}

/// The open letters about a result.
pub(crate) async fn open_letters_about(session: &impl Session, result_id: ResultId) -> Result<Vec<LetterToJudge>, Failure> {
    let sql = format!(
        "SELECT {ID}, record_value FROM dead_letter JOIN letter_body USING ({ID}) WHERE result_id = $1 AND state = 'open'
            AND reason <> 'too_large' ORDER BY {ID}"
    );
    letters_to_judge(session.ask(&sql, &[Value::Id(Some(*result_id.as_uuid()))]).await?)
}

fn letters_to_judge(rows: Vec<super::Row>) -> Result<Vec<LetterToJudge>, Failure> {
    let read = |mut row| {
        Ok(LetterToJudge {
            id: read_id(&mut row)?,
            value: row.bytes()?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// Asks for letters to be redriven: open ones of ours that hold a report, of those that were tried less than so often. Says how many there were. What a
/// person asks for is noted.
pub(crate) async fn queue(
    session: &impl Session,
    letters: &[LetterId],
    (request, max_attempts): (&Request<'_>, u32),
) -> Result<u64, Failure> {
    let sql = format!(
        "UPDATE dead_letter SET state = 'redriven', queued_ms = $1, sent_ms = NULL, requested_by = $2
        WHERE family = 'scoresync' AND {IS_OPEN} AND attempt < $3
            AND topic = $4 AND generation = $5 AND partition = $6 AND place = $7
            AND EXISTS (SELECT 1 FROM letter_body AS body WHERE body.topic = dead_letter.topic AND body.generation = dead_letter.generation
                AND body.partition = dead_letter.partition AND body.place = dead_letter.place AND body.record_value IS NOT NULL)"
    );
    let head = [
        Value::Int8(Some(request.at.as_millis())),
        Value::Text(Some(request.actor)),
        Value::Int4(Some(i32::try_from(max_attempts).unwrap_or(i32::MAX))),
    ];
    let queued = change_each(session, &sql, (letters, &head)).await?;
    let count = queued.len() as u64;
    if request.actor != DESK {
        note(session, queued, request).await?;
    }
    Ok(count)
}

/// Opens letters again whose copies cannot be sent. Says how many there were.
pub(crate) async fn give_back(session: &impl Session, letters: &[LetterId]) -> Result<u64, Failure> {
    let sql = format!(
        "UPDATE dead_letter SET state = 'open', queued_ms = NULL WHERE {IS_UNSENT}
            AND topic = $1 AND generation = $2 AND partition = $3 AND place = $4"
    );
    Ok(change_each(session, &sql, (letters, &[])).await?.len() as u64)
}

/// Letters that are to be sent by now, those who wait longest first.
pub(crate) async fn due(session: &impl Session, (now, limit): (Timestamp, u32)) -> Result<Vec<DueRedrive>, Failure> {
    let sql = format!(
        "SELECT {ID}, attempt, first_failed_ms, record_key, record_value, headers FROM
            (SELECT {ID}, attempt, first_failed_ms, queued_ms FROM dead_letter
                WHERE state = 'redriven' AND sent_ms IS NULL AND queued_ms <= $1 ORDER BY queued_ms, {ID} LIMIT $2) AS chosen
            JOIN letter_body USING ({ID}) ORDER BY queued_ms, {ID}"
    );
    let parameters = [Value::Int8(Some(now.as_millis())), Value::Int8(Some(limit.into()))];
    let rows = session.ask(&sql, &parameters).await?;
    let read = |mut row: super::Row| {
        Ok(DueRedrive {
            id: read_id(&mut row)?,
            attempts: present(row.int4()?, "attempt")?.unsigned_abs(),
            first_failed_at: Timestamp::from_millis(present(row.int8()?, "time")?),
            key: row.bytes()?,
            value: row.bytes()?,
            headers: present(row.text()?, "headers")?,
        })
    };
    rows.into_iter().map(read).collect()
}

/// Remembers that copies of these attempts are in `scores.raw`. What became of one meanwhile stands.
pub(crate) async fn sent(session: &impl Session, letters: &[(LetterId, u32)], at: Timestamp) -> Result<u64, Failure> {
    let sql = format!(
        "UPDATE dead_letter SET sent_ms = $1 WHERE {IS_UNSENT}
            AND attempt = $2 AND topic = $3 AND generation = $4 AND partition = $5 AND place = $6"
    );
    let rows = letters.iter().map(|(id, attempts)| {
        let attempts = Value::Int4(Some(i32::try_from(*attempts).unwrap_or(i32::MAX)));
        [&[Value::Int8(Some(at.as_millis())), attempts][..], &id_values(id)].concat()
    });
    Ok(session.change(&sql, &rows.collect::<Vec<_>>()).await?.iter().sum())
}

/// Opens letters again that are closed as filed, and are not.
pub(crate) async fn reopen_unfiled(session: &impl Session, letters: &[LetterId]) -> Result<(), Failure> {
    let sql = "UPDATE dead_letter SET state = 'open', closed_ms = NULL
        WHERE topic = $1 AND generation = $2 AND partition = $3 AND place = $4 AND state = 'filed' AND reason <> ''
            AND NOT EXISTS (SELECT 1 FROM training_record WHERE origin_generation = $2 AND origin_partition = $3 AND origin_offset = $4)
            AND NOT EXISTS (SELECT 1 FROM score_history WHERE origin_generation = $2 AND origin_partition = $3 AND origin_offset = $4)";
    let rows: Vec<Vec<Value<'_>>> = letters.iter().map(id_values).collect();
    session.change(sql, &rows).await.map(drop)
}

/// Opens letters again of whose copies nothing was heard, though they were sent before a moment. Says how many there were.
pub(crate) async fn reopen_lost(session: &impl Session, sent_before: Timestamp) -> Result<u64, Failure> {
    let sql = "UPDATE dead_letter SET state = 'open' WHERE state = 'redriven' AND sent_ms < $1";
    let row = vec![Value::Int8(Some(sent_before.as_millis()))];
    Ok(session.change(sql, &[row]).await?.iter().sum())
}

/// What becomes of a copy that a person sends counts again, whatever the letter came to before.
pub(crate) async fn expect_again(session: &impl Session, id: &LetterId, at: Timestamp) -> Result<u64, Failure> {
    let sql = "UPDATE dead_letter SET state = 'redriven', queued_ms = $1, sent_ms = $2 WHERE state IN ('filed', 'discarded')
        AND topic = $3 AND generation = $4 AND partition = $5 AND place = $6";
    let at = Value::Int8(Some(at.as_millis()));
    let row = [&[at, at][..], &id_values(id)].concat();
    Ok(session.change(sql, &[row]).await?.iter().sum())
}

/// Closes open letters and refusals, which is noted. Says how many there were.
pub(crate) async fn discard(session: &impl Session, letters: &[LetterId], request: &Request<'_>) -> Result<u64, Failure> {
    let sql = format!(
        "UPDATE dead_letter SET state = 'discarded', closed_ms = $1, closed_by = $2, closing_reason = $3
            WHERE {IS_OPEN} AND topic = $4 AND generation = $5 AND partition = $6 AND place = $7"
    );
    let head = [
        Value::Int8(Some(request.at.as_millis())),
        Value::Text(Some(request.actor)),
        Value::Text(Some(request.reason)),
    ];
    let refusals = "INSERT INTO refusal_discarded (closed_ms, closed_by, closing_reason, topic, generation, partition, place)
        SELECT CAST($1 AS bigint), CAST($2 AS text), CAST($3 AS text), topic, generation, partition, place FROM refused_letter
        WHERE state = 'open' AND topic = $4 AND generation = $5 AND partition = $6 AND place = $7";
    let mut discarded = change_each(session, &sql, (letters, &head)).await?;
    let refused = letters.iter().filter(|id| !id.topic.is_empty());
    discarded.extend(change_each(session, refusals, (refused, &head)).await?);
    let count = discarded.len() as u64;
    note(session, discarded, request).await?;
    Ok(count)
}

/// Forgets some of the letters that were closed before a moment, and says how many. Once there are none, problems that no letter is left of
/// are forgotten, too.
pub(crate) async fn purge(session: &impl Session, (closed_before, limit): (Timestamp, u32)) -> Result<u64, Failure> {
    let sql = format!("SELECT {ID} FROM dead_letter WHERE state IN ('filed', 'discarded') AND closed_ms < $1 LIMIT $2");
    let limits = [Value::Int8(Some(closed_before.as_millis())), Value::Int8(Some(limit.into()))];
    let rows = session.ask(&sql, &limits).await?;
    let ids: Vec<LetterId> = rows.into_iter().map(|mut row| read_id(&mut row)).collect::<Result<_, _>>()?;
    let this = "topic = $1 AND generation = $2 AND partition = $3 AND place = $4";
    // One that was opened meanwhile stays, with what it holds.
    let closed = "DELETE FROM dead_letter WHERE state IN ('filed', 'discarded') AND closed_ms < $1
        AND topic = $2 AND generation = $3 AND partition = $4 AND place = $5";
    let forgotten = change_each(session, closed, (&ids, &limits[..1])).await?.len() as u64;
    let left = "NOT EXISTS (SELECT 1 FROM dead_letter WHERE dead_letter.topic = letter_body.topic
        AND dead_letter.generation = letter_body.generation AND dead_letter.partition = letter_body.partition
        AND dead_letter.place = letter_body.place)";
    change_each(session, &format!("DELETE FROM letter_body WHERE {this} AND {left}"), (&ids, &[])).await?;
    if forgotten == 0 {
        // A letter that is taken in at this moment has touched its problem: where it waits for this, this sees that, and passes over it.
        let none_left = "touched_ms < $1 AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE dead_letter.group_id =";
        for table in ["letter_identity", "letter_group"] {
            let sql = format!("DELETE FROM {table} WHERE {none_left} {table}.group_id)");
            session.change(&sql, &[limits[..1].to_vec()]).await?;
        }
    }
    Ok(forgotten)
}

/// How many letters were closed before a moment.
pub(crate) async fn purgeable(session: &impl Session, closed_before: Timestamp) -> Result<u64, Failure> {
    let sql = "SELECT count(*) FROM dead_letter WHERE state IN ('filed', 'discarded') AND closed_ms < $1";
    let rows = session.ask(sql, &[Value::Int8(Some(closed_before.as_millis()))]).await?;
    let count = rows.into_iter().next().map(|mut row| row.int8()).transpose()?.flatten();
    Ok(present(count, "count")?.unsigned_abs())
}
