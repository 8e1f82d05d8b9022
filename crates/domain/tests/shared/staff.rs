//! Typical employees, each of whom follows from a number, and a report that looks for one.

use scoresync_domain::{
    Directory, Employee, Found, Identity, IdentityKind, MatchError, MatchPolicy, PresentedIdentities, Region, ResultId, Rung, Subject,
    Timestamp, find_employee,
};

const LADDER: [Rung; 2] = [rung(IdentityKind::EmployeeNo), rung(IdentityKind::Phone)];

const fn rung(kind: IdentityKind) -> Rung {
    Rung { kind, optional: false }
}

/// The employee number of the employee.
pub(crate) fn employee_no(number: u32) -> String {
    format!("E{number:07}")
}

/// The mobile number of the employee, as the HR system writes it.
pub(crate) fn phone(number: u32) -> String {
    format!("199{number:08}")
}

/// All have a phone; every fifth an account and an e-mail address, too; every fiftieth has left.
pub(crate) fn employee(number: u32) -> Employee {
    let mut identities = vec![identity(IdentityKind::Phone, phone(number))];
    if number.is_multiple_of(5) {
        identities.push(identity(IdentityKind::Account, format!("p{number:07}")));
        identities.push(identity(IdentityKind::Email, format!("p{number:07}@example.com")));
    }
    let left_at = number.is_multiple_of(50).then(|| Timestamp::from_millis(1_790_000_000_000));
    for identity in &mut identities {
        identity.valid_to = left_at;
    }
    Employee {
        employee_no: employee_no(number),
        name: Some(name(number)),
        department: Some(format!("第{}营业部", number % 200)),
        position: Some(format!("岗位{}", number % 60)),
        identities,
        left_at,
        replaced_by: None,
        as_of: Timestamp::from_millis(1_780_000_000_000 + i64::from(number)),
    }
}

/// All of so many.
pub(crate) fn directory(employees: u32) -> Directory {
    let mut directory = Directory::new(Region::CN);
    for number in 0..employees {
        directory.apply_employee(&employee(number));
    }
    directory
}

/// The employee in this place of an order in which neighbours are far from one another.
pub(crate) fn scattered(place: u32, employees: u32) -> u32 {
    // A prime: it has no factor in common with the number of employees.
    let number = u64::from(place) * 618_033_989 % u64::from(employees);
    u32::try_from(number).unwrap_or(0)
}

fn identity(kind: IdentityKind, value: String) -> Identity {
    Identity {
        kind,
        system: (kind == IdentityKind::Account).then(|| "lms".to_owned()),
        value,
        valid_from: None,
        valid_to: None,
    }
}

/// Three Chinese characters.
fn name(number: u32) -> String {
    let character = |place: u32| char::from_u32(0x4e00 + number.rotate_left(place * 9) % 20_000).unwrap_or('员');
    (0..3).map(character).collect()
}

/// Whom a report is about that presents these.
pub(crate) fn find<'d>(directory: &'d Directory, employee_no: Option<&str>, phone: Option<&str>) -> Result<Found<'d>, MatchError> {
    let policy = MatchPolicy {
        source: "academy",
        system: "lms",
        region: Region::CN,
        ladder: &LADDER,
        name_must_agree: false,
    };
    let subject = Subject {
        result_id: ResultId::from_uuid(uuid::Uuid::nil()),
        finished: Timestamp::from_millis(1_780_000_000_000).into(),
        identities: PresentedIdentities {
            employee_no,
            phone,
            ..PresentedIdentities::default()
        },
    };
    find_employee(directory, &policy, &subject)
}
