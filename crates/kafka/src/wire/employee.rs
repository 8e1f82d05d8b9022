//! `Employee` on the wire.

use scoresync_domain::{self as domain, Timestamp};
use serde::{Deserialize, Serialize, Serializer, ser};

use super::{
    Record,
    datum::{DatumError, MAX_SEQUENCE_ITEMS},
};

impl Record for domain::Employee {
    const SCHEMA: &'static str = include_str!("../../../../schemas/employee.avsc");
    type Borrowed<'a> = domain::Employee;
    type Wire<'a> = Employee<'a>;
}

/// The fields of `employee.avsc`.
#[derive(Serialize, Deserialize)]
pub struct Employee<'a> {
    employee_no: &'a str,
    #[serde(default)]
    name: Option<&'a str>,
    #[serde(default)]
    department: Option<&'a str>,
    #[serde(default)]
    position: Option<&'a str>,
    #[serde(borrow, default, serialize_with = "as_many_as_are_read")]
    identities: Vec<Identity<'a>>,
    #[serde(default)]
    left_at: Option<i64>,
    #[serde(default)]
    replaced_by: Option<&'a str>,
    as_of: i64,
}

#[derive(Serialize, Deserialize)]
struct Identity<'a> {
    kind: &'a str,
    #[serde(default)]
    system: Option<&'a str>,
    value: &'a str,
    #[serde(default)]
    valid_from: Option<i64>,
    #[serde(default)]
    valid_to: Option<i64>,
}

fn as_many_as_are_read<S: Serializer>(identities: &[Identity<'_>], serializer: S) -> Result<S::Ok, S::Error> {
    if identities.len() > MAX_SEQUENCE_ITEMS {
        return Err(ser::Error::custom("more identities than are read"));
    }
    identities.serialize(serializer)
}

impl<'a> From<&'a domain::Employee> for Employee<'a> {
    fn from(employee: &'a domain::Employee) -> Self {
        Self {
            employee_no: &employee.employee_no,
            name: employee.name.as_deref(),
            department: employee.department.as_deref(),
            position: employee.position.as_deref(),
            identities: employee.identities.iter().map(Identity::from).collect(),
            left_at: employee.left_at.map(Timestamp::as_millis),
            replaced_by: employee.replaced_by.as_deref(),
            as_of: employee.as_of.as_millis(),
        }
    }
}

impl<'a> From<&'a domain::Identity> for Identity<'a> {
    fn from(identity: &'a domain::Identity) -> Self {
        Self {
            kind: identity.kind.as_str(),
            system: identity.system.as_deref(),
            value: &identity.value,
            valid_from: identity.valid_from.map(Timestamp::as_millis),
            valid_to: identity.valid_to.map(Timestamp::as_millis),
        }
    }
}

impl TryFrom<Employee<'_>> for domain::Employee {
    type Error = DatumError;

    fn try_from(wire: Employee<'_>) -> Result<Self, Self::Error> {
        if wire.employee_no.is_empty() {
            return Err(DatumError::Content("the employee number is empty"));
        }
        Ok(Self {
            employee_no: wire.employee_no.to_owned(),
            name: wire.name.map(str::to_owned),
            department: wire.department.map(str::to_owned),
            position: wire.position.map(str::to_owned),
            identities: wire.identities.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
            left_at: wire.left_at.map(Timestamp::from_millis),
            replaced_by: wire.replaced_by.map(str::to_owned),
            as_of: Timestamp::from_millis(wire.as_of),
        })
    }
}

impl TryFrom<Identity<'_>> for domain::Identity {
    type Error = DatumError;

    fn try_from(wire: Identity<'_>) -> Result<Self, Self::Error> {
        Ok(Self {
            kind: wire
                .kind
                .parse()
                .map_err(|_| DatumError::Content("the kind of an identity is not a known one"))?,
            system: wire.system.map(str::to_owned),
            value: wire.value.to_owned(),
            valid_from: wire.valid_from.map(Timestamp::from_millis),
            valid_to: wire.valid_to.map(Timestamp::from_millis),
        })
    }
}
