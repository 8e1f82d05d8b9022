//! What a statement makes of a record, by tables and properties.

use proptest::prelude::*;

use super::*;
use crate::roster::fixtures::{REGION, email, employee, entry, millis, phone};

fn of_file(entry: RosterEntry, columns: &[Column], as_of: i64) -> Statement {
    Statement {
        as_of: millis(as_of),
        said: About::Entry(entry, Silence::about_all_but(columns.iter().cloned().collect())),
        repetition: Repetition::Passed,
    }
}

fn record(statement: &Statement, present: &Employee) -> Employee {
    let next = statement.on_top_of(Some(present), REGION).unwrap();
    let Next::Record(next, Change::Content) = next else {
        panic!("{next:?}")
    };
    next
}

fn li() -> Employee {
    Employee {
        name: Some("李雷".to_owned()),
        department: Some("质量部".to_owned()),
        position: Some("工程师".to_owned()),
        ..employee("E1", vec![phone(1), email(1)], 10)
    }
}

#[test]
fn a_file_without_a_column_leaves_alone_what_the_column_would_have_said() {
    let renamed = RosterEntry {
        name: Some("李磊".to_owned()),
        ..entry("E1", vec![])
    };
    let next = record(&of_file(renamed, &[Column::Name], 20), &li());
    let expected = Employee {
        name: Some("李磊".to_owned()),
        as_of: millis(20),
        ..li()
    };
    assert_eq!(next, expected);
}

#[test]
fn an_empty_cell_of_a_column_that_is_there_takes_away() {
    let next = record(&of_file(entry("E1", vec![]), &[Column::Name, Column::Phone], 20), &li());
    assert_eq!(next.name, None);
    assert_eq!(next.identities[0].valid_to, Some(millis(20)));
    assert_eq!(next.identities[1], email(1));
}

#[test]
fn accounts_are_told_apart_by_their_system() {
    let account = |system: &str| Identity {
        kind: IdentityKind::Account,
        system: Some(system.to_owned()),
        ..phone(1)
    };
    let present = employee("E1", vec![account("lms"), account("wecom")], 10);
    let next = record(&of_file(entry("E1", vec![]), &[Column::Account("wecom".to_owned())], 20), &present);
    let ends: Vec<_> = next.identities.iter().map(|identity| identity.valid_to).collect();
    assert_eq!(ends, [None, Some(millis(20))]);
}

#[test]
fn a_leaver_stays_one_where_a_file_does_not_speak_of_leaving_unless_it_lists_all_who_are_here() {
    let left = Employee {
        left_at: Some(millis(5)),
        ..li()
    };
    let renamed = RosterEntry {
        name: Some("李磊".to_owned()),
        ..entry("E1", vec![])
    };
    let mut statement = of_file(renamed.clone(), &[Column::Name], 20);
    assert_eq!(record(&statement, &left).left_at, Some(millis(5)));
    let silence = Silence::about_all_but([Column::Name].into()).broken_about_leaving();
    statement.said = About::Entry(renamed, silence);
    assert_eq!(record(&statement, &left).left_at, None);
}

#[test]
fn a_leaving_that_is_called_off_does_not_end_what_the_file_does_not_speak_of() {
    let leaving = Employee {
        left_at: Some(millis(50)),
        identities: vec![Identity {
            valid_to: Some(millis(50)),
            ..phone(1)
        }],
        ..li()
    };
    let next = record(&of_file(entry("E1", vec![]), &[Column::LeftAt], 20), &leaving);
    let holds = |moment| {
        next.identities.iter().any(|identity| {
            identity.valid_from.is_none_or(|from| from <= millis(moment)) && identity.valid_to.is_none_or(|to| millis(moment) < to)
        })
    };
    assert!([0, 20, 49, 50, 99].into_iter().all(holds), "{next:?}");
}

#[test]
fn the_spelling_of_the_present_number_stays() {
    let next = record(&of_file(entry("e1", vec![]), &[Column::Name], 20), &li());
    assert_eq!(next.employee_no, "E1");
}

#[test]
fn a_repetition_is_recorded_only_where_that_is_wanted() {
    let mut statement = of_file(entry("E1", vec![]), &[], 20);
    assert_eq!(statement.on_top_of(Some(&li()), REGION), Ok(Next::Unchanged));
    statement.repetition = Repetition::Recorded;
    let later = Employee { as_of: millis(20), ..li() };
    assert_eq!(
        statement.on_top_of(Some(&li()), REGION),
        Ok(Next::Record(later, Change::MomentAlone))
    );
}

#[test]
fn the_absence_of_somebody_who_is_not_known_says_nothing() {
    let statement = Statement {
        said: About::Absence("E1".to_owned()),
        ..of_file(entry("E1", vec![]), &[], 20)
    };
    assert_eq!(statement.on_top_of(None, REGION), Ok(Next::Unchanged));
    assert_eq!(record(&statement, &li()).left_at, Some(millis(20)));
}

fn any_identity() -> impl Strategy<Value = Identity> {
    let date = || proptest::option::weighted(0.4, 0..30_i64);
    (1..4_u32, any::<bool>(), date(), date()).prop_map(|(number, is_email, from, to)| Identity {
        valid_from: from.map(millis),
        valid_to: to.map(|to| to.max(from.unwrap_or(0))).map(millis),
        ..if is_email { email(number) } else { phone(number) }
    })
}

proptest! {
    #[test]
    fn a_statement_that_speaks_of_nothing_changes_nothing(
        identities in proptest::collection::vec(any_identity(), 0..5),
        left_at in proptest::option::of(0..30_i64),
        as_of in 10..30_i64,
    ) {
        let stated = RosterEntry { left_at: left_at.map(millis), ..entry("E1", vec![]) };
        // Only what the roster's own rules make can stand in the topic.
        let mut present = None;
        for identity in identities.iter().filter(|identity| identity.valid_to.is_none_or(|to| identity.valid_from.is_none_or(|from| from < to))) {
            let stated = RosterEntry { identities: vec![identity.clone()], ..stated.clone() };
            let roster = Roster { as_of: millis(10), region: REGION };
            if let Update::Changed(next) = roster.update(present.as_ref(), &stated).unwrap() {
                present = Some(next);
            }
        }
        let Some(present) = present else { return Ok(()) };
        let next = of_file(entry("E1", vec![]), &[], as_of).on_top_of(Some(&present), REGION).unwrap();
        prop_assert_eq!(next, Next::Unchanged, "of {:?}", present);
    }
}
