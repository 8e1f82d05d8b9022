//! Whose a report is, case by case, and against a plain search through all records.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    AliasSubject, Employee, Identity, Reason,
    fixtures::{about, alias, at, employee, identity, phone, replaced},
    normalise_identity,
};

const RESULT: ResultId = ResultId::from_uuid(Uuid::from_u128(1));
const NOW: i64 = 100;

/// An employee with a phone, an e-mail and an account, all numbered alike.
fn staff(number: u32) -> Employee {
    let identities = vec![
        phone(&format!("1990000000{number}")),
        identity(IdentityKind::Email, &format!("p{number}@example.com")),
        identity(IdentityKind::Account, &format!("p{number}")),
    ];
    Employee {
        name: Some(format!("员工{number}")),
        ..employee(&format!("E{number}"), identities)
    }
}

fn directory(employees: impl IntoIterator<Item = Employee>, aliases: impl IntoIterator<Item = IdentityAlias>) -> Directory {
    let mut directory = Directory::new(Region::CN);
    for employee in employees {
        directory.apply_employee(&employee);
    }
    for alias in aliases {
        directory.apply_alias(alias);
    }
    directory
}

/// Three of the staff, and no decisions.
fn office() -> Directory {
    directory([staff(1), staff(2), staff(3)], [])
}

/// `employee_no=E1 phone=…`
fn identities(text: &str) -> PresentedIdentities<'_> {
    let mut identities = PresentedIdentities::default();
    for (kind, value) in text.split_terminator(';').filter_map(|part| part.split_once('=')) {
        let place = match kind {
            "employee_no" => &mut identities.employee_no,
            "phone" => &mut identities.phone,
            "email" => &mut identities.email,
            "account" => &mut identities.account,
            "name" => &mut identities.name,
            _ => panic!("{kind} is no kind"),
        };
        *place = Some(value);
    }
    identities
}

fn rungs(ladder: &str) -> Vec<Rung> {
    ladder.split(' ').map(|rung| rung.parse().unwrap()).collect()
}

fn find_at<'d>(directory: &'d Directory, ladder: &str, report: &str, millis: i64) -> Result<Found<'d>, MatchError> {
    find_in(directory, ladder, report, at(millis).into())
}

fn find_in<'d>(directory: &'d Directory, ladder: &str, report: &str, finished: Period) -> Result<Found<'d>, MatchError> {
    let policy = MatchPolicy {
        source: "academy",
        system: "lms",
        region: Region::CN,
        ladder: &rungs(ladder.trim_end_matches('!')),
        name_must_agree: ladder.ends_with('!'),
    };
    let subject = Subject {
        result_id: RESULT,
        finished,
        identities: identities(report),
    };
    find_employee(directory, &policy, &subject)
}

fn shown(found: Result<Found<'_>, MatchError>) -> String {
    match found {
        Ok(found) => format!("{} by {} {}", found.employee.employee_no(), found.matched_by, found.decision),
        Err(error) => error.to_string(),
    }
}

/// A ladder ending in `!` wants the names to agree.
fn check(directory: &Directory, ladder: &str, cases: &[(&str, &str)]) {
    for (report, expected) in cases {
        assert_eq!(shown(find_at(directory, ladder, report, NOW)), *expected, "{report} on {ladder}");
    }
}

const LADDER: &str = "employee_no phone";
const UNKNOWN_NUMBER: &str = "no employee is known by employee_no at the time when the exam was finished";
const UNKNOWN_PHONE: &str = "no employee is known by phone at the time when the exam was finished";
const AMBIGUOUS_PHONE: &str = "more than one employee is known by phone at the time when the exam was finished";
const FOREIGN_PHONE: &str = "phone in the report is not that of the employee who was found by employee_no";

