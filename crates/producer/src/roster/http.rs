//! `PUT /v1/employees/{employee_no}`: all that is said of one employee, answered when the record is acknowledged.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest as _, Path, Request, State, rejection::PathRejection},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, EXPECT},
    },
    response::{IntoResponse, Response},
    routing::put,
};
use scoresync_domain::{Identity, IdentityKind, RosterEntry, Timestamp, check_employee_no};
use scoresync_web::{Kind, Problem, Right, Tokens, linger};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{
    moment,
    writer::{RosterWriter, UpdateError, UpdateOutcome},
};
use crate::{
    Format,
    clock::{is_far_ahead, now},
};

const ROUTE: &str = "/v1/employees/{employee_no}";
/// Room for hundreds of identities.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// The body. What it leaves out is no longer so; only `as_of` is then the moment of receipt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmployeeBody {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    department: Option<String>,
    #[serde(default)]
    position: Option<String>,
    #[serde(default)]
    identities: Vec<IdentityBody>,
    #[serde(default, deserialize_with = "end")]
    left_at: Option<Timestamp>,
    #[serde(default)]
    replaced_by: Option<String>,
    #[serde(default, deserialize_with = "start")]
    as_of: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IdentityBody {
    #[serde(deserialize_with = "kind")]
    kind: IdentityKind,
    #[serde(default)]
    system: Option<String>,
    value: String,
    #[serde(default, deserialize_with = "start")]
    valid_from: Option<Timestamp>,
    #[serde(default, deserialize_with = "end")]
    valid_to: Option<Timestamp>,
}

/// A moment that has to come some day.
fn start<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    read_moment(deserializer)?
        .map(|moment| moment.ok_or_else(|| D::Error::custom(NO_MOMENT)))
        .transpose()
}

/// A moment that may never come, as if there was none.
fn end<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(read_moment(deserializer)?.flatten())
}

fn read_moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Timestamp>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let read = |text: String| moment::read_rfc3339(&text).map_err(|_| D::Error::custom(NO_MOMENT));
    text.map(read).transpose()
}

const NO_MOMENT: &str = "a moment is written as RFC 3339 says, such as 2026-11-22T08:30:00+08:00, and lies between 1900 and 2200";
const NO_KIND: &str = "the kind of an identity is employee_no, phone, email or account";

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IdentityKind, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(|_| D::Error::custom(NO_KIND))
}

#[derive(Clone)]
struct Office {
    writer: RosterWriter,
    tokens: Arc<Tokens>,
}

/// The routes of employees; a token needs the right `employees`.
pub fn roster_router(writer: RosterWriter, tokens: Arc<Tokens>) -> Router {
    Router::new()
        .route(ROUTE, put(put_employee))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Office { writer, tokens })
}

async fn put_employee(State(office): State<Office>, employee_no: Result<Path<String>, PathRejection>, request: Request) -> Response {
    if let Err(refused) = office.admit(request.headers()) {
        // Who expects `100 Continue` has not sent the body, and will not.
        if !request.headers().contains_key(EXPECT) {
            linger(request.into_body().into_data_stream()).await;
        }
        return refused.into_response();
    }
    let put = async {
        let Path(employee_no) = employee_no.map_err(|_| invalid("the employee number in the address is not valid UTF-8"))?;
        let body = Bytes::from_request(request, &()).await;
        let body = body.map_err(|rejection| unread_body(rejection.status()))?;
        office.put(&employee_no, &body).await
    };
    put.await.unwrap_or_else(Problem::into_response)
}

impl Office {
    /// Decides by the head, before anything of the body is read.
    fn admit(&self, headers: &HeaderMap) -> Result<(), Problem> {
        self.tokens.authorise(headers, Right::Employees)?;
        check_content_type(headers)
    }

    async fn put(&self, employee_no: &str, body: &[u8]) -> Result<Response, Problem> {
        let (entry, as_of) = read_body(employee_no, body)?;
        match self.writer.update(entry, as_of).await {
            Ok(UpdateOutcome::Changed) => Ok(done("changed")),
            Ok(UpdateOutcome::Unchanged) => Ok(done("unchanged")),
            Ok(UpdateOutcome::Stale) => Err(stale()),
            Err(error) => Err(refusal(&error)),
        }
    }
}

