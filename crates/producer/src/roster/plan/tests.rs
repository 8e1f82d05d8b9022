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
    let mut known = KnownEmployees::new(REGION).unwrap();
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
    let check = |leavers, present, limit, expected: bool| {
        let plan = Plan {
            leavers,
            present,
            ..Plan::default()
        };
        assert_eq!(plan.check(limit).is_ok(), expected, "{leavers} of {present} under {limit:?}");
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