#[test]
fn the_first_kind_of_the_ladder_that_is_present_decides() {
    check(
        &office(),
        LADDER,
        &[
            ("employee_no=E1", "E1 by employee_no 0"),
            ("employee_no=Ｅ１", "E1 by employee_no 0"),
            ("employee_no= e1 ;phone=19900000001", "E1 by employee_no 0"),
            ("phone=19900000002", "E2 by phone 0"),
            ("phone=+86 199-0000-0002", "E2 by phone 0"),
            ("phone=0086 199 0000 0002", "E2 by phone 0"),
            ("phone=１９９０００００００２", "E2 by phone 0"),
            ("employee_no= ;phone=19900000002", "E2 by phone 0"),
            ("employee_no=E9;phone=19900000002", UNKNOWN_NUMBER),
            ("phone=19900000009", UNKNOWN_PHONE),
        ],
    );
}

#[test]
fn only_an_optional_kind_lets_the_next_one_decide() {
    check(
        &office(),
        "employee_no? phone? account",
        &[
            ("employee_no=E9;phone=19900000002", "E2 by phone 0"),
            ("employee_no=E9;phone=19900000009;account=p3", "E3 by account 0"),
            (
                "employee_no=E9;phone=19900000009",
                "no employee is known by employee_no, phone at the time when the exam was finished",
            ),
            (
                "employee_no=E9;account=p9",
                "no employee is known by employee_no, account at the time when the exam was finished",
            ),
        ],
    );
}

#[test]
fn a_report_without_an_identity_that_decides_says_so() {
    let expected = "the report has none of the identities that decide whose it is: employee_no, phone";
    check(
        &office(),
        LADDER,
        &[("", expected), ("email=p1@example.com", expected), ("name=员工1;phone= ", expected)],
    );
}

#[test]
fn an_identity_that_points_to_somebody_else_is_a_conflict() {
    let foreign = |kind: &str| format!("{kind} in the report is not that of the employee who was found by employee_no");
    check(
        &office(),
        LADDER,
        &[
            ("employee_no=E1;phone=19900000002", FOREIGN_PHONE),
            ("employee_no=E1;email=P2@Example.com", &foreign("email")),
            ("employee_no=E1;account=p2", &foreign("account")),
            (
                "employee_no=E1;account=p9;email=p9@example.com;phone=19900000009",
                "E1 by employee_no 0",
            ),
            ("phone=19900000001;email=p1@example.com;account=p1", "E1 by phone 0"),
        ],
    );
}

#[test]
fn a_shared_phone_is_no_guess_and_no_conflict_for_those_who_share_it() {
    let shared = |number| {
        let mut employee = staff(number);
        employee.identities.push(phone("01055500001"));
        employee
    };
    check(
        &directory([shared(1), shared(2), staff(3)], []),
        "employee_no phone?",
        &[
            ("phone=+86 10 55500001", AMBIGUOUS_PHONE),
            ("employee_no=E2;phone=010-55500001", "E2 by employee_no 0"),
            ("employee_no=E3;phone=010-55500001", FOREIGN_PHONE),
        ],
    );
}

#[test]
fn two_numbers_that_are_spelt_alike_are_ambiguous() {
    let expected = "more than one employee is known by employee_no at the time when the exam was finished";
    let twins = directory([employee("E1", Vec::new()), employee("e1", Vec::new())], []);
    check(&twins, LADDER, &[("employee_no=E1", expected)]);
}

#[test]
fn a_recycled_phone_belongs_to_whoever_had_it_when_the_exam_was_finished() {
    let mut leaver = employee("E1", vec![phone("19900000001").to(50)]);
    leaver.left_at = Some(at(50));
    let directory = directory([leaver, employee("E2", vec![phone("19900000001").from(60)])], []);
    for (moment, expected) in [
        (49, "E1 by phone 0"),
        (50, UNKNOWN_PHONE),
        (59, UNKNOWN_PHONE),
        (60, "E2 by phone 0"),
    ] {
        assert_eq!(
            shown(find_at(&directory, LADDER, "phone=19900000001", moment)),
            expected,
            "at {moment}"
        );
    }
    assert_eq!(
        shown(find_at(&directory, LADDER, "employee_no=E1;phone=19900000001", 40)),
        "E1 by employee_no 0"
    );
    assert_eq!(shown(find_at(&directory, LADDER, "employee_no=E1", 900)), "E1 by employee_no 0");
    assert_eq!(
        shown(find_at(&directory, LADDER, "employee_no=E1;phone=19900000001", 900)),
        FOREIGN_PHONE
    );
}

