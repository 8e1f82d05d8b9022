//! Invented employees, identities and decisions for tests.

use crate::{AliasSubject, Employee, Identity, IdentityAlias, IdentityKind, Revocation, Timestamp};

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn employee(employee_no: &str, identities: Vec<Identity>) -> Employee {
    Employee {
        employee_no: employee_no.to_owned(),
        name: None,
        department: None,
        position: None,
        identities,
        left_at: None,
        replaced_by: None,
        as_of: at(0),
    }
}

pub(crate) fn replaced(employee_no: &str, replaced_by: &str) -> Employee {
    Employee {
        replaced_by: Some(replaced_by.to_owned()),
        ..employee(employee_no, Vec::new())
    }
}

pub(crate) fn identity(kind: IdentityKind, value: &str) -> Identity {
    Identity {
        kind,
        system: (kind == IdentityKind::Account).then(|| "lms".to_owned()),
        value: value.to_owned(),
        valid_from: None,
        valid_to: None,
    }
}

pub(crate) fn phone(value: &str) -> Identity {
    identity(IdentityKind::Phone, value)
}

impl Identity {
    pub(crate) fn from(self, millis: i64) -> Self {
        Self {
            valid_from: Some(at(millis)),
            ..self
        }
    }

    pub(crate) fn to(self, millis: i64) -> Self {
        Self {
            valid_to: Some(at(millis)),
            ..self
        }
    }
}

pub(crate) fn about(source: Option<&str>, kind: IdentityKind, value: &str) -> AliasSubject {
    AliasSubject::Identity {
        source: source.map(str::to_owned),
        kind,
        value: value.to_owned(),
    }
}

pub(crate) fn alias(subject: AliasSubject, employee_no: Option<&str>, decided_at: i64) -> IdentityAlias {
    IdentityAlias {
        subject,
        employee_no: employee_no.map(str::to_owned),
        decided_by: "clerk".to_owned(),
        decided_at: at(decided_at),
        reason: "asked the employee".to_owned(),
        revocation: None,
    }
}

impl IdentityAlias {
    pub(crate) fn revoked(self, revoked_at: i64) -> Self {
        Self {
            revocation: Some(Revocation {
                revoked_by: "clerk".to_owned(),
                revoked_at: at(revoked_at),
                reason: "it was a slip".to_owned(),
            }),
            ..self
        }
    }
}
