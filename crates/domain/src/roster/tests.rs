//! How statements of the HR system become intervals, case by case and for any sequence.

use proptest::prelude::*;

use super::*;
use crate::fixtures::{at, employee, identity, phone};

fn roster(as_of: i64) -> Roster {
    Roster {
        as_of: at(as_of),
        region: Region::CN,
    }
}

fn entry(identities: Vec<Identity>) -> RosterEntry {
    RosterEntry {
        employee_no: "E1".to_owned(),
        name: None,
        department: None,
        position: None,
        identities,
        left_at: None,
        replaced_by: None,
    }
}

fn leaver(left_at: i64, identities: Vec<Identity>) -> RosterEntry {
    RosterEntry {
        left_at: Some(at(left_at)),
        ..entry(identities)
    }
}

/// Numbers instead of values: `1` is the phone 19900000001.
fn a(number: u32) -> Identity {
    phone(&format!("1990000000{number}"))
}

/// What a statement says: an entry, or nothing in a full one.
type Said = Option<RosterEntry>;

fn apply(present: Option<Employee>, as_of: i64, said: &Said) -> Option<Employee> {
    let update = match (said, &present) {
        (Some(entry), _) => roster(as_of).update(present.as_ref(), entry).unwrap(),
        (None, Some(present)) => roster(as_of).leave(present),
        (None, None) => Update::Unchanged,
    };
    match update {
        Update::Changed(next) => Some(next),
        Update::Unchanged | Update::Stale => present,
    }
}

/// `1[10,20)`: phone, from, to; nothing for no date.
fn shown(employee: &Employee) -> String {
    let date = |date: Option<Timestamp>| date.map(|date| date.as_millis().to_string()).unwrap_or_default();
    let mut identities: Vec<_> = employee.identities.iter().collect();
    identities.sort_by_key(|identity| &identity.value);
    let intervals = identities.into_iter().map(|identity| {
        let number = &identity.value[identity.value.len() - 1..];
        format!("{number}[{},{})", date(identity.valid_from), date(identity.valid_to))
    });
    intervals.collect::<Vec<_>>().join(" ")
}

fn check(statements: Vec<(i64, Said)>, expected: &str) {
    let last = statements.iter().fold(None, |present, (as_of, said)| apply(present, *as_of, said));
    assert_eq!(shown(&last.unwrap()), expected, "{statements:?}");
}

#[test]
fn a_new_employee_s_identities_hold_since_always_and_later_ones_from_their_statement_on() {
    check(vec![(10, Some(entry(vec![a(1)])))], "1[,)");
    check(
        vec![(10, Some(entry(vec![a(1)]))), (20, Some(entry(vec![a(1), a(2)])))],
        "1[,) 2[20,)",
    );
}

#[test]
fn what_is_stated_no_more_is_closed_and_opened_anew_when_it_comes_back() {
    let (with, without) = (entry(vec![a(1)]), entry(vec![]));
    check(vec![(10, Some(with.clone())), (20, Some(without.clone()))], "1[,20)");
    check(
        vec![(10, Some(with.clone())), (20, Some(without.clone())), (30, Some(without.clone()))],
        "1[,20)",
    );
    check(
        vec![(10, Some(with.clone())), (20, Some(without)), (30, Some(with))],
        "1[,20) 1[30,)",
    );
}

#[test]
fn an_identity_that_is_written_otherwise_stays_as_it_is() {
    let again = entry(vec![phone("+86 199-0000-0001")]);
    check(vec![(10, Some(entry(vec![a(1)]))), (20, Some(again))], "1[,)");
}

#[test]
fn dates_in_the_entry_win() {
    check(vec![(10, Some(entry(vec![a(1).from(5)])))], "1[5,)");
    check(
        vec![(10, Some(entry(vec![a(1).from(5)]))), (20, Some(entry(vec![a(1).from(5).to(15)])))],
        "1[5,15)",
    );
    check(vec![(10, Some(entry(vec![a(1)]))), (20, Some(entry(vec![a(1).to(15)])))], "1[,15)");
    check(vec![(10, Some(entry(vec![a(1)]))), (20, Some(entry(vec![a(1).to(25)])))], "1[,25)");
    check(vec![(10, Some(entry(vec![]))), (20, Some(entry(vec![a(1).to(25)])))], "1[20,25)");
    check(vec![(10, Some(entry(vec![]))), (20, Some(entry(vec![a(1).to(15)])))], "1[,15)");
    check(vec![(10, Some(entry(vec![]))), (20, Some(entry(vec![a(1).from(3)])))], "1[3,)");
}

