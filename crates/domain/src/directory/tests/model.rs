//! The packed directory beside the plainest one: a map of employees that is searched from end to end.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{snapshot::check_parts, *};
use crate::{Period, normalise_employee_no, normalise_identity, normalise_key_part};

/// What the directory keeps of employees, by their numbers as written.
type Model = BTreeMap<String, Employee>;

#[derive(Clone, Debug)]
enum Change {
    Record(Box<Employee>),
    Erasure(&'static str),
}

const NUMBERS: [&str; 8] = ["E1", "e1", "Ｅ1", "E2", "E3", " ", "E4444444444444444444", "员1"];
const VALUES: [&str; 11] = [
    "19900000001",
    "+86 199 0000 0001",
    "19900000002",
    "+8613",
    "010-55500001",
    "+44 121 496 0001",
    "e1",
    "E2",
    "Li@example.com",
    "li@EXAMPLE.com",
    " ",
];
const SYSTEMS: [Option<&str>; 4] = [None, Some("lms"), Some(" lms "), Some("学习平台")];

fn apply(change: &Change, directory: &mut Directory, model: &mut Model) {
    match change {
        Change::Erasure(number) => assert_eq!(directory.erase(number), model.remove(*number).is_some(), "{number}"),
        Change::Record(employee) => {
            let held = model.get(&employee.employee_no);
            let is_late = held.is_some_and(|held| held.as_of > employee.as_of);
            let kept = essence(employee);
            let changes = !is_late && held != Some(&kept);
            assert_eq!(directory.apply_employee(employee), changes, "{}", employee.employee_no);
            if !is_late {
                model.insert(employee.employee_no.clone(), kept);
            }
        }
    }
}

/// What the directory keeps of an employee.
fn essence(employee: &Employee) -> Employee {
    let identities = employee.identities.iter().map(|identity| Identity {
        value: normalise_identity(identity.kind, &identity.value, Region::CN).into_owned(),
        system: Some(system_of(identity)),
        ..identity.clone()
    });
    Employee {
        identities: identities.filter(|identity| !identity.value.is_empty()).collect(),
        left_at: None,
        ..employee.clone()
    }
}

fn system_of(identity: &Identity) -> String {
    let system = identity.system.as_deref().filter(|_| identity.kind == IdentityKind::Account);
    normalise_key_part(system.unwrap_or_default()).into_owned()
}

/// What is asked about: an identity, and a time or the day before or after it.
#[derive(Clone, Copy, Debug)]
struct Question<'a> {
    kind: IdentityKind,
    value: &'a str,
    system: &'a str,
    period: Period,
}

fn holders_in_model<'m>(model: &'m Model, question: Question<'_>) -> Vec<&'m str> {
    let Question {
        kind,
        value,
        system,
        period,
    } = question;
    let value = normalise_identity(kind, value, Region::CN);
    let is_meant = |identity: &Identity| {
        identity.kind == kind
            && (kind != IdentityKind::Account || identity.system.as_deref() == Some(system.trim()))
            && identity.value == value
            && identity.valid_from.is_none_or(|from| from <= period.last())
            && identity.valid_to.is_none_or(|to| period.first() < to)
    };
    let holds = |employee: &&Employee| {
        let has_number = kind == IdentityKind::EmployeeNo && normalise_employee_no(&employee.employee_no) == value;
        has_number || employee.identities.iter().any(is_meant)
    };
    let holders = model.values().filter(|_| !value.is_empty()).filter(holds);
    holders.map(|employee| employee.employee_no.as_str()).collect()
}

fn holders_in_directory<'d>(directory: &'d Directory, question: Question<'_>) -> Vec<&'d str> {
    let claims = directory.claims(Spelling::of(question.kind, question.value, Region::CN), question.system);
    let holders = claims.holders(question.period);
    let mut holders: Vec<&str> = holders.map(|employee| employee.employee_no()).collect();
    holders.sort_unstable();
    holders
}

fn named<'m>(model: &'m Model, number: &str) -> Option<&'m Employee> {
    model.get(number).or_else(|| model.get(&*normalise_employee_no(number)))
}

/// By steps: after as many as there are employees, the way goes in a circle.
fn successor_in_model<'m>(model: &'m Model, number: &str) -> Option<&'m str> {
    let mut way = vec![&named(model, number)?.employee_no];
    while let Some(next) = model[*way.last()?].replaced_by.as_deref().and_then(|next| named(model, next)) {
        if way.contains(&&next.employee_no) {
            return Some(&next.employee_no);
        }
        way.push(&next.employee_no);
    }
    way.last().map(|last| last.as_str())
}

