//! Applying scores: everything of one call in one transaction, a few statements for each table.

use std::collections::HashSet;

use scoresync_domain::ResultId;
use scoresync_fault_points::{self as fault_points, Point};
use tokio_postgres::types::ToSql;

use super::{
    PostgresArchive,
    load::{self, query},
    rows::{CopyIn, Prepared},
    transaction::{End, Ended, IS_BEGUN, Transaction},
};
use crate::{
    Applied, ArchiveError, Batch, Refusals, TopicPartition,
    batch::{PositionMove, moves_unconditionally},
    bisection::{Bisection, Selection},
    error::Failure,
    judging::{Cases, Intake, Known, Plan, RESULTS_AT_ONCE, RecordRow, Statement, Tally, Verdicts, only_one, tally},
    table::{FATE_COUNTS, HISTORY, RECORDS, REFUSED, Table, Value, fate_values, history_values, record_values, refused_values},
};

/// From how many first records on they are copied in, which takes one question more than inserting them.
const COPIED_FROM: usize = 64;

impl PostgresArchive {
    pub(crate) async fn apply_scores(&self, batches: &[Batch<'_>], refusals: Refusals) -> Result<Applied, Failure> {
        match self.attempt((batches, refusals), &Selection::default()).await {
            Err(Failure::Rejected(_)) => {
                let selection = self.find_rejected(batches).await?;
                self.attempt((batches, refusals), &selection).await
            }
            applied => applied,
        }
    }

    /// Tries parts of the batches, keeping none, until the entries that the database refuses are known.
    async fn find_rejected(&self, batches: &[Batch<'_>]) -> Result<Selection, Failure> {
        let mut bisection = Bisection::of(batches.iter().map(|batch| batch.entries.len()).sum());
        while let Some(probe) = bisection.next_probe() {
            match self.attempt((batches, Refusals::Judge), &probe).await {
                Err(Failure::Rejected(_)) => probe.probe.into_iter().for_each(|range| bisection.was_refused(range)),
                applied => drop(applied?),
            }
        }
        Ok(bisection.found())
    }

    /// One transaction: positions, rows, counts. A probe is rolled back.
    async fn attempt(&self, (batches, refusals): (&[Batch<'_>], Refusals), selection: &Selection) -> Result<Applied, Failure> {
        let applied = self
            .transact(async |transaction| apply(transaction, (batches, refusals), selection).await)
            .await?;
        if selection.probe.is_none() {
            fault_points::pass(Point::AfterCommit);
        }
        Ok(applied)
    }
}

/// What does not wait for an answer is sent together. Answers come in the order of the questions, so the first failure is the cause (on the
/// thread of the connection; another one may see the second first).
async fn apply(
    transaction: &Transaction<'_>,
    (batches, refusals): (&[Batch<'_>], Refusals),
    selection: &Selection,
) -> Result<(Applied, Ended), Failure> {
    let intake = Intake::sort(batches, selection);
    let by_result = intake.by_result();
    let mut portions = by_result.chunks(RESULTS_AT_ONCE);
    let first = portions.next().unwrap_or_default();
    let results = result_ids(first);
    let moved = move_positions(transaction, batches.iter().map(Batch::position_move).collect());
    let known = match refusals {
        Refusals::Withhold => tokio::try_join!(biased; moved, load::records(transaction, &results))?.1,
        Refusals::Judge => {
            moved.await?;
            // A successor that is being written at this moment would look for refusals to judge again before these are committed. Whoever
            // writes employees locks them before the records, too.
            transaction.batch_execute("LOCK TABLE employee IN SHARE MODE").await?;
            load::records(transaction, &results).await?
        }
    };
    fault_points::pass(Point::PositionMoved);
    let mut filing = Filing::new(transaction, refusals);
    filing.take(first, known).await?;
    for some in portions {
        let known = load::records(transaction, &result_ids(some)).await?;
        filing.take(some, known).await?;
    }
    let Filing {
        first_records, verdicts, ..
    } = filing;
    write(transaction, &REFUSED, intake.refused_rows().iter().map(refused_values)).await?;
    let applied = intake.report(&verdicts);
    fault_points::pass(Point::RowsWritten);
    let end = if selection.probe.is_none() {
        fault_points::pass(Point::BeforeCommit);
        End::Commit
    } else {
        End::RollBack
    };
    let ended = finish(transaction, &first_records, tally(&intake, &verdicts, &applied), end).await?;
    Ok((applied, ended))
}

/// Writes first records and counts, and ends the transaction, all in one. What had still to be prepared would be sent after the end.
async fn finish(transaction: &Transaction<'_>, first_records: &[&Statement<'_>], tally: Tally, end: End) -> Result<Ended, Failure> {
    let (few, many) = if first_records.len() < COPIED_FROM {
        (first_records, [].as_slice())
    } else {
        ([].as_slice(), first_records)
    };
    let few: Vec<RecordRow<'_>> = few.iter().map(|statement| statement.first_record()).collect();
    let inserted = Prepared::new_rows(transaction, &RECORDS, few.iter().map(record_values)).await?;
    let copied = match many {
        [] => None,
        _ => Some(CopyIn::prepare(transaction, &RECORDS).await?),
    };
    let tally = prepared_tally(transaction, tally).await?;
    let ((), (), (), ended) = tokio::try_join!(biased;
        inserted.write(transaction),
        copy(transaction, copied, many),
        tally.write(transaction),
        transaction.end(end),
    )?;
    Ok(ended)
}

fn result_ids(some: &[&[Statement<'_>]]) -> Vec<ResultId> {
    some.iter().filter_map(|said| said.first()).map(Statement::result_id).collect()
}

/// Writes what comes of judging; first records are left to be copied in together.
struct Filing<'t, 'c, 's, 'a> {
    transaction: &'t Transaction<'c>,
    refusals: Refusals,
    first_records: Vec<&'s Statement<'a>>,
    verdicts: Verdicts,
}

impl<'t, 'c, 's, 'a> Filing<'t, 'c, 's, 'a> {
    fn new(transaction: &'t Transaction<'c>, refusals: Refusals) -> Self {
        Self {
            transaction,
            refusals,
            first_records: Vec::new(),
            verdicts: Verdicts::default(),
        }
    }

    /// Takes what is said about some results, whose records are known.
    async fn take(&mut self, some: &[&'s [Statement<'a>]], known: Known) -> Result<(), Failure> {
        let mut cases = Cases::default();
        for said in some {
            match only_one(said) {
                Some(statement) if !known.has_record(statement.result_id()) => {
                    self.verdicts.file(statement);
                    self.first_records.push(statement);
                }
                Some(_) | None => cases.add(said),
            }
        }
        if !cases.is_empty() {
            self.verdicts.add(judge(self.transaction, cases, known, self.refusals).await?);
        }
        Ok(())
    }
}

async fn copy(transaction: &Transaction<'_>, copied: Option<CopyIn>, statements: &[&Statement<'_>]) -> Result<(), Failure> {
    let Some(copied) = copied else { return Ok(()) };
    let mut rows = copied.begin(transaction).await?;
    for statement in statements {
        rows.write(record_values(&statement.first_record())).await?;
    }
    rows.finish().await
}

/// Judges cases, and writes what comes of it.
async fn judge(transaction: &Transaction<'_>, cases: Cases<'_>, mut known: Known, refusals: Refusals) -> Result<Verdicts, Failure> {
    let newcomers = cases.heads();
    let decided = known.decided_by(&newcomers);
    load::refusals_of(transaction, &mut known, &decided).await?;
    load::history(transaction, &mut known, &newcomers).await?;
    let successors = load::successors(transaction, &cases.disputed_numbers(&known)).await?;
    let plan = cases.judge((known, &successors), refusals)?;
    write_plan(transaction, &plan).await?;
    Ok(plan.verdicts)
}

/// The compare-and-set that a sink without the position loses.
pub(super) async fn move_positions(transaction: &Transaction<'_>, moves: Vec<PositionMove<'_>>) -> Result<(), Failure> {
    let sql = format!(
        "UPDATE consumer_position AS position SET next_offset = given.next_offset, schemas = given.schemas
        FROM unnest($1::text[], $2::int4[], $3::int4[], $4::int8[], $5::int8[], $6::text[])
            AS given (topic, generation, partition, expected, next_offset, schemas)
        WHERE position.topic = given.topic AND position.generation = given.generation AND position.partition = given.partition
            AND position.next_offset = given.expected AND {IS_BEGUN}
        RETURNING position.topic, position.generation, position.partition"
    );
    let topics: Vec<&str> = moves.iter().map(|position| position.partition.topic.as_str()).collect();
    let generations: Vec<i32> = moves.iter().map(|position| position.partition.generation).collect();
    let partitions: Vec<i32> = moves.iter().map(|position| position.partition.partition).collect();
    let expected: Vec<i64> = moves.iter().map(|position| position.expected_offset).collect();
    let next: Vec<i64> = moves.iter().map(|position| position.next_offset).collect();
    let schemas: Vec<&str> = moves.iter().map(|position| position.schemas).collect();
    if moves_unconditionally() {
        return set_positions(transaction, &[&topics, &generations, &partitions, &next]).await;
    }
    let mut moved = HashSet::new();
    for row in query(transaction, &sql, &[&topics, &generations, &partitions, &expected, &next, &schemas]).await? {
        moved.insert(TopicPartition {
            topic: row.try_get(0)?,
            generation: row.try_get(1)?,
            partition: row.try_get(2)?,
        });
    }
    match moves.into_iter().find(|position| !moved.contains(position.partition)) {
        Some(position) => Err(Failure::Decided(ArchiveError::LostPosition {
            partition: position.partition.clone(),
            expected: position.expected_offset,
        })),
        None => Ok(()),
    }
}

async fn set_positions(transaction: &Transaction<'_>, parameters: &[&(dyn ToSql + Sync)]) -> Result<(), Failure> {
    let sql = "UPDATE consumer_position AS position SET next_offset = given.next_offset
        FROM unnest($1::text[], $2::int4[], $3::int4[], $4::int8[]) AS given (topic, generation, partition, next_offset)
        WHERE position.topic = given.topic AND position.generation = given.generation AND position.partition = given.partition";
    query(transaction, sql, parameters).await.map(drop)
}

pub(super) async fn write<'a, V>(
    transaction: &Transaction<'_>,
    table: &Table,
    rows: impl ExactSizeIterator<Item = V>,
) -> Result<(), Failure>
where
    V: IntoIterator<Item = Value<'a>>,
{
    Prepared::rows(transaction, table, rows).await?.write(transaction).await
}

pub(super) async fn write_plan(transaction: &Transaction<'_>, plan: &Plan<'_>) -> Result<(), Failure> {
    tokio::try_join!(biased;
        write(transaction, &RECORDS, plan.records.iter().map(record_values)),
        write(transaction, &HISTORY, plan.history.iter().map(history_values)),
        forget_refusals(transaction, plan),
    )?;
    write(transaction, &REFUSED, plan.refused.iter().map(refused_values)).await
}

/// Those that count now.
async fn forget_refusals(transaction: &Transaction<'_>, plan: &Plan<'_>) -> Result<(), Failure> {
    let released = plan.verdicts.released.iter().map(|(position, _)| position);
    let generations: Vec<i32> = released.clone().map(|position| position.generation).collect();
    let partitions: Vec<i32> = released.clone().map(|position| position.partition).collect();
    let offsets: Vec<i64> = released.map(|position| position.offset).collect();
    if offsets.is_empty() {
        return Ok(());
    }
    let sql =
        "DELETE FROM refused_score AS refused USING unnest($1::int4[], $2::int4[], $3::int8[]) AS given (generation, partition, place)
        WHERE refused.enriched_generation = given.generation AND refused.enriched_partition = given.partition
            AND refused.enriched_offset = given.place";
    query(transaction, sql, &[&generations, &partitions, &offsets]).await.map(drop)
}

pub(super) async fn write_tally(transaction: &Transaction<'_>, tally: Tally) -> Result<(), Failure> {
    prepared_tally(transaction, tally).await?.write(transaction).await
}

async fn prepared_tally(transaction: &Transaction<'_>, tally: Tally) -> Result<Prepared<'static>, Failure> {
    let rows = tally.into_iter().map(|(place, count)| fate_values(place, count));
    Prepared::rows(transaction, &FATE_COUNTS, rows).await
}
