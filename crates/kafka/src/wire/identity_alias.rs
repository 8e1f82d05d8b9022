//! `IdentityAlias` on the wire.

use scoresync_domain::{self as domain, AliasSubject, ResultId, Revocation, Timestamp};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Record,
    datum::DatumError,
    reader::{Malformed, Reader},
    writer::Writer,
};

impl Record for domain::IdentityAlias {
    const SCHEMA: &'static str = include_str!("../../../../schemas/identity_alias.avsc");
    type Borrowed<'a> = domain::IdentityAlias;
    type Wire<'a> = IdentityAlias<'a>;

    fn read<'a>(reader: &mut Reader<'a>) -> Result<IdentityAlias<'a>, Malformed> {
        Ok(IdentityAlias {
            kind: reader.text()?,
            source: reader.optional(Reader::text)?,
            value: reader.text()?,
            employee_no: reader.optional(Reader::text)?,
            decided_by: reader.text()?,
            decided_at: reader.long()?,
            reason: reader.text()?,
            revoked_by: reader.optional(Reader::text)?,
            revoked_at: reader.optional(Reader::long)?,
            revoke_reason: reader.optional(Reader::text)?,
        })
    }

    fn append(alias: &domain::IdentityAlias, writer: &mut Writer<'_>) -> Result<(), DatumError> {
        match &alias.subject {
            AliasSubject::Identity { source, kind, value } => {
                writer.text(kind.as_str());
                writer.optional(source.as_deref(), Writer::text);
                writer.text(value);
            }
            AliasSubject::Result(result_id) => {
                writer.text(RESULT);
                writer.optional(None, Writer::text);
                writer.uuid(result_id.as_uuid());
            }
        }
        let revocation = alias.revocation.as_ref();
        writer.optional(alias.employee_no.as_deref(), Writer::text);
        writer.text(&alias.decided_by);
        writer.long(alias.decided_at.as_millis());
        writer.text(&alias.reason);
        writer.optional(revocation.map(|revocation| revocation.revoked_by.as_str()), Writer::text);
        writer.optional(revocation.map(|revocation| revocation.revoked_at.as_millis()), Writer::long);
        writer.optional(revocation.map(|revocation| revocation.reason.as_str()), Writer::text);
        Ok(())
    }
}

const RESULT: &str = "result";

/// The fields of `identity_alias.avsc`.
#[derive(Deserialize)]
pub struct IdentityAlias<'a> {
    kind: &'a str,
    #[serde(default)]
    source: Option<&'a str>,
    value: &'a str,
    #[serde(default)]
    employee_no: Option<&'a str>,
    decided_by: &'a str,
    decided_at: i64,
    #[serde(default)]
    reason: &'a str,
    #[serde(default)]
    revoked_by: Option<&'a str>,
    #[serde(default)]
    revoked_at: Option<i64>,
    #[serde(default)]
    revoke_reason: Option<&'a str>,
}

impl TryFrom<IdentityAlias<'_>> for domain::IdentityAlias {
    type Error = DatumError;

    fn try_from(wire: IdentityAlias<'_>) -> Result<Self, Self::Error> {
        let subject = if wire.kind == RESULT {
            let result_id = Uuid::try_parse(wire.value).map_err(|_| DatumError::Content("the result's id is not a UUID"))?;
            AliasSubject::Result(ResultId::from_uuid(result_id))
        } else {
            let kind = wire
                .kind
                .parse()
                .map_err(|_| DatumError::Content("the kind of an alias is not a known one"))?;
            AliasSubject::Identity {
                source: wire.source.map(str::to_owned),
                kind,
                value: wire.value.to_owned(),
            }
        };
        // Whether half a revocation was meant as one, only its writer knows.
        if wire.revoked_at.is_none() && (wire.revoked_by.is_some() || wire.revoke_reason.is_some()) {
            return Err(DatumError::Content("the revocation of an alias does not say when it was revoked"));
        }
        let revocation = wire.revoked_at.map(|revoked_at| Revocation {
            revoked_by: wire.revoked_by.unwrap_or_default().to_owned(),
            revoked_at: Timestamp::from_millis(revoked_at),
            reason: wire.revoke_reason.unwrap_or_default().to_owned(),
        });
        Ok(Self {
            subject,
            employee_no: wire.employee_no.map(str::to_owned),
            decided_by: wire.decided_by.to_owned(),
            decided_at: Timestamp::from_millis(wire.decided_at),
            reason: wire.reason.to_owned(),
            revocation,
        })
    }
}
