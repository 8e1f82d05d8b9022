//! Several rows of one employee: together where they only add to each other, otherwise a problem.

use super::{columns::Column, row::Said};

/// Adds a later row of the same employee; the error is a sentence without values.
pub(super) fn merge(first: &mut Said, later: Said) -> Result<(), String> {
    let pairs = [
        (&first.entry.name, &later.entry.name, Column::Name),
        (&first.entry.department, &later.entry.department, Column::Department),
        (&first.entry.position, &later.entry.position, Column::Position),
    ];
    let differs = |one: &Option<String>, other: &Option<String>| one.is_some() && other.is_some() && one != other;
    let different = pairs
        .into_iter()
        .find(|(one, other, _)| differs(one, other))
        .map(|(_, _, column)| column);
    // Whether somebody left or has another number is not a thing to be added to: an empty cell says that it is not so.
    let different = different
        .or_else(|| (first.entry.left_at != later.entry.left_at).then_some(Column::LeftAt))
        .or_else(|| (first.entry.replaced_by != later.entry.replaced_by).then_some(Column::ReplacedBy));
    if let Some(column) = different {
        return Err(format!(
            "another row of the same employee has another {column}: leave one row, or make them agree"
        ));
    }
    let entry = &mut first.entry;
    entry.name = entry.name.take().or(later.entry.name);
    entry.department = entry.department.take().or(later.entry.department);
    entry.position = entry.position.take().or(later.entry.position);
    for identity in later.entry.identities {
        if !entry.identities.contains(&identity) {
            entry.identities.push(identity);
        }
    }
    first.spoken.extend(later.spoken);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use scoresync_domain::RosterEntry;

    use super::*;
    use crate::roster::fixtures::{email, entry, millis, phone};

    fn said(entry: RosterEntry) -> Said {
        Said {
            entry,
            spoken: BTreeSet::from([Column::EmployeeNo]),
        }
    }

    fn named(name: &str) -> RosterEntry {
        RosterEntry {
            name: Some(name.to_owned()),
            ..entry("E1", vec![phone(1)])
        }
    }

    #[test]
    fn rows_that_add_identities_become_one() {
        let mut first = said(named("李雷"));
        merge(&mut first, said(entry("E1", vec![phone(1), phone(2)]))).unwrap();
        merge(&mut first, said(entry("E1", vec![email(1)]))).unwrap();
        assert_eq!(first.entry.name.as_deref(), Some("李雷"));
        assert_eq!(first.entry.identities, [phone(1), phone(2), email(1)]);
    }

    #[test]
    fn rows_that_contradict_each_other_are_a_problem() {
        let left = RosterEntry {
            left_at: Some(millis(1)),
            ..named("李雷")
        };
        let renumbered = RosterEntry {
            replaced_by: Some("E2".to_owned()),
            ..named("李雷")
        };
        for (other, column) in [(named("韩梅梅"), "name"), (left, "left_at"), (renumbered, "replaced_by")] {
            let problem = merge(&mut said(named("李雷")), said(other)).unwrap_err();
            assert!(problem.contains(&format!("another {column}:")), "{problem}");
        }
    }
}
