//! Folding changes of employees to what is left of them at the end of a batch.

use std::collections::{BTreeMap, BTreeSet};

use scoresync_domain::{Employee, normalise_employee_no};

use crate::EmployeeChange;

/// Longest employee number that an archive holds, in characters; the tables check the same.
const LONGEST_NUMBER: usize = 200;

/// What a batch comes to: first the erasures, then the statements.
#[derive(Debug, Default)]
pub(crate) struct EmployeeFold {
    pub(crate) erased: BTreeSet<String>,
    pub(crate) stated: BTreeMap<String, Employee>,
    pub(crate) unusable: u64,
}

impl EmployeeFold {
    pub(crate) fn of(changes: &[EmployeeChange]) -> Self {
        let mut fold = Self::default();
        for change in changes {
            match change {
                EmployeeChange::Upsert(employee) if is_usable(&employee.employee_no) => fold.state(storable(employee)),
                EmployeeChange::Erase { employee_no } if is_usable(employee_no) => {
                    fold.stated.remove(employee_no);
                    fold.erased.insert(employee_no.clone());
                }
                EmployeeChange::Upsert(_) | EmployeeChange::Erase { .. } => fold.unusable += 1,
            }
        }
        fold
    }

    fn state(&mut self, employee: Employee) {
        let newer = self
            .stated
            .get(&employee.employee_no)
            .is_some_and(|stated| stated.as_of > employee.as_of);
        if !newer {
            self.stated.insert(employee.employee_no.clone(), employee);
        }
    }

    /// Every number that the batch speaks of.
    pub(crate) fn numbers(&self) -> Vec<String> {
        self.erased
            .iter()
            .chain(self.stated.keys())
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }
}

pub(crate) fn is_usable(employee_no: &str) -> bool {
    !employee_no.is_empty() && !employee_no.contains('\0') && employee_no.chars().count() <= LONGEST_NUMBER
}

/// The employee with texts that every database takes, and a successor only where that can be one.
fn storable(employee: &Employee) -> Employee {
    let clean = |text: &Option<String>| text.as_ref().map(|text| text.replace('\0', "\u{fffd}"));
    Employee {
        name: clean(&employee.name),
        department: clean(&employee.department),
        position: clean(&employee.position),
        replaced_by: employee
            .replaced_by
            .clone()
            .filter(|written| is_usable(written) && is_usable(&normalise_employee_no(written))),
        ..employee.clone()
    }
}

#[cfg(test)]
mod tests {
    use scoresync_domain::Timestamp;

    use super::*;

    fn employee(employee_no: &str, name: &str, as_of: i64) -> EmployeeChange {
        EmployeeChange::Upsert(Employee {
            employee_no: employee_no.to_owned(),
            name: Some(name.to_owned()),
            department: None,
            position: None,
            identities: Vec::new(),
            left_at: None,
            replaced_by: None,
            as_of: Timestamp::from_millis(as_of),
        })
    }

    fn erasure(employee_no: &str) -> EmployeeChange {
        EmployeeChange::Erase {
            employee_no: employee_no.to_owned(),
        }
    }

    fn check(changes: &[EmployeeChange], erased: &[&str], stated: &[&str]) {
        let fold = EmployeeFold::of(changes);
        assert_eq!(fold.erased.iter().map(String::as_str).collect::<Vec<_>>(), erased);
        let names: Vec<_> = fold.stated.values().filter_map(|employee| employee.name.as_deref()).collect();
        assert_eq!(names, stated);
    }

    #[test]
    fn of_several_statements_the_newest_is_left_and_of_equals_the_last() {
        check(&[employee("E1", "b", 2), employee("E1", "a", 1)], &[], &["b"]);
        check(&[employee("E1", "a", 1), employee("E1", "b", 1)], &[], &["b"]);
    }

    #[test]
    fn an_erasure_forgets_what_was_stated_before_it_and_nothing_after() {
        check(&[employee("E1", "a", 9), erasure("E1")], &["E1"], &[]);
        check(&[employee("E1", "a", 9), erasure("E1"), employee("E1", "b", 1)], &["E1"], &["b"]);
    }

    #[test]
    fn a_number_that_no_archive_can_hold_is_counted_and_stops_nobody() {
        let changes = [
            employee("E\0", "a", 1),
            employee(&"9".repeat(201), "b", 1),
            erasure(""),
            employee("E1", "c\0", 1),
        ];
        assert_eq!(EmployeeFold::of(&changes).unusable, 3);
        check(&changes, &[], &["c\u{fffd}"]);
    }
}