fn check(directory: &Directory, model: &Model) {
    check_parts(&directory.staff);
    assert_eq!(directory.employee_count(), model.len());
    for number in NUMBERS.iter().chain(&VALUES) {
        let held = directory.employee(number).map(|held| {
            let texts = [held.name(), held.department(), held.position(), held.replaced_by()];
            (held.employee_no(), texts)
        });
        let expected = named(model, number).map(|employee| {
            let texts = [&employee.name, &employee.department, &employee.position, &employee.replaced_by];
            (employee.employee_no.as_str(), texts.map(|text| text.as_deref()))
        });
        assert_eq!(held, expected, "{number:?}");
        let successor = directory.successor(number).map(|employee| employee.employee_no());
        assert_eq!(successor, successor_in_model(model, number), "{number:?}");
    }
    for (kind, value) in IdentityKind::ALL
        .iter()
        .flat_map(|kind| VALUES.iter().chain(&NUMBERS).map(move |value| (*kind, *value)))
    {
        for system in SYSTEMS.into_iter().flatten().chain([""]) {
            for period in [at(0).into(), at(1).into(), Period::new(at(2), at(3))] {
                let question = Question {
                    kind,
                    value,
                    system,
                    period,
                };
                let held = holders_in_directory(directory, question);
                assert_eq!(held, holders_in_model(model, question), "{question:?}");
            }
        }
    }
}

fn any_identity() -> impl Strategy<Value = Identity> {
    let date = || proptest::option::of((0..3_i64).prop_map(at));
    let what = (
        proptest::sample::select(IdentityKind::ALL),
        proptest::sample::select(&SYSTEMS[..]),
        proptest::sample::select(&VALUES[..]),
    );
    (what, date(), date()).prop_map(|((kind, system, value), valid_from, valid_to)| Identity {
        kind,
        system: system.map(str::to_owned),
        value: value.to_owned(),
        valid_from,
        valid_to,
    })
}

fn any_text() -> impl Strategy<Value = Option<String>> {
    proptest::option::of(proptest::sample::select(&["", "销售部", "生产部", "sales"][..]).prop_map(str::to_owned))
}

fn any_change() -> impl Strategy<Value = Change> {
    let number = proptest::sample::select(&NUMBERS[..]);
    // Some rows are longer than a chunk, and than what one byte of length can say.
    let name = proptest::option::of(prop_oneof!["[李雷韩]{0,3}", "[a-z]{100,900}"]);
    let identities = proptest::collection::vec(any_identity(), 0..5);
    let replaced_by = proptest::option::weighted(0.3, proptest::sample::select(&NUMBERS[..]).prop_map(str::to_owned));
    let record = (number, name, any_text(), any_text(), identities, (replaced_by, 0..3_i64));
    let record = record.prop_map(|(number, name, department, position, identities, (replaced_by, as_of))| {
        let employee = Employee {
            name,
            department,
            position,
            replaced_by,
            as_of: at(as_of),
            ..employee(number, identities)
        };
        Change::Record(Box::new(employee))
    });
    prop_oneof![4 => record, 1 => proptest::sample::select(&NUMBERS[..]).prop_map(Change::Erasure)]
}

proptest! {
    #[test]
    fn the_packed_directory_answers_as_a_plain_one(changes in proptest::collection::vec(any_change(), 0..60)) {
        let (mut directory, mut model) = (Directory::new(Region::CN), Model::new());
        for (place, change) in changes.iter().enumerate() {
            apply(change, &mut directory, &mut model);
            if place % 8 == 0 {
                check(&directory, &model);
            }
        }
        check(&directory, &model);
        for number in NUMBERS {
            apply(&Change::Erasure(number), &mut directory, &mut model);
        }
        check(&directory, &model);
    }
}

#[test]
fn an_identity_that_a_whole_company_shares_is_given_up_by_one_after_the_other() {
    let switchboard = || phone("010-55500001");
    let (mut directory, mut model) = (Directory::new(Region::CN), Model::new());
    for number in 0..300 {
        let person = employee(&format!("E{number}"), vec![switchboard(), switchboard().from(1)]);
        apply(&Change::Record(Box::new(person)), &mut directory, &mut model);
    }
    check(&directory, &model);
    for number in (0..300).rev().filter(|number| number % 7 != 0) {
        let person = Employee {
            as_of: at(1),
            ..employee(&format!("E{number}"), Vec::new())
        };
        apply(&Change::Record(Box::new(person)), &mut directory, &mut model);
    }
    check(&directory, &model);
    assert_eq!(claimants(&directory, IdentityKind::Phone, "010-55500001", 0).len(), 43);
}
