//! `Employee` on the wire.

use scoresync_domain::{self as domain, Timestamp};
use serde::Deserialize;

use super::{
    Record,
    datum::DatumError,
    reader::{Malformed, Reader},
    writer::Writer,
};

impl Record for domain::Employee {
    const SCHEMA: &'static str = include_str!("../../../../schemas/employee.avsc");
    type Borrowed<'a> = domain::Employee;
    type Wire<'a> = Employee<'a>;

    fn read<'a>(reader: &mut Reader<'a>) -> Result<Employee<'a>, Malformed> {
        Ok(Employee {
            employee_no: reader.text()?,
            name: reader.optional(Reader::text)?,
            department: reader.optional(Reader::text)?,
            position: reader.optional(Reader::text)?,
            identities: reader.items(Identity::read)?,
            left_at: reader.optional(Reader::long)?,
            replaced_by: reader.optional(Reader::text)?,
            as_of: reader.long()?,
        })
    }

    fn append(employee: &domain::Employee, writer: &mut Writer<'_>) -> Result<(), DatumError> {
        writer.text(&employee.employee_no);
        writer.optional(employee.name.as_deref(), Writer::text);
        writer.optional(employee.department.as_deref(), Writer::text);
        writer.optional(employee.position.as_deref(), Writer::text);
        writer.items(employee.identities.iter(), append_identity)?;
        writer.optional(employee.left_at.map(Timestamp::as_millis), Writer::long);
        writer.optional(employee.replaced_by.as_deref(), Writer::text);
        writer.long(employee.as_of.as_millis());
        Ok(())
    }
}

/// The fields of `employee.avsc`.
#[derive(Deserialize)]
pub struct Employee<'a> {
    employee_no: &'a str,
    #[serde(default)]
    name: Option<&'a str>,
    #[serde(default)]
    department: Option<&'a str>,
    #[serde(default)]
    position: Option<&'a str>,
    #[serde(borrow, default)]
    identities: Vec<Identity<'a>>,
    #[serde(default)]
    left_at: Option<i64>,
    #[serde(default)]
    replaced_by: Option<&'a str>,
    as_of: i64,
}

#[derive(Deserialize)]
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

impl<'a> Identity<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(Self {
            kind: reader.text()?,
            system: reader.optional(Reader::text)?,
            value: reader.text()?,
            valid_from: reader.optional(Reader::long)?,
            valid_to: reader.optional(Reader::long)?,
        })
    }
}

fn append_identity(writer: &mut Writer<'_>, identity: &domain::Identity) {
    writer.text(identity.kind.as_str());
    writer.optional(identity.system.as_deref(), Writer::text);
    writer.text(&identity.value);
    writer.optional(identity.valid_from.map(Timestamp::as_millis), Writer::long);
    writer.optional(identity.valid_to.map(Timestamp::as_millis), Writer::long);
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
