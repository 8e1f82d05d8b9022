//! The HTTP door of a running installation: who may send what, what the sender is told, and where it is found.

use std::collections::BTreeSet;

use anyhow::ensure;
use reqwest::StatusCode;
use scoresync_domain::Fate;
use scoresync_kafka::Topic;
use scoresync_tests::{installation::Database, process::Process, settle::settle};
use serde_json::json;

use crate::support::{Http, SETTLE, START, STOP, Scene, academy, balance_and_nothing_is_in_flight};

const CENTRE_TOKEN: &str = "
[tokens.centre]
sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"
sources = [\"centre\"]
";

/// Everything in one process, with tokens for all sources and for employees, and one employee.
async fn start() -> anyhow::Result<(Scene, Process)> {
    let mut scene = Scene::new(Database::Sqlite)?;
    scene.configure(CENTRE_TOKEN)?;
    scene.installation.set("SCORESYNC_DOOR__MAX_BODY_MIB", "1");
    for name in ["centre", "hr"] {
        scene.installation.make_token(name)?;
    }
    let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
    scene.installation.run(&["employees", "import", &roster])?;
    let mut process = scene.installation.start("up", &["up"])?;
    process.ready(START).await?;
    Ok((scene, process))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_sent_is_refused_with_what_to_do_and_leaves_nothing_behind() -> anyhow::Result<()> {
    let (scene, process) = start().await?;
    let http = Http::new(&scene.installation);
    let row = academy::json("X-1").to_string();
    let large = format!("[{row}{}]", " ".repeat(1 << 20));
    let json = "application/json";
    for (source, token, content_type, body, status, problem) in [
        ("academy", None, json, &row, StatusCode::UNAUTHORIZED, "no-token"),
        (
            "academy",
            Some("not-a-token"),
            json,
            &row,
            StatusCode::UNAUTHORIZED,
            "unknown-token",
        ),
        ("academy", Some("skills"), json, &row, StatusCode::FORBIDDEN, "forbidden"),
        ("academy", Some("hr"), json, &row, StatusCode::FORBIDDEN, "forbidden"),
        ("nobody", Some("academy"), json, &row, StatusCode::NOT_FOUND, "unknown-source"),
        (
            "academy",
            Some("academy"),
            "application/pdf",
            &row,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
        ),
        ("academy", Some("academy"), json, &large, StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
    ] {
        let answer = http.push((source, token), content_type, body.as_str()).await?;
        ensure!(answer.is_problem(status, problem), "{source} {token:?} {content_type}: {answer:?}");
        ensure!(answer.body["detail"].as_str().is_some_and(|detail| detail.len() > 20), "{answer:?}");
    }
    let employee = json!({ "name": "测试员" });
    for (token, status, problem) in [
        (None, StatusCode::UNAUTHORIZED, "no-token"),
        (Some("not-a-token"), StatusCode::UNAUTHORIZED, "unknown-token"),
        (Some("academy"), StatusCode::FORBIDDEN, "forbidden"),
    ] {
        let answer = http.put("E900", token, &employee).await?;
        ensure!(answer.is_problem(status, problem), "{token:?}: {answer:?}");
    }
    assert_eq!(scene.topics.count(Topic::Raw).await?, 0);
    assert_eq!(scene.topics.count(Topic::Employees).await?, 1, "the one who was imported");
    ensure!(process.stop(STOP)?.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_body_is_refused_at_its_line_and_column_and_the_rows_before_are_filed() -> anyhow::Result<()> {
    let (scene, process) = start().await?;
    let http = Http::new(&scene.installation);
    let body = format!("[\n{},\n{},\n  {{\"分数\" 85}}]", academy::json("X-1"), academy::json("X-2"));
    let answer = http.push(("academy", Some("academy")), "application/json", body).await?;
    ensure!(answer.is_problem(StatusCode::BAD_REQUEST, "malformed-body"), "{answer:?}");
    let told = ["line", "column", "accepted", "unreadable"].map(|member| answer.body[member].as_u64());
    assert_eq!(told, [Some(4), Some(9), Some(2), Some(0)], "{answer:?}");
    let archive = scene.archive().await?;
    settle((&scene.topics, &archive), (2, SETTLE), |_| {}).await?;
    assert_eq!(archive.file(academy::EMPLOYEE_NO).await?.len(), 2);
    assert_eq!(scene.topics.count(Topic::Raw).await?, 2);
    assert_eq!(scene.topics.count(Topic::DeadLetters).await?, 0);
    ensure!(process.stop(STOP)?.success());
    balance_and_nothing_is_in_flight(&scene)
}

/// A line of CSV as `centre` exports it, heading first.
fn centre_csv(rows: &[(&str, &str)]) -> String {
    let line = |(course, score): &(&str, &str)| format!("E100,测试员,{course},课程,{score},合格,2026/03/01\n");
    let heading = "工号,姓名,课程编号,课程名称,分数,是否合格,完成时间\n".to_owned();
    heading + &rows.iter().map(line).collect::<String>()
}

fn skills_xml(ids: &[&str]) -> String {
    let record = |id: &&str| {
        let texts = "<course_id>S-1</course_id><exam_score>70</exam_score><finish_timestamp>2026-03-01T09:30:00+08:00</finish_timestamp>";
        format!("<record><result_id>{id}</result_id><phone>+86 199 0000 0100</phone>{texts}<status>final</status></record>")
    };
    format!(
        "<?xml version=\"1.0\"?>\n<records>{}</records>",
        ids.iter().map(record).collect::<String>()
    )
}

fn academy_csv(exam_ids: &[&str]) -> String {
    let names: Vec<&str> = academy::fields("").into_iter().map(|(name, _)| name).collect();
    let line = |exam_id: &&str| {
        academy::fields(exam_id)
            .into_iter()
            .map(|(_, value)| value)
            .collect::<Vec<_>>()
            .join(",")
    };
    let lines: Vec<String> = std::iter::once(names.join(",")).chain(exam_ids.iter().map(line)).collect();
    lines.join("\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_is_accepted_counted_and_filed_under_the_ids_that_the_sender_is_told() -> anyhow::Result<()> {
    let (scene, process) = start().await?;
    let http = Http::new(&scene.installation);
    let gb18030 = encoding_rs::GB18030
        .encode(&centre_csv(&[("Z-1", "95分"), ("Z-2", "60")]))
        .0
        .into_owned();
    let ndjson = format!("{}\n{}\nno json\n", academy::json("N-1"), academy::json("N-2"));
    let array = format!("[{},{}]", academy::json("J-2"), academy::json("J-3"));
    let mut told = BTreeSet::new();
    let mut expected_raw = 0;
    for (source, content_type, body, accepted, unreadable) in [
        ("academy", "application/json", academy::json("J-1").to_string().into_bytes(), 1, 0),
        ("academy", "application/json; charset=utf-8", array.into_bytes(), 2, 0),
        ("academy", "application/x-ndjson", ndjson.into_bytes(), 3, 1),
        ("academy", "text/csv", academy_csv(&["C-1", "C-2"]).into_bytes(), 2, 0),
        ("skills", "application/xml", skills_xml(&["S-1", "S-2"]).into_bytes(), 2, 0),
        ("centre", "text/csv", gb18030, 2, 0),
        ("centre", "text/csv; charset=utf-8", centre_csv(&[("Z-3", "80")]).into_bytes(), 1, 0),
        ("academy", "application/json", b"[]".to_vec(), 0, 0),
    ] {
        let answer = http.push((source, Some(source)), content_type, body).await?;
        assert_eq!(
            (answer.status, answer.content_type.as_str()),
            (202, "application/json"),
            "{answer:?}"
        );
        let counts = [&answer.body["accepted"], &answer.body["unreadable"]].map(serde_json::Value::as_u64);
        assert_eq!(counts, [Some(accepted), Some(unreadable)], "{source} {content_type}: {answer:?}");
        let ids = answer.body["result_ids"].as_array().into_iter().flatten();
        told.extend(ids.filter_map(|id| id.as_str().map(str::to_owned)));
        expected_raw += accepted;
    }
    assert_eq!(told.len(), 12);
    let archive = scene.archive().await?;
    settle((&scene.topics, &archive), (usize::try_from(expected_raw)?, SETTLE), |_| {}).await?;
    let raw = scene.topics.raw().await?;
    assert_eq!(raw.len() as u64, expected_raw);
    let keys: BTreeSet<String> = raw
        .iter()
        .filter(|record| record.value.as_ref().is_some_and(|report| report.unparsed.is_none()))
        .filter_map(|record| record.key.clone())
        .collect();
    let filed: BTreeSet<String> = archive
        .file(academy::EMPLOYEE_NO)
        .await?
        .iter()
        .map(|record| record.result_id.to_string())
        .collect();
    assert_eq!((&keys, &filed), (&told, &told));
    ensure!(raw.iter().all(|record| record.headers.is_empty()), "a raw report has headers");
    let letters = scene.topics.dead_letters().await?;
    let reasons: Vec<_> = letters.iter().map(|letter| letter.header("scoresync.reason")).collect();
    assert_eq!(reasons, [Some("unparsed")]);
    let filed_count: i64 = archive
        .fates()
        .await?
        .into_iter()
        .filter(|((_, fate), _)| *fate == Fate::Filed)
        .map(|(_, count)| count)
        .sum();
    assert_eq!(filed_count, 12);
    ensure!(process.stop(STOP)?.success());
    balance_and_nothing_is_in_flight(&scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_put_is_found_by_a_report_that_is_sent_at_once() -> anyhow::Result<()> {
    const TIMES: usize = 50;
    let (scene, process) = start().await?;
    let http = Http::new(&scene.installation);
    for number in 0..TIMES {
        let employee_no = format!("N{number:03}");
        let phone = json!({ "kind": "phone", "value": format!("199000010{number:02}") });
        let put = http
            .put(&employee_no, Some("hr"), &json!({ "name": "新员工", "identities": [phone] }))
            .await?;
        assert_eq!((put.status, &put.body), (200, &json!({ "outcome": "changed" })));
        let mut row = academy::json("X-1");
        row["工号"] = employee_no.into();
        let answer = http.push(("academy", Some("academy")), "application/json", row.to_string()).await?;
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    let archive = scene.archive().await?;
    settle((&scene.topics, &archive), (TIMES, SETTLE), |_| {}).await?;
    assert_eq!(scene.topics.count(Topic::DeadLetters).await?, 0);
    assert_eq!(archive.judged().await?, TIMES as i64);
    for number in 0..TIMES {
        let file = archive.file(&format!("N{number:03}")).await?;
        assert_eq!(file.len(), 1, "the file of employee {number}");
    }
    let unchanged = http
        .put("N000", Some("hr"), &json!({ "name": "新员工", "as_of": "2020-01-01T00:00:00Z" }))
        .await?;
    ensure!(unchanged.is_problem(StatusCode::CONFLICT, "stale-statement"), "{unchanged:?}");
    ensure!(process.stop(STOP)?.success());
    balance_and_nothing_is_in_flight(&scene)
}