#[test]
fn a_start_is_never_moved() {
    check(
        vec![(10, Some(entry(vec![a(1)]))), (20, Some(entry(vec![a(1).from(5)])))],
        "1[,20) 1[5,)",
    );
    check(vec![(10, Some(entry(vec![a(1).from(5)]))), (20, Some(entry(vec![a(1)])))], "1[5,)");
}

#[test]
fn a_planned_end_stays_and_a_planned_start_does_not_hold_yet() {
    check(vec![(10, Some(entry(vec![a(1).to(90)]))), (20, Some(entry(vec![a(1)])))], "1[,90)");
    check(
        vec![(10, Some(entry(vec![a(1).to(90)]))), (95, Some(entry(vec![a(1)])))],
        "1[,90) 1[95,)",
    );
    check(
        vec![(10, Some(entry(vec![a(1).from(90)]))), (20, Some(entry(vec![a(1)])))],
        "1[90,) 1[20,)",
    );
}

#[test]
fn leaving_closes_everything_but_what_ends_later_by_itself() {
    let present = entry(vec![a(1), a(2).to(90), a(3).to(5)]);
    let leaves = |as_of, left_at| {
        vec![
            (10, Some(present.clone())),
            (as_of, Some(leaver(left_at, present.identities.clone()))),
        ]
    };
    check(leaves(30, 25), "1[,25) 2[,90) 3[,5)");
    check(leaves(30, 60), "1[,60) 2[,90) 3[,5)");
    check(
        vec![(10, Some(present.clone())), (30, Some(leaver(25, vec![])))],
        "1[,25) 2[,90) 3[,5)",
    );
    check(
        vec![(10, Some(present.clone())), (30, Some(leaver(60, vec![])))],
        "1[,30) 2[,30) 3[,5)",
    );
    check(vec![(30, Some(leaver(25, vec![a(1)])))], "1[,25)");
}

#[test]
fn who_is_missing_in_a_full_statement_left_at_its_moment() {
    let present = apply(None, 10, &Some(entry(vec![a(1)])));
    let left = apply(present, 20, &None).unwrap();
    assert_eq!((left.left_at, shown(&left)), (Some(at(20)), "1[,20)".to_owned()));
    let still = apply(Some(left), 30, &None).unwrap();
    assert_eq!((still.left_at, shown(&still)), (Some(at(20)), "1[,20)".to_owned()));
    check(vec![(10, Some(leaver(90, vec![a(1)]))), (20, None)], "1[,20)");
}

#[test]
fn coming_back_opens_anew() {
    let here = || Some(entry(vec![a(1)]));
    check(vec![(10, here()), (20, None), (30, here())], "1[,20) 1[30,)");
    check(
        vec![(10, here()), (20, Some(leaver(15, vec![a(1)]))), (30, here())],
        "1[,15) 1[30,)",
    );
}

#[test]
fn a_leaving_that_is_put_off_or_called_off_leaves_no_gap() {
    let leaves = |left_at| Some(leaver(left_at, vec![a(1)]));
    check(vec![(10, leaves(50)), (20, Some(entry(vec![a(1)])))], "1[,50) 1[50,)");
    check(vec![(10, leaves(50)), (20, leaves(70))], "1[,50) 1[50,70)");
    check(vec![(10, leaves(50)), (20, leaves(40))], "1[,40)");
    check(vec![(60, leaves(50)), (70, leaves(55))], "1[,50) 1[50,55)");
    let dated = || vec![a(1).from(5)];
    check(vec![(10, Some(leaver(50, dated()))), (20, Some(entry(dated())))], "1[5,50) 1[5,)");
}

#[test]
fn an_older_statement_changes_nothing_and_the_same_one_again_neither() {
    let present = apply(None, 10, &Some(entry(vec![a(1)]))).unwrap();
    let update = |as_of, entry: &RosterEntry| roster(as_of).update(Some(&present), entry);
    assert_eq!(update(9, &entry(vec![])), Ok(Update::Stale));
    assert_eq!(roster(9).leave(&present), Update::Stale);
    assert_eq!(update(10, &entry(vec![a(1)])), Ok(Update::Unchanged));
    let later = Employee {
        as_of: at(11),
        ..present.clone()
    };
    assert_eq!(update(11, &entry(vec![a(1)])), Ok(Update::Changed(later)));
}

