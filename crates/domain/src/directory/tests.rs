//! What the directory holds after which records, and what it answers.

mod model;
mod snapshot;

use std::collections::HashMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    Identity, IdentityKind,
    fixtures::{about, alias, at, employee, identity, phone, replaced},
};

const SHARED: &str = "19900000001";

fn directory_of(employees: impl IntoIterator<Item = Employee>) -> Directory {
    let mut directory = Directory::new(Region::CN);
    for employee in employees {
        directory.apply_employee(&employee);
    }
    directory
}

fn claimants(directory: &Directory, kind: IdentityKind, value: &str, moment: i64) -> Vec<String> {
    let claims = directory.claims(Spelling::of(kind, value, Region::CN), "lms");
    let holders = claims.holders(at(moment).into());
    holders.map(|employee| employee.employee_no().to_owned()).collect()
}

#[test]
fn an_identity_is_valid_from_inclusive_to_exclusive() {
    let directory = directory_of([employee("E1", vec![phone(SHARED).from(10).to(20)])]);
    for (moment, expected) in [(9, 0), (10, 1), (19, 1), (20, 0)] {
        assert_eq!(
            claimants(&directory, IdentityKind::Phone, "+86 199 0000 0001", moment).len(),
            expected,
            "at {moment}"
        );
    }
}

#[test]
fn the_employee_number_never_expires() {
    let mut leaver = employee("e1", vec![identity(IdentityKind::EmployeeNo, "OLD1").to(5)]);
    leaver.left_at = Some(at(5));
    let directory = directory_of([leaver]);
    assert_eq!(claimants(&directory, IdentityKind::EmployeeNo, "Ｅ1", i64::MAX), ["e1"]);
    assert_eq!(claimants(&directory, IdentityKind::EmployeeNo, "old1", 4), ["e1"]);
    assert!(claimants(&directory, IdentityKind::EmployeeNo, "old1", 5).is_empty());
}

#[test]
fn an_account_is_one_in_its_system() {
    let elsewhere = Identity {
        system: Some("other".to_owned()),
        ..identity(IdentityKind::Account, "li")
    };
    let nowhere = Identity {
        system: None,
        ..identity(IdentityKind::Account, "li")
    };
    let account = identity(IdentityKind::Account, "li");
    let directory = directory_of([
        employee("E1", vec![account]),
        employee("E2", vec![elsewhere]),
        employee("E3", vec![nowhere]),
    ]);
    assert_eq!(claimants(&directory, IdentityKind::Account, " li", 0), ["E1"]);
    assert!(claimants(&directory, IdentityKind::Account, "LI", 0).is_empty());
}

#[test]
fn a_blank_identity_points_to_nobody() {
    let directory = directory_of([employee("E1", vec![phone(" "), identity(IdentityKind::Email, "")])]);
    assert!(claimants(&directory, IdentityKind::Phone, "", 0).is_empty());
    assert!(claimants(&directory, IdentityKind::Email, "", 0).is_empty());
}

#[test]
fn an_older_record_is_ignored_and_the_same_one_changes_nothing() {
    let newer = Employee {
        as_of: at(2),
        ..employee("E1", vec![phone(SHARED)])
    };
    let mut directory = directory_of([newer.clone()]);
    assert!(!directory.apply_employee(&employee("E1", Vec::new())));
    assert!(!directory.apply_employee(&newer));
    assert_eq!(directory, directory_of([newer.clone()]));
    assert_eq!(directory.employee_count(), 1);
    let of_the_same_moment = Employee {
        identities: Vec::new(),
        name: Some("李雷".to_owned()),
        ..newer
    };
    assert!(directory.apply_employee(&of_the_same_moment));
    assert_eq!(directory.employee("e1").and_then(|employee| employee.name()), Some("李雷"));
    assert_eq!(directory, directory_of([of_the_same_moment]));
}

