//! Applying employees, and judging again the refusals that a successor settles.

use std::collections::BTreeMap;

use rusqlite::{Transaction, TransactionBehavior};
use scoresync_domain::Fate;

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
    judging::{Verdicts, changed_successors, judge_refusals_again, numbers_of, settled},
    read,
    table::{EMPLOYEES, RowReader, employee_values},
};

impl SqliteArchive {
    pub(crate) fn apply_employees(&self, batch: &EmployeeBatch<'_>) -> Result<EmployeesApplied, Failure> {
        let fold = EmployeeFold::of(batch.changes);
        self.run(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            move_position(&transaction, &batch.position_move())?;
            let changed = write_employees(&transaction, &fold)?;
            let judged_again = judge_again(&transaction, &changed)?;
            transaction.commit()?;
            Ok(EmployeesApplied {
                unusable: fold.unusable,
                judged_again,
            })
        })
    }
}

/// Writes what is left of the batch. Returns whose successor has changed.
fn write_employees(transaction: &Transaction<'_>, fold: &EmployeeFold) -> Result<Vec<String>, Failure> {
    let erase = "DELETE FROM employee WHERE employee_no = ? RETURNING successor IS NOT NULL";
    let mut changed = Vec::new();
    let mut remember = transaction.prepare_cached(REMEMBER_SUCCESSOR)?;
    for employee_no in &fold.erased {
        remember.execute([employee_no])?;
        if read_all(transaction, (erase, [employee_no]), |row| row.flag())? == [Some(true)] {
            changed.push(employee_no.clone());
        }
    }
    let mut state = Writer::to(transaction, &EMPLOYEES)?;
    for employee in fold.stated.values() {
        state.write(employee_values(employee))?;
    }
    let sql = format!("{} employee_no = ?1 OR replaced_by = ?1", read::REPLACED);
    let mut replaced = BTreeMap::new();
    for employee_no in fold.numbers() {
        let found = read_all(transaction, (&sql, [employee_no]), |row| read::read_replaced(row))?;
        replaced.extend(found.into_iter().map(|replaced| (replaced.employee_no.clone(), replaced)));
    }
    let mut succeed = transaction.prepare_cached("UPDATE employee SET successor = ?2 WHERE employee_no = ?1")?;
    for (employee_no, successor) in changed_successors(replaced.into_values().collect()) {
        remember.execute([&employee_no])?;
        succeed.execute((&employee_no, successor))?;
        changed.push(employee_no);
    }
    Ok(changed)
}

/// Who took somebody's place until now.
const REMEMBER_SUCCESSOR: &str = "INSERT INTO former_successor (employee_no, successor)
    SELECT employee_no, successor FROM employee WHERE employee_no = ?1 AND successor IS NOT NULL ON CONFLICT DO NOTHING";

/// Judges again what was refused because it named one of these, or another than one of these.
fn judge_again(transaction: &Transaction<'_>, changed: &[String]) -> Result<BTreeMap<Fate, u64>, Failure> {
    let disagreements = load::disagreements(transaction, changed)?;
    let successors = load::successors(transaction, &numbers_of(&disagreements))?;
    let mut verdicts = Verdicts::default();
    for settled in settled(&disagreements, &successors) {
        let mut known = load::records(transaction, &settled.results)?;
        load::refusals_at(transaction, &mut known, &settled.positions)?;
        load::history(transaction, &mut known, &[])?;
        let plan = judge_refusals_again(known, &successors)?;
        write_plan(transaction, &plan)?;
        verdicts.add(plan.verdicts);
    }
    write_tally(transaction, verdicts.moved_counts())?;
    Ok(verdicts.released_fates())
}
