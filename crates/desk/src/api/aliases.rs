//! People's decisions: looked at, and taken back.

use axum::{Json, extract::State};
use scoresync_domain::AliasSubject;

use super::{
    Counter,
    admission::{Looker, Resolver},
    query::{TakeBack, Why, invalid, reason},
    refusal::{Body, BodyRefusals, ProblemDocument, Refusals, Refused, no_such_decision},
};
use crate::office::AliasDocument;

/// Lists all decisions about identities and results, standing and taken back. Values are masked.
#[utoipa::path(
    get,
    path = "/v1/aliases",
    tag = "look",
    security(("token" = [])),
    responses(
        (status = 200, body = [AliasDocument]),
        Refusals
    )
)]
pub(super) async fn list(_: Looker, State(counter): State<Counter>) -> Result<Json<Vec<AliasDocument>>, Refused> {
    documents(&counter, false).await
}

/// The same with values as they are. That they were looked at, by whom and why, is noted.
#[utoipa::path(
    post,
    path = "/v1/aliases/reveal",
    tag = "resolve",
    request_body = Why,
    security(("token" = [])),
    responses(
        (status = 200, body = [AliasDocument]),
        Refusals,
        BodyRefusals
    )
)]
pub(super) async fn reveal(
    Resolver(actor): Resolver,
    State(counter): State<Counter>,
    Body(why): Body<Why>,
) -> Result<Json<Vec<AliasDocument>>, Refused> {
    counter.office.note_reveal(&[], (&actor, reason(&why.because)?)).await?;
    documents(&counter, true).await
}

async fn documents(counter: &Counter, is_revealed: bool) -> Result<Json<Vec<AliasDocument>>, Refused> {
    let all = counter.reach.aliases().await?;
    Ok(Json(all.iter().map(|alias| AliasDocument::of(alias, is_revealed)).collect()))
}

/// Takes a decision back: from now on the directory answers again. What was filed by it stays where it is.
#[utoipa::path(
    post,
    path = "/v1/aliases/revoke",
    tag = "resolve",
    request_body = TakeBack,
    security(("token" = [])),
    responses(
        (status = 200, body = AliasDocument),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json", description = "no such decision stands"),
        Refusals,
        BodyRefusals
    )
)]
pub(super) async fn revoke(
    Resolver(actor): Resolver,
    State(counter): State<Counter>,
    Body(take_back): Body<TakeBack>,
) -> Result<Json<AliasDocument>, Refused> {
    let subject: Result<AliasSubject, _> = take_back.subject.parse();
    let subject = subject.map_err(|_| invalid("a subject is identity/SOURCE/KIND/VALUE or result/RESULT_ID"))?;
    let revoked = counter.reach.revoke(subject, (&actor, reason(&take_back.because)?)).await?;
    let revoked = revoked.ok_or_else(no_such_decision)?;
    Ok(Json(AliasDocument::of(&revoked, true)))
}
