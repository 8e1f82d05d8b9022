//! What people did to letters, and whose personal values they looked at: noted with who, when and why, and never changed.

use scoresync_domain::Timestamp;

use super::{DeskEvent, LetterId, Request, Session, take::id_values};
use crate::{
    error::Failure,
    table::{RowReader, Value, present},
};

/// Remembers what a person did to letters, or looked at.
pub(crate) async fn note<'v>(
    session: &impl Session,
    letters: impl IntoIterator<Item = &'v LetterId>,
    request: &Request<'v>,
) -> Result<(), Failure> {
    let sql = "INSERT INTO desk_event (at_ms, actor, action, reason, topic, generation, partition, place)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let head = [
        Value::Int8(Some(request.at.as_millis())),
        Value::Text(Some(request.actor)),
        Value::Text(Some(request.action)),
        Value::Text(Some(request.reason)),
    ];
    change_each(session, sql, (letters, &head)).await.map(drop)
}

/// What is noted about a letter, the last of it first.
pub(crate) async fn events(session: &impl Session, (letter, limit): (&LetterId, u32)) -> Result<Vec<DeskEvent>, Failure> {
    let sql = "SELECT at_ms, actor, action, reason FROM desk_event
        WHERE topic = $1 AND generation = $2 AND partition = $3 AND place = $4 ORDER BY at_ms DESC LIMIT $5";
    let which = [id_values(letter), vec![Value::Int8(Some(limit.into()))]].concat();
    let read = |mut row: super::Row| {
        Ok(DeskEvent {
            at: Timestamp::from_millis(present(row.int8()?, "at_ms")?),
            actor: present(row.text()?, "actor")?,
            action: present(row.text()?, "action")?,
            reason: present(row.text()?, "reason")?,
        })
    };
    session.ask(sql, &which).await?.into_iter().map(read).collect()
}

/// Changes each letter, in the order of their ids, so that no two changes wait for each other. Gives those that were changed.
pub(super) async fn change_each<'v>(
    session: &impl Session,
    sql: &str,
    (letters, head): (impl IntoIterator<Item = &'v LetterId>, &[Value<'v>]),
) -> Result<Vec<&'v LetterId>, Failure> {
    let mut sorted: Vec<&LetterId> = letters.into_iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    let rows: Vec<Vec<Value<'_>>> = sorted.iter().map(|id| [head, &id_values(id)].concat()).collect();
    let counts = session.change(sql, &rows).await?;
    let changed = sorted.into_iter().zip(counts).filter(|(_, count)| *count > 0);
    Ok(changed.map(|(id, _)| id).collect())
}
