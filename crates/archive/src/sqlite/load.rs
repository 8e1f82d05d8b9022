//! What the archive knows of some results, and who took whose place.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use scoresync_domain::ResultId;

use super::rows::read_all;
use crate::{
    EnrichedPosition,
    error::Failure,
    judging::{Disagreement, Known, Newcomers, Successors},
    read,
    table::{RowReader, history_columns, read_history, read_record, read_refused, record_columns, refused_columns},
};

pub(super) fn records(connection: &Connection, results: &[ResultId]) -> Result<Known, Failure> {
    let sql = format!("SELECT {} FROM training_record WHERE result_id = ?", record_columns());
    let mut known = Known::default();
    for result in results {
        let records = read_all(connection, (&sql, [result.as_uuid().as_bytes()]), |row| read_record(row))?;
        records.into_iter().for_each(|record| known.add_record(record));
    }
    Ok(known)
}

/// Adds what was refused about the results.
pub(super) fn refusals_of(connection: &Connection, known: &mut Known, results: &[ResultId]) -> Result<(), Failure> {
    let columns = refused_columns();
    let sql = format!("SELECT {columns} FROM refused_score WHERE result_id = ? AND reason = 'owner_changed'");
    for result in results {
        let refused = read_all(connection, (&sql, [result.as_uuid().as_bytes()]), |row| read_refused(row))?;
        refused.into_iter().for_each(|refused| known.add_refused(refused));
    }
    Ok(())
}

/// Adds the refusals at the positions.
pub(super) fn refusals_at(connection: &Connection, known: &mut Known, positions: &[EnrichedPosition]) -> Result<(), Failure> {
    let columns = refused_columns();
    let sql =
        format!("SELECT {columns} FROM refused_score WHERE enriched_generation = ? AND enriched_partition = ? AND enriched_offset = ?");
    for position in positions {
        let place = (position.generation, position.partition, position.offset);
        let refused = read_all(connection, (&sql, place), |row| read_refused(row))?;
        refused.into_iter().for_each(|refused| known.add_refused(refused));
    }
    Ok(())
}

/// Adds as much of the history as matters to the new statements, and to the refusals that are known.
pub(super) fn history(connection: &Connection, known: &mut Known, newcomers: &Newcomers<'_>) -> Result<(), Failure> {
    let columns = history_columns();
    let needed = format!("SELECT {columns} FROM score_history WHERE result_id = ? AND (speaks OR source IS NOT NULL)");
    for result in known.result_ids() {
        add_history(connection, known, (&needed, [result.as_uuid().as_bytes()]))?;
    }
    let at_origin = format!(
        "SELECT {columns} FROM score_history WHERE result_id = ? AND origin_generation = ? AND origin_partition = ? AND origin_offset = ?
            AND NOT (speaks OR source IS NOT NULL)"
    );
    for (result, origin) in known.origins(newcomers) {
        let place = (result.as_uuid().as_bytes(), origin.generation, origin.partition, origin.offset);
        add_history(connection, known, (&at_origin, place))?;
    }
    let silenced = known.silenced_by(newcomers);
    known.expect_all_history(&silenced);
    let all = format!("SELECT {columns} FROM score_history WHERE result_id = ?");
    for result in silenced {
        add_history(connection, known, (&all, [result.as_uuid().as_bytes()]))?;
    }
    Ok(())
}

fn add_history(connection: &Connection, known: &mut Known, question: (&str, impl rusqlite::Params)) -> Result<(), Failure> {
    let rows = read_all(connection, question, |row| read_history(row))?;
    rows.into_iter().for_each(|row| known.add_history(row));
    Ok(())
}

/// All edges that are reached from the numbers, circles included.
pub(super) fn successors(connection: &Connection, employee_numbers: &BTreeSet<String>) -> Result<Successors, Failure> {
    let sql = "SELECT successor FROM employee WHERE employee_no = ? AND successor IS NOT NULL";
    let mut successors = Successors::default();
    let mut seen = employee_numbers.clone();
    let mut next: Vec<String> = employee_numbers.iter().cloned().collect();
    while let Some(employee_no) = next.pop() {
        for successor in read_all(connection, (sql, [&employee_no]), |row| row.text())?.into_iter().flatten() {
            if seen.insert(successor.clone()) {
                next.push(successor.clone());
            }
            successors.add(employee_no.clone(), successor);
        }
    }
    Ok(successors)
}

/// Refusals that the numbers, or anybody whose place they took, have to do with.
pub(super) fn disagreements(connection: &Connection, employee_numbers: &[String]) -> Result<Vec<Disagreement>, Failure> {
    let predecessors = "SELECT employee_no FROM employee WHERE successor = ?";
    let mut touched: BTreeSet<String> = employee_numbers.iter().cloned().collect();
    let mut next = employee_numbers.to_vec();
    while let Some(employee_no) = next.pop() {
        for predecessor in read_all(connection, (predecessors, [&employee_no]), |row| row.text())?
            .into_iter()
            .flatten()
        {
            if touched.insert(predecessor.clone()) {
                next.push(predecessor);
            }
        }
    }
    let sql = format!("{} = ?1 UNION {} = ?1", read::DISAGREEMENTS_BY_NAMED, read::DISAGREEMENTS_BY_OWNER);
    let mut disagreements = BTreeMap::new();
    for employee_no in touched {
        let found = read_all(connection, (&sql, [employee_no]), |row| read::read_disagreement(row))?;
        disagreements.extend(found.into_iter().map(|refused| (refused.position, refused)));
    }
    Ok(disagreements.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::SQLITE;

    /// How the database finds what is asked for.
    fn plan(sql: &str) -> String {
        let connection = Connection::open_in_memory().unwrap();
        SQLITE.iter().for_each(|migration| connection.execute_batch(migration.sql).unwrap());
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.query_map((), |row| row.get::<_, String>("detail")).unwrap();
        steps.map(Result::unwrap).collect::<Vec<_>>().join("\n")
    }

    fn check(sql: &str, index: &str) {
        let plan = plan(sql);
        assert!(plan.contains(&format!("USING INDEX {index}")) && !plan.contains("SCAN"), "{plan}");
    }

    #[test]
    fn whatever_a_changed_employee_asks_for_is_found_by_an_index() {
        check(&format!("{} = 'E1'", read::DISAGREEMENTS_BY_NAMED), "refused_score_employee");
        check(&format!("{} = 'E1'", read::DISAGREEMENTS_BY_OWNER), "training_record_owner");
        check("SELECT name FROM employee WHERE successor = 'E1'", "employee_successor");
        check(
            &format!("{} employee_no = 'E1' OR replaced_by = 'E1'", read::REPLACED),
            "employee_replaced_by",
        );
    }

    #[test]
    fn of_the_history_only_what_matters_is_looked_at() {
        let sql = "SELECT status FROM score_history WHERE result_id = x'00' AND (speaks OR source IS NOT NULL)";
        check(sql, "score_history_needed");
    }
}
