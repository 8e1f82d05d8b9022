//! `scoresync aliases …`: people's decisions about whose an identity or a result is.

use anyhow::anyhow;
use scoresync_desk::office::AliasDocument;
use scoresync_domain::AliasSubject;
use scoresync_kafka::Topic;
use scoresync_service::Exit;

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
    let all = reach(context, &[Topic::Aliases]).await?.aliases().await?;
    let documents: Vec<AliasDocument> = all.iter().map(|alias| AliasDocument::of(alias, reveal.is_some())).collect();
    context.output.print(&documents, |_| {
        if documents.is_empty() {
            return vec!["nothing was decided".to_owned()];
        }
        let heading = ["about", "is", "decided by", "at", "because", "revoked"]
            .map(str::to_owned)
            .to_vec();
        let rows = documents.iter().map(|alias| {
            let why = alias.revoke_reason.as_deref().unwrap_or_default();
            let revoked = alias.revoked_by.as_ref().map(|revoked_by| format!("by {revoked_by}: {why}"));
            vec![
                alias.subject.clone(),
                alias.employee_no.clone().unwrap_or_else(|| "nobody's".to_owned()),
                alias.decided_by.clone(),
                alias.decided_at.clone(),
                alias.reason.clone(),
                revoked.unwrap_or_default(),
            ]
        });
        table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
    })?;
    Ok(Exit::Ok)
}

async fn revoke((subject, because): (&AliasSubject, &str), context: &Context) -> Result<Exit, Failure> {
    let reach = reach(context, &[Topic::Aliases]).await?;
    let revoked = reach.revoke(subject.clone(), (&actor(), because)).await?;
    let revoked = revoked.ok_or_else(|| anyhow!("no such decision stands; `scoresync aliases list` lists them"))?;
    context.output.print(&AliasDocument::of(&revoked, true), |_| {
        vec![
            "the decision is taken back: from now on the directory answers again".to_owned(),
            "what was filed by it stays: `scoresync records --matched-by alias:KIND` lists it".to_owned(),
        ]
    })?;
    Ok(Exit::Ok)
}
