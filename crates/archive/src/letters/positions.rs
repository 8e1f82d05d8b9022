//! Where the desk goes on in each partition: moved by compare-and-set, in the transaction of what was taken in.

use super::{LetterPosition, Session};
use crate::{
    ArchiveError, Position,
    error::Failure,
    read::read_position,
    table::{Value, present},
};

/// Where each claimed partition of a topic's generation goes on.
pub(crate) async fn positions(session: &impl Session, topic: &str, generation: i32) -> Result<Vec<Position>, Failure> {
    let sql = "SELECT partition, topic_id, next_offset, partition_count, schemas FROM desk_position
        WHERE topic = $1 AND generation = $2 ORDER BY partition";
    let rows = session.ask(sql, &[Value::Text(Some(topic)), Value::Int4(Some(generation))]).await?;
    rows.into_iter().map(|mut row| read_position(&mut row, topic, generation)).collect()
}

/// Claims a partition at its first start; gives what stands, which is another's where that was first.
pub(crate) async fn claim(session: &impl Session, position: &Position) -> Result<Position, Failure> {
    let partition = &position.partition;
    let sql = "INSERT INTO desk_position (topic, generation, partition, topic_id, next_offset, partition_count, schemas)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (topic, generation, partition) DO NOTHING";
    let row = vec![
        Value::Text(Some(&partition.topic)),
        Value::Int4(Some(partition.generation)),
        Value::Int4(Some(partition.partition)),
        Value::Text(Some(&position.topic_id)),
        Value::Int8(Some(position.next_offset)),
        Value::Int4(Some(position.partition_count)),
        Value::Text(Some(&position.schemas)),
    ];
    session.change(sql, &[row]).await?;
    let all = positions(session, &partition.topic, partition.generation).await?;
    present(all.into_iter().find(|claimed| claimed.partition == *partition), "position")
}

/// The compare-and-set that a desk without the position loses.
pub(super) async fn move_on(session: &impl Session, moves: &[LetterPosition]) -> Result<(), Failure> {
    let sql = "UPDATE desk_position SET next_offset = $1, schemas = $2
        WHERE topic = $3 AND generation = $4 AND partition = $5 AND next_offset = $6";
    // In one order, so that no two desks wait for each other.
    let mut sorted: Vec<&LetterPosition> = moves.iter().collect();
    sorted.sort_by(|one, other| one.partition.cmp(&other.partition));
    let rows: Vec<Vec<Value<'_>>> = sorted.iter().map(|position| move_values(position)).collect();
    let moved = session.change(sql, &rows).await?;
    match sorted.into_iter().zip(moved).find(|(_, moved)| *moved == 0) {
        Some((position, _)) => Err(Failure::Decided(ArchiveError::LostPosition {
            partition: position.partition.clone(),
            expected: position.expected_offset,
        })),
        None => Ok(()),
    }
}

fn move_values(position: &LetterPosition) -> Vec<Value<'_>> {
    vec![
        Value::Int8(Some(position.next_offset)),
        Value::Text(Some(&position.schemas)),
        Value::Text(Some(&position.partition.topic)),
        Value::Int4(Some(position.partition.generation)),
        Value::Int4(Some(position.partition.partition)),
        Value::Int8(Some(position.expected_offset)),
    ]
}
