//! Results made anew from all that was said of them, by the rule by which the sink files; for whoever has found that they are not what they
//! must be. No position moves, and no fate is counted.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use scoresync_domain::ResultId;

use crate::{
    ArchiveError, Batch, EnrichedPosition, Entry, FateCount, Refusals, TopicPartition,
    bisection::Selection,
    error::Failure,
    judging::{Cases, Intake, Known, Plan, Successors},
    letters::Session,
    table::{
        FATE_COUNTS, HISTORY, RECORDS, REFUSED, RowReader, Table, Value, fate_values, history_values, present, record_values,
        refused_values,
    },
};

/// Of each partition of `scores.enriched`, by generation and number, the offsets that were read.
pub type OffsetsRead = BTreeMap<(i32, i32), Range<i64>>;

/// What is to be made anew, and from what.
#[derive(Clone, Debug)]
pub struct Rebuild<'a> {
    /// What was read, as far as the sink had come then.
    pub read: &'a OffsetsRead,
    /// The results.
    pub results: &'a [ResultId],
    /// Places of records that are no readable score.
    pub undecodable: Vec<EnrichedPosition>,
    /// All that stands there about the results, and the undecodable records: by place, in their order.
    pub entries: Vec<(EnrichedPosition, Entry<'a>)>,
}

/// Everything the sink does locks one of these first, so it waits meanwhile.
const LOCK: &str = "UPDATE consumer_position SET next_offset = next_offset";

/// Where a result has rows.
const RESULT_TABLES: [&str; 3] = ["training_record", "score_history", "refused_score"];

/// Takes away what there is of the results, and files what was said of them.
pub(crate) async fn rebuild(session: &impl Session, rebuild: Rebuild<'_>) -> Result<(), Failure> {
    session.change(LOCK, &[Vec::new()]).await?;
    let ids: Vec<Vec<Value<'_>>> = rebuild
        .results
        .iter()
        .map(|result_id| vec![Value::Id(Some(*result_id.as_uuid()))])
        .collect();
    check_all_was_read(session, (&ids, rebuild.read)).await?;
    for table in RESULT_TABLES {
        session.change(&format!("DELETE FROM {table} WHERE result_id = $1"), &ids).await?;
    }
    let places: Vec<Vec<Value<'_>>> = rebuild.undecodable.iter().map(|place| place_values(*place)).collect();
    let forget = "DELETE FROM refused_score WHERE enriched_generation = $1 AND enriched_partition = $2 AND enriched_offset = $3";
    session.change(forget, &places).await?;
    let batches = by_partition(rebuild.entries);
    let intake = Intake::sort(&batches, &Selection::default());
    let mut cases = Cases::default();
    for said in intake.by_result() {
        cases.add(said);
    }
    let known = Known::default();
    let successors = successors(session, cases.disputed_numbers(&known).into_iter().collect()).await?;
    let mut plan = cases.judge((known, &successors), Refusals::Judge)?;
    plan.refused.extend(intake.refused_rows());
    write_plan(session, &plan).await
}

/// Adds to the counts of fates.
pub(crate) async fn correct_fates(session: &impl Session, corrections: &[FateCount]) -> Result<(), Failure> {
    let row = |correction: &FateCount| fate_values((correction.generation, correction.partition, correction.fate), correction.count);
    let rows: Vec<Vec<Value<'_>>> = corrections.iter().map(|correction| row(correction).into_iter().collect()).collect();
    write(session, &FATE_COUNTS, rows).await
}

/// What there is of the results must all come from what was read: not from what the sink has filed since, nor from what a log does not hold.
async fn check_all_was_read(session: &impl Session, (results, read): (&[Vec<Value<'_>>], &OffsetsRead)) -> Result<(), Failure> {
    let place = "enriched_generation, enriched_partition, enriched_offset";
    let arrivals = RESULT_TABLES.map(|table| format!("SELECT {place} FROM {table} WHERE result_id = $1"));
    let arrivals = arrivals.join(" UNION ALL ");
    for result in results {
        for mut row in session.ask(&arrivals, result).await? {
            let partition = (present(row.int4()?, "generation")?, present(row.int4()?, "partition")?);
            let offset = present(row.int8()?, "offset")?;
            if !read.get(&partition).is_some_and(|read| read.contains(&offset)) {
                return Err(Failure::Decided(ArchiveError::Overtaken));
            }
        }
    }
    Ok(())
}

fn place_values<'v>(place: EnrichedPosition) -> Vec<Value<'v>> {
    vec![
        Value::Int4(Some(place.generation)),
        Value::Int4(Some(place.partition)),
        Value::Int8(Some(place.offset)),
    ]
}

/// Entries as they would have been read.
fn by_partition(entries: Vec<(EnrichedPosition, Entry<'_>)>) -> Vec<Batch<'_>> {
    let mut batches: Vec<Batch<'_>> = Vec::new();
    for (place, entry) in entries {
        let of = |batch: &Batch<'_>| (batch.partition.generation, batch.partition.partition);
        match batches.last_mut() {
            Some(batch) if of(batch) == (place.generation, place.partition) => batch.entries.push(entry),
            Some(_) | None => batches.push(Batch {
                partition: TopicPartition {
                    topic: String::new(),
                    generation: place.generation,
                    partition: place.partition,
                },
                expected_offset: place.offset,
                next_offset: place.offset,
                schemas: String::new(),
                entries: vec![entry],
            }),
        }
    }
    batches
}

/// Who took the places of these, and theirs.
async fn successors(session: &impl Session, mut numbers: Vec<String>) -> Result<Successors, Failure> {
    let sql = "SELECT successor FROM employee WHERE employee_no = $1 AND successor IS NOT NULL";
    let (mut successors, mut asked) = (Successors::default(), BTreeSet::new());
    while let Some(number) = numbers.pop() {
        if !asked.insert(number.clone()) {
            continue;
        }
        for mut row in session.ask(sql, &[Value::Text(Some(&number))]).await? {
            let successor = present(row.text()?, "employee number")?;
            numbers.push(successor.clone());
            successors.add(number.clone(), successor);
        }
    }
    Ok(successors)
}

async fn write_plan(session: &impl Session, plan: &Plan<'_>) -> Result<(), Failure> {
    write(
        session,
        &RECORDS,
        plan.records.iter().map(|row| record_values(row).collect()).collect(),
    )
    .await?;
    write(
        session,
        &HISTORY,
        plan.history.iter().map(|row| history_values(row).collect()).collect(),
    )
    .await?;
    write(
        session,
        &REFUSED,
        plan.refused.iter().map(|row| refused_values(row).collect()).collect(),
    )
    .await
}

async fn write(session: &impl Session, table: &Table, rows: Vec<Vec<Value<'_>>>) -> Result<(), Failure> {
    let parameters: Vec<String> = (1..=table.columns.len()).map(|number| format!("${number}")).collect();
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({}) {}",
        table.name,
        table.names(),
        parameters.join(", "),
        table.conflict
    );
    session.change(&sql, &rows).await.map(drop)
}
