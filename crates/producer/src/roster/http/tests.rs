//! Single updates over HTTP: what is answered to what.

use std::thread;

use axum::http::{HeaderValue, header::AUTHORIZATION};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::roster::{
    statement::About,
    writer::{RosterFollower, roster_writer},
};

fn tokens() -> Arc<Tokens> {
    let (hr, lms) = (crate::tokens::tests::sha256("ss_hr"), crate::tokens::tests::sha256("ss_lms"));
    let settings = format!("hr = {{ sha256 = '{hr}', rights = ['employees'] }}\nlms = {{ sha256 = '{lms}', sources = ['academy'] }}");
    let tokens = Tokens::compile(&toml::from_str(&settings).unwrap(), |_| true);
    Arc::new(tokens.unwrap_or_else(|problems| panic!("{problems:?}")))
}

/// An office whose follower gives one answer to all updates.
fn office(answer: Result<UpdateOutcome, UpdateError>) -> Office {
    let (writer, RosterFollower(requests)) = roster_writer();
    thread::spawn(move || {
        for request in requests {
            drop(request.answer.send(answer.clone()));
        }
    });
    Office { writer, tokens: tokens() }
}

fn headers(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
    headers
}

async fn put(answer: Result<UpdateOutcome, UpdateError>, token: &str, body: &str) -> (StatusCode, String) {
    let body = Bytes::copy_from_slice(body.as_bytes());
    let answered = office(answer).put(&headers(token), Ok(Path("E1".to_owned())), Ok(body)).await;
    let response = answered.unwrap_or_else(Problem::into_response);
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

const BODY: &str = r#"{"name": "李雷", "identities": [{"kind": "phone", "value": "19900000001"}], "as_of": "2026-11-22T08:30:00+08:00"}"#;

#[tokio::test]
async fn every_outcome_has_its_status() {
    for (answer, status, part) in [
        (Ok(UpdateOutcome::Changed), StatusCode::OK, r#"{"outcome":"changed"}"#),
        (Ok(UpdateOutcome::Unchanged), StatusCode::OK, r#"{"outcome":"unchanged"}"#),
        (Ok(UpdateOutcome::Stale), StatusCode::CONFLICT, "stale-statement"),
        (
            Err(UpdateError::NotAcknowledged),
            StatusCode::SERVICE_UNAVAILABLE,
            "not-acknowledged",
        ),
        (Err(UpdateError::Busy), StatusCode::SERVICE_UNAVAILABLE, "not-acknowledged"),
        (Err(UpdateError::ShuttingDown), StatusCode::SERVICE_UNAVAILABLE, "shutting-down"),
        (Err(UpdateError::TooLarge), StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
        (
            Err(UpdateError::Invalid(scoresync_domain::RosterError::BlankEmployeeNo)),
            StatusCode::BAD_REQUEST,
            "no employee number",
        ),
    ] {
        let (got, body) = put(answer.clone(), "ss_hr", BODY).await;
        assert_eq!(got, status, "{answer:?}");
        assert!(body.contains(part), "{body}");
    }
}

#[tokio::test]
async fn a_token_needs_the_right_of_employees() {
    for (token, status) in [("ss_lms", StatusCode::FORBIDDEN), ("ss_nobody", StatusCode::UNAUTHORIZED)] {
        assert_eq!(put(Ok(UpdateOutcome::Changed), token, BODY).await.0, status, "{token}");
    }
}

#[tokio::test]
async fn a_body_that_cannot_be_recorded_is_refused_without_quoting_it() {
    for (body, part) in [
        (r#"{"name": "李雷""#, "no JSON"),
        (r#"{"name": 19900000001}"#, "of another type"),
        (r#"{"nickname": "李雷"}"#, "unknown"),
        (r#"{"identities": [{"kind": "微信", "value": "李雷"}]}"#, "the kind of an identity"),
        (r#"{"left_at": "李雷"}"#, "RFC 3339"),
        (r#"{"as_of": "2999-01-01T00:00:00Z"}"#, "as_of is more than a day from now"),
        (r#"{"replaced_by": "E1"}"#, "own number"),
    ] {
        let (status, answer) = put(Ok(UpdateOutcome::Changed), "ss_hr", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.contains(part), "{answer}");
        for value in ["李雷", "微信", "19900000001", "nickname"] {
            assert!(!answer.contains(value), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_list_is_not_taken_for_an_employee() {
    let mut headers = headers("ss_hr");
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv"));
    let office = office(Ok(UpdateOutcome::Changed));
    let answered = office.put(&headers, Ok(Path("E1".to_owned())), Ok(Bytes::new()));
    assert_eq!(
        answered.await.unwrap_err().into_response().status(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
}

#[tokio::test]
async fn what_is_put_at_the_address_reaches_the_writer() {
    let (writer, RosterFollower(requests)) = roster_writer();
    let following = thread::spawn(move || {
        let request = requests.recv().unwrap();
        request.answer.send(Ok(UpdateOutcome::Changed)).unwrap();
        request.statement
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = roster_router(writer, tokens());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "PUT /v1/employees/E%2F1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ss_hr\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    let statement = following.join().unwrap();
    assert_eq!(Some(statement.as_of), Timestamp::parse_rfc3339("2026-11-22T00:30:00Z"));
    let About::Entry(entry, _) = statement.said else {
        panic!("{statement:?}")
    };
    assert_eq!((entry.employee_no.as_str(), entry.identities.len()), ("E/1", 1));
    server.abort();
}
