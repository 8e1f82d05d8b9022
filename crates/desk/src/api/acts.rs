//! Resolving: whatever changes something, or shows who somebody is.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
};
use scoresync_archive::LetterId;
use scoresync_web::Right;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Counter, look,
    query::{Decision, Forget, Order, Why, letter, reason},
    refusal::{Body, Refused},
};
use crate::office::{Act, LetterDetail, Meant, Tally, ago};

/// Shows one letter with all values as they are. That it was looked at, by whom and why, is noted.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/{letter}/reveal",
    tag = "resolve",
    params(("letter" = String, Path, description = "its name, with slashes written as %2F")),
    request_body = Why,
    security(("token" = [])),
    responses(
        (status = 200, body = LetterDetail),
        (status = 400, description = "no name of a letter, or no reason"),
        (status = 401, description = "no known token"),
        (status = 403, description = "the token lacks the right"),
        (status = 404, description = "no such letter"),
        (status = 503, description = "the archive does not answer"),
    )
)]
pub(super) async fn reveal(
    State(counter): State<Counter>,
    headers: HeaderMap,
    Path(name): Path<String>,
    Body(why): Body<Why>,
) -> Result<Json<LetterDetail>, Refused> {
    let actor = counter.admit(&headers, Right::Resolve)?;
    let because = reason(&why.because)?;
    let found = look::found(&counter, &name).await?;
    let letters = std::slice::from_ref(&found.0.id);
    counter.office.note_reveal(letters, (&actor, because)).await?;
    Ok(Json(counter.office.detail(&found, true).await?))
}

/// Asks for open letters to be sent through the pipeline again, byte for byte. The desk sends them.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/redrive",
    tag = "resolve",
    request_body = Order,
    security(("token" = [])),
    responses(
        (status = 200, body = Tally),
        (status = 400, description = "nothing is meant, or something is wrong"),
        (status = 401, description = "no known token"),
        (status = 403, description = "the token lacks the right"),
        (status = 503, description = "the archive does not answer"),
    )
)]
pub(super) async fn redrive(State(counter): State<Counter>, headers: HeaderMap, Body(order): Body<Order>) -> Result<Json<Tally>, Refused> {
    let actor = counter.admit(&headers, Right::Resolve)?;
    let because = reason(&order.because).unwrap_or("asked for over HTTP");
    let act = act((&actor, because), &order);
    Ok(Json(counter.office.redrive(&meant(&counter, &order)?, &act, |_| ()).await?))
}

/// Closes open letters that are nothing. They stay listed as discarded, with who, when and why.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/discard",
    tag = "resolve",
    request_body = Order,
    security(("token" = [])),
    responses(
        (status = 200, body = Tally),
        (status = 400, description = "nothing is meant, or no reason is given"),
        (status = 401, description = "no known token"),
        (status = 403, description = "the token lacks the right"),
        (status = 503, description = "the archive does not answer"),
    )
)]
pub(super) async fn discard(State(counter): State<Counter>, headers: HeaderMap, Body(order): Body<Order>) -> Result<Json<Tally>, Refused> {
    let actor = counter.admit(&headers, Right::Resolve)?;
    let act = act((&actor, reason(&order.because)?), &order);
    Ok(Json(counter.office.discard(&meant(&counter, &order)?, &act, |_| ()).await?))
}

fn act<'a>((actor, because): (&'a str, &'a str), order: &Order) -> Act<'a> {
    Act {
        actor,
        because,
        dry_run: order.dry_run,
        rate: order.rate,
    }
}

fn meant(counter: &Counter, order: &Order) -> Result<Meant, Refused> {
    let letters: Result<Vec<LetterId>, _> = order.letters.iter().map(|name| letter(name)).collect();
    Ok(counter.office.meant(letters?, &order.which.clone().selection()?, order.all)?)
}

/// What was decided, or would be.
#[derive(Serialize, ToSchema)]
pub(super) struct Decided {
    /// Whether nothing was changed.
    dry_run: bool,
    /// What about, without personal values.
    about: String,
    /// Whose it is.
    employee_no: Option<String>,
    /// How many letters were discarded.
    discarded: u64,
    /// The report of the result that is sent again.
    sent_again: Option<String>,
}

/// Decides whose an identity or a result is. What waits for that is filed by itself.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/resolve",
    tag = "resolve",
    request_body = Decision,
    security(("token" = [])),
    responses(
        (status = 200, body = Decided),
        (status = 400, description = "something is wrong"),
        (status = 401, description = "no known token"),
        (status = 403, description = "the token lacks the right"),
        (status = 422, description = "it cannot be decided as things are"),
        (status = 503, description = "the archive, Kafka or the registry does not answer"),
    )
)]
pub(super) async fn resolve(
    State(counter): State<Counter>,
    headers: HeaderMap,
    Body(decision): Body<Decision>,
) -> Result<Json<Decided>, Refused> {
    let actor = counter.admit(&headers, Right::Resolve)?;
    let act = Act {
        actor: &actor,
        because: reason(&decision.because)?,
        dry_run: decision.dry_run,
        rate: None,
    };
    let resolved = counter.office.resolve(&decision.resolution()?, &act, &counter.reach).await?;
    Ok(Json(Decided {
        dry_run: decision.dry_run,
        about: resolved.about,
        discarded: resolved.discarded,
        sent_again: resolved.sent_again.filter(|_| !decision.dry_run).map(|origin| origin.to_string()),
        employee_no: decision.employee_no,
    }))
}

/// What was forgotten, or would be.
#[derive(Serialize, ToSchema)]
pub(super) struct Forgotten {
    /// Whether nothing was changed.
    dry_run: bool,
    /// How many letters.
    forgotten: u64,
}

/// Forgets letters that were filed or discarded long ago, and the people whom no letter is about any more.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/purge",
    tag = "resolve",
    request_body = Forget,
    security(("token" = [])),
    responses(
        (status = 200, body = Forgotten),
        (status = 400, description = "something is wrong"),
        (status = 401, description = "no known token"),
        (status = 403, description = "the token lacks the right"),
        (status = 503, description = "the archive does not answer"),
    )
)]
pub(super) async fn purge(
    State(counter): State<Counter>,
    headers: HeaderMap,
    Body(forget): Body<Forget>,
) -> Result<Json<Forgotten>, Refused> {
    counter.admit(&headers, Right::Resolve)?;
    let closed_before = ago(Duration::from_secs(forget.closed_before_seconds));
    let forgotten = if forget.dry_run {
        counter.office.archive.purgeable_letters(closed_before).await?
    } else {
        counter.office.purge(closed_before).await?
    };
    Ok(Json(Forgotten {
        dry_run: forget.dry_run,
        forgotten,
    }))
}
