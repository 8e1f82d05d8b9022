//! Applying employees, and judging again the refusals that a successor settles.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Transaction, TransactionBehavior};

use super::{
    SqliteArchive,
    apply::{move_position, write_plan, write_tally},
    load,
    rows::{Writer, read_all},
};
use crate::{
    EmployeeBatch, EmployeesApplied,
    employees::EmployeeFold,
    error::Failure,
    judging::judge_refusals_again,
    table::{EMPLOYEES, RowReader, employee_values},
};

impl SqliteArchive {
    pub(crate) fn apply_employees(&self, batch: &EmployeeBatch<'_>) -> Result<EmployeesApplied, Failure> {
        let fold = EmployeeFold::of(batch.changes);
        self.run(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            move_position(&transaction, &batch.position_move())?;
            let numbers = fold.numbers();
            let before = replacements(&transaction, &numbers)?;
            write_employees(&transaction, &fold)?;
            let after = replacements(&transaction, &numbers)?;
            let changed: Vec<String> = numbers
                .into_iter()
                .filter(|number| before.get(number) != after.get(number))
                .collect();
            let judged_again = judge_again(&transaction, &changed)?;
            transaction.commit()?;
            Ok(EmployeesApplied {
                unusable: fold.unusable,
                judged_again,
            })
        })
    }
}

/// Who was replaced, by whom.
fn replacements(transaction: &Transaction<'_>, numbers: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let sql = "SELECT replaced_by FROM employee WHERE employee_no = ? AND replaced_by IS NOT NULL";
    let mut replacements = BTreeMap::new();
    for number in numbers {
        let replaced_by = read_all(transaction, (sql, [number]), |row| row.text())?;
        replacements.extend(replaced_by.into_iter().flatten().map(|replaced_by| (number.clone(), replaced_by)));
    }
    Ok(replacements)
}

fn write_employees(transaction: &Transaction<'_>, fold: &EmployeeFold) -> Result<(), Failure> {
    let mut erase = transaction.prepare_cached("DELETE FROM employee WHERE employee_no = ?")?;
    for employee_no in &fold.erased {
        erase.execute([employee_no])?;
    }
    let mut state = Writer::to(transaction, &EMPLOYEES)?;
    for employee in fold.stated.values() {
        state.write(employee_values(employee))?;
    }
    Ok(())
}

fn judge_again(transaction: &Transaction<'_>, changed: &[String]) -> Result<BTreeMap<scoresync_domain::Fate, u64>, Failure> {
    let results: Vec<_> = load::touched_refusals(transaction, changed)?.into_iter().collect();
    let known = load::known(transaction, &results)?;
    let numbers: BTreeSet<String> = known.employee_numbers();
    let successors = load::successors(transaction, &numbers)?;
    let plan = judge_refusals_again(known, &successors)?;
    write_plan(transaction, &plan)?;
    write_tally(transaction, plan.moved_counts())?;
    Ok(plan.released_fates())
}
