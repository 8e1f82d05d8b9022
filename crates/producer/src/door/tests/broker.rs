//! What senders hear when the broker refuses, or is away.

use scoresync_kafka::mock::{RDKafkaApiKey, RDKafkaRespErr};

use super::harness::{LONG, Running, ndjson, start};

const REFUSED: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;

/// Sends one row until it is accepted: a broker takes its time to be found.
async fn send_until_accepted(running: &Running) {
    let accepted = async { while running.send("application/x-ndjson", ndjson(1)).await.status != 202 {} };
    tokio::time::timeout(LONG, accepted).await.expect("nothing is accepted");
}

async fn check_recovery(running: &Running) {
    running
        .until("the stage's being ready", |running| running.obstacle().is_none())
        .await;
    send_until_accepted(running).await;
}

/// How many rows were queued.
fn received(running: &Running) -> u64 {
    let exported = running.exported();
    let line = exported.lines().find(|line| line.starts_with("scoresync_reports_received_total{"));
    line.and_then(|line| line.rsplit(' ').next()).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_refusal_by_the_broker_is_no_success() {
    let running = start("").await;
    running.broker.request_errors(RDKafkaApiKey::Produce, &[REFUSED]);
    let refused = running.send("application/x-ndjson", ndjson(1)).await;
    refused.is_problem(503, "not-acknowledged");
    assert!(refused.head.contains("retry-after: "), "{refused:?}");
    assert!(refused.body["detail"].as_str().unwrap().contains("safe"), "{refused:?}");
    assert_eq!(refused.body["accepted"], 0);
    let obstacle = running.obstacle().unwrap();
    assert!(obstacle.starts_with("the broker refuses reports: "), "{obstacle}");
    check_recovery(&running).await;
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_large_body_ends_it() {
    let running = start("max_rows_in_flight = 100").await;
    assert_eq!(running.send("application/x-ndjson", ndjson(1)).await.status, 202);
    running.broker.request_errors(RDKafkaApiKey::Produce, &[REFUSED]);
    let refused = running.send("application/x-ndjson", ndjson(50_000)).await;
    refused.is_problem(503, "not-acknowledged");
    assert!(refused.body["accepted"].as_u64().unwrap() < 50_000, "{refused:?}");
}

#[tokio::test]
async fn a_broker_that_is_away_is_waited_for_so_long_and_no_longer() {
    let running = start("acknowledge_timeout_seconds = 1\nmax_rows_in_flight = 100").await;
    send_until_accepted(&running).await;
    let before = received(&running);
    running.broker.broker_down(-1).unwrap();
    running
        .send("application/x-ndjson", ndjson(1))
        .await
        .is_problem(503, "not-acknowledged");
    running
        .send("application/x-ndjson", ndjson(10_000))
        .await
        .is_problem(503, "not-acknowledged");
    let on_their_way = received(&running) - before;
    assert_eq!(on_their_way, 101, "more rows were read than may be on their way");
    assert_eq!(running.obstacle().as_deref(), Some("the broker does not acknowledge reports"));
    running.broker.broker_up(-1).unwrap();
    check_recovery(&running).await;
}