#[test]
fn of_two_statements_of_one_moment_the_last_applied_stands() {
    let (first, second) = (Some(entry(vec![a(1)])), Some(entry(vec![a(2)])));
    check(vec![(10, first.clone()), (10, second.clone())], "1[,10) 2[10,)");
    let once = vec![(10, first.clone()), (10, second.clone()), (10, first.clone()), (10, second.clone())];
    check(once.clone(), "1[,10) 1[10,10) 2[10,10) 2[10,)");
    check([once.clone(), once].concat(), "1[,10) 1[10,10) 2[10,10) 2[10,)");
}

#[test]
fn the_rest_of_the_record_is_what_the_entry_says() {
    let stated = RosterEntry {
        name: Some("李雷".to_owned()),
        department: Some("质量部".to_owned()),
        position: Some("工程师".to_owned()),
        replaced_by: Some("E2".to_owned()),
        ..entry(vec![])
    };
    let expected = Employee {
        name: stated.name.clone(),
        department: stated.department.clone(),
        position: stated.position.clone(),
        replaced_by: stated.replaced_by.clone(),
        as_of: at(10),
        ..employee("E1", vec![])
    };
    assert_eq!(apply(None, 10, &Some(stated)), Some(expected.clone()));
    let left = Employee {
        left_at: Some(at(20)),
        as_of: at(20),
        ..expected.clone()
    };
    assert_eq!(apply(Some(expected), 20, &None), Some(left));
}

#[test]
fn an_entry_that_cannot_be_a_record_is_refused() {
    let refused = |entry: RosterEntry| roster(10).update(Some(&employee("E1", vec![])), &entry).unwrap_err();
    let numbered = |employee_no: &str| RosterEntry {
        employee_no: employee_no.to_owned(),
        ..entry(vec![])
    };
    let of_no_system = Identity {
        system: Some(" ".to_owned()),
        ..identity(IdentityKind::Account, "li")
    };
    let replaced = RosterEntry {
        replaced_by: Some("E1".to_owned()),
        ..entry(vec![])
    };
    assert_eq!(refused(numbered("E2")), RosterError::OtherEmployee);
    assert_eq!(refused(replaced), RosterError::ReplacedByItself);
    assert_eq!(refused(entry(vec![phone(" ")])), RosterError::BlankIdentity(IdentityKind::Phone));
    assert_eq!(refused(entry(vec![of_no_system])), RosterError::AccountWithoutSystem);
    assert_eq!(
        refused(entry(vec![a(1).from(5).to(5)])),
        RosterError::NeverValid(IdentityKind::Phone)
    );
}

#[test]
fn a_number_that_a_tombstone_or_the_archive_could_not_reach_is_refused() {
    let (long, longest) = ("工".repeat(201), "工".repeat(200));
    let check = |employee_no: &str, expected: Result<(), RosterError>| {
        let stated = |number: &str, replaced_by: Option<&str>| RosterEntry {
            employee_no: number.to_owned(),
            replaced_by: replaced_by.map(str::to_owned),
            ..entry(vec![])
        };
        let update = |entry: &RosterEntry| roster(10).update(None, entry).map(drop);
        assert_eq!(update(&stated(employee_no, None)), expected, "{employee_no:?}");
        assert_eq!(update(&stated("E1", Some(employee_no))), expected, "replaced by {employee_no:?}");
    };
    check("", Err(RosterError::BlankEmployeeNo));
    check(" ", Err(RosterError::BlankEmployeeNo));
    check(" E2", Err(RosterError::UntrimmedEmployeeNo));
    check("E2\u{3000}", Err(RosterError::UntrimmedEmployeeNo));
    check("E\0", Err(RosterError::UnusableEmployeeNo));
    check(&long, Err(RosterError::UnusableEmployeeNo));
    check(&longest, Ok(()));
    check("E 2", Ok(()));
}

#[test]
fn a_record_of_another_program_with_an_odd_number_can_still_be_updated() {
    let odd = employee(" E1", vec![]);
    let stated = RosterEntry {
        employee_no: " E1".to_owned(),
        ..entry(vec![a(1)])
    };
    assert!(matches!(roster(10).update(Some(&odd), &stated), Ok(Update::Changed(_))));
}