#[test]
fn what_matching_and_enriching_do_not_need_is_not_kept() {
    let mut directory = directory_of([employee("E1", vec![phone(SHARED)])]);
    let said_otherwise = Employee {
        left_at: Some(at(5)),
        ..employee("E1", vec![phone("+86 199 0000 0001"), phone(" ")])
    };
    assert!(!directory.apply_employee(&said_otherwise));
    assert_eq!(directory, directory_of([said_otherwise]));
}

#[test]
fn a_blank_number_is_held_and_nobody_is_known_by_it() {
    let directory = directory_of([employee(" ", vec![phone(SHARED)])]);
    assert_eq!(directory.employee_count(), 1);
    assert_eq!(claimants(&directory, IdentityKind::Phone, SHARED, 0), [" "]);
    assert!(claimants(&directory, IdentityKind::EmployeeNo, " ", 0).is_empty());
    assert!(directory.employee(" ").is_some() && directory.employee("").is_none());
}

#[test]
fn a_changed_record_gives_up_its_claims_and_nobody_else_s() {
    let mut directory = directory_of([employee("E1", vec![phone(SHARED)]), employee("E2", vec![phone(SHARED)])]);
    let moved = Employee {
        as_of: at(1),
        ..employee("E1", vec![phone("19900000002")])
    };
    assert!(directory.apply_employee(&moved));
    assert_eq!(claimants(&directory, IdentityKind::Phone, SHARED, 0), ["E2"]);
    assert_eq!(claimants(&directory, IdentityKind::Phone, "19900000002", 0), ["E1"]);
}

#[test]
fn what_is_erased_leaves_nothing_behind() {
    let mut directory = directory_of([employee("E1", vec![phone(SHARED), identity(IdentityKind::Account, "li")])]);
    let subject = about(Some("academy"), IdentityKind::Phone, SHARED);
    let result = AliasSubject::Result(ResultId::from_uuid(Uuid::from_u128(1)));
    directory.apply_alias(alias(subject.clone(), Some("E1"), 1));
    directory.apply_alias(alias(result.clone(), Some("E1"), 1));
    assert!(directory.erase("E1") && !directory.erase("E1"));
    for subject in [subject, result] {
        assert!(directory.erase_alias(&subject) && !directory.erase_alias(&subject));
    }
    assert_eq!(directory, Directory::new(Region::CN));
}

fn check_successor(employees: &[Employee], employee_no: &str, expected: Option<&str>) {
    let directory = directory_of(employees.iter().cloned());
    let successor = directory.successor(employee_no).map(|employee| employee.employee_no());
    assert_eq!(successor, expected, "{employee_no}");
}

#[test]
fn replaced_by_is_followed_to_its_end() {
    let chain = [replaced("A", "b"), replaced("B", "C"), employee("C", Vec::new())];
    check_successor(&chain, "A", Some("C"));
    check_successor(&chain, "a", Some("C"));
    check_successor(&chain, "C", Some("C"));
    check_successor(&chain, "D", None);
    check_successor(&chain[..2], "A", Some("B"));
}

#[test]
fn a_circle_of_replacements_replaces_nobody_in_it() {
    let circle = [replaced("A", "B"), replaced("B", "C"), replaced("C", "B"), replaced("D", "D")];
    check_successor(&circle, "A", Some("B"));
    check_successor(&circle, "B", Some("B"));
    check_successor(&circle, "C", Some("C"));
    check_successor(&circle, "D", Some("D"));
}

