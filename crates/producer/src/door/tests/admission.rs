//! What is decided by the head of a request.

use std::time::Duration;

use super::harness::{ALL, HR, LMS, answer, start};
use axum::Router;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{Door, DoorError, DoorSettings};

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[tokio::test]
async fn only_a_token_for_the_source_is_let_in() {
    let running = start("").await;
    let check = async |source: &str, token: &str, status: u16, name: &str| {
        let authorization = format!("Bearer {token}");
        let refused = running.post(source, &[("Authorization", &authorization), JSON], "[]").await;
        refused.is_problem(status, name);
        assert!(!refused.body.to_string().contains(token), "{refused:?}");
        assert_eq!(refused.head.contains("www-authenticate: bearer"), status != 404, "{refused:?}");
    };
    check("academy", "ss_stranger", 401, "unknown-token").await;
    check("campus", LMS, 403, "forbidden").await;
    check("acadmy", LMS, 404, "unknown-source").await;
    check("acadmy", ALL, 404, "unknown-source").await;
    check("academy", HR, 403, "forbidden").await;
    check("acadmy", HR, 403, "forbidden").await;
    check("acadmy", "ss_stranger", 401, "unknown-token").await;
    check("%FF", ALL, 404, "unknown-source").await;
    running.post("academy", &[JSON], "[]").await.is_problem(401, "no-token");
}

#[tokio::test]
async fn a_format_that_is_not_taken_is_refused_with_those_that_are() {
    let running = start("").await;
    for content_type in [
        "text/plain",
        "application/octet-stream",
        "",
        "text/csv; charset=shift_jis",
        "application/json; charset=gbk",
    ] {
        let refused = running.send(content_type, "[]").await;
        refused.is_problem(415, "unsupported-media-type");
        let media_types = ["application/json", "application/x-ndjson", "application/xml", "text/csv"];
        assert_eq!(refused.body["media_types"], serde_json::json!(media_types), "{refused:?}");
        let header = format!("accept-post: {}", media_types.join(", "));
        assert!(refused.head.contains(&header), "{refused:?}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    let running = start("").await;
    let send = async |coding| {
        let headers = [("Authorization", "Bearer ss_lms"), JSON, ("Content-Encoding", coding)];
        running.post("academy", &headers, "[]").await
    };
    for coding in ["gzip", "identity, br", "zstd"] {
        let refused = send(coding).await;
        refused.is_problem(415, "unsupported-media-type");
        assert!(refused.head.contains("accept-encoding: identity"), "{refused:?}");
    }
    assert_eq!(send("Identity").await.status, 202);
}

#[tokio::test]
async fn other_addresses_and_methods_are_refused_with_documents() {
    let running = start("").await;
    let ask = async |request: &str| {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let request = format!("{request} HTTP/1.1\r\nHost: door\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        answer(&mut stream).await
    };
    ask("GET /").await.is_problem(404, "unknown-address");
    ask("POST /v1/sources/academy").await.is_problem(404, "unknown-address");
    let refused = ask("GET /v1/sources/academy/reports").await;
    refused.is_problem(405, "method-not-allowed");
    assert!(refused.head.contains("allow: post"), "{refused:?}");
    assert!(ask("PUT /v1/others/7").await.head.starts_with("http/1.1 200"));
    let refused = ask("POST /v1/others/7").await;
    refused.is_problem(405, "method-not-allowed");
    assert!(refused.head.contains("allow: put"), "{refused:?}");
    let exported = running.exported();
    for line in [
        r#"scoresync_http_requests_total{route="/v1/others/{other}",status="200"} 1"#,
        r#"scoresync_http_requests_total{route="unmatched",status="404"} 2"#,
        r#"scoresync_http_requests_total{route="/v1/sources/{source}/reports",status="405"} 1"#,
        r#"scoresync_http_request_seconds_count{route="unmatched"} 2"#,
    ] {
        assert!(exported.contains(line), "{exported}");
    }
}

#[tokio::test]
async fn a_body_that_is_stated_to_be_too_large_is_refused_before_it_is_sent() {
    let running = start("max_body_mib = 1").await;
    let headers = [
        ("Authorization", "Bearer ss_lms"),
        JSON,
        ("Content-Length", "1048577"),
        ("Expect", "100-continue"),
    ];
    let mut stream = running.open("academy", &headers).await;
    let refused = answer(&mut stream).await;
    refused.is_problem(413, "too-large");
    assert_eq!(refused.body["max_body_bytes"], 1_048_576);
}

#[tokio::test]
async fn more_requests_than_are_allowed_at_once_are_sent_away() {
    let running = start("max_concurrent_requests = 1").await;
    let mut first = running.open_chunked("application/json").await;
    let refused = running.until_full().await;
    refused.is_problem(429, "busy");
    assert!(refused.head.contains("retry-after: "), "{refused:?}");
    super::harness::send_chunk(&mut first, b"[]").await.unwrap();
    super::harness::send_chunk(&mut first, b"").await.unwrap();
    assert_eq!(answer(&mut first).await.status, 202);
    assert_eq!(running.send("application/json", "[]").await.status, 202);
}

#[tokio::test]
async fn a_request_waits_a_moment_for_another_one_to_end() {
    let running = start("max_concurrent_requests = 1").await;
    let mut first = running.open_chunked("application/json").await;
    running.until_full().await;
    let second = running.send("application/json", "[]");
    let end_first = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        super::harness::send_chunk(&mut first, b"[]").await.unwrap();
        super::harness::send_chunk(&mut first, b"").await.unwrap();
    };
    let (second, ()) = tokio::join!(second, end_first);
    assert_eq!(second.status, 202);
    assert_eq!(answer(&mut first).await.status, 202);
}

#[tokio::test]
async fn settings_that_no_report_could_be_received_with_end_the_start() {
    let broker = super::harness::mock_broker();
    let (parts, ..) = super::harness::parts(&broker);
    let settings: DoorSettings = toml::from_str("listen = '127.0.0.1:0'\nmax_row_kib = 1024").unwrap();
    let Err(DoorError::Settings(problems)) = Door::bind(&settings, parts, Router::new()).await else {
        panic!("the door could be bound");
    };
    assert_eq!(problems[0].setting, "door.max_row_kib");
}

#[tokio::test]
async fn a_taken_port_is_an_error_that_names_it() {
    let running = start("").await;
    let broker = super::harness::mock_broker();
    let (parts, ..) = super::harness::parts(&broker);
    let settings = DoorSettings {
        listen: running.address,
        ..DoorSettings::default()
    };
    let error = Door::bind(&settings, parts, Router::new()).await.err().unwrap();
    assert!(error.to_string().contains(&running.address.to_string()), "{error}");
}
