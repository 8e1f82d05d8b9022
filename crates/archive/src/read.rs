//! Questions that are the same to both databases.

use std::collections::HashMap;

use scoresync_domain::{Refusal, ResultId};

use crate::{
    EnrichedPosition, FateCount, Position, TopicPartition,
    error::Failure,
    judging::{Disagreement, KnownHistory, KnownRecord, Replaced},
    record::{HistoricStatement, Shown, TrainingRecord},
    table::{RowReader, history_columns, named, present, record_columns, refused_columns},
};

/// Everybody whose records stand in one file: the number itself, and all whose place it took. The placeholder differs by database.
fn with_predecessors(placeholder: &str) -> String {
    format!(
        "WITH RECURSIVE owner (employee_no) AS (
            SELECT {placeholder}
            UNION
            SELECT employee.employee_no FROM employee JOIN owner ON employee.successor = owner.employee_no
        )"
    )
}

pub(crate) fn records_of(placeholder: &str) -> String {
    let (owners, columns) = (with_predecessors(placeholder), record_columns());
    format!(
        "{owners} SELECT {columns} FROM training_record WHERE owner_employee_no IN (SELECT employee_no FROM owner)
        ORDER BY finish_ms IS NULL, finish_ms, result_id"
    )
}

pub(crate) fn history_of(placeholder: &str) -> String {
    let (owners, columns) = (with_predecessors(placeholder), history_columns());
    format!(
        "{owners} SELECT {columns} FROM score_history WHERE result_id IN
        (SELECT result_id FROM training_record WHERE owner_employee_no IN (SELECT employee_no FROM owner))
        ORDER BY enriched_generation, enriched_partition, enriched_offset"
    )
}

/// Refusals behind a position, at most so many; placeholders in the order generation, partition, offset, limit.
pub(crate) fn refused_after(placeholders: [&str; 4]) -> String {
    let [generation, partition, offset, limit] = placeholders;
    let columns = refused_columns();
    format!(
        "SELECT {columns} FROM refused_score
        WHERE (enriched_generation, enriched_partition, enriched_offset) > ({generation}, {partition}, {offset})
        ORDER BY enriched_generation, enriched_partition, enriched_offset LIMIT {limit}"
    )
}

/// What a [`Disagreement`] is read from, to be limited by whom the refused statement names.
pub(crate) const DISAGREEMENTS_BY_NAMED: &str = "SELECT refused.enriched_generation, refused.enriched_partition, refused.enriched_offset,
        refused.result_id, refused.employee_no, record.owner_employee_no
    FROM refused_score AS refused JOIN training_record AS record ON record.result_id = refused.result_id
    WHERE refused.reason = 'owner_changed' AND refused.employee_no";

/// What a [`Disagreement`] is read from, to be limited by the owner.
pub(crate) const DISAGREEMENTS_BY_OWNER: &str = "SELECT refused.enriched_generation, refused.enriched_partition, refused.enriched_offset,
        refused.result_id, refused.employee_no, record.owner_employee_no
    FROM training_record AS record JOIN refused_score AS refused ON refused.result_id = record.result_id
    WHERE refused.reason = 'owner_changed' AND record.owner_employee_no";

/// The employees whose successor has to do with some numbers, to be limited to these: whose they are, or who is replaced by them.
pub(crate) const REPLACED: &str = "SELECT employee_no, replaced_by, successor,
        EXISTS (SELECT 1 FROM employee AS other WHERE other.employee_no = employee.replaced_by)
    FROM employee WHERE";

pub(crate) const EMPLOYEE_NUMBERS: &str = "SELECT employee_no FROM employee ORDER BY employee_no";
pub(crate) const FATE_COUNTS: &str = "SELECT generation, partition, fate, count FROM fate_count ORDER BY generation, partition, fate";
pub(crate) const REFUSED_COUNTS: &str = "SELECT reason, count(*) FROM refused_score GROUP BY reason";

/// Behind which every refusal is, if nothing else is said.
pub(crate) fn start(after: Option<EnrichedPosition>) -> (i32, i32, i64) {
    after.map_or((i32::MIN, i32::MIN, i64::MIN), |after| {
        (after.generation, after.partition, after.offset)
    })
}