#[test]
fn a_day_on_which_a_phone_changed_hands_decides_for_nobody() {
    let directory = directory(
        [
            employee("E1", vec![phone("19900000001").to(50)]),
            employee("E2", vec![phone("19900000001").from(50)]),
            employee("E3", vec![phone("19900000003").from(50)]),
        ],
        [],
    );
    let both = "more than one employee is known by phone at the time when the exam was finished";
    for (report, (first, last), expected) in [
        ("phone=19900000001", (40, 49), "E1 by phone 0"),
        ("phone=19900000001", (40, 50), both),
        ("phone=19900000001", (49, 90), both),
        ("phone=19900000001", (50, 90), "E2 by phone 0"),
        ("phone=19900000003", (40, 49), UNKNOWN_PHONE),
        ("phone=19900000003", (40, 50), "E3 by phone 0"),
        ("employee_no=E1;phone=19900000001", (49, 90), "E1 by employee_no 0"),
    ] {
        let found = find_in(&directory, LADDER, report, Period::new(at(first), at(last)));
        assert_eq!(shown(found), expected, "{report} from {first} to {last}");
    }
}

#[test]
fn a_replaced_number_leads_to_its_successor() {
    let mut old = staff(1);
    old.replaced_by = Some("E2".to_owned());
    let mut new = staff(2);
    new.identities.push(phone("19900000001"));
    let cases = [
        ("employee_no=E1", "E2 by employee_no 0"),
        ("phone=19900000001", "E2 by phone 0"),
        ("employee_no=E2;email=p1@example.com", "E2 by employee_no 0"),
    ];
    check(&directory([old.clone(), new], []), LADDER, &cases);
    check(&directory([old], []), LADDER, &[("employee_no=E1", "E1 by employee_no 0")]);
    let circle = directory([replaced("A", "B"), replaced("B", "A")], []);
    check(
        &circle,
        LADDER,
        &[("employee_no=A", "A by employee_no 0"), ("employee_no=B", "B by employee_no 0")],
    );
}

#[test]
fn a_decision_about_an_identity_replaces_the_directory_s_answer() {
    let decided = |source, employee_no| alias(about(source, IdentityKind::Phone, "199 0000 0001"), employee_no, 7);
    let nobody = "no employee is known by alias:phone at the time when the exam was finished";
    let with = |alias| directory([staff(1), staff(2)], [alias]);
    let report = "phone=19900000001";
    check(&with(decided(None, Some("E2"))), LADDER, &[(report, "E2 by alias:phone 0")]);
    check(
        &with(decided(Some("academy"), Some("E2"))),
        LADDER,
        &[(report, "E2 by alias:phone 0")],
    );
    check(&with(decided(Some("other"), Some("E2"))), LADDER, &[(report, "E1 by phone 0")]);
    check(&with(decided(None, Some("E2")).revoked(8)), LADDER, &[(report, "E1 by phone 0")]);
    check(
        &with(decided(None, None)),
        LADDER,
        &[(report, nobody), ("employee_no=E1;phone=19900000001", "E1 by employee_no 0")],
    );
    let foreign = "alias:phone in the report is not that of the employee who was found by employee_no";
    check(
        &with(decided(None, Some("E2"))),
        LADDER,
        &[("employee_no=E1;phone=19900000001", foreign)],
    );
}

