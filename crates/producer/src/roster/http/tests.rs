//! Single updates over HTTP: what is answered to what.

use std::{thread, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::roster::{
    statement::{About, Statement},
    writer::{RosterFollower, roster_writer},
};

fn tokens() -> Arc<Tokens> {
    let (hr, lms) = (crate::fixtures::sha256("ss_hr"), crate::fixtures::sha256("ss_lms"));
    let settings = format!("hr = {{ sha256 = '{hr}', rights = ['employees'] }}\nlms = {{ sha256 = '{lms}', sources = ['academy'] }}");
    let tokens = Tokens::compile(&toml::from_str(&settings).unwrap(), |_| true);
    Arc::new(tokens.unwrap_or_else(|problems| panic!("{problems:?}")))
}

/// The routes of a writer whose follower gives one answer to all updates.
fn answering(answer: Result<UpdateOutcome, UpdateError>) -> Router {
    let (writer, RosterFollower(requests)) = roster_writer();
    thread::spawn(move || {
        for request in requests {
            drop(request.answer.send(answer.clone()));
        }
    });
    roster_router(writer, tokens())
}

/// Sends a request over a connection of its own, and gives the whole answer.
async fn send(router: Router, request: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    let read = tokio::time::timeout(LONG, stream.read_to_string(&mut response)).await;
    read.expect("no answer in time").unwrap();
    server.abort();
    response
}

/// Nothing in these tests takes so long unless it is broken.
const LONG: Duration = Duration::from_secs(30);

fn head(employee_no: &str, token: &str, more: &str) -> String {
    format!("PUT /v1/employees/{employee_no} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{more}\r\n")
}

async fn put(answer: Result<UpdateOutcome, UpdateError>, token: &str, body: &str) -> (u16, String) {
    let request = head("E1", token, &format!("Content-Length: {}\r\n", body.len())) + body;
    let response = send(answering(answer), &request).await;
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

const BODY: &str = r#"{"name": "李雷", "identities": [{"kind": "phone", "value": "19900000001"}], "as_of": "2026-11-22T08:30:00+08:00"}"#;

#[tokio::test]
async fn every_outcome_has_its_status() {
    for (answer, status, part) in [
        (Ok(UpdateOutcome::Changed), 200, r#"{"outcome":"changed"}"#),
        (Ok(UpdateOutcome::Unchanged), 200, r#"{"outcome":"unchanged"}"#),
        (Ok(UpdateOutcome::Stale), 409, "stale-statement"),
        (Err(UpdateError::NotAcknowledged), 503, "not-acknowledged"),
        (Err(UpdateError::Busy), 503, "not-acknowledged"),
        (Err(UpdateError::ShuttingDown), 503, "shutting-down"),
        (Err(UpdateError::TooLarge), 413, "too-large"),
        (
            Err(UpdateError::Invalid(scoresync_domain::RosterError::BlankEmployeeNo)),
            400,
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
    for (token, status) in [("ss_lms", 403), ("ss_nobody", 401)] {
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
        (r#"{"as_of": "2199-01-01T00:00:00Z"}"#, "as_of is more than a day from now"),
        (r#"{"replaced_by": "E1"}"#, "own number"),
        (r#"{"replaced_by": " E1 "}"#, "own number"),
        (r#"{"name": "李\u0000雷"}"#, "NUL"),
        (r#"{"identities": [{"kind": "email", "value": "李雷\u0000"}]}"#, "NUL"),
        (r#"{"left_at": "0001-01-01T00:00:00Z"}"#, "between 1900 and 2200"),
        (r#"{"as_of": "9999-12-31T00:00:00Z"}"#, "between 1900 and 2200"),
    ] {
        let (status, answer) = put(Ok(UpdateOutcome::Changed), "ss_hr", body).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer.contains(part), "{answer}");
        for value in ["李雷", "微信", "19900000001", "nickname"] {
            assert!(!answer.contains(value), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_list_is_not_taken_for_an_employee() {
    let request = head("E1", "ss_hr", "Content-Type: text/csv\r\nContent-Length: 0\r\n");
    let response = send(answering(Ok(UpdateOutcome::Changed)), &request).await;
    assert!(response.starts_with("HTTP/1.1 415"), "{response}");
}

#[tokio::test]
async fn who_may_not_write_is_refused_before_the_body_is_waited_for() {
    for more in ["", "Expect: 100-continue\r\n"] {
        // The body never comes.
        let request = head("E1", "ss_nobody", &format!("Content-Length: 100\r\n{more}"));
        let response = send(answering(Ok(UpdateOutcome::Changed)), &request).await;
        assert!(response.starts_with("HTTP/1.1 401"), "{response}");
    }
}

/// What reaches the writer of a PUT at this address.
async fn statement_of(employee_no: &str, body: &str) -> Statement {
    let (writer, RosterFollower(requests)) = roster_writer();
    let following = thread::spawn(move || {
        let request = requests.recv().unwrap();
        request.answer.send(Ok(UpdateOutcome::Changed)).unwrap();
        request.statement
    });
    let more = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    let response = send(roster_router(writer, tokens()), &(head(employee_no, "ss_hr", &more) + body)).await;
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    following.join().unwrap()
}

fn entry_of(statement: Statement) -> RosterEntry {
    match statement.said {
        About::Entry(entry, _) => entry,
        said @ About::Absence(_) => panic!("{said:?}"),
    }
}

#[tokio::test]
async fn what_is_put_at_the_address_reaches_the_writer() {
    let statement = statement_of("E%2F1", BODY).await;
    assert_eq!(Some(statement.as_of), Timestamp::parse_rfc3339("2026-11-22T00:30:00Z"));
    let entry = entry_of(statement);
    assert_eq!((entry.employee_no.as_str(), entry.identities.len()), ("E/1", 1));
}

#[tokio::test]
async fn spaces_around_a_number_are_no_part_of_it() {
    let entry = entry_of(statement_of("%20E1%E3%80%80", r#"{"replaced_by": " E2"}"#).await);
    assert_eq!((entry.employee_no.as_str(), entry.replaced_by.as_deref()), ("E1", Some("E2")));
}

#[tokio::test]
async fn an_end_that_never_comes_is_none() {
    let entry = entry_of(statement_of("E1", r#"{"left_at": "9999-12-31T00:00:00+08:00"}"#).await);
    assert_eq!(entry.left_at, None);
}

#[tokio::test]
async fn a_number_that_the_archive_could_not_hold_is_refused() {
    for employee_no in ["E%00", "%20", &"7".repeat(201)] {
        let request = head(employee_no, "ss_hr", "Content-Length: 2\r\n") + "{}";
        let response = send(answering(Ok(UpdateOutcome::Changed)), &request).await;
        assert!(
            response.starts_with("HTTP/1.1 400") && response.contains("employee number"),
            "{response}"
        );
    }
}
