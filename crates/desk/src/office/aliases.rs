//! People's decisions about whose an identity or a result is: listed, and taken back.

use scoresync_domain::{AliasSubject, IdentityAlias, Revocation};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    masking::mask,
    reach::{Reach, ReachError},
};

/// A decision.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AliasDocument {
    /// What about: `identity/SOURCE/KIND/VALUE` (the source is `*` where it is about all of them) or `result/RESULT_ID`. Values are masked
    /// unless they are revealed.
    pub subject: String,
    /// Whose it is; `null` is nobody's.
    pub employee_no: Option<String>,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: String,
    /// Why.
    pub reason: String,
    /// Who took it back.
    pub revoked_by: Option<String>,
    /// When.
    pub revoked_at: Option<String>,
    /// Why.
    pub revoke_reason: Option<String>,
}

impl AliasDocument {
    /// Of a decision.
    #[must_use]
    pub fn of(alias: &IdentityAlias, is_revealed: bool) -> Self {
        let subject = match &alias.subject {
            AliasSubject::Identity { source, kind, value } if !is_revealed => {
                format!("identity/{}/{kind}/{}", source.as_deref().unwrap_or("*"), mask(value))
            }
            AliasSubject::Identity { .. } | AliasSubject::Result(_) => alias.subject.to_string(),
        };
        let revocation = alias.revocation.as_ref();
        Self {
            subject,
            employee_no: alias.employee_no.clone(),
            decided_by: alias.decided_by.clone(),
            decided_at: alias.decided_at.to_string(),
            reason: alias.reason.clone(),
            revoked_by: revocation.map(|revocation| revocation.revoked_by.clone()),
            revoked_at: revocation.map(|revocation| revocation.revoked_at.to_string()),
            revoke_reason: revocation.map(|revocation| revocation.reason.clone()),
        }
    }
}

impl Reach {
    /// Takes a decision back: from now on the directory answers again. `None` where no such decision stands.
    ///
    /// # Errors
    /// It is not taken back unless Kafka has it; to do it again is safe.
    pub async fn revoke(&self, subject: AliasSubject, (actor, because): (&str, &str)) -> Result<Option<IdentityAlias>, ReachError> {
        let (revoked_by, reason) = (actor.to_owned(), because.to_owned());
        self.with_decisions(move |decisions| {
            let mut is_begun = false;
            decisions.decide(&subject, |current, revoked_at| {
                // Where somebody else has taken it back at the same moment, it is taken back once more.
                let standing = current.filter(|alias| is_begun || alias.revocation.is_none())?;
                is_begun = true;
                Some(IdentityAlias {
                    revocation: Some(Revocation {
                        revoked_by: revoked_by.clone(),
                        revoked_at,
                        reason: reason.clone(),
                    }),
                    ..standing.clone()
                })
            })
        })
        .await
    }
}
