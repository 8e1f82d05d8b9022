//! What an import is going to change, by tables.

use super::*;
use crate::{
    Format,
    roster::{
        file::{BadRows, read_roster},
        fixtures::{REGION, employee, millis, phone, rules},
    },
};

fn known(numbers: std::ops::Range<u32>) -> KnownEmployees {
    let mut known = KnownEmployees::new(REGION);
    for number in numbers {
        let key = format!("E{number}");
        known.apply(&key, Some(&employee(&key, vec![phone(number % 10)], 10))).unwrap();
    }
    known
}

fn statements(text: &str) -> Statements {
    let file = read_roster(Format::Csv, &rules(), text.as_bytes()).unwrap();
    file.accept(BadRows::Skip, &rules()).unwrap()
}

/// New, changed, leavers, unchanged, stale, present.
fn counts(text: &str, as_of: i64, is_full: bool) -> [usize; 6] {
    let plan = plan(statements(text), (millis(as_of), is_full), &known(0..4)).unwrap();
    assert_eq!(plan.changing.len(), plan.new + plan.changed + plan.leavers);
    [plan.new, plan.changed, plan.leavers, plan.unchanged, plan.stale, plan.present]
}

/// What the list makes of an employee.
fn record(text: &str, known: &KnownEmployees, employee_no: &str) -> Employee {
    let plan = plan(statements(text), (millis(20), false), known).unwrap();
    let about = |statement: &&Statement| statement.employee_no() == employee_no;
    let statement = plan.changing.iter().find(about).unwrap();
    let present = known.get(&known.key_of(employee_no)).unwrap();
    match statement.on_top_of(present.as_ref(), REGION).unwrap() {
        Next::Record(record, _) => record,
        other @ (Next::Unchanged | Next::Stale) => panic!("{other:?}"),
    }
}

#[test]
fn a_phone_that_is_given_to_somebody_new_stays_the_first_one_s_for_the_time_before() {
    let dates = |record: Employee| {
        record
            .identities
            .iter()
            .map(|held| (held.valid_from, held.valid_to))
            .collect::<Vec<_>>()
    };
    // Whichever of the two the list names first.
    for text in [
        "工号,手机号\nE9,19900000001\nE1,19900000008\n",
        "工号,手机号\nE1,\nE9,19900000001\n",
    ] {
        assert_eq!(dates(record(text, &known(0..4), "E1"))[0], (None, Some(millis(20))), "{text}");
        assert_eq!(dates(record(text, &known(0..4), "E9")), [(Some(millis(20)), None)], "{text}");
    }
    let mut known = known(0..4);
    let left = Identity {
        valid_to: Some(millis(15)),
        ..phone(1)
    };
    known.apply("E1", Some(&employee("E1", vec![left], 16))).unwrap();
    let text = "工号,手机号\nE9,19900000001\n";
    assert_eq!(dates(record(text, &known, "E9")), [(Some(millis(15)), None)]);
}

#[test]
fn what_somebody_new_shares_with_others_is_not_guessed_to_be_theirs_alone() {
    let text = "工号,手机号\nE9,19900000001\nE8,19900000007\nE7,19900000007\n";
    for employee_no in ["E9", "E8", "E7"] {
        assert_eq!(
            record(text, &known(0..4), employee_no).identities[0].valid_from,
            None,
            "{employee_no}"
        );
    }
}

#[test]
fn a_full_list_by_which_too_many_have_left_is_refused_like_one_that_lacks_them() {
    let list = "工号,手机号,离职日期\nE0,19900000000,\nE1,19900000001,1970-01-01\nE2,19900000002,1970-01-01\n";
    let plan = plan(statements(list), (millis(86_400_000), true), &known(0..4)).unwrap();
    assert_eq!((plan.leavers, plan.changed), (1, 2));
    assert_eq!(plan.check(LeaversLimit::Share(0.5)).unwrap_err().leavers, 3);
    assert_eq!(plan.check(LeaversLimit::Share(0.75)), Ok(()));
}

#[test]
fn with_a_row_of_which_nobody_can_tell_whose_it_is_a_list_takes_nothing_away() {
    let mut known = known(0..1);
    let until_leaving = |number| Identity {
        valid_to: Some(millis(15)),
        ..phone(number)
    };
    let left = Employee {
        name: Some("李雷".to_owned()),
        left_at: Some(millis(15)),
        ..employee("E1", vec![until_leaving(1), until_leaving(2)], 10)
    };
    known.apply("E1", Some(&left)).unwrap();
    let list = "工号,姓名,手机号,离职日期\nE1,,19900000001,\n,,19900000002,\n";
    let plan = plan(statements(list), (millis(20), false), &known).unwrap();
    assert_eq!((plan.unchanged, plan.changed), (1, 0));
    let added = record("工号,姓名,手机号\nE0,韩梅梅,19900000005\n,,19900000002\n", &known, "E0");
    assert_eq!(added.name.as_deref(), Some("韩梅梅"));
    let dates: Vec<_> = added.identities.iter().map(|held| (held.valid_from, held.valid_to)).collect();
    assert_eq!(dates, [(None, None), (Some(millis(20)), None)]);
}

const LIST: &str = "工号,手机号\nE0,19900000000\ne1,19900000009\nE9,19900000008\n";

#[test]
fn only_what_differs_is_going_to_be_written() {
    assert_eq!(counts(LIST, 20, false), [1, 1, 0, 1, 0, 4]);
}

#[test]
fn a_full_list_marks_those_whom_it_does_not_name() {
    assert_eq!(counts(LIST, 20, true), [1, 1, 2, 1, 0, 4]);
}

#[test]
fn an_older_list_changes_nobody_who_is_known() {
    assert_eq!(counts(LIST, 5, true), [1, 0, 0, 0, 4, 4]);
}

#[test]
fn nobody_leaves_whom_a_bad_row_names() {
    let list = "工号,手机号,离职日期\nE0,19900000000,\nE1,19900000001,\nE2,19900000002,soon\nE3,19900000003,\n";
    assert_eq!(counts(list, 20, true), [0, 0, 0, 3, 0, 4]);
}

#[test]
fn a_full_list_that_lacks_too_many_is_refused() {
    let check = |ending, present, limit, expected: bool| {
        let plan = Plan {
            ending,
            present,
            ..Plan::default()
        };
        assert_eq!(plan.check(limit).is_ok(), expected, "{ending} of {present} under {limit:?}");
    };
    check(10, 100, LeaversLimit::Share(0.1), true);
    check(11, 100, LeaversLimit::Share(0.1), false);
    check(100, 100, LeaversLimit::Share(f64::NAN), false);
    check(100, 100, LeaversLimit::None, true);
    check(0, 0, LeaversLimit::Share(0.1), true);
    let refusal = TooManyLeavers {
        leavers: 11,
        present: 100,
        max_share: 0.1,
    };
    let text = refusal.to_string();
    assert!(
        text.contains("11 of 100") && text.contains("10.0 %") && text.contains("--force"),
        "{text}"
    );
}
