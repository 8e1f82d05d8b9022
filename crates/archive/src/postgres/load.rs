//! What the archive knows of some results, and who took whose place.

use std::collections::BTreeSet;

use deadpool_postgres::Transaction;
use scoresync_domain::ResultId;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::rows::Cursor;
use crate::{
    error::Failure,
    judging::{Known, Successors},
    table::{RowReader, history_columns, present, read_history, read_record, read_refused, record_columns, refused_columns},
};

pub(super) async fn query(transaction: &Transaction<'_>, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
    let statement = transaction.prepare_cached(sql).await?;
    Ok(transaction.query(&statement, parameters).await?)
}

/// All rows about the results, whose records are locked first: whoever else judges one of them comes before or after.
pub(super) async fn known(transaction: &Transaction<'_>, results: &[ResultId]) -> Result<Known, Failure> {
    let ids: Vec<Uuid> = results.iter().map(|result| *result.as_uuid()).collect();
    let mut known = Known::default();
    let columns = record_columns();
    let sql = format!("SELECT {columns} FROM training_record WHERE result_id = ANY($1) ORDER BY result_id FOR UPDATE");
    for row in query(transaction, &sql, &[&ids]).await? {
        known.add_record(read_record(&mut Cursor::over(&row))?);
    }
    let sql = format!("SELECT {} FROM score_history WHERE result_id = ANY($1)", history_columns());
    for row in query(transaction, &sql, &[&ids]).await? {
        known.add_history(read_history(&mut Cursor::over(&row))?);
    }
    let sql = format!("SELECT {} FROM refused_score WHERE result_id = ANY($1)", refused_columns());
    for row in query(transaction, &sql, &[&ids]).await? {
        known.add_refused(read_refused(&mut Cursor::over(&row))?);
    }
    Ok(known)
}

/// All edges that are reached from the numbers, circles included.
pub(super) async fn successors(transaction: &Transaction<'_>, employee_numbers: &BTreeSet<String>) -> Result<Successors, Failure> {
    let numbers: Vec<&str> = employee_numbers.iter().map(String::as_str).collect();
    let sql = "WITH RECURSIVE edge (employee_no, replaced_by) AS (
            SELECT employee_no, replaced_by FROM employee WHERE employee_no = ANY($1) AND replaced_by IS NOT NULL
            UNION
            SELECT employee.employee_no, employee.replaced_by
            FROM employee JOIN edge ON employee.employee_no = edge.replaced_by
            WHERE employee.replaced_by IS NOT NULL
        )
        SELECT employee_no, replaced_by FROM edge";
    let mut successors = Successors::default();
    for row in query(transaction, sql, &[&numbers]).await? {
        let mut row = Cursor::over(&row);
        successors.add(present(row.text()?, "employee number")?, present(row.text()?, "employee number")?);
    }
    Ok(successors)
}

/// Results with a refusal that the numbers, or anybody whose place they took, have to do with.
pub(super) async fn touched_refusals(transaction: &Transaction<'_>, employee_numbers: &[String]) -> Result<Vec<ResultId>, Failure> {
    let sql = "WITH RECURSIVE touched (employee_no) AS (
            SELECT * FROM unnest($1::text[])
            UNION
            SELECT employee.employee_no FROM employee JOIN touched ON employee.replaced_by = touched.employee_no
        )
        SELECT DISTINCT refused.result_id
        FROM refused_score AS refused LEFT JOIN training_record AS record ON record.result_id = refused.result_id
        WHERE refused.reason = 'owner_changed'
            AND (refused.employee_no IN (SELECT employee_no FROM touched) OR record.owner_employee_no IN (SELECT employee_no FROM touched))";
    let rows = query(transaction, sql, &[&employee_numbers]).await?;
    rows.iter().map(|row| Ok(ResultId::from_uuid(row.try_get(0)?))).collect()
}
