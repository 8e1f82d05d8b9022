//! Records that a foreign client wrote: each bad one is set aside as it is, and the next one goes on.

mod bad_values;
mod compressed;

use std::time::Duration;

use anyhow::ensure;
use scoresync_domain::{Fate, Origin, Refusal, Timestamp};
use scoresync_kafka::Topic;
use scoresync_tests::{
    installation::Database,
    metrics::Metrics,
    process::Process,
    settle::{Progress, settle},
};

use crate::support::{Bytes, Foreign, SETTLE, START, STOP, Scene, academy, balance_and_nothing_is_in_flight, until};
use bad_values::{BadValue, bad_values};

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const INSTANCE: &str = "mapper-under-test";
/// All records of a test are in one partition, so that what comes after a bad one is known.
const PARTITION: i32 = 3;

fn scene() -> anyhow::Result<Scene> {
    let mut scene = Scene::new(Database::Sqlite)?;
    scene.installation.set("SCORESYNC_MAPPER__INSTANCE", INSTANCE);
    let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
    scene.installation.run(&["employees", "import", &roster])?;
    Ok(scene)
}

async fn start(scene: &Scene, arguments: &[&str]) -> anyhow::Result<Process> {
    let mut process = scene.installation.start(arguments[arguments.len() - 1], arguments)?;
    process.ready(START).await?;
    Ok(process)
}

/// What a dead letter says in its headers, and all that it says there.
struct Letter<'a> {
    offset: i64,
    stage: &'a str,
    reason: &'a str,
    message: &'a str,
    source: &'a str,
    origin: Origin,
    attempt: &'a str,
    first_failed_at: &'a str,
    traceparent: Option<&'a str>,
}

