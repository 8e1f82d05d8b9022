//! What is applied to an archive, and what came of it.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use scoresync_domain::{Employee, EnrichedScore, Fate, Refusal};
use scoresync_fault_points::{self as fault_points, Bug};

/// Whether positions move whatever they were, as they never do but in tests.
pub(crate) fn moves_unconditionally() -> bool {
    let bugs = [
        Bug::NoCompareAndSet,
        Bug::PositionBeforeRows,
        Bug::SeekToGroupOffset,
        Bug::FailedBatchSkipped,
    ];
    bugs.into_iter().any(fault_points::has)
}

/// One partition of one generation of a topic that the archive is fed from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// Its generation; grows when it is replaced by a larger one.
    pub generation: i32,
    /// The partition.
    pub partition: i32,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}/{}", self.topic, self.generation, self.partition)
    }
}

/// Where a partition goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The partition.
    pub partition: TopicPartition,
    /// The broker's id of the topic, as it was when the position was claimed.
    pub topic_id: String,
    /// The offset to seek to.
    pub next_offset: i64,
    /// How many partitions the topic had then.
    pub partition_count: i32,
    /// What the ids of the topic's schemas meant, as far as records were applied that carry them; the sink's own text.
    pub schemas: String,
}

/// A place in `scores.enriched`; their order is the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnrichedPosition {
    /// Generation of the topic.
    pub generation: i32,
    /// Partition of the topic.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
}

/// What was read of one partition of `scores.enriched`, in its order. Gaps between offsets are normal.
#[derive(Clone, Debug)]
pub struct Batch<'a> {
    /// The partition.
    pub partition: TopicPartition,
    /// Where the archive must be for the batch to apply.
    pub expected_offset: i64,
    /// Where it is afterwards.
    pub next_offset: i64,
    /// What is known of the topic's schemas by then; recorded with the position.
    pub schemas: String,
    /// The records.
    pub entries: Vec<Entry<'a>>,
}

/// One record of `scores.enriched`.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Its offset.
    pub offset: i64,
    /// What it says.
    pub score: Result<EnrichedScore<'a>, UndecodableRecord<'a>>,
}

/// A record that is no readable enriched score; kept as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndecodableRecord<'a> {
    /// The record's value, untouched.
    pub bytes: Cow<'a, [u8]>,
}

/// Whether scores may be refused over their owner yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusals {
    /// Not yet: roll back and say [`crate::ArchiveError::WouldRefuse`], so that `employees` can be read to its present end.
    Withhold,
    /// Yes.
    Judge,
}

/// What came of a call of `apply_scores`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The fate of each entry, batch after batch in their order.
    pub fates: Vec<Fate>,
    /// How many of the entries were refused, by reason.
    pub refused: BTreeMap<Refusal, u64>,
    /// What became of earlier refusals that were judged again and count now.
    pub judged_again: BTreeMap<Fate, u64>,
}

/// One record of `employees`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmployeeChange {
    /// What the HR system says of an employee. An older statement never overwrites a newer one.
    Upsert(Employee),
    /// Erasure (a tombstone).
    Erase {
        /// Whom.
        employee_no: String,
    },
}

/// What was read of one partition of `employees`, in its order.
#[derive(Clone, Debug)]
pub struct EmployeeBatch<'a> {
    /// The partition.
    pub partition: TopicPartition,
    /// Where the archive must be for the batch to apply.
    pub expected_offset: i64,
    /// Where it is afterwards.
    pub next_offset: i64,
    /// What is known of the topic's schemas by then; recorded with the position.
    pub schemas: String,
    /// The changes.
    pub changes: &'a [EmployeeChange],
}

/// How a position moves with what is applied, and what is recorded beside it.
pub(crate) struct PositionMove<'a> {
    pub(crate) partition: &'a TopicPartition,
    pub(crate) expected_offset: i64,
    pub(crate) next_offset: i64,
    pub(crate) schemas: &'a str,
}

impl Batch<'_> {
    pub(crate) fn position_move(&self) -> PositionMove<'_> {
        PositionMove {
            partition: &self.partition,
            expected_offset: self.expected_offset,
            next_offset: self.next_offset,
            schemas: &self.schemas,
        }
    }
}

impl EmployeeBatch<'_> {
    pub(crate) fn position_move(&self) -> PositionMove<'_> {
        PositionMove {
            partition: &self.partition,
            expected_offset: self.expected_offset,
            next_offset: self.next_offset,
            schemas: &self.schemas,
        }
    }
}

/// What came of a call of `apply_employees`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmployeesApplied {
    /// Changes whose employee number no archive can hold (empty, over 200 characters, U+0000): no record can ever name it.
    pub unusable: u64,
    /// What became of refusals that were judged again and count now.
    pub judged_again: BTreeMap<Fate, u64>,
}
