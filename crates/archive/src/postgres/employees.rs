//! Applying employees, and judging again the refusals that a successor settles.

use std::collections::{BTreeMap, BTreeSet};

use deadpool_postgres::Transaction;
use scoresync_domain::Fate;

use super::{
    PostgresArchive,
    apply::{move_positions, write, write_plan, write_tally},
    connection::begin,
    load::{self, query},
};
use crate::{
    EmployeeBatch, EmployeesApplied,
    employees::EmployeeFold,
    error::Failure,
    judging::judge_refusals_again,
    table::{EMPLOYEES, employee_values},
};

impl PostgresArchive {
    pub(crate) async fn apply_employees(&self, batch: &EmployeeBatch<'_>) -> Result<EmployeesApplied, Failure> {
        let fold = EmployeeFold::of(batch.changes);
        let mut client = self.client().await?;
        let transaction = begin(&mut client).await?;
        move_positions(&transaction, vec![batch.position_move()]).await?;
        let numbers = fold.numbers();
        let before = replacements(&transaction, &numbers).await?;
        write_employees(&transaction, &fold).await?;
        let after = replacements(&transaction, &numbers).await?;
        let changed: Vec<String> = numbers
            .into_iter()
            .filter(|number| before.get(number) != after.get(number))
            .collect();
        let judged_again = match changed.is_empty() {
            true => BTreeMap::new(),
            false => judge_again(&transaction, &changed).await?,
        };
        transaction.commit().await?;
        Ok(EmployeesApplied {
            unusable: fold.unusable,
            judged_again,
        })
    }
}

/// Who was replaced, by whom.
async fn replacements(transaction: &Transaction<'_>, numbers: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let sql = "SELECT employee_no, replaced_by FROM employee WHERE employee_no = ANY($1) AND replaced_by IS NOT NULL";
    let rows = query(transaction, sql, &[&numbers]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn write_employees(transaction: &Transaction<'_>, fold: &EmployeeFold) -> Result<(), Failure> {
    let erased: Vec<&str> = fold.erased.iter().map(String::as_str).collect();
    query(transaction, "DELETE FROM employee WHERE employee_no = ANY($1)", &[&erased]).await?;
    write(transaction, &EMPLOYEES, fold.stated.values().map(employee_values)).await
}

async fn judge_again(transaction: &Transaction<'_>, changed: &[String]) -> Result<BTreeMap<Fate, u64>, Failure> {
    let results = load::touched_refusals(transaction, changed).await?;
    let known = load::known(transaction, &results).await?;
    let numbers: BTreeSet<String> = known.employee_numbers();
    let successors = load::successors(transaction, &numbers).await?;
    let plan = judge_refusals_again(known, &successors)?;
    write_plan(transaction, &plan).await?;
    write_tally(transaction, plan.moved_counts()).await?;
    Ok(plan.released_fates())
}
