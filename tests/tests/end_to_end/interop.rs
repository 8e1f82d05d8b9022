//! Somebody else's reader, Confluent's client for Python, reads from `scores.enriched` what the archive has.

use anyhow::{Context, ensure};
use scoresync_archive::{Content, Head};
use scoresync_domain::{EnrichedScore, Origin, Score, Timestamp};
use scoresync_kafka::Topic;
use scoresync_tests::{installation::Database, settle::settle};
use serde_json::{Map, Value, json};

use crate::support::{Foreign, Http, SETTLE, START, STOP, Scene, academy, python};

/// A source that fills every field.
const SOURCE: &str = r#"
[tokens.interop]
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
sources = ["interop"]

[sources.interop]
system = "elsewhere"
mapping_version = 3
repeat = "correction"
time_zone = "Asia/Shanghai"
employees_match = ["employee_no"]
key = ["result"]
revision_scheme = 2

[sources.interop.fields]
result = "id"
employee_no = "employee_no"
course_id = "course_id"
course_title = "course_title"
exam_id = "exam_id"
exam_title = "exam_title"
attempt = "attempt"
exam_score = "exam_score"
min_score = "min_score"
max_score = "max_score"
grade = "grade"
passed = { from = "passed", yes = ["yes"], no = ["no"] }
finish_timestamp = "finish_timestamp"
revision = "revision"
status = { from = "status", final = ["final"], provisional = ["provisional"], withdrawn = ["withdrawn"] }
"#;

/// What each report says beside the fields that all have, and the score that is then read elsewhere.
fn reports() -> Vec<(Value, Option<&'static str>)> {
    let everything = json!({
        "course_title": "消防安全 \"2026\"", "exam_id": "X", "exam_title": "Prüfung 𠮷", "attempt": 2, "exam_score": "85.5", "min_score": "-10",
        "max_score": 100, "grade": "A+", "passed": "yes", "status": "provisional",
    });
    vec![
        (everything, Some("85.5")),
        (json!({ "grade": "B" }), None),
        (json!({ "passed": "no" }), None),
        (json!({ "exam_score": 0 }), Some("0")),
        (json!({ "exam_score": "-0.000001" }), Some("-0.000001")),
        (json!({ "exam_score": "123456789012.123456" }), Some("123456789012.123456")),
        (json!({ "exam_score": "1.2345675" }), Some("1.234568")),
        (
            json!({ "exam_score": "100", "finish_timestamp": "2026-03-01T23:59:59.999-08:00" }),
            Some("100"),
        ),
    ]
}

fn milliseconds(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_millis)
}

fn text(score: Option<Score>) -> Option<String> {
    score.map(|score| score.to_string())
}

