//! Applying employees, and judging again the refusals that a successor settles.

use std::collections::BTreeMap;

use scoresync_domain::Fate;

use super::{
    PostgresArchive,
    apply::{move_positions, write, write_plan, write_tally},
    load::{self, query},
    rows::Cursor,
    transaction::{End, Transaction},
};
use crate::{
    EmployeeBatch, EmployeesApplied,
    employees::EmployeeFold,
    error::Failure,
    judging::{Verdicts, changed_successors, judge_refusals_again, numbers_of, settled},
    read,
    table::{EMPLOYEES, employee_values},
};

impl PostgresArchive {
    pub(crate) async fn apply_employees(&self, batch: &EmployeeBatch<'_>) -> Result<EmployeesApplied, Failure> {
        let fold = EmployeeFold::of(batch.changes);
        let judged_again = self
            .transact(async |transaction| {
                move_positions(transaction, vec![batch.position_move()]).await?;
                let changed = write_employees(transaction, &fold).await?;
                let judged_again = judge_again(transaction, &changed).await?;
                Ok((judged_again, transaction.end(End::Commit).await?))
            })
            .await?;
        Ok(EmployeesApplied {
            unusable: fold.unusable,
            judged_again,
        })
    }
}

/// Writes what is left of the batch. Returns whose successor has changed.
async fn write_employees(transaction: &Transaction<'_>, fold: &EmployeeFold) -> Result<Vec<String>, Failure> {
    let erased: Vec<&str> = fold.erased.iter().map(String::as_str).collect();
    remember_successors(transaction, &erased).await?;
    let sql = "DELETE FROM employee WHERE employee_no = ANY($1) RETURNING employee_no, successor IS NOT NULL";
    let mut changed = Vec::new();
    for row in query(transaction, sql, &[&erased]).await? {
        if row.try_get(1)? {
            changed.push(row.try_get(0)?);
        }
    }
    write(transaction, &EMPLOYEES, fold.stated.values().map(employee_values)).await?;
    let sql = format!("{} employee_no = ANY($1) OR replaced_by = ANY($1)", read::REPLACED);
    let rows = query(transaction, &sql, &[&fold.numbers()]).await?;
    let replaced = rows.iter().map(|row| read::read_replaced(&mut Cursor::over(row)));
    let (numbers, successors): (Vec<String>, Vec<Option<String>>) =
        changed_successors(replaced.collect::<Result<_, _>>()?).into_iter().unzip();
    remember_successors(transaction, &numbers.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let sql = "UPDATE employee SET successor = given.successor FROM unnest($1::text[], $2::text[]) AS given (employee_no, successor)
        WHERE employee.employee_no = given.employee_no";
    query(transaction, sql, &[&numbers, &successors]).await?;
    changed.extend(numbers);
    Ok(changed)
}

const REMEMBER_SUCCESSORS: &str = "INSERT INTO former_successor (employee_no, successor)
    SELECT employee_no, successor FROM employee WHERE employee_no = ANY($1) AND successor IS NOT NULL ON CONFLICT DO NOTHING";

/// Who took the places of these until now.
async fn remember_successors(transaction: &Transaction<'_>, employee_nos: &[&str]) -> Result<(), Failure> {
    query(transaction, REMEMBER_SUCCESSORS, &[&employee_nos]).await.map(drop)
}

/// Judges again what was refused because it named one of these, or another than one of these.
async fn judge_again(transaction: &Transaction<'_>, changed: &[String]) -> Result<BTreeMap<Fate, u64>, Failure> {
    let disagreements = match changed {
        [] => return Ok(BTreeMap::new()),
        _ => load::disagreements(transaction, changed).await?,
    };
    let successors = load::successors(transaction, &numbers_of(&disagreements)).await?;
    let mut verdicts = Verdicts::default();
    for settled in settled(&disagreements, &successors) {
        let mut known = load::records(transaction, &settled.results).await?;
        load::refusals_at(transaction, &mut known, &settled.positions).await?;
        load::history(transaction, &mut known, &[]).await?;
        let plan = judge_refusals_again(known, &successors)?;
        write_plan(transaction, &plan).await?;
        verdicts.add(plan.verdicts);
    }
    write_tally(transaction, verdicts.moved_counts()).await?;
    Ok(verdicts.released_fates())
}