#[test]
fn a_decision_for_an_unknown_employee_never_falls_through_to_another_one() {
    let decided = alias(about(None, IdentityKind::Phone, "19900000001"), Some("E9"), 7);
    let directory = directory([staff(1), staff(2)], [decided]);
    let unmatched = "no employee is known by alias:phone at the time when the exam was finished";
    let conflicting = "alias:phone in the report is not that of the employee who was found by employee_no";
    let cases = [
        ("phone=19900000001;account=p2", unmatched),
        ("employee_no=E1;phone=19900000001", conflicting),
    ];
    check(&directory, "employee_no phone? account", &cases);
}

#[test]
fn a_decision_about_the_result_settles_everything() {
    let decided = |employee_no| alias(AliasSubject::Result(RESULT), employee_no, 7);
    let unmatched = "no employee is known by alias:result at the time when the exam was finished";
    let with = |alias| directory([staff(1), staff(2), replaced("E0", "E2")], [alias]);
    let report = "employee_no=E1;phone=19900000001;name=somebody";
    check(
        &with(decided(Some("E2"))),
        "employee_no phone!",
        &[(report, "E2 by alias:result 7"), ("", "E2 by alias:result 7")],
    );
    check(&with(decided(Some("E0"))), LADDER, &[(report, "E2 by alias:result 7")]);
    check(&with(decided(None)), LADDER, &[(report, unmatched)]);
    check(&with(decided(Some("E9"))), LADDER, &[(report, unmatched)]);
    check(&with(decided(Some("E2")).revoked(8)), LADDER, &[(report, "E1 by employee_no 8")]);
    let of_another = alias(AliasSubject::Result(ResultId::from_uuid(Uuid::from_u128(2))), Some("E2"), 7);
    check(&with(of_another), LADDER, &[(report, "E1 by employee_no 0")]);
}

#[test]
fn a_name_is_compared_where_the_policy_says_so() {
    let mut minority = staff(1);
    minority.name = Some("阿依·古丽".to_owned());
    let mut nameless = staff(2);
    nameless.name = None;
    let directory = directory([minority, nameless], []);
    let other = "name in the report is not that of the employee who was found by employee_no";
    let cases = [
        ("employee_no=E1;name=阿依 古丽", "E1 by employee_no 0"),
        ("employee_no=E1;name= ", "E1 by employee_no 0"),
        ("employee_no=E1", "E1 by employee_no 0"),
        ("employee_no=E1;name=阿依", other),
        ("employee_no=E2;name=阿依", other),
    ];
    check(&directory, "employee_no!", &cases);
    check(&directory, "employee_no", &[("employee_no=E1;name=阿依", "E1 by employee_no 0")]);
}

#[test]
fn every_failure_has_its_reason() {
    let by = Clue::Identity(IdentityKind::Phone);
    let cases = [
        (MatchError::MissingIdentity { sought: Vec::new() }, Reason::MissingField),
        (MatchError::Unmatched { tried: vec![by] }, Reason::UnmatchedEmployee),
        (MatchError::Ambiguous { by }, Reason::AmbiguousEmployee),
        (
            MatchError::Conflicting {
                decided_by: by,
                against: Clue::Name,
            },
            Reason::ConflictingIdentity,
        ),
    ];
    for (error, reason) in cases {
        assert_eq!(error.reason(), reason, "{error}");
    }
}

/// Everybody whom a presented identity points to, by going through all records.
fn pointed_to(employees: &[Employee], directory: &Directory, kind: IdentityKind, value: &str) -> Vec<String> {
    let normal = |value: &str| normalise_identity(kind, value, Region::CN).into_owned();
    let has = |identity: &Identity| {
        identity.kind == kind
            && normal(&identity.value) == normal(value)
            && (kind != IdentityKind::Account || identity.system.as_deref() == Some("lms"))
            && identity.valid_from.is_none_or(|from| from <= at(NOW))
            && identity.valid_to.is_none_or(|to| at(NOW) < to)
    };
    let holds = |employee: &&Employee| {
        kind == IdentityKind::EmployeeNo && normal(&employee.employee_no) == normal(value) || employee.identities.iter().any(has)
    };
    let holders = employees.iter().filter(holds);
    let mut numbers: Vec<String> = holders
        .filter_map(|holder| directory.successor(&holder.employee_no))
        .map(|employee| employee.employee_no().to_owned())
        .collect();
    numbers.sort();
    numbers.dedup();
    numbers
}