fn origin(origin: Origin) -> Value {
    json!({ "generation": origin.generation, "partition": origin.partition, "offset": origin.offset })
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What scoresync's own reader makes of the record.
fn own_reading(score: &EnrichedScore<'_>) -> Value {
    json!({
        "result_id": score.result_id.to_string(), "source": score.source, "system": score.system, "status": score.status.as_str(),
        "employee_no": score.employee_no, "employee_name": score.employee_name, "department": score.department, "position": score.position,
        "course_id": score.course_id, "course_title": score.course_title, "exam_id": score.exam_id, "exam_title": score.exam_title,
        "attempt": score.attempt, "exam_score": text(score.exam_score), "min_score": text(score.min_score), "max_score": text(score.max_score),
        "grade": score.grade, "passed": score.passed, "finish_timestamp": milliseconds(score.finish_timestamp), "revision": score.revision,
        "revision_scheme": score.revision_scheme, "mapping_version": score.mapping_version, "repeat": score.repeat.as_str(),
        "decision": score.decision, "matched_by": score.matched_by, "rounded": score.rounded,
        "received_at": score.received_at.as_millis(), "origin": origin(score.origin), "content_hash": hexadecimal(&score.content_hash.0),
    })
}

/// What the archive has of it.
fn archived(head: &Head<'_>, content: &Content<'_>) -> Value {
    json!({
        "source": content.source, "system": content.system, "status": head.status.as_str(), "employee_no": head.employee_no,
        "employee_name": content.employee_name, "department": content.department, "position": content.position,
        "course_id": content.course_id, "course_title": content.course_title, "exam_id": content.exam_id, "exam_title": content.exam_title,
        "attempt": content.attempt, "exam_score": text(content.exam_score), "min_score": text(content.min_score),
        "max_score": text(content.max_score), "grade": content.grade, "passed": content.passed,
        "finish_timestamp": milliseconds(content.finish_timestamp), "revision": head.revision, "revision_scheme": head.revision_scheme,
        "mapping_version": head.mapping_version, "repeat": head.repeat.as_str(), "decision": head.decision, "matched_by": head.matched_by,
        "rounded": content.rounded, "received_at": head.received_at.as_millis(), "origin": origin(head.origin),
        "content_hash": hexadecimal(&head.content_hash.0),
    })
}

fn read_elsewhere(scene: &Scene, topic: &str) -> anyhow::Result<Vec<Value>> {
    let mut python = python("read_enriched.py")?;
    python.args([&scene.installation.kafka.brokers, &scene.installation.registry.url, topic]);
    let output = python.output()?;
    ensure!(
        output.status.success(),
        "read_enriched.py failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A report about the result of this number.
fn row(number: usize, more: &Value) -> Value {
    let mut row = json!({
        "id": format!("R-{number}"), "employee_no": academy::EMPLOYEE_NO, "course_id": "C-1", "revision": 7,
        "finish_timestamp": "2026-03-01 09:30:00.123", "status": "final",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        row[name] = value.clone();
    }
    row
}

#[tokio::test(flavor = "multi_thread")]
async fn confluents_reader_reads_from_the_topic_what_the_archive_has() -> anyhow::Result<()> {
    let mut scene = Scene::new(Database::Postgres)?;
    scene.configure(SOURCE)?;
    scene.installation.make_token("interop")?;
    let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
    scene.installation.run(&["employees", "import", &roster])?;
    let mut up = scene.installation.start("up", &["up"])?;
    up.ready(START).await?;
    let reports = reports();
    let mut rows: Vec<Value> = reports.iter().enumerate().map(|(number, (more, _))| row(number, more)).collect();
    rows.push(json!({ "id": "R-NOBODY", "status": "withdrawn", "revision": 8 }));
    let http = Http::new(&scene.installation);
    let answer = http
        .push(
            ("interop", Some("interop")),
            "application/json",
            Value::from(rows.clone()).to_string(),
        )
        .await?;
    assert_eq!(
        (answer.status, answer.body["accepted"].as_u64()),
        (202, Some(rows.len() as u64)),
        "{answer:?}"
    );
    let archive = scene.archive().await?;
    settle((&scene.topics, &archive), (rows.len(), SETTLE), |_| {}).await?;
    assert_eq!(scene.topics.count(Topic::DeadLetters).await?, 0);

    let read = read_elsewhere(&scene, &Foreign::of(&scene)?.name(Topic::Enriched))?;
    assert_eq!(read.len(), rows.len());
    let by_key: Map<String, Value> = read
        .iter()
        .filter_map(|record| Some((record["key"].as_str()?.to_owned(), record.clone())))
        .collect();
    assert_eq!(by_key.len(), rows.len(), "every result has a key of its own");
    for record in scene.topics.enriched().await? {
        let score = record.value.context("scoresync cannot decode its own record")?;
        let key = record.key.unwrap_or_default();
        assert_eq!(key, score.result_id.to_string());
        assert_eq!(by_key[&key], json!({ "key": key, "headers": [], "value": own_reading(&score) }));
    }
    let ids: Vec<&str> = answer.body["result_ids"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (id, (_, score)) in ids.iter().zip(&reports) {
        assert_eq!(by_key[*id]["value"]["exam_score"].as_str(), *score);
    }
    let file = archive.file(academy::EMPLOYEE_NO).await?;
    assert_eq!(file.len(), reports.len());
    for record in file {
        let shown = record.shown.context("a record shows nothing")?;
        let mut value = by_key[&record.result_id.to_string()]["value"].clone();
        value.as_object_mut().map(|members| members.remove("result_id"));
        assert_eq!(archived(&record.head, &shown.content), value);
    }
    ensure!(up.stop(STOP)?.success());
    Ok(())
}
