//! Resolving: whatever changes something, or shows who somebody is.

use std::time::Duration;

use axum::{Json, extract::State};
use scoresync_archive::LetterId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Counter,
    admission::Resolver,
    look,
    query::{Decision, Forget, Order, Why, letter, reason},
    refusal::{Body, BodyRefusals, Named, ProblemDocument, Refusals, Refused},
};
use crate::office::{Act, CandidateDocument, LetterDetail, Meant, ReachError, Tally, ago};

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
        (status = 404, body = ProblemDocument, content_type = "application/problem+json", description = "no such letter"),
        Refusals,
        BodyRefusals
    )
)]
pub(super) async fn reveal(
    Resolver(actor): Resolver,
    State(counter): State<Counter>,
    Named(letter): Named,
    Body(why): Body<Why>,
) -> Result<Json<LetterDetail>, Refused> {
    let because = reason(&why.because)?;
    let found = look::found(&counter, &letter).await?;
    let letters = std::slice::from_ref(&found.0.id);
    counter.office.note_reveal(letters, (&actor, because)).await?;
    Ok(Json(counter.office.detail(&found, true).await?))
}

/// Suggests employees whom a letter might be about, with reasons; names are masked. Reads all employees, which takes seconds.
#[utoipa::path(
    get,
    path = "/v1/dead-letters/{letter}/candidates",
    tag = "resolve",
    params(("letter" = String, Path, description = "its name, with slashes written as %2F")),
    security(("token" = [])),
    responses(
        (status = 200, body = [CandidateDocument]),
        (status = 404, body = ProblemDocument, content_type = "application/problem+json", description = "no such letter"),
        Refusals
    )
)]
pub(super) async fn candidates(
    _: Resolver,
    State(counter): State<Counter>,
    Named(letter): Named,
) -> Result<Json<Vec<CandidateDocument>>, Refused> {
    let found = look::found(&counter, &letter).await?;
    Ok(Json(counter.office.rules.candidates(&found, &counter.reach, false).await?))
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
        Refusals,
        BodyRefusals
    )
)]
pub(super) async fn redrive(
    Resolver(actor): Resolver,
    State(counter): State<Counter>,
    Body(order): Body<Order>,
) -> Result<Json<Tally>, Refused> {
    let because = if order.because.is_empty() {
        "asked for over HTTP"
    } else {
        reason(&order.because)?
    };
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
        Refusals,
        BodyRefusals
    )
)]
pub(super) async fn discard(
    Resolver(actor): Resolver,
    State(counter): State<Counter>,
    Body(order): Body<Order>,
) -> Result<Json<Tally>, Refused> {
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
        (status = 404, body = ProblemDocument, content_type = "application/problem+json", description = "no such letter"),
        (status = 422, body = ProblemDocument, content_type = "application/problem+json", description = "it cannot be decided as things are"),
        Refusals,
        BodyRefusals
    )
)]
pub(super) async fn resolve(
    Resolver(actor): Resolver,
    State(counter): State<Counter>,
    Body(decision): Body<Decision>,
) -> Result<Json<Decided>, Refused> {
    let (resolution, because) = (decision.resolution()?, reason(&decision.because)?.to_owned());
    let dry_run = decision.dry_run;
    // A decision is taken whole, though the one who asked for it goes away, unless the process ends meanwhile.
    let deciding = tokio::spawn(async move {
        let act = Act {
            actor: &actor,
            because: &because,
            dry_run,
            rate: None,
        };
        counter.office.resolve(&resolution, &act, &counter.reach).await
    });
    let resolved = deciding.await.map_err(|_| ReachError::Unfinished)??;
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
        Refusals,
        BodyRefusals
    )
)]
pub(super) async fn purge(
    Resolver(actor): Resolver,
    State(counter): State<Counter>,
    Body(forget): Body<Forget>,
) -> Result<Json<Forgotten>, Refused> {
    let closed_before = ago(Duration::from_secs(forget.closed_before_seconds));
    let act = Act {
        actor: &actor,
        because: reason(&forget.because)?,
        dry_run: forget.dry_run,
        rate: None,
    };
    let forgotten = counter.office.purge(closed_before, &act).await?;
    Ok(Json(Forgotten {
        dry_run: forget.dry_run,
        forgotten,
    }))
}
