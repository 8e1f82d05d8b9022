//! Short ways to say what the checks apply.

use std::borrow::Cow;

use scoresync_archive::{
    Applied, Archive, ArchiveError, Batch, EmployeeBatch, EmployeeChange, EmployeesApplied, Entry, Position, Refusals, TopicPartition,
    UndecodableRecord,
};
use scoresync_domain::{ContentHash, Employee, EnrichedScore, Fate, Origin, Repeat, ResultId, Score, Status, Timestamp};

pub(crate) const ENRICHED: &str = "scores.enriched";
pub(crate) const EMPLOYEES: &str = "employees";

pub(crate) fn partition(number: i32) -> TopicPartition {
    TopicPartition {
        topic: ENRICHED.to_owned(),
        generation: 1,
        partition: number,
    }
}

pub(crate) fn result(key: &str) -> ResultId {
    ResultId::from_key("academy", [key])
}

/// A final score of a result, from an offset of `scores.raw`, for employee E1.
pub(crate) fn score(key: &str, offset: i64, points: i64) -> EnrichedScore<'static> {
    let text = |text: &'static str| Some(Cow::Borrowed(text));
    let mut score = EnrichedScore {
        result_id: result(key),
        source: "webhook".into(),
        system: "academy".into(),
        status: Status::Final,
        employee_no: text("E1"),
        employee_name: text("李小雨"),
        department: text("质量部"),
        position: None,
        course_id: text("C-7"),
        course_title: text("消防安全"),
        exam_id: text("X-1"),
        exam_title: text("Final exam"),
        attempt: Some(1),
        exam_score: Score::from_millionths(points * 1_000_000),
        min_score: Score::from_millionths(0),
        max_score: Score::from_millionths(100_000_000),
        grade: None,
        passed: Some(points >= 60),
        finish_timestamp: Some(Timestamp::from_millis(1_790_000_000_123)),
        revision: None,
        revision_scheme: 1,
        mapping_version: 1,
        repeat: Repeat::Redelivery,
        decision: 0,
        matched_by: text("employee_no"),
        rounded: false,
        received_at: Timestamp::from_millis(1_790_000_100_000 + offset),
        origin: Origin {
            generation: 1,
            partition: 0,
            offset,
        },
        content_hash: ContentHash([0; 16]),
    };
    score.content_hash = score.hash_content();
    score
}

/// A withdrawal that knows nothing but its result.
pub(crate) fn withdrawal(key: &str, offset: i64) -> EnrichedScore<'static> {
    let full = score(key, offset, 0);
    let bare = EnrichedScore {
        status: Status::Withdrawn,
        employee_no: None,
        employee_name: None,
        department: None,
        course_id: None,
        course_title: None,
        exam_id: None,
        exam_title: None,
        attempt: None,
        exam_score: None,
        min_score: None,
        max_score: None,
        passed: None,
        finish_timestamp: None,
        matched_by: None,
        ..full
    };
    EnrichedScore {
        content_hash: bare.hash_content(),
        ..bare
    }
}

/// The score as it is after a change, its hash anew.
pub(crate) fn with(mut score: EnrichedScore<'static>, change: impl FnOnce(&mut EnrichedScore<'static>)) -> EnrichedScore<'static> {
    change(&mut score);
    score.content_hash = score.hash_content();
    score
}

pub(crate) fn naming(score: EnrichedScore<'static>, employee_no: &str) -> EnrichedScore<'static> {
    with(score, |score| score.employee_no = Some(employee_no.to_owned().into()))
}

pub(crate) async fn claim(archive: &Archive, partition: TopicPartition) {
    archive.claim_position(&beginning(partition)).await.unwrap();
}

pub(crate) fn beginning(partition: TopicPartition) -> Position {
    Position {
        partition,
        topic_id: "a topic's id".to_owned(),
        next_offset: 0,
        partition_count: 1,
        schemas: String::new(),
    }
}

pub(crate) type Said = Result<EnrichedScore<'static>, &'static [u8]>;

/// Entries of a partition from an offset on, without gaps.
pub(crate) fn batch(number: i32, first: i64, said: impl IntoIterator<Item = Said>) -> Batch<'static> {
    let entry = |(offset, score): (i64, Said)| Entry {
        offset,
        score: score.map_err(|bytes| UndecodableRecord {
            bytes: Cow::Borrowed(bytes),
        }),
    };
    let entries: Vec<_> = (first..).zip(said).map(entry).collect();
    Batch {
        partition: partition(number),
        expected_offset: first,
        next_offset: first + entries.len() as i64,
        schemas: String::new(),
        entries,
    }
}

/// Applies scores to partition 0 where it stands, claiming it first, and lets the archive judge.
pub(crate) async fn apply(archive: &Archive, said: impl IntoIterator<Item = EnrichedScore<'static>>) -> Applied {
    try_apply(archive, said, Refusals::Judge).await.unwrap()
}

pub(crate) async fn try_apply(
    archive: &Archive,
    said: impl IntoIterator<Item = EnrichedScore<'static>>,
    refusals: Refusals,
) -> Result<Applied, ArchiveError> {
    let first = next_offset(archive, &partition(0)).await;
    let batch = batch(0, first, said.into_iter().map(Ok));
    archive.apply_scores(&[batch], refusals).await
}

pub(crate) async fn next_offset(archive: &Archive, partition: &TopicPartition) -> i64 {
    claim(archive, partition.clone()).await;
    let positions = archive.positions(&partition.topic, partition.generation).await.unwrap();
    positions
        .iter()
        .find(|position| position.partition == *partition)
        .unwrap()
        .next_offset
}

pub(crate) fn employees_partition() -> TopicPartition {
    TopicPartition {
        topic: EMPLOYEES.to_owned(),
        generation: 1,
        partition: 0,
    }
}

pub(crate) async fn apply_employees(archive: &Archive, changes: &[EmployeeChange]) -> EmployeesApplied {
    let partition = employees_partition();
    let first = next_offset(archive, &partition).await;
    let batch = EmployeeBatch {
        partition,
        expected_offset: first,
        next_offset: first + changes.len() as i64,
        schemas: String::new(),
        changes,
    };
    archive.apply_employees(&batch).await.unwrap()
}

pub(crate) fn employee(employee_no: &str, replaced_by: Option<&str>, as_of: i64) -> EmployeeChange {
    EmployeeChange::Upsert(Employee {
        employee_no: employee_no.to_owned(),
        name: Some("王大海".to_owned()),
        department: None,
        position: None,
        identities: Vec::new(),
        left_at: None,
        replaced_by: replaced_by.map(str::to_owned),
        as_of: Timestamp::from_millis(as_of),
    })
}

/// How many positions of partition 0 came to a fate.
pub(crate) async fn count_of(archive: &Archive, fate: Fate) -> i64 {
    let counts = archive.fate_counts().await.unwrap();
    counts
        .iter()
        .filter(|count| count.partition == 0 && count.fate == fate)
        .map(|count| count.count)
        .sum()
}
