//! Senders that are slow or go away, and the end of the process.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::harness::{LONG, answer, ndjson, send_chunk, start};

#[tokio::test]
async fn a_slow_sender_is_cut_off_with_what_was_accepted() {
    let running = start("read_timeout_seconds = 1").await;
    let mut stream = running.open_chunked("application/x-ndjson").await;
    send_chunk(&mut stream, ndjson(2_000).as_bytes()).await.unwrap();
    let refused = answer(&mut stream).await;
    refused.is_problem(408, "too-slow");
    assert_eq!(refused.body["accepted"], 2_000, "{refused:?}");
}

#[tokio::test]
async fn a_slow_sender_of_another_route_is_cut_off() {
    let running = start("read_timeout_seconds = 1\nacknowledge_timeout_seconds = 1").await;
    answer(&mut running.open_other().await).await.is_problem(408, "too-slow");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let running = start("header_timeout_seconds = 1").await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut Vec::new())).await;
    read.expect("the connection stays open").unwrap();
}

#[tokio::test]
async fn a_connection_that_says_nothing_or_half_a_head_gives_way_to_another() {
    let running = start("max_connections = 1").await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    assert_eq!(running.send("application/json", "[]").await.status, 202);
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0, "the silent one is still there");
    let mut hesitant = TcpStream::connect(running.address).await.unwrap();
    hesitant.write_all(b"POST /v1").await.unwrap();
    assert_eq!(running.send("application/json", "[]").await.status, 202);
    // With bytes that nobody read, the end is a reset.
    let end = hesitant.read(&mut [0]).await;
    assert!(!matches!(end, Ok(1)), "{end:?}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_while_all_have_requests_in_hand() {
    let running = start("max_connections = 1").await;
    let lms = [
        ("Authorization", "Bearer ss_lms"),
        ("Content-Type", "application/json"),
        ("Content-Length", "2"),
    ];
    let mut first = running.open("academy", &[&lms[..], &[("Expect", "100-continue")]].concat()).await;
    let mut interim = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    first.read_exact(&mut interim).await.unwrap();
    let mut second = running.open("academy", &lms).await;
    second.write_all(b"[]").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(300), second.read(&mut [0])).await;
    assert!(early.is_err(), "the second one was served beside the first");
    first.write_all(b"[]").await.unwrap();
    assert_eq!(answer(&mut first).await.status, 202);
    assert_eq!(answer(&mut second).await.status, 202);
}

#[tokio::test]
async fn a_sender_that_goes_away_gives_its_place_free() {
    let running = start("max_concurrent_requests = 1").await;
    for body in [ndjson(1), ndjson(2_000)] {
        let mut stream = running.open_chunked("application/x-ndjson").await;
        send_chunk(&mut stream, body.as_bytes()).await.unwrap();
        drop(stream);
        let sent = async { while running.send("application/json", "[]").await.status != 202 {} };
        tokio::time::timeout(LONG, sent).await.expect("the place stays taken");
    }
}

#[tokio::test]
async fn a_request_in_hand_is_answered_before_the_end() {
    let running = start("").await;
    let mut stream = running.open_chunked("application/x-ndjson").await;
    send_chunk(&mut stream, ndjson(2_000).as_bytes()).await.unwrap();
    running
        .until("the reception of rows", |running| {
            running.exported().contains("reports_received_total{")
        })
        .await;
    running.shutdown.request("a test");
    running
        .until("the stage's end", |running| running.obstacle().as_deref() == Some("shutting down"))
        .await;
    assert!(TcpStream::connect(running.address).await.is_err(), "connections are still accepted");
    send_chunk(&mut stream, ndjson(1).as_bytes()).await.unwrap();
    send_chunk(&mut stream, b"").await.unwrap();
    let accepted = answer(&mut stream).await;
    assert_eq!((accepted.status, &accepted.body["accepted"]), (202, &2_001.into()), "{accepted:?}");
    tokio::time::timeout(LONG, running.served)
        .await
        .expect("the door stays open")
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_body_that_does_not_end_in_time_is_cut_off_at_the_end() {
    let running = start("drain_seconds = 1\nmax_concurrent_requests = 2").await;
    let mut large = running.open_chunked("application/x-ndjson").await;
    send_chunk(&mut large, ndjson(2_000).as_bytes()).await.unwrap();
    let mut small = running.open_chunked("application/json").await;
    send_chunk(&mut small, b"[").await.unwrap();
    running
        .until("the reception of rows", |running| {
            running.exported().contains("reports_received_total{")
        })
        .await;
    running.until_full().await;
    running.shutdown.request("a test");
    for (stream, accepted) in [(&mut large, 2_000), (&mut small, 0)] {
        let refused = answer(stream).await;
        refused.is_problem(503, "shutting-down");
        assert!(refused.head.contains("retry-after: "), "{refused:?}");
        assert_eq!(refused.body["accepted"], accepted, "{refused:?}");
    }
    tokio::time::timeout(LONG, running.served)
        .await
        .expect("the door stays open")
        .unwrap()
        .unwrap();
}