#[test]
fn what_was_decided_to_be_of_somebody_is_found_by_any_spelling_of_the_number_until_it_is_revoked() {
    let (phone, result) = (
        about(None, IdentityKind::Phone, SHARED),
        AliasSubject::Result(ResultId::from_key("academy", ["a"])),
    );
    let mut directory = Directory::new(Region::CN);
    directory.apply_alias(alias(phone.clone(), Some("e1001"), 1));
    let decided = alias(result.clone(), Some("E1001"), 2);
    directory.apply_alias(decided.clone());
    directory.apply_alias(alias(about(None, IdentityKind::Email, "a@b.cn"), Some("E2"), 3));
    directory.apply_alias(alias(about(None, IdentityKind::Email, "c@b.cn"), None, 3));
    let mut found = directory.decided_to_be_of(" E1001");
    found.sort_by_key(ToString::to_string);
    assert_eq!(found, [phone.clone(), result]);
    directory.apply_alias(decided.revoked(9));
    assert_eq!(directory.decided_to_be_of("E1001"), [phone]);
    assert_eq!(directory.decided_to_be_of("E3"), []);
}

fn check_alias(aliases: &[IdentityAlias], expected: Option<&str>) {
    let mut directory = Directory::new(Region::CN);
    for alias in aliases {
        directory.apply_alias(alias.clone());
    }
    let found = directory.identity_alias("academy", &Spelling::of(IdentityKind::Phone, "+8619900000001", Region::CN));
    assert_eq!(found.and_then(|alias| alias.employee_no.as_deref()), expected);
}

#[test]
fn the_alias_of_the_source_wins_and_a_revoked_one_is_absent() {
    let of = |source, employee_no, decided_at| alias(about(source, IdentityKind::Phone, SHARED), Some(employee_no), decided_at);
    let (general, limited, foreign) = (of(None, "E1", 3), of(Some("academy"), "E2", 2), of(Some("other"), "E3", 9));
    check_alias(&[general.clone(), limited.clone(), foreign.clone()], Some("E2"));
    check_alias(&[general.clone(), limited.clone().revoked(4), foreign.clone()], Some("E1"));
    check_alias(&[general.clone().revoked(4), limited.revoked(4), foreign], None);
    check_alias(&[general.clone(), general.clone().revoked(4), general], Some("E1"));
}

#[test]
fn of_two_ways_to_write_one_value_the_latest_decision_counts() {
    let of = |value, employee_no, decided_at| alias(about(None, IdentityKind::Phone, value), Some(employee_no), decided_at);
    let (first, second) = (of("199 0000 0001", "E1", 1), of("+8619900000001", "E2", 2));
    check_alias(&[first.clone(), second.clone()], Some("E2"));
    check_alias(&[second.clone(), first.clone()], Some("E2"));
    check_alias(&[first, second.revoked(3)], Some("E1"));
}

#[test]
fn a_revoked_decision_about_a_result_is_kept_with_its_number() {
    let result_id = ResultId::from_uuid(Uuid::from_u128(7));
    let mut directory = Directory::new(Region::CN);
    let decided = alias(AliasSubject::Result(result_id), Some("E1"), 5);
    assert!(directory.apply_alias(decided.clone()));
    assert!(!directory.apply_alias(decided.clone()));
    assert!(directory.apply_alias(decided.revoked(8)));
    assert_eq!(directory.result_alias(result_id).map(IdentityAlias::decision), Some(8));
}

#[derive(Clone, Debug)]
enum Written {
    Employee(Employee),
    Tombstone(String),
    Alias(IdentityAlias),
    AliasTombstone(AliasSubject),
}

impl Written {
    fn key(&self) -> (bool, String) {
        match self {
            Self::Employee(employee) => (true, employee.employee_no.clone()),
            Self::Tombstone(employee_no) => (true, employee_no.clone()),
            Self::Alias(alias) => (false, alias.subject.to_string()),
            Self::AliasTombstone(subject) => (false, subject.to_string()),
        }
    }
}

fn apply_all(records: impl IntoIterator<Item = Written>) -> Directory {
    let mut directory = Directory::new(Region::CN);
    for record in records {
        match record {
            Written::Employee(employee) => directory.apply_employee(&employee),
            Written::Tombstone(employee_no) => directory.erase(&employee_no),
            Written::Alias(alias) => directory.apply_alias(alias),
            Written::AliasTombstone(subject) => directory.erase_alias(&subject),
        };
    }
    directory
}