pub(crate) fn read_position(row: &mut impl RowReader, topic: &str, generation: i32) -> Result<Position, Failure> {
    Ok(Position {
        partition: TopicPartition {
            topic: topic.to_owned(),
            generation,
            partition: present(row.int4()?, "partition")?,
        },
        topic_id: present(row.text()?, "topic id")?,
        next_offset: present(row.int8()?, "offset")?,
        partition_count: present(row.int4()?, "partition count")?,
        schemas: present(row.text()?, "schemas")?,
    })
}

pub(crate) fn read_employee_no(row: &mut impl RowReader) -> Result<String, Failure> {
    present(row.text()?, "employee number")
}

pub(crate) fn read_fate_count(row: &mut impl RowReader) -> Result<FateCount, Failure> {
    Ok(FateCount {
        generation: present(row.int4()?, "generation")?,
        partition: present(row.int4()?, "partition")?,
        fate: named(row.text()?, "fate")?,
        count: present(row.int8()?, "count")?,
    })
}

pub(crate) fn read_refused_count(row: &mut impl RowReader) -> Result<(Refusal, u64), Failure> {
    let reason = named(row.text()?, "reason")?;
    Ok((reason, present(row.int8()?, "count")?.unsigned_abs()))
}

pub(crate) fn read_disagreement(row: &mut impl RowReader) -> Result<Disagreement, Failure> {
    Ok(Disagreement {
        position: EnrichedPosition {
            generation: present(row.int4()?, "position")?,
            partition: present(row.int4()?, "position")?,
            offset: present(row.int8()?, "position")?,
        },
        result_id: ResultId::from_uuid(present(row.id()?, "result id")?),
        named: present(row.text()?, "employee number")?,
        owner: present(row.text()?, "employee number")?,
    })
}

pub(crate) fn read_replaced(row: &mut impl RowReader) -> Result<Replaced, Failure> {
    Ok(Replaced {
        employee_no: present(row.text()?, "employee number")?,
        replaced_by: row.text()?,
        successor: row.text()?,
        has_replaced_by: present(row.flag()?, "flag")?,
    })
}

/// Puts records and their history together.
pub(crate) fn assemble(
    records: Vec<(ResultId, KnownRecord)>,
    history: Vec<(ResultId, KnownHistory)>,
) -> Result<Vec<TrainingRecord>, Failure> {
    let mut by_result: HashMap<ResultId, Vec<KnownHistory>> = HashMap::new();
    for (result_id, row) in history {
        by_result.entry(result_id).or_default().push(row);
    }
    records
        .into_iter()
        .map(|(result_id, record)| {
            let history = by_result.remove(&result_id).unwrap_or_default();
            training_record(result_id, record, history)
        })
        .collect()
}

fn training_record(result_id: ResultId, record: KnownRecord, rows: Vec<KnownHistory>) -> Result<TrainingRecord, Failure> {
    let in_history = rows
        .iter()
        .filter_map(|row| Some((row.content_number, row.content.as_deref()?.clone())));
    let contents: HashMap<i32, _> = in_history.chain(record.shown.clone()).collect();
    let others = rows.into_iter().filter(|row| !row.head.is_copy_of(&record.head));
    let history = others.map(|row| match contents.get(&row.content_number) {
        Some(content) => Ok(HistoricStatement {
            head: row.head,
            content: content.clone(),
        }),
        None => Err(Failure::environment(
            "a row of score_history refers to a content that is in no row; was it changed by hand?",
        )),
    });
    let history = history.collect::<Result<_, _>>()?;
    let (status, content_hash) = record.shown_instead.unwrap_or((record.head.status, record.head.content_hash));
    Ok(TrainingRecord {
        result_id,
        owner_employee_no: record.owner_employee_no,
        owner_decision: record.owner_decision,
        head: record.head,
        shown: record.shown.map(|(_, content)| Shown {
            status,
            content_hash,
            content,
        }),
        history,
    })
}
