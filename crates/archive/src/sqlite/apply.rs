//! Applying scores: everything of one call in one transaction.

use rusqlite::{Connection, Transaction, TransactionBehavior};
use scoresync_fault_points::{self as fault_points, Point};

use super::{SqliteArchive, load, rows::Writer};
use crate::{
    Applied, ArchiveError, Batch, Refusals,
    batch::{PositionMove, moves_unconditionally},
    bisection::{Bisection, Selection},
    error::Failure,
    judging::{Cases, Intake, Known, Plan, RESULTS_AT_ONCE, RefusedRow, Successors, Tally, Verdicts, only_one, tally},
    table::{FATE_COUNTS, FIRST_RECORDS, HISTORY, RECORDS, REFUSED, fate_values, history_values, record_values, refused_values},
};

impl SqliteArchive {
    pub(crate) fn apply_scores(&self, batches: &[Batch<'_>], refusals: Refusals) -> Result<Applied, Failure> {
        self.run(|connection| match attempt(connection, (batches, refusals), &Selection::default()) {
            Err(Failure::Rejected(_)) => {
                let selection = find_rejected(connection, batches)?;
                attempt(connection, (batches, refusals), &selection)
            }
            applied => applied,
        })
    }
}

/// Tries parts of the batches, keeping none, until the entries that the database refuses are known.
fn find_rejected(connection: &mut Connection, batches: &[Batch<'_>]) -> Result<Selection, Failure> {
    let mut bisection = Bisection::of(batches.iter().map(|batch| batch.entries.len()).sum());
    while let Some(probe) = bisection.next_probe() {
        match attempt(connection, (batches, Refusals::Judge), &probe) {
            Err(Failure::Rejected(_)) => probe.probe.into_iter().for_each(|range| bisection.was_refused(range)),
            applied => drop(applied?),
        }
    }
    Ok(bisection.found())
}

/// One transaction: positions, rows, counts. A probe is rolled back.
fn attempt(connection: &mut Connection, (batches, refusals): (&[Batch<'_>], Refusals), selection: &Selection) -> Result<Applied, Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for batch in batches {
        move_position(&transaction, &batch.position_move())?;
    }
    fault_points::pass(Point::PositionMoved);
    let intake = Intake::sort(batches, selection);
    let verdicts = file(&transaction, &intake, refusals)?;
    write_refused(&transaction, &intake.refused_rows())?;
    let applied = intake.report(&verdicts);
    fault_points::pass(Point::RowsWritten);
    write_tally(&transaction, tally(&intake, &verdicts, &applied))?;
    if selection.probe.is_none() {
        fault_points::pass(Point::BeforeCommit);
        transaction.commit()?;
        fault_points::pass(Point::AfterCommit);
    }
    Ok(applied)
}

/// Writes first records as they are, and what comes of judging the others.
fn file(transaction: &Transaction<'_>, intake: &Intake<'_>, refusals: Refusals) -> Result<Verdicts, Failure> {
    let mut verdicts = Verdicts::default();
    let mut first_records = Writer::to(transaction, &FIRST_RECORDS)?;
    for some in intake.by_result().chunks(RESULTS_AT_ONCE) {
        let mut cases = Cases::default();
        for said in some {
            match only_one(said) {
                Some(statement) if first_records.write(record_values(&statement.first_record()))? => verdicts.file(statement),
                Some(_) | None => cases.add(said),
            }
        }
        if cases.is_empty() {
            continue;
        }
        let (known, successors) = load_for(transaction, &cases)?;
        let plan = cases.judge((known, &successors), refusals)?;
        write_plan(transaction, &plan)?;
        verdicts.add(plan.verdicts);
    }
    Ok(verdicts)
}

/// What is needed to judge the cases.
fn load_for(transaction: &Transaction<'_>, cases: &Cases<'_>) -> Result<(Known, Successors), Failure> {
    let newcomers = cases.heads();
    let mut known = load::records(transaction, &cases.result_ids())?;
    let decided = known.decided_by(&newcomers);
    load::refusals_of(transaction, &mut known, &decided)?;
    load::history(transaction, &mut known, &newcomers)?;
    let successors = load::successors(transaction, &cases.disputed_numbers(&known))?;
    Ok((known, successors))
}

/// The compare-and-set that a sink without the position loses.
pub(super) fn move_position(transaction: &Transaction<'_>, position: &PositionMove<'_>) -> Result<(), Failure> {
    let mut statement = transaction.prepare_cached(
        "UPDATE consumer_position SET next_offset = ?5, schemas = ?6
            WHERE topic = ?1 AND generation = ?2 AND partition = ?3 AND next_offset = ?4",
    )?;
    let (partition, expected) = (position.partition, position.expected_offset);
    let place = (&partition.topic, partition.generation, partition.partition);
    if moves_unconditionally() {
        let sql = "UPDATE consumer_position SET next_offset = ?4 WHERE topic = ?1 AND generation = ?2 AND partition = ?3";
        transaction.execute(sql, (place.0, place.1, place.2, position.next_offset))?;
        return Ok(());
    }
    match statement.execute((place.0, place.1, place.2, expected, position.next_offset, position.schemas))? {
        0 => Err(Failure::Decided(ArchiveError::LostPosition {
            partition: partition.clone(),
            expected,
        })),
        _ => Ok(()),
    }
}

pub(super) fn write_plan(transaction: &Transaction<'_>, plan: &Plan<'_>) -> Result<(), Failure> {
    let mut records = Writer::to(transaction, &RECORDS)?;
    for row in &plan.records {
        records.write(record_values(row))?;
    }
    let mut history = Writer::to(transaction, &HISTORY)?;
    for row in &plan.history {
        history.write(history_values(row))?;
    }
    let mut release = transaction
        .prepare_cached("DELETE FROM refused_score WHERE enriched_generation = ? AND enriched_partition = ? AND enriched_offset = ?")?;
    for (position, _) in &plan.verdicts.released {
        release.execute((position.generation, position.partition, position.offset))?;
    }
    write_refused(transaction, &plan.refused)
}

fn write_refused(transaction: &Transaction<'_>, rows: &[RefusedRow<'_>]) -> Result<(), Failure> {
    let mut refused = Writer::to(transaction, &REFUSED)?;
    for row in rows {
        refused.write(refused_values(row))?;
    }
    Ok(())
}

pub(super) fn write_tally(transaction: &Transaction<'_>, tally: Tally) -> Result<(), Failure> {
    let mut writer = Writer::to(transaction, &FATE_COUNTS)?;
    for ((generation, partition, fate), count) in tally {
        writer.write(fate_values((generation, partition, fate), count))?;
    }
    Ok(())
}
