//! `IdentityAlias` on the wire.

use scoresync_domain::{self as domain, AliasSubject, ResultId, Revocation, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Record, datum::DatumError};

impl Record for domain::IdentityAlias {
    const SCHEMA: &'static str = include_str!("../../../../schemas/identity_alias.avsc");
    type Borrowed<'a> = domain::IdentityAlias;
    type Wire<'a> = IdentityAlias;
}

const RESULT: &str = "result";

/// The fields of `identity_alias.avsc`. Decisions are few, so they own their texts.
#[derive(Serialize, Deserialize)]
pub struct IdentityAlias {
    kind: String,
    #[serde(default)]
    source: Option<String>,
    value: String,
    #[serde(default)]
    employee_no: Option<String>,
    decided_by: String,
    decided_at: i64,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    revoked_by: Option<String>,
    #[serde(default)]
    revoked_at: Option<i64>,
    #[serde(default)]
    revoke_reason: Option<String>,
}

impl From<&domain::IdentityAlias> for IdentityAlias {
    fn from(alias: &domain::IdentityAlias) -> Self {
        let (kind, source, value) = match &alias.subject {
            AliasSubject::Identity { source, kind, value } => (kind.as_str(), source.clone(), value.clone()),
            AliasSubject::Result(result_id) => (RESULT, None, result_id.to_string()),
        };
        let revocation = alias.revocation.as_ref();
        Self {
            kind: kind.to_owned(),
            source,
            value,
            employee_no: alias.employee_no.clone(),
            decided_by: alias.decided_by.clone(),
            decided_at: alias.decided_at.as_millis(),
            reason: alias.reason.clone(),
            revoked_by: revocation.map(|revocation| revocation.revoked_by.clone()),
            revoked_at: revocation.map(|revocation| revocation.revoked_at.as_millis()),
            revoke_reason: revocation.map(|revocation| revocation.reason.clone()),
        }
    }
}

impl TryFrom<IdentityAlias> for domain::IdentityAlias {
    type Error = DatumError;

    fn try_from(wire: IdentityAlias) -> Result<Self, Self::Error> {
        let subject = if wire.kind == RESULT {
            let result_id = Uuid::try_parse(&wire.value).map_err(|_| DatumError::Content("the result's id is not a UUID"))?;
            AliasSubject::Result(ResultId::from_uuid(result_id))
        } else {
            let kind = wire
                .kind
                .parse()
                .map_err(|_| DatumError::Content("the kind of an alias is not a known one"))?;
            AliasSubject::Identity {
                source: wire.source,
                kind,
                value: wire.value,
            }
        };
        // Whether half a revocation was meant as one, only its writer knows.
        if wire.revoked_at.is_none() && (wire.revoked_by.is_some() || wire.revoke_reason.is_some()) {
            return Err(DatumError::Content("the revocation of an alias does not say when it was revoked"));
        }
        let revocation = wire.revoked_at.map(|revoked_at| Revocation {
            revoked_by: wire.revoked_by.unwrap_or_default(),
            revoked_at: Timestamp::from_millis(revoked_at),
            reason: wire.revoke_reason.unwrap_or_default(),
        });
        Ok(Self {
            subject,
            employee_no: wire.employee_no,
            decided_by: wire.decided_by,
            decided_at: Timestamp::from_millis(wire.decided_at),
            reason: wire.reason,
            revocation,
        })
    }
}