impl Letter<'_> {
    fn headers(&self, scene: &Scene) -> Vec<(String, String)> {
        let topic = format!("{}scores.raw", scene.installation.topics.prefix);
        let group = format!("{}.mapper", scene.installation.kafka.group_prefix);
        let (partition, offset, origin) = (PARTITION.to_string(), self.offset.to_string(), self.origin.to_string());
        let mut headers = vec![
            ("__connect.errors.topic", topic.as_str()),
            ("__connect.errors.partition", &partition),
            ("__connect.errors.offset", &offset),
            ("__connect.errors.connector.name", &group),
            ("__connect.errors.task.id", INSTANCE),
            ("__connect.errors.stage", self.stage),
            ("__connect.errors.class.name", "scoresync.mapper"),
            ("__connect.errors.exception.class.name", self.reason),
            ("__connect.errors.exception.message", self.message),
            ("scoresync.reason", self.reason),
            ("scoresync.source", self.source),
            ("scoresync.origin", &origin),
            ("scoresync.attempt", self.attempt),
            ("scoresync.first_failed_at", self.first_failed_at),
        ];
        headers.extend(self.traceparent.map(|traceparent| ("traceparent", traceparent)));
        headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

const fn here(offset: i64) -> Origin {
    Origin {
        generation: 1,
        partition: PARTITION,
        offset,
    }
}

/// The time in a header, which must be one: RFC 3339, in UTC, to the millisecond, and not outside of the test's time.
fn time_in(record: &Bytes, name: &str, begun: i64) -> anyhow::Result<String> {
    let text = record.headers.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone());
    let time = text.as_deref().and_then(Timestamp::parse_rfc3339);
    let (Some(text), Some(time)) = (text, time) else {
        anyhow::bail!("{name} is no time")
    };
    ensure!(time.to_string() == text && text.len() == 24, "{name} is written as {text}");
    ensure!((begun..=now()).contains(&time.as_millis()), "{text} is not in the test's time");
    Ok(text)
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

async fn all_mapped(scene: &Scene) -> anyhow::Result<()> {
    until("all reports are mapped", SETTLE, async || {
        let mapped = scene.topics.count(Topic::Enriched).await? + scene.topics.count(Topic::DeadLetters).await?;
        Ok(mapped >= scene.topics.count(Topic::Raw).await?)
    })
    .await
}

/// A sink files what the mapper has made; then the books balance, whatever the records were.
async fn balance_once_filed(scene: &Scene) -> anyhow::Result<()> {
    let sink = start(scene, &["run", "sink"]).await?;
    let archive = scene.archive().await?;
    until("all scores are judged", SETTLE, async || {
        Ok(archive.judged().await? == scene.topics.count(Topic::Enriched).await?)
    })
    .await?;
    ensure!(sink.stop(STOP)?.success());
    balance_and_nothing_is_in_flight(scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_cannot_be_decoded_is_a_dead_letter_as_it_was_and_the_next_report_goes_on() -> anyhow::Result<()> {
    let begun = now();
    let scene = scene()?;
    let mapper = start(&scene, &["run", "mapper"]).await?;
    let foreign = Foreign::of(&scene)?;
    let bad = bad_values(&foreign).await?;
    let mut expected = Vec::new();
    for (
        number,
        BadValue {
            record, reason, message, ..
        },
    ) in bad.iter().enumerate()
    {
        let offset = foreign.write((Topic::Raw, PARTITION), record).await?;
        expected.push((offset, record, *reason, message));
        let good = foreign.encode(&academy::report(&format!("X-{number}"), &[])).await?;
        foreign.write((Topic::Raw, PARTITION), &Bytes::new("any key", good)).await?;
    }
    all_mapped(&scene).await?;
    let letters = foreign.read(Topic::DeadLetters).await?;
    ensure!(letters.len() == bad.len(), "{} letters of {} bad records", letters.len(), bad.len());
    for (offset, record, reason, message) in expected {
        let offset_text = offset.to_string();
        let letter = letters.iter().find(|letter| {
            letter
                .record
                .headers
                .iter()
                .any(|(name, value)| name == "__connect.errors.offset" && *value == offset_text)
        });
        let Some(letter) = letter.map(|letter| &letter.record) else {
            anyhow::bail!("no letter of {offset}: {message}")
        };
        let first_failed_at = time_in(letter, "scoresync.first_failed_at", begun)?;
        let expected = Letter {
            offset,
            stage: "VALUE_CONVERTER",
            reason,
            message,
            source: "",
            origin: here(offset),
            attempt: "1",
            first_failed_at: &first_failed_at,
            traceparent: None,
        };
        let expected = Bytes {
            headers: expected.headers(&scene),
            ..record.clone()
        };
        assert_eq!(*letter, expected);
    }
    let enriched = scene.topics.enriched().await?;
    let origins: Vec<Origin> = enriched.iter().filter_map(|record| Some(record.value.as_ref()?.origin)).collect();
    ensure!(
        origins.len() == bad.len(),
        "{} of {} good reports went on",
        origins.len(),
        bad.len()
    );
    ensure!((0..bad.len()).all(|number| origins.contains(&here(2 * number as i64 + 1))));
    let metrics = Metrics::scrape(mapper.admin()).await?;
    for reason in ["undecodable", "unknown_schema"] {
        let sample = format!("scoresync_dead_letters_total{{reason=\"{reason}\",source=\"\",stage=\"mapper\"}}");
        let count = bad.iter().filter(|bad| bad.reason == reason).count();
        assert_eq!(metrics.get(&sample), Some(count as f64), "{sample}");
    }
    ensure!(mapper.stop(STOP)?.success());
    balance_once_filed(&scene).await
}

/// A source, further fields, the reason, and its sentence.
type Unfit = (&'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

/// Reports that can be decoded but not mapped or matched.
const UNFIT: [Unfit; 3] = [
    (
        "academy",
        &[("工号", "E-NOBODY-7")],
        "unmatched_employee",
        "no employee is known by employee_no at the time when the exam was finished",
    ),
    (
        "academy",
        &[("手机号", "19900000999"), ("工号", "E-NOBODY-7")],
        "unmatched_employee",
        "no employee is known by employee_no at the time when the exam was finished",
    ),
    (
        "nobody",
        &[],
        "unknown_source",
        "no source of this name is configured; add it to the configuration or correct the sender",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_carries_the_trace_and_no_other_header_of_its_report() -> anyhow::Result<()> {
    let begun = now();
    let scene = scene()?;
    let mapper = start(&scene, &["run", "mapper"]).await?;
    let foreign = Foreign::of(&scene)?;
    let mut expected = Vec::new();
    for (source, fields, reason, message) in UNFIT {
        let mut report = academy::report("X-1", fields);
        report.source = source.into();
        let record = Bytes::new("k", foreign.encode(&report).await?)
            .with_header("x-sender", "somebody")
            .with_header("traceparent", TRACEPARENT);
        let offset = foreign.write((Topic::Raw, PARTITION), &record).await?;
        let known_source = if source == "academy" { source } else { "" };
        expected.push((offset, record, known_source, reason, message));
    }
    let good = Bytes::new("k", foreign.encode(&academy::report("X-2", &[])).await?)
        .with_header("x-sender", "somebody")
        .with_header("traceparent", TRACEPARENT);
    foreign.write((Topic::Raw, PARTITION), &good).await?;
    all_mapped(&scene).await?;
    let letters = foreign.read(Topic::DeadLetters).await?;
    ensure!(letters.len() == expected.len());
    for (letter, (offset, record, source, reason, message)) in letters.iter().zip(expected) {
        let first_failed_at = time_in(&letter.record, "scoresync.first_failed_at", begun)?;
        let headers = Letter {
            offset,
            stage: "TRANSFORMATION",
            reason,
            message,
            source,
            origin: here(offset),
            attempt: "1",
            first_failed_at: &first_failed_at,
            traceparent: Some(TRACEPARENT),
        };
        let headers = headers.headers(&scene);
        assert_eq!(letter.record, Bytes { headers, ..record });
    }
    let enriched = foreign.read(Topic::Enriched).await?;
    let headers: Vec<_> = enriched.iter().map(|standing| standing.record.headers.clone()).collect();
    assert_eq!(headers, [[("traceparent".to_owned(), TRACEPARENT.to_owned())]]);
    ensure!(mapper.stop(STOP)?.success());
    balance_once_filed(&scene).await
}

/// When the first copy failed, long before the test.
const FIRST_FAILED_AT: &str = "2026-01-06T21:20:00.123Z";

#[tokio::test(flavor = "multi_thread")]
async fn a_redriven_report_keeps_its_origin_and_counts_its_attempts() -> anyhow::Result<()> {
    let scene = scene()?;
    let mapper = start(&scene, &["run", "mapper"]).await?;
    let foreign = Foreign::of(&scene)?;
    let origin = Origin {
        generation: 1,
        partition: 5,
        offset: 41,
    };
    let value = foreign.encode(&academy::report("X-1", &[("工号", "E-NOBODY-7")])).await?;
    let first = Bytes::new("k", value)
        .with_header("scoresync.origin", &origin.to_string())
        .with_header("scoresync.attempt", "1")
        .with_header("scoresync.first_failed_at", FIRST_FAILED_AT);
    let mut copy = first.clone();
    for attempt in 2..5 {
        let offset = foreign.write((Topic::Raw, PARTITION), &copy).await?;
        all_mapped(&scene).await?;
        let headers = Letter {
            offset,
            stage: "TRANSFORMATION",
            reason: "unmatched_employee",
            message: "no employee is known by employee_no at the time when the exam was finished",
            source: "academy",
            origin,
            attempt: &attempt.to_string(),
            first_failed_at: FIRST_FAILED_AT,
            traceparent: None,
        };
        let headers = headers.headers(&scene);
        let letters = foreign.read(Topic::DeadLetters).await?;
        let newest = letters.into_iter().max_by_key(|letter| letter.offset).map(|letter| letter.record);
        assert_eq!(newest, Some(Bytes { headers, ..first.clone() }));
        // A redrive that passes on all that the letter said.
        copy.headers = newest.map(|letter| letter.headers).unwrap_or_default();
    }
    copy.value = Some(foreign.encode(&academy::report("X-1", &[])).await?);
    foreign.write((Topic::Raw, PARTITION), &copy).await?;
    all_mapped(&scene).await?;
    let enriched = scene.topics.enriched().await?;
    let found: Vec<_> = enriched
        .iter()
        .map(|record| (record.value.as_ref().map(|score| score.origin), record.headers.clone()))
        .collect();
    let attempts = ("scoresync.attempt".to_owned(), "4".to_owned());
    assert_eq!(
        found,
        [(Some(origin), vec![attempts])],
        "the report that succeeds has its first origin, and says how often it had been tried"
    );
    ensure!(mapper.stop(STOP)?.success());
    // Somebody made the origin up.
    let unbalanced = balance_once_filed(&scene)
        .await
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    let invented = format!("invented of report {origin}");
    ensure!(unbalanced.contains(&invented), "{invented} is not in: {unbalanced}");
    Ok(())
}

/// The largest record that the broker takes into `scores.raw`: a field that nobody maps is padded.
async fn write_largest(foreign: &Foreign, exam_id: &str, others: &[(&'static str, &str)], limit: usize) -> anyhow::Result<(i64, Bytes)> {
    let mut refused = 0;
    for padding in (0..limit).rev() {
        let padding = "x".repeat(padding);
        let fields: Vec<(&'static str, &str)> = others.iter().copied().chain([("备注", padding.as_str())]).collect();
        let record = Bytes::new("k", foreign.encode(&academy::report(exam_id, &fields)).await?);
        match foreign.try_write((Topic::Raw, PARTITION), &record).await? {
            Some(offset) => {
                ensure!(refused > 0, "the first try was not too large");
                return Ok((offset, record));
            }
            None => refused += 1,
        }
    }
    anyhow::bail!("every report is too large")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_report_that_the_raw_topic_takes_comes_to_its_end() -> anyhow::Result<()> {
    let small = [
        ("SCORESYNC_TOPICS__MAX_MESSAGE_BYTES", "65536"),
        ("SCORESYNC_DOOR__MAX_ROW_KIB", "16"),
    ];
    let mut scene = Scene::new_with(Database::Sqlite, &small)?;
    let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
    scene.installation.run(&["employees", "import", &roster])?;
    scene.installation.set("SCORESYNC_MAPPER__INSTANCE", "x".repeat(200));
    let process = start(&scene, &["up"]).await?;
    let foreign = Foreign::of(&scene)?;
    let (_, good) = write_largest(&foreign, "X-1", &[], 65_536).await?;
    let (_, bad) = write_largest(&foreign, "X-2", &[("工号", "E-NOBODY-7")], 65_536).await?;
    for record in [&good, &bad] {
        let size = record.value.as_ref().map_or(0, Vec::len);
        ensure!((65_300..65_536).contains(&size), "{size} bytes are not at the limit");
    }
    let archive = scene.archive().await?;
    settle((&scene.topics, &archive), (2, SETTLE), |_| {}).await?;
    let letters = foreign.read(Topic::DeadLetters).await?;
    let values: Vec<_> = letters.into_iter().map(|letter| letter.record.value).collect();
    ensure!(values == [bad.value], "the largest dead letter is not its report");
    let file = archive.file(academy::EMPLOYEE_NO).await?;
    assert_eq!(file.len(), 1);
    assert_eq!(
        archive
            .fates()
            .await?
            .into_iter()
            .map(|((_, fate), count)| (fate, count))
            .collect::<Vec<_>>(),
        [(Fate::Filed, 1)]
    );
    ensure!(process.stop(STOP)?.success());
    balance_and_nothing_is_in_flight(&scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sink_refuses_what_it_cannot_decode_and_goes_on() -> anyhow::Result<()> {
    let scene = scene()?;
    let up = start(&scene, &["up"]).await?;
    let foreign = Foreign::of(&scene)?;
    let good = foreign.encode(&academy::report("X-1", &[])).await?;
    foreign.write((Topic::Raw, PARTITION), &Bytes::new("any key", good)).await?;
    let archive = scene.archive().await?;
    settle((&scene.topics, &archive), (1, SETTLE), |_| {}).await?;
    let enriched = foreign.read(Topic::Enriched).await?;
    let [standing] = enriched.as_slice() else {
        anyhow::bail!("{} enriched scores", enriched.len())
    };
    let value = standing.record.value.clone().unwrap_or_default();
    let cut = value[..value.len() - 1].to_vec();
    let left_over = [&value[..], b"!"].concat();
    let foreign_schema = [&[0, 0x7f, 0xff, 0xff, 0xff], &value[5..]].concat();
    let raw = foreign.encode(&academy::report("X-1", &[])).await?;
    let garbage = [
        Some(b"no score".to_vec()),
        Some(Vec::new()),
        None,
        Some(cut),
        Some(left_over),
        Some(foreign_schema),
        Some(raw),
    ];
    let mut expected = Vec::new();
    for bytes in &garbage {
        let record = Bytes {
            key: standing.record.key.clone(),
            value: bytes.clone(),
            headers: Vec::new(),
        };
        let offset = foreign.write((Topic::Enriched, standing.partition), &record).await?;
        expected.push((offset, Refusal::Undecodable, bytes.clone().unwrap_or_default()));
    }
    let again = foreign.encode(&academy::report("X-1", &[])).await?;
    foreign.write((Topic::Raw, PARTITION), &Bytes::new("any key", again)).await?;
    let all = garbage.len() as i64 + 2;
    until("everything is judged", SETTLE, async || Ok(archive.judged().await? >= all)).await?;
    let refused = archive.refused().await?;
    let found: Vec<_> = refused
        .into_iter()
        .map(|refused| (refused.position.offset, refused.reason, refused.score.err().unwrap_or_default()))
        .collect();
    assert_eq!(found, expected);
    let place = standing.partition;
    let fates: Vec<_> = archive.fates().await?.into_iter().collect();
    let count = garbage.len() as i64;
    assert_eq!(
        fates,
        [
            ((place, Fate::Filed), 1),
            ((place, Fate::Duplicate), 1),
            ((place, Fate::Refused), count)
        ]
    );
    let metrics = Metrics::scrape(up.admin()).await?;
    assert_eq!(metrics.get("scoresync_refused_total{reason=\"undecodable\"}"), Some(count as f64));
    let progress = Progress::look(&scene.topics, &archive).await?;
    assert_eq!((progress.raw, progress.dead_letters), (2, 0));
    ensure!(up.stop(STOP)?.success());
    balance_and_nothing_is_in_flight(&scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapper_without_a_name_signs_its_dead_letters_with_host_and_process() -> anyhow::Result<()> {
    let mut scene = scene()?;
    scene.installation.set("SCORESYNC_MAPPER__INSTANCE", "");
    let mapper = start(&scene, &["run", "mapper"]).await?;
    let foreign = Foreign::of(&scene)?;
    foreign.write((Topic::Raw, PARTITION), &Bytes::new("k", "no report")).await?;
    all_mapped(&scene).await?;
    let letters = scene.topics.dead_letters().await?;
    let task_id = letters
        .first()
        .and_then(|letter| letter.header("__connect.errors.task.id"))
        .unwrap_or_default();
    ensure!(task_id.ends_with(&format!("-{}", mapper.id())), "the task is {task_id:?}");
    mapper.stop(Duration::from_secs(30))?;
    balance_once_filed(&scene).await
}
