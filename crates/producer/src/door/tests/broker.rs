//! What senders hear when the broker refuses, or is away.

use std::time::{Duration, Instant};

use scoresync_kafka::mock::{RDKafkaApiKey, RDKafkaRespErr};

use super::harness::{LONG, Running, mock_broker, ndjson, parts, start, start_before};
use crate::{DoorError, STAGE, Unacknowledged, door::broker_watch::BrokerWatch};

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
    let lines = exported
        .lines()
        .filter(|line| line.starts_with("scoresync_reports_received_total{"));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
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

#[tokio::test]
async fn a_small_body_of_many_rows_does_not_fill_the_producer_s_queue() {
    let running = start("acknowledge_timeout_seconds = 1\nmax_rows_in_flight = 100").await;
    send_until_accepted(&running).await;
    let before = received(&running);
    running.broker.broker_down(-1).unwrap();
    for (content_type, body) in [
        ("application/x-ndjson", "{}\n".repeat(10_000)),
        ("application/json", format!("[{}{{}}]", "{},".repeat(10_000))),
        ("application/xml", format!("<rows>{}</rows>", "<r/>".repeat(10_000))),
        ("text/csv", "a\n".repeat(10_000)),
    ] {
        running.send(content_type, body).await.is_problem(503, "not-acknowledged");
    }
    let on_their_way = received(&running) - before;
    assert_eq!(on_their_way, 400, "more rows were read than may be on their way");
}

#[tokio::test]
async fn a_producer_that_cannot_go_on_ends_the_stage() {
    let broker = mock_broker();
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    broker.request_errors(RDKafkaApiKey::InitProducerId, &[refused; 10]);
    let running = start_before(broker, "").await;
    // Whether anybody sends or not.
    let ended = tokio::time::timeout(LONG, running.served)
        .await
        .expect("the door stays open")
        .unwrap();
    assert!(matches!(ended, Err(DoorError::Producer(_))), "{ended:?}");
}

#[tokio::test]
async fn refusals_without_a_success_in_between_keep_the_stage_not_ready_for_longer_and_longer() {
    let broker = mock_broker();
    let (parts, readiness, _registry) = parts(&broker);
    let shortest = Duration::from_millis(100);
    let watch = BrokerWatch::resting(readiness.stage(STAGE), shortest);
    let is_ready = || readiness.report()[0].reason.is_none();
    let until = async |expected: bool| {
        let since = Instant::now();
        while is_ready() != expected {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        since.elapsed()
    };
    let work = async {
        until(true).await;
        watch.note_refusal("no right");
        assert!(until(true).await >= shortest);
        watch.note_refusal("no right");
        assert!(until(true).await >= shortest * 4);
        watch.note_refusal("no right");
        assert!(!is_ready());
        watch.note_success();
        assert!(is_ready());
    };
    tokio::select! {
        never = watch.keep(&parts.intake) => match never {},
        done = tokio::time::timeout(LONG, work) => done.expect("the stage stays as it is"),
    }
}

#[tokio::test]
async fn a_success_ends_the_rest_from_a_time_out_once_the_shortest_rest_has_passed() {
    let broker = mock_broker();
    let (_parts, readiness, _registry) = parts(&broker);
    let shortest = Duration::from_millis(100);
    let watch = BrokerWatch::resting(readiness.stage(STAGE), shortest);
    let is_ready = || readiness.report()[0].reason.is_none();
    let begun = Instant::now();
    watch.note(&Unacknowledged::TimeOut);
    watch.note_success();
    assert!(!is_ready() || begun.elapsed() >= shortest);
    tokio::time::sleep(shortest).await;
    // Nobody keeps the watch: a busy producer never has nothing on its way.
    watch.note_success();
    assert!(is_ready());
}

#[tokio::test]
async fn nothing_makes_a_stage_ready_that_shuts_down() {
    let broker = mock_broker();
    let (parts, readiness, _registry) = parts(&broker);
    let watch = BrokerWatch::resting(readiness.stage(STAGE), Duration::ZERO);
    let obstacle = || readiness.report()[0].reason.clone();
    watch.note_refusal("no right");
    watch.shut_down();
    watch.note_success();
    assert_eq!(obstacle().as_deref(), Some("shutting down"));
    watch.note(&Unacknowledged::TimeOut);
    watch.note_refusal("no right");
    drop(tokio::time::timeout(Duration::from_millis(50), watch.keep(&parts.intake)).await);
    assert_eq!(obstacle().as_deref(), Some("shutting down"));
}
