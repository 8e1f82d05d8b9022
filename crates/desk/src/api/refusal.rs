//! What goes wrong behind the counter, as a caller is told of it.

use std::time::Duration;

use axum::{
    Json,
    extract::{
        FromRequest, FromRequestParts, Path, Request,
        rejection::{JsonRejection, PathRejection},
    },
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use scoresync_archive::{ArchiveError, LetterId};
use scoresync_web::{Kind, Problem};
use serde::de::DeserializeOwned;
use utoipa::{IntoResponses, ToSchema};

use super::query::{Page, Which, invalid, letter};
use crate::office::{ReachError, Unclear, Unresolved};

/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(30);

/// A refusal of this interface.
pub(super) struct Refused(Problem);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Unclear> for Refused {
    fn from(unclear: Unclear) -> Self {
        Self(invalid(&format!("{unclear} (`letters`, `which`, `all`)")))
    }
}

impl From<ArchiveError> for Refused {
    fn from(error: ArchiveError) -> Self {
        unavailable(&error, "the archive does not answer: send the request again later, which is safe")
    }
}

impl From<ReachError> for Refused {
    fn from(error: ReachError) -> Self {
        let detail =
            "Kafka or the registry did not do what was asked for: the log of this process says why; to send the request again is safe";
        unavailable(&error, detail)
    }
}

impl From<Unresolved> for Refused {
    fn from(unresolved: Unresolved) -> Self {
        match unresolved {
            Unresolved::NoLetter(_) => Self(no_such_letter()),
            Unresolved::Senseless(text) => Self(Problem::new(Kind::Undecidable, text)),
            Unresolved::Archive(error) => error.into(),
            Unresolved::Reach(error) => error.into(),
        }
    }
}

fn unavailable(error: &(dyn std::error::Error + 'static), detail: &str) -> Refused {
    tracing::warn!(error, "a request to the desk was not served");
    Refused(Problem::new(Kind::Unavailable, detail))
}

/// The refusal of a letter's name that is nobody's.
pub(super) fn no_such_letter() -> Problem {
    Problem::new(
        Kind::UnknownLetter,
        "there is no letter of this name: GET /v1/dead-letters lists them",
    )
}

/// The refusal of a subject that nothing stands about.
pub(super) fn no_such_decision() -> Problem {
    Problem::new(Kind::UnknownDecision, "no such decision stands: GET /v1/aliases lists them")
}

/// A body of JSON.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let reading = tokio::time::timeout(BODY_TIME, Json::from_request(request, state));
        let read: Result<Json<T>, JsonRejection> = reading.await.map_err(|_| {
            let detail = "the body did not come in time: send the request again without pauses, which is safe";
            Refused(Problem::new(Kind::TooSlow, detail))
        })?;
        // What a body says is personal: nothing of it is told.
        read.map(|Json(body)| Self(body)).map_err(|rejection| {
            Refused(match rejection.status() {
                StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                    let detail = "send the body as JSON, with the header `Content-Type: application/json`";
                    Problem::new(Kind::UnsupportedMediaType, detail)
                }
                StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Kind::TooLarge, "the body is too large: name fewer letters at once"),
                _ => invalid("the body is no JSON, or not what this address takes: /v1/openapi.json says what that is"),
            })
        })
    }
}

/// The letter that an address names.
pub(super) struct Named(pub(super) LetterId);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let read: Result<Path<String>, PathRejection> = Path::from_request_parts(parts, state).await;
        let Path(name) = read.map_err(|_| invalid("the address is not valid UTF-8"))?;
        Ok(Self(letter(&name)?))
    }
}

/// What stands behind the question mark of an address. A name that is not known is refused: to overlook it would be to answer another question.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        read(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

/// The same of a list: which part of it, and which letters.
pub(super) struct Listing(pub(super) Page, pub(super) Which);

impl<S: Send + Sync> FromRequestParts<S> for Listing {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let is_of_page = |pair: &&str| ["state", "limit", "after"].contains(&pair.split('=').next().unwrap_or_default());
        let pairs = parts.uri.query().unwrap_or_default().split('&');
        let (page, which): (Vec<&str>, Vec<&str>) = pairs.partition(is_of_page);
        Ok(Self(read(&page.join("&"))?, read(&which.join("&"))?))
    }
}

fn read<T: DeserializeOwned>(query: &str) -> Result<T, Refused> {
    let detail = "a parameter of the address is not known or cannot be read: /v1/openapi.json says what each is";
    serde_urlencoded::from_str(query).map_err(|_| Refused(invalid(detail)))
}

/// A refusal: a document of RFC 9457.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what `Problem` writes")]
pub(super) struct ProblemDocument {
    /// Names the kind of refusal, `urn:scoresync:problem:…`.
    r#type: String,
    /// The kind in words.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What to do.
    detail: String,
}

/// Why any request is refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes what handlers answer")]
pub(super) enum Refusals {
    /// Something in the address or the body is wrong.
    #[response(status = 400, content_type = "application/problem+json")]
    Invalid(ProblemDocument),
    /// There is no known token.
    #[response(status = 401, content_type = "application/problem+json")]
    NoToken(ProblemDocument),
    /// The token lacks the right.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemDocument),
    /// Something that the answer needs does not answer: the archive, Kafka or the registry.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemDocument),
}

/// Why a request is refused for its body, beside all else.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes what handlers answer")]
pub(super) enum BodyRefusals {
    /// The body came too slowly.
    #[response(status = 408, content_type = "application/problem+json")]
    TooSlow(ProblemDocument),
    /// The body is larger than 256 KiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemDocument),
    /// The body is no JSON by its content type.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(ProblemDocument),
}