fn any_identity() -> impl Strategy<Value = Identity> {
    let kind = proptest::sample::select(IdentityKind::ALL);
    let value = proptest::sample::select(&["19900000001", "199 0000 0001", "19900000002", "e1", "E2"][..]);
    let date = || proptest::option::of((0..4_i64).prop_map(at));
    (kind, value, date(), date()).prop_map(|(kind, value, valid_from, valid_to)| Identity {
        valid_from,
        valid_to,
        ..identity(kind, value)
    })
}

fn any_employee() -> impl Strategy<Value = Employee> {
    let employee_no = proptest::sample::select(&["E1", "e1", "E2", "E3"][..]);
    (employee_no, proptest::collection::vec(any_identity(), 0..4)).prop_map(|(employee_no, identities)| employee(employee_no, identities))
}

fn any_subject() -> impl Strategy<Value = AliasSubject> {
    let source = proptest::option::of(proptest::sample::select(&["academy", "other"][..]));
    prop_oneof![
        (source, any_identity()).prop_map(|(source, identity)| about(source, identity.kind, &identity.value)),
        (0..3_u128).prop_map(|number| AliasSubject::Result(ResultId::from_uuid(Uuid::from_u128(number)))),
    ]
}

fn any_record() -> impl Strategy<Value = Written> {
    prop_oneof![
        4 => any_employee().prop_map(Written::Employee),
        1 => any_employee().prop_map(|employee| Written::Tombstone(employee.employee_no)),
        2 => (any_subject(), any::<bool>()).prop_map(|(subject, revoked)| {
            let decided = alias(subject, Some("E1"), 1);
            Written::Alias(if revoked { decided.revoked(2) } else { decided })
        }),
        1 => any_subject().prop_map(Written::AliasTombstone),
    ]
}

/// Employees get ever later moments, as one writer gives them.
fn any_log() -> impl Strategy<Value = Vec<Written>> {
    proptest::collection::vec(any_record(), 0..24).prop_map(|mut log| {
        for (moment, record) in (0..).zip(&mut log) {
            if let Written::Employee(employee) = record {
                employee.as_of = at(moment);
            }
        }
        log
    })
}

proptest! {
    #[test]
    fn the_last_record_of_every_key_makes_the_same_directory_as_all_of_them(log in any_log()) {
        let last: HashMap<(bool, String), Written> = log.iter().map(|record| (record.key(), record.clone())).collect();
        prop_assert_eq!(apply_all(log), apply_all(last.into_values()));
    }

    #[test]
    fn employees_make_the_same_directory_in_any_order(log in any_log(), seed in any::<u64>()) {
        let employees = log.into_iter().filter(|record| matches!(record, Written::Employee(_)));
        let in_order: Vec<Written> = employees.collect();
        let mut shuffled = in_order.clone();
        shuffled.sort_by_key(|record| match record {
            Written::Employee(employee) => (employee.as_of.as_millis() as u64 + 1).wrapping_mul(seed | 1),
            Written::Tombstone(_) | Written::Alias(_) | Written::AliasTombstone(_) => 0,
        });
        prop_assert_eq!(apply_all(in_order), apply_all(shuffled));
    }

    #[test]
    fn erasing_every_key_leaves_an_empty_directory(log in any_log()) {
        let erasures = log.clone().into_iter().map(|record| match record {
            Written::Employee(Employee { employee_no, .. }) | Written::Tombstone(employee_no) => Written::Tombstone(employee_no),
            Written::Alias(IdentityAlias { subject, .. }) | Written::AliasTombstone(subject) => Written::AliasTombstone(subject),
        });
        prop_assert_eq!(apply_all(log.iter().cloned().chain(erasures)), Directory::new(Region::CN));
    }
}
