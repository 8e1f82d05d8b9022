//! Looking: changes nothing, and reveals nobody.

use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
};
use scoresync_archive::{Letter, LetterBody, LetterId, LetterPage};
use scoresync_domain::Timestamp;
use scoresync_web::Right;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Counter,
    query::{HowMany, Page, Which, invalid, letter, state},
    refusal::{Asked, Listing, Refused, no_such_letter},
};
use crate::office::{CandidateDocument, GroupDocument, LetterDetail, LetterDocument, StatsDocument};

/// A page of letters.
#[derive(Serialize, ToSchema)]
pub(super) struct Letters {
    /// The letters, those first that failed first.
    letters: Vec<LetterDocument>,
    /// What to give as `after` for the next page; `null` where there is none.
    next: Option<String>,
}

/// Lists letters.
#[utoipa::path(
    get,
    path = "/v1/dead-letters",
    tag = "look",
    params(Page, Which),
    security(("token" = [])),
    responses(
        (status = 200, body = Letters),
        (status = 400, description = "a parameter is wrong"),
        (status = 401, description = "no known token"),
        (status = 403, description = "the token lacks the right"),
        (status = 503, description = "the archive does not answer"),
    )
)]
pub(super) async fn list(
    State(counter): State<Counter>,
    headers: HeaderMap,
    Listing(page, which): Listing,
) -> Result<Json<Letters>, Refused> {
    counter.admit(&headers, Right::Look)?;
    let filter = counter.office.rules.filter(&which.selection()?, state(&page.state)?);
    let asked = LetterPage {
        after: page.after.as_deref().map(place).transpose()?,
        limit: page.limit()?,
    };
    let letters = counter.office.archive.letters(&filter, &asked).await?;
    let last = letters.last().filter(|_| letters.len() >= asked.limit as usize);
    Ok(Json(Letters {
        next: last.map(|letter| format!("{}@{}", letter.first_failed_at.as_millis(), letter.id)),
        letters: letters.iter().map(LetterDocument::of).collect(),
    }))
}

fn place(text: &str) -> Result<(Timestamp, LetterId), Refused> {
    let read = text
        .split_once('@')
        .and_then(|(time, id)| Some((time.parse().ok()?, id.parse().ok()?)));
    let (time, id) = read.ok_or_else(|| invalid("`after` is the `next` of the page before"))?;
    Ok((Timestamp::from_millis(time), id))
}

/// Counts letters by state, and the open ones by source and reason.
#[utoipa::path(
    get,
    path = "/v1/dead-letters/stats",
    tag = "look",
    security(("token" = [])),
    responses(
        (status = 200, body = StatsDocument),
        (status = 401, description = "no known token"),
        (status = 403, description = "the token lacks the right"),
        (status = 503, description = "the archive does not answer"),
    )
)]
pub(super) async fn stats(State(counter): State<Counter>, headers: HeaderMap) -> Result<Json<StatsDocument>, Refused> {
    counter.admit(&headers, Right::Look)?;
    Ok(Json(counter.office.stats().await?))
}

/// Lists the problems behind the open letters: those of one person, or of one field, are one.
#[utoipa::path(
    get,
    path = "/v1/dead-letters/groups",
    tag = "look",
    params(HowMany),
    security(("token" = [])),
    responses(
        (status = 200, body = [GroupDocument]),
        (status = 400, description = "a parameter is wrong"),
        (status = 401, description = "no known token"),
        (status = 403, description = "the token lacks the right"),
        (status = 503, description = "the archive does not answer"),
    )
)]
pub(super) async fn groups(
    State(counter): State<Counter>,
    headers: HeaderMap,
    Asked(how_many): Asked<HowMany>,
) -> Result<Json<Vec<GroupDocument>>, Refused> {
    counter.admit(&headers, Right::Look)?;
    let groups = counter.office.archive.letter_groups(how_many.limit()?).await?;
    Ok(Json(groups.iter().map(|group| GroupDocument::of(group, false)).collect()))
}

/// Explains one letter: what arrived, what is wrong with it, what to do. Personal values are masked.
#[utoipa::path(
    get,
    path = "/v1/dead-letters/{letter}",
    tag = "look",
    params(("letter" = String, Path, description = "its name, with slashes written as %2F")),
    security(("token" = [])),
    responses(
        (status = 200, body = LetterDetail),
        (status = 400, description = "no name of a letter"),
        (status = 401, description = "no known token"),
        (status = 403, description = "the token lacks the right"),
        (status = 404, description = "no such letter"),
        (status = 503, description = "the archive does not answer"),
    )
)]
pub(super) async fn show(
    State(counter): State<Counter>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Json<LetterDetail>, Refused> {
    counter.admit(&headers, Right::Look)?;
    Ok(Json(counter.office.detail(&found(&counter, &name).await?, false).await?))
}

/// A letter by its name.
pub(super) async fn found(counter: &Counter, name: &str) -> Result<(Letter, LetterBody), Refused> {
    let found = counter.office.archive.letter(&letter(name)?).await?;
    Ok(found.ok_or_else(no_such_letter)?)
}

/// Suggests employees whom a letter might be about, with reasons; names are masked. Reads all employees, which takes seconds.
#[utoipa::path(
    get,
    path = "/v1/dead-letters/{letter}/candidates",
    tag = "look",
    params(("letter" = String, Path, description = "its name, with slashes written as %2F")),
    security(("token" = [])),
    responses(
        (status = 200, body = [CandidateDocument]),
        (status = 400, description = "no name of a letter"),
        (status = 401, description = "no known token"),
        (status = 403, description = "the token lacks the right"),
        (status = 404, description = "no such letter"),
        (status = 503, description = "the archive, Kafka or the registry does not answer"),
    )
)]
pub(super) async fn candidates(
    State(counter): State<Counter>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Json<Vec<CandidateDocument>>, Refused> {
    counter.admit(&headers, Right::Look)?;
    let found = found(&counter, &name).await?;
    Ok(Json(counter.office.rules.candidates(&found, &counter.reach, false).await?))
}
