//! Rules, moments and invented employees for tests.

use scoresync_domain::{Employee, Identity, IdentityKind, Region, RosterEntry, Timestamp};

use super::settings::{RosterRules, RosterSettings};

pub(super) fn rules() -> RosterRules {
    let settings = RosterSettings {
        time_zone: Some("Asia/Shanghai".to_owned()),
        ..RosterSettings::default()
    };
    RosterRules::new(&settings).unwrap()
}

/// Of RFC 3339 text.
pub(super) fn at(time: &str) -> Timestamp {
    Timestamp::parse_rfc3339(time).unwrap()
}

pub(super) fn millis(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Numbers instead of values: `1` is the phone 19900000001.
pub(super) fn phone(number: u32) -> Identity {
    Identity {
        kind: IdentityKind::Phone,
        system: None,
        value: format!("1990000000{number}"),
        valid_from: None,
        valid_to: None,
    }
}

pub(super) fn email(number: u32) -> Identity {
    Identity {
        kind: IdentityKind::Email,
        value: format!("p{number}@example.com"),
        ..phone(number)
    }
}

pub(super) fn entry(employee_no: &str, identities: Vec<Identity>) -> RosterEntry {
    RosterEntry {
        employee_no: employee_no.to_owned(),
        name: None,
        department: None,
        position: None,
        identities,
        left_at: None,
        replaced_by: None,
    }
}

pub(super) fn employee(employee_no: &str, identities: Vec<Identity>, as_of: i64) -> Employee {
    Employee {
        employee_no: employee_no.to_owned(),
        name: None,
        department: None,
        position: None,
        identities,
        left_at: None,
        replaced_by: None,
        as_of: millis(as_of),
    }
}

pub(super) const REGION: Region = Region::CN;
