//! What the archive knows of some results, and who took whose place.

use std::collections::BTreeSet;

use rusqlite::Connection;
use scoresync_domain::ResultId;

use super::rows::read_all;
use crate::{
    error::Failure,
    judging::{Known, Successors},
    table::{RowReader, history_columns, read_history, read_record, read_refused, record_columns, refused_columns},
};

pub(super) fn known(connection: &Connection, results: &[ResultId]) -> Result<Known, Failure> {
    let by_result = |columns: String, table: &str| format!("SELECT {columns} FROM {table} WHERE result_id = ?");
    let records = by_result(record_columns(), "training_record");
    let history = by_result(history_columns(), "score_history");
    let refused = by_result(refused_columns(), "refused_score");
    let mut known = Known::default();
    for result in results {
        let id = result.as_uuid().as_bytes();
        read_all(connection, (&records, [id]), |row| read_record(row))?
            .into_iter()
            .for_each(|record| known.add_record(record));
        read_all(connection, (&history, [id]), |row| read_history(row))?
            .into_iter()
            .for_each(|history| known.add_history(history));
        read_all(connection, (&refused, [id]), |row| read_refused(row))?
            .into_iter()
            .for_each(|refused| known.add_refused(refused));
    }
    Ok(known)
}

/// All edges that are reached from the numbers, circles included.
pub(super) fn successors(connection: &Connection, employee_numbers: &BTreeSet<String>) -> Result<Successors, Failure> {
    let sql = "SELECT replaced_by FROM employee WHERE employee_no = ? AND replaced_by IS NOT NULL";
    let mut successors = Successors::default();
    let mut seen = employee_numbers.clone();
    let mut next: Vec<String> = employee_numbers.iter().cloned().collect();
    while let Some(employee_no) = next.pop() {
        for replaced_by in read_all(connection, (sql, [&employee_no]), |row| row.text())?.into_iter().flatten() {
            if seen.insert(replaced_by.clone()) {
                next.push(replaced_by.clone());
            }
            successors.add(employee_no.clone(), replaced_by);
        }
    }
    Ok(successors)
}

/// Results with a refusal that the numbers, or anybody whose place they took, have to do with.
pub(super) fn touched_refusals(connection: &Connection, employee_numbers: &[String]) -> Result<BTreeSet<ResultId>, Failure> {
    let sql = "WITH RECURSIVE touched (employee_no) AS (
            SELECT ?1
            UNION
            SELECT employee.employee_no FROM employee JOIN touched ON employee.replaced_by = touched.employee_no
        )
        SELECT DISTINCT refused.result_id
        FROM refused_score AS refused LEFT JOIN training_record AS record ON record.result_id = refused.result_id
        WHERE refused.reason = 'owner_changed'
            AND (refused.employee_no IN (SELECT employee_no FROM touched) OR record.owner_employee_no IN (SELECT employee_no FROM touched))";
    let mut results = BTreeSet::new();
    for employee_no in employee_numbers {
        let touched = read_all(connection, (sql, [employee_no]), |row| row.id())?;
        results.extend(touched.into_iter().flatten().map(ResultId::from_uuid));
    }
    Ok(results)
}
