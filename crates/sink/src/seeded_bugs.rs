//! What a sink would do that trusted the group's positions. Only for tests that show why it does not.

use scoresync_fault_points::{self as fault_points, Bug};
use scoresync_kafka::{Committed, Error, GroupConsumer, TopicPartition};
use scoresync_positions::StartError;

/// Whether the group's positions take the place of the archive's.
fn trusts_group() -> bool {
    fault_points::has(Bug::PositionBeforeRows) || fault_points::has(Bug::SeekToGroupOffset)
}

/// Whether a difference to the archive goes unnoticed.
pub(crate) fn never_looks_back() -> bool {
    trusts_group() || fault_points::has(Bug::FailedBatchSkipped)
}

/// Tells the group.
pub(crate) fn record(consumer: &GroupConsumer, positions: impl Iterator<Item = (TopicPartition, i64)>) -> Result<(), Error> {
    let note = String::new;
    let committed = positions.map(|(place, offset)| (place, Committed { offset, note: note() }));
    let committed: Vec<_> = committed.collect();
    if committed.is_empty() {
        Ok(())
    } else {
        consumer.commit(&committed, true)
    }
}

/// The archive's position, or what the group was told.
pub(crate) fn position(consumer: &GroupConsumer, place: &TopicPartition, archived: i64) -> Result<i64, StartError> {
    if !trusts_group() {
        return Ok(archived);
    }
    Ok(consumer.committed(place)?.map_or(archived, |committed| committed.offset))
}
