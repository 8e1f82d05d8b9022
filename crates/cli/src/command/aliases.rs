//! `scoresync aliases …`: people's decisions about whose an identity or a result is.

use anyhow::anyhow;
use scoresync_desk::office::{after, mask};
use scoresync_domain::{AliasSubject, IdentityAlias, Revocation};
use scoresync_kafka::Topic;
use scoresync_service::Exit;
use serde_json::{Value, json};

use super::{
    Context,
    dlq::{actor, office, reach},
};
use crate::{arguments::Aliases, failure::Failure, output::table};

pub(super) async fn run(arguments: &Aliases, context: &Context) -> Result<Exit, Failure> {
    match arguments {
        Aliases::List { reveal } => list(reveal.as_deref(), context).await,
        Aliases::Revoke { subject, because } => revoke((subject, because), context).await,
    }
}

async fn list(reveal: Option<&str>, context: &Context) -> Result<Exit, Failure> {
    if let Some(reason) = reveal {
        office(context, true).await?.note_reveal(&[], (&actor(), reason)).await?;
    }
    let reach = reach(context, &[Topic::Aliases]).await?;
    let all = reach.with_decisions(|decisions| Ok(decisions.read()?.clone())).await?;
    let subject = |alias: &IdentityAlias| match &alias.subject {
        AliasSubject::Identity { source, kind, value } if reveal.is_none() => {
            format!("identity/{}/{kind}/{}", source.as_deref().unwrap_or("*"), mask(value))
        }
        AliasSubject::Identity { .. } | AliasSubject::Result(_) => alias.subject.to_string(),
    };
    let documents: Vec<Value> = all.values().map(|alias| document(alias, &subject(alias))).collect();
    context.output.print(&documents, |_| {
        if all.is_empty() {
            return vec!["nothing was decided".to_owned()];
        }
        let heading = ["about", "is", "decided by", "at", "because", "revoked"]
            .map(str::to_owned)
            .to_vec();
        let rows = all.values().map(|alias| {
            let revoked = alias
                .revocation
                .as_ref()
                .map(|revocation| format!("by {}: {}", revocation.revoked_by, revocation.reason));
            vec![
                subject(alias),
                alias.employee_no.clone().unwrap_or_else(|| "nobody's".to_owned()),
                alias.decided_by.clone(),
                alias.decided_at.to_string(),
                alias.reason.clone(),
                revoked.unwrap_or_default(),
            ]
        });
        table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
    })?;
    Ok(Exit::Ok)
}

fn document(alias: &IdentityAlias, subject: &str) -> Value {
    let revocation = alias.revocation.as_ref();
    json!({
        "subject": subject,
        "employee_no": alias.employee_no,
        "decided_by": alias.decided_by,
        "decided_at": alias.decided_at.to_string(),
        "reason": alias.reason,
        "revoked_by": revocation.map(|revocation| &revocation.revoked_by),
        "revoked_at": revocation.map(|revocation| revocation.revoked_at.to_string()),
        "revoke_reason": revocation.map(|revocation| &revocation.reason),
    })
}

async fn revoke((subject, because): (&AliasSubject, &str), context: &Context) -> Result<Exit, Failure> {
    let reach = reach(context, &[Topic::Aliases]).await?;
    let (subject, because) = (subject.clone(), because.to_owned());
    let revoked = reach.with_decisions(move |decisions| {
        let Some(alias) = decisions.about(&subject).filter(|alias| alias.revocation.is_none()).cloned() else {
            return Ok(None);
        };
        let revoked = IdentityAlias {
            revocation: Some(Revocation {
                revoked_by: actor(),
                revoked_at: after(Some(&alias)),
                reason: because,
            }),
            ..alias
        };
        decisions.write(&revoked)?;
        Ok(Some(revoked))
    });
    let revoked = revoked.await?;
    let revoked = revoked.ok_or_else(|| anyhow!("no such decision stands; `scoresync aliases list` lists them"))?;
    let document = document(&revoked, &revoked.subject.to_string());
    context.output.print(&document, |_| {
        vec![
            "the decision is taken back: from now on the directory answers again".to_owned(),
            "what was filed by it stays: `scoresync records --matched-by alias:KIND` lists it".to_owned(),
        ]
    })?;
    Ok(Exit::Ok)
}
