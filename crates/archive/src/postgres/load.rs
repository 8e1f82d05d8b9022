//! What the archive knows of some results, and who took whose place.

use std::collections::BTreeSet;

use scoresync_domain::ResultId;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::{rows::Cursor, transaction::Transaction};
use crate::{
    EnrichedPosition,
    error::Failure,
    judging::{Disagreement, Known, Newcomers, Successors},
    read,
    table::{RowReader, history_columns, present, read_history, read_record, read_refused, record_columns, refused_columns},
};

pub(super) async fn query(transaction: &Transaction<'_>, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
    let statement = transaction.prepare_cached(sql).await?;
    Ok(transaction.query(&statement, parameters).await?)
}

/// The records of the results, which are locked: whoever else judges one of them comes before or after.
pub(super) async fn records(transaction: &Transaction<'_>, results: &[ResultId]) -> Result<Known, Failure> {
    let columns = record_columns();
    let sql = format!("SELECT {columns} FROM training_record WHERE result_id = ANY($1) ORDER BY result_id FOR UPDATE");
    let mut known = Known::default();
    for row in query(transaction, &sql, &[&ids(results)]).await? {
        known.add_record(read_record(&mut Cursor::over(&row))?);
    }
    Ok(known)
}

/// Adds what was refused about the results.
pub(super) async fn refusals_of(transaction: &Transaction<'_>, known: &mut Known, results: &[ResultId]) -> Result<(), Failure> {
    let columns = refused_columns();
    let sql = format!("SELECT {columns} FROM refused_score WHERE result_id = ANY($1) AND reason = 'owner_changed'");
    add_refusals(known, &query(transaction, &sql, &[&ids(results)]).await?)
}

/// Adds the refusals at the positions.
pub(super) async fn refusals_at(transaction: &Transaction<'_>, known: &mut Known, positions: &[EnrichedPosition]) -> Result<(), Failure> {
    let columns = refused_columns();
    let sql = format!(
        "SELECT {columns} FROM refused_score WHERE (enriched_generation, enriched_partition, enriched_offset) IN
            (SELECT * FROM unnest($1::int4[], $2::int4[], $3::int8[]))"
    );
    let generations: Vec<i32> = positions.iter().map(|position| position.generation).collect();
    let partitions: Vec<i32> = positions.iter().map(|position| position.partition).collect();
    let offsets: Vec<i64> = positions.iter().map(|position| position.offset).collect();
    add_refusals(known, &query(transaction, &sql, &[&generations, &partitions, &offsets]).await?)
}

fn add_refusals(known: &mut Known, rows: &[Row]) -> Result<(), Failure> {
    for row in rows {
        known.add_refused(read_refused(&mut Cursor::over(row))?);
    }
    Ok(())
}

/// Adds as much of the history as matters to the new statements, and to the refusals that are known.
pub(super) async fn history(transaction: &Transaction<'_>, known: &mut Known, newcomers: &Newcomers<'_>) -> Result<(), Failure> {
    let columns = history_columns();
    let needed = format!("SELECT {columns} FROM score_history WHERE result_id = ANY($1) AND (speaks OR source IS NOT NULL)");
    add_history(known, &query(transaction, &needed, &[&ids(&known.result_ids())]).await?)?;
    let at_origins = format!(
        "SELECT {columns} FROM score_history WHERE (result_id, origin_generation, origin_partition, origin_offset) IN
            (SELECT * FROM unnest($1::uuid[], $2::int4[], $3::int4[], $4::int8[])) AND NOT (speaks OR source IS NOT NULL)"
    );
    let origins = known.origins(newcomers);
    let results: Vec<Uuid> = origins.iter().map(|(result_id, _)| *result_id.as_uuid()).collect();
    let generations: Vec<i32> = origins.iter().map(|(_, origin)| origin.generation).collect();
    let partitions: Vec<i32> = origins.iter().map(|(_, origin)| origin.partition).collect();
    let offsets: Vec<i64> = origins.iter().map(|(_, origin)| origin.offset).collect();
    add_history(
        known,
        &query(transaction, &at_origins, &[&results, &generations, &partitions, &offsets]).await?,
    )?;
    let silenced = known.silenced_by(newcomers);
    if !silenced.is_empty() {
        known.expect_all_history(&silenced);
        let all = format!("SELECT {columns} FROM score_history WHERE result_id = ANY($1)");
        add_history(known, &query(transaction, &all, &[&ids(&silenced)]).await?)?;
    }
    Ok(())
}

fn add_history(known: &mut Known, rows: &[Row]) -> Result<(), Failure> {
    for row in rows {
        known.add_history(read_history(&mut Cursor::over(row))?);
    }
    Ok(())
}

fn ids(results: &[ResultId]) -> Vec<Uuid> {
    results.iter().map(|result| *result.as_uuid()).collect()
}

/// All edges that are reached from the numbers, circles included.
pub(super) async fn successors(transaction: &Transaction<'_>, employee_numbers: &BTreeSet<String>) -> Result<Successors, Failure> {
    let numbers: Vec<&str> = employee_numbers.iter().map(String::as_str).collect();
    let sql = "WITH RECURSIVE edge (employee_no, successor) AS (
            SELECT employee_no, successor FROM employee WHERE employee_no = ANY($1) AND successor IS NOT NULL
            UNION
            SELECT employee.employee_no, employee.successor
            FROM employee JOIN edge ON employee.employee_no = edge.successor
            WHERE employee.successor IS NOT NULL
        )
        SELECT employee_no, successor FROM edge";
    let mut successors = Successors::default();
    for row in query(transaction, sql, &[&numbers]).await? {
        let mut row = Cursor::over(&row);
        successors.add(present(row.text()?, "employee number")?, present(row.text()?, "employee number")?);
    }
    Ok(successors)
}

/// Refusals that the numbers, or anybody whose place they took, have to do with.
pub(super) async fn disagreements(transaction: &Transaction<'_>, employee_numbers: &[String]) -> Result<Vec<Disagreement>, Failure> {
    let sql = format!(
        "WITH RECURSIVE touched (employee_no) AS (
            SELECT * FROM unnest($1::text[])
            UNION
            SELECT employee.employee_no FROM employee JOIN touched ON employee.successor = touched.employee_no
        )
        {} IN (SELECT employee_no FROM touched) UNION {} IN (SELECT employee_no FROM touched)",
        read::DISAGREEMENTS_BY_NAMED,
        read::DISAGREEMENTS_BY_OWNER
    );
    let rows = query(transaction, &sql, &[&employee_numbers]).await?;
    rows.iter().map(|row| read::read_disagreement(&mut Cursor::over(row))).collect()
}