const VALUES: [&str; 4] = ["E1", "e2", "19900000001", "+86 199 0000 0002"];

fn any_employees() -> impl Strategy<Value = Vec<Employee>> {
    let date = || proptest::option::of(prop_oneof![Just(NOW - 1), Just(NOW), Just(NOW + 1)].prop_map(at));
    let kind = proptest::sample::select(IdentityKind::ALL);
    let identities = (kind, 0..VALUES.len(), date(), date()).prop_map(|(kind, value, valid_from, valid_to)| Identity {
        valid_from,
        valid_to,
        ..identity(kind, VALUES[value])
    });
    let numbers = proptest::sample::subsequence(vec!["E1", "E2", "E3", "E4"], 0..=4);
    let details = (proptest::collection::vec(identities, 0..4), proptest::option::of(1..=4));
    (numbers, proptest::collection::vec(details, 4)).prop_map(|(numbers, details)| {
        let person = |(number, (identities, replaced_by)): (&str, (Vec<Identity>, Option<i32>))| Employee {
            replaced_by: replaced_by.map(|number| format!("E{number}")),
            ..employee(number, identities)
        };
        numbers.into_iter().zip(details).map(person).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nobody_is_ever_found_but_the_one_whom_what_decides_points_to(
        employees in any_employees(),
        presented in proptest::collection::vec(proptest::option::weighted(0.6, 0..VALUES.len()), 4),
        ladder in proptest::sample::select(&["employee_no phone", "phone? employee_no? account", "account email? phone"][..]),
    ) {
        let directory = directory(employees.clone(), []);
        let values: Vec<_> = IdentityKind::ALL.iter().zip(&presented).filter_map(|(kind, value)| Some((*kind, VALUES[(*value)?]))).collect();
        let report: String = values.iter().map(|(kind, value)| format!("{kind}={value};")).collect();
        let pointed = |kind: IdentityKind| {
            values.iter().find(|(other, _)| *other == kind).map(|(kind, value)| pointed_to(&employees, &directory, *kind, value))
        };
        match find_at(&directory, ladder, &report, NOW) {
            Ok(found) => {
                let Clue::Identity(kind) = found.matched_by else { panic!("nobody decided anything") };
                prop_assert_eq!(pointed(kind), Some(vec![found.employee.employee_no().to_owned()]));
                for others in IdentityKind::ALL.iter().filter_map(|kind| pointed(*kind)) {
                    prop_assert!(others.is_empty() || others.iter().any(|other| other == found.employee.employee_no()));
                }
            }
            Err(MatchError::MissingIdentity { sought }) => prop_assert!(sought.iter().all(|kind| pointed(*kind).is_none())),
            Err(MatchError::Unmatched { tried }) => {
                for clue in tried {
                    let Clue::Identity(kind) = clue else { panic!("nobody decided anything") };
                    prop_assert_eq!(pointed(kind), Some(Vec::new()));
                }
            }
            Err(MatchError::Ambiguous { by: Clue::Identity(kind) }) => prop_assert!(pointed(kind).is_some_and(|people| people.len() > 1)),
            Err(MatchError::Conflicting { decided_by: Clue::Identity(kind), against: Clue::Identity(other) }) => {
                let decided = pointed(kind).unwrap();
                prop_assert_eq!(decided.len(), 1);
                prop_assert!(pointed(other).is_some_and(|people| !people.is_empty() && !people.contains(&decided[0])));
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