fn done(outcome: &str) -> Response {
    let body = serde_json::json!({ "outcome": outcome }).to_string();
    (StatusCode::OK, [(CONTENT_TYPE, "application/json")], body).into_response()
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    match content_type.map(Format::from_content_type) {
        None | Some(Some(Format::Json)) => Ok(()),
        Some(Some(Format::Ndjson | Format::Xml | Format::Csv) | None) => {
            let detail =
                "an employee is sent as JSON: state Content-Type: application/json. Lists are imported with `scoresync employees import`";
            Err(Problem::new(Kind::UnsupportedMediaType, detail))
        }
    }
}

fn read_body(employee_no: &str, body: &[u8]) -> Result<(RosterEntry, Timestamp), Problem> {
    let body: EmployeeBody = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let as_of = body.as_of.unwrap_or_else(now);
    if is_far_ahead(as_of) {
        return Err(invalid(
            "as_of is more than a day from now: no statement of an earlier moment would count after it",
        ));
    }
    let identities = body.identities.into_iter().map(|identity| Identity {
        kind: identity.kind,
        system: identity.system,
        value: identity.value,
        valid_from: identity.valid_from,
        valid_to: identity.valid_to,
    });
    let entry = RosterEntry {
        employee_no: employee_no.trim().to_owned(),
        name: filled(body.name),
        department: filled(body.department),
        position: filled(body.position),
        identities: identities.collect(),
        left_at: body.left_at,
        replaced_by: filled(body.replaced_by),
    };
    check(&entry)?;
    Ok((entry, as_of))
}

/// What a record could hold and a file may not say either.
fn check(entry: &RosterEntry) -> Result<(), Problem> {
    for number in entry.replaced_by.iter().chain([&entry.employee_no]) {
        check_employee_no(number).map_err(|error| invalid(error.to_string()))?;
    }
    if entry.replaced_by.as_ref() == Some(&entry.employee_no) {
        return Err(invalid("replaced_by is the employee's own number: leave it out"));
    }
    let about = [&entry.name, &entry.department, &entry.position].into_iter().flatten();
    let identities = entry
        .identities
        .iter()
        .flat_map(|identity| identity.system.iter().chain([&identity.value]));
    if about.chain(identities).any(|text| text.contains('\0')) {
        return Err(invalid("a text has a NUL character, which no text has: leave it out"));
    }
    Ok(())
}

fn filled(text: Option<String>) -> Option<String> {
    let trimmed = text.as_deref().map(str::trim).filter(|text| !text.is_empty());
    trimmed.map(str::to_owned)
}

/// Serde's own texts can quote a value; ours and the names of what is unknown or missing do not.
fn unreadable(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let detail = if error.is_data() {
        let ours = [NO_MOMENT, NO_KIND].into_iter().find(|ours| text.starts_with(ours));
        ours.unwrap_or(
            "a member is unknown, missing or of another type than is expected: see the members of an employee in the documentation",
        )
    } else {
        "the body is no JSON"
    };
    Problem::new(Kind::Malformed, detail)
        .with("line", error.line())
        .with("column", error.column())
}

fn unread_body(status: StatusCode) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(Kind::TooLarge, format!("an employee is at most {MAX_BODY_BYTES} bytes of JSON"))
    } else {
        Problem::new(Kind::Malformed, "the body did not arrive whole: send it again")
    }
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Kind::InvalidEmployee, detail)
}

fn stale() -> Problem {
    Problem::new(
        Kind::Stale,
        "something of a later moment than as_of is known of the employee, and stands; nothing was changed",
    )
}

fn refusal(error: &UpdateError) -> Problem {
    let kind = match error {
        UpdateError::Invalid(_) => Kind::InvalidEmployee,
        UpdateError::TooLarge => Kind::TooLarge,
        UpdateError::Busy | UpdateError::NotAcknowledged => Kind::NotAcknowledged,
        UpdateError::ShuttingDown => Kind::ShuttingDown,
        UpdateError::Erased => Kind::Stale,
    };
    Problem::new(kind, error.to_string())
}

#[cfg(test)]
mod tests;