fn any_date() -> impl Strategy<Value = Option<i64>> {
    proptest::option::weighted(0.3, 0..8_i64)
}

fn any_identity() -> impl Strategy<Value = Identity> {
    (1..3_u32, any_date(), any_date()).prop_map(|(number, from, to)| {
        let to = to.filter(|to| from.is_none_or(|from| from < *to));
        Identity {
            valid_from: from.map(at),
            valid_to: to.map(at),
            ..a(number)
        }
    })
}

fn any_entry() -> impl Strategy<Value = RosterEntry> {
    (proptest::collection::vec(any_identity(), 0..4), any_date()).prop_map(|(identities, left_at)| RosterEntry {
        left_at: left_at.map(at),
        ..entry(identities)
    })
}

fn any_statements() -> impl Strategy<Value = Vec<(i64, Said)>> {
    proptest::collection::vec((0..8_i64, proptest::option::weighted(0.8, any_entry())), 1..8)
}

fn holds(employee: &Employee, value: &str, moment: i64) -> bool {
    let contains = |identity: &Identity| {
        identity.valid_from.is_none_or(|from| from <= at(moment)) && identity.valid_to.is_none_or(|to| at(moment) < to)
    };
    employee
        .identities
        .iter()
        .any(|identity| identity.value == value && contains(identity))
}

fn is_undated(identity: &Identity) -> bool {
    identity.valid_from.is_none() && identity.valid_to.is_none()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_statement_applied_twice_changes_nothing_the_second_time(statements in any_statements()) {
        let mut present = None;
        for (as_of, said) in &statements {
            let next = apply(present.clone(), *as_of, said);
            prop_assert_eq!(apply(next.clone(), *as_of, said), next.clone(), "{:?} on {:?}", said, present);
            present = next;
        }
    }

    #[test]
    fn no_interval_that_was_published_ever_vanishes(statements in any_statements()) {
        let mut present: Option<Employee> = None;
        for (as_of, said) in &statements {
            let next = apply(present.clone(), *as_of, said);
            for published in present.iter().flat_map(|present| &present.identities) {
                let stays = |kept: &Identity| kept.value == published.value && kept.valid_from == published.valid_from;
                prop_assert!(next.as_ref().is_some_and(|next| next.identities.iter().any(stays)), "{published:?} in {next:?}");
            }
            present = next;
        }
    }

    #[test]
    fn what_is_stated_without_dates_holds_at_once_and_what_is_left_out_does_not(statements in any_statements()) {
        let mut present: Option<Employee> = None;
        for (as_of, said) in statements {
            let is_stale = present.as_ref().is_some_and(|present| present.as_of > at(as_of));
            present = apply(present, as_of, &said);
            let (Some(present), Some(entry), false) = (&present, &said, is_stale) else { continue };
            if entry.left_at.is_some_and(|left_at| left_at <= at(as_of)) {
                continue;
            }
            for number in 1..3 {
                let value = a(number).value;
                let stated: Vec<_> = entry.identities.iter().filter(|identity| identity.value == value).collect();
                if stated.iter().any(|identity| is_undated(identity)) {
                    prop_assert!(holds(present, &value, as_of), "{entry:?} at {as_of} gave {present:?}");
                } else if stated.is_empty() {
                    prop_assert!(!holds(present, &value, as_of), "{entry:?} at {as_of} gave {present:?}");
                }
            }
        }
    }

    #[test]
    fn statements_without_dates_do_not_rewrite_the_past(
        before in any_statements(),
        identities in proptest::collection::vec((1..3_u32).prop_map(a), 0..3),
        later in 0..4_i64,
    ) {
        let Some(present) = before.iter().fold(None, |present, (as_of, said)| apply(present, *as_of, said)) else { return Ok(()) };
        let as_of = present.as_of.as_millis() + later;
        let next = apply(Some(present.clone()), as_of, &Some(entry(identities))).unwrap();
        for (number, moment) in (1..3).flat_map(|number| (-1..as_of).map(move |moment| (number, moment))) {
            let value = a(number).value;
            let is_as_before = holds(&next, &value, moment) == holds(&present, &value, moment);
            prop_assert!(is_as_before, "{value} at {moment}: {present:?} became {next:?}");
        }
    }
}
