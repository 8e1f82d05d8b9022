//! Looking: changes nothing, and reveals nobody.

use axum::{Json, extract::State};
use scoresync_archive::{Letter, LetterBody, LetterId, LetterPage};
use scoresync_domain::Timestamp;
use scoresync_web::{Kind, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Counter,
    admission::Looker,
    query::{HowMany, Page, Which, invalid, state},
    refusal::{Asked, Listing, Named, ProblemDocument, Refusals, Refused, no_such_letter},
};
use crate::office::{GroupDocument, LetterDetail, LetterDocument, StatsDocument};

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
        Refusals
    )
)]
pub(super) async fn list(looker: Looker, State(counter): State<Counter>, Listing(page, which): Listing) -> Result<Json<Letters>, Refused> {
    if which.text.is_some() && !looker.may_resolve {
        let detail = "`text` is looked for in personal values, too: that needs a token with the right `resolve`";
        return Err(Problem::new(Kind::Forbidden, detail).into());
    }
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
        Refusals
    )
)]
pub(super) async fn stats(_: Looker, State(counter): State<Counter>) -> Result<Json<StatsDocument>, Refused> {
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
        Refusals
    )
)]
pub(super) async fn groups(
    _: Looker,
    State(counter): State<Counter>,
    Asked(how_many): Asked<HowMany>,
) -> Result<Json<Vec<GroupDocument>>, Refused> {
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
        (status = 404, body = ProblemDocument, content_type = "application/problem+json", description = "no such letter"),
        Refusals
    )
)]
pub(super) async fn show(_: Looker, State(counter): State<Counter>, Named(letter): Named) -> Result<Json<LetterDetail>, Refused> {
    Ok(Json(counter.office.detail(&found(&counter, &letter).await?, false).await?))
}

/// A letter by its name.
pub(super) async fn found(counter: &Counter, id: &LetterId) -> Result<(Letter, LetterBody), Refused> {
    let found = counter.office.archive.letter(id).await?;
    Ok(found.ok_or_else(no_such_letter)?)
}
