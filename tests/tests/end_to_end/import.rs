//! Files: imported, interrupted, imported again, tried without effect; and lists of employees.

use std::{collections::BTreeSet, path::Path, time::Duration};

use anyhow::{Context, ensure};
use scoresync_domain::Fate;
use scoresync_kafka::Topic;
use scoresync_tests::{archive::Reader, installation::Database, process::Process, settle::settle};
use serde_json::Value;

use crate::support::{SETTLE, START, STOP, Scene, academy, balance_and_nothing_is_in_flight, until};

const ROWS: usize = 20_000;

fn scene() -> anyhow::Result<Scene> {
    let scene = Scene::new(Database::Sqlite)?;
    let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
    scene.installation.run(&["employees", "import", &roster])?;
    Ok(scene)
}

/// A file of `academy` with so many exams.
fn csv(rows: usize) -> String {
    let names: Vec<&str> = academy::fields("").into_iter().map(|(name, _)| name).collect();
    let line = |number: usize| {
        let values: Vec<String> = academy::fields(&format!("X-{number}"))
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        values.join(",")
    };
    let lines: Vec<String> = std::iter::once(names.join(",")).chain((0..rows).map(line)).collect();
    lines.join("\n")
}

/// What `scoresync import … --json` says of its one file, and whether it succeeded.
fn import(scene: &Scene, file: &Path, more: &[&str]) -> anyhow::Result<(bool, Value)> {
    let (file, state) = (file.display().to_string(), scene.folder().join("imports").display().to_string());
    let arguments = [&["import", "academy", &file, "--json", "--state-dir", &state], more].concat();
    let output = scene.installation.output(&arguments)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let summary: Value =
        serde_json::from_str(&said).with_context(|| format!("read what import said: {said}{}", String::from_utf8_lossy(&output.stderr)))?;
    Ok((output.status.success(), summary))
}

fn numbers(file: &Value) -> [Option<u64>; 4] {
    ["rows_read", "rows_skipped", "rows_sent", "rows_acknowledged"].map(|name| file[name].as_u64())
}

async fn fates(archive: &Reader) -> anyhow::Result<Vec<(Fate, i64)>> {
    let mut counts = std::collections::BTreeMap::new();
    for ((_, fate), count) in archive.fates().await? {
        *counts.entry(fate).or_insert(0) += count;
    }
    Ok(counts.into_iter().collect())
}

/// Starts an import and kills it (`kill -9`) while it sends; gives how many rows are in the topic then.
async fn import_half(scene: &Scene, file: &Path) -> anyhow::Result<u64> {
    let state = scene.folder().join("imports").display().to_string();
    let arguments = ["import", "academy", &file.display().to_string(), "--state-dir", &state];
    let mut first = scene.installation.start("first-import", &arguments)?;
    until("rows are in the topic", SETTLE, async || {
        run_for_a_moment(&first).await?;
        Ok(scene.topics.count(Topic::Raw).await? > 1_000)
    })
    .await?;
    ensure!(first.ended(Duration::ZERO)?.is_none(), "the import ended: {}", first.log());
    first.kill()?;
    let before = scene.topics.count(Topic::Raw).await? as u64;
    ensure!(before < ROWS as u64, "the import was not killed half way: {before} rows");
    Ok(before)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_half_way_goes_on_and_one_that_is_repeated_changes_nothing() -> anyhow::Result<()> {
    let scene = scene()?;
    let file = scene.file("academy.csv", csv(ROWS))?;
    let before = import_half(&scene, &file).await?;

    let (succeeded, summary) = import(&scene, &file, &[])?;
    let again = &summary["files"][0];
    ensure!(succeeded && again["outcome"]["outcome"] == "complete", "{summary}");
    let [read, skipped, sent, acknowledged] = numbers(again).map(Option::unwrap_or_default);
    assert_eq!((read, acknowledged), (ROWS as u64, sent), "{summary}");
    assert_eq!(skipped + sent, ROWS as u64, "{summary}");
    let resumed = again["notices"]
        .as_array()
        .is_some_and(|notices| notices.iter().any(|notice| notice == "resumed"));
    ensure!(resumed == (skipped > 0), "{summary}");
    ensure!(skipped <= before, "{skipped} rows were passed over, {before} were there");
    assert_eq!(scene.topics.count(Topic::Raw).await? as u64, before + sent);

    let mut up = scene.installation.start("up", &["up"])?;
    up.ready(START).await?;
    let archive = scene.archive().await?;
    settle((&scene.topics, &archive), (ROWS, SETTLE), |_| {}).await?;
    let file_of = async || -> anyhow::Result<_> {
        let records = archive.file(academy::EMPLOYEE_NO).await?;
        Ok(records
            .into_iter()
            .map(|record| record.result_id.to_string())
            .collect::<BTreeSet<_>>())
    };
    let filed = file_of().await?;
    assert_eq!(filed.len(), ROWS);
    let keys: BTreeSet<String> = scene.topics.raw().await?.into_iter().filter_map(|record| record.key).collect();
    assert_eq!(keys, filed);
    let surplus = (before + sent) as i64 - ROWS as i64;
    let expected = [(Fate::Filed, ROWS as i64), (Fate::Duplicate, surplus)];
    assert_eq!(
        fates(&archive).await?,
        expected.into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>()
    );

    let (succeeded, summary) = import(&scene, &file, &["--restart"])?;
    ensure!(succeeded, "{summary}");
    assert_eq!(
        numbers(&summary["files"][0]),
        [Some(ROWS as u64), Some(0), Some(ROWS as u64), Some(ROWS as u64)]
    );
    let all = usize::try_from(before + sent)? + ROWS;
    settle((&scene.topics, &archive), (all, SETTLE), |_| {}).await?;
    assert_eq!(
        fates(&archive).await?,
        [(Fate::Filed, ROWS as i64), (Fate::Duplicate, surplus + ROWS as i64)]
    );
    assert_eq!(file_of().await?, filed);
    assert_eq!(scene.topics.count(Topic::DeadLetters).await?, 0);
    ensure!(up.stop(STOP)?.success());
    balance_and_nothing_is_in_flight(&scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_says_what_would_become_of_each_row_and_sends_nothing() -> anyhow::Result<()> {
    let scene = scene()?;
    let mut rows = csv(2);
    rows.push_str("\nE-NOBODY-7,C-1,X-8,1,85,2026-03-01 09:30:00,1");
    rows.push_str("\nE100,C-1,X-9,1,fine,2026-03-01 09:30:00,1\nE100,C-1,X-10");
    let file = scene.file("academy.csv", rows)?;
    let (succeeded, said) = import(&scene, &file, &["--dry-run"])?;
    ensure!(succeeded, "{said}");
    let outcomes: Vec<_> = said["rows"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| (row["row"].as_u64(), row["outcome"].as_str()))
        .collect();
    let expected = [
        "would be filed or counted",
        "would be filed or counted",
        "unmatched_employee",
        "invalid_field",
        "unparsed",
    ];
    assert_eq!(outcomes, (1..).map(Some).zip(expected.map(Some)).collect::<Vec<_>>(), "{said}");
    assert_eq!(
        said["counts"],
        serde_json::json!({ expected[0]: 2, expected[2]: 1, expected[3]: 1, expected[4]: 1 })
    );
    ensure!(
        !said.to_string().contains("NOBODY") && !said.to_string().contains("fine"),
        "values are told: {said}"
    );
    let broken = scene.file("broken.json", format!("[{}, {{\"工", academy::json("X-11")))?;
    let (succeeded, said) = import(&scene, &broken, &["--dry-run"])?;
    ensure!(!succeeded, "{said}");
    assert_eq!(said["counts"], serde_json::json!({ expected[0]: 1 }));
    let problem = said["problems"][0]["problem"].as_str().unwrap_or_default();
    ensure!(problem.contains("after 1 rows"), "{said}");
    assert_eq!(scene.topics.count(Topic::Raw).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_reads_rows_as_large_as_the_door_does_and_no_larger() -> anyhow::Result<()> {
    let mut scene = scene()?;
    let padding = ("备注", "x".repeat(400 * 1024));
    let (heading, values): (Vec<_>, Vec<_>) = academy::fields("X-1").into_iter().chain([padding]).unzip();
    let file = scene.file("academy.csv", format!("{}\n{}\n", heading.join(","), values.join(",")))?;
    let (succeeded, refused) = import(&scene, &file, &[])?;
    ensure!(!succeeded && refused.to_string().contains("larger than 262144 bytes"), "{refused}");
    assert_eq!(scene.topics.count(Topic::Raw).await?, 0);
    scene.installation.set("SCORESYNC_DOOR__MAX_ROW_KIB", "480");
    for more in [&["--dry-run"][..], &[]] {
        let (succeeded, said) = import(&scene, &file, more)?;
        ensure!(succeeded, "{said}");
    }
    assert_eq!(scene.topics.count(Topic::Raw).await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn files_in_utf_16_and_with_byte_order_marks_are_read_like_others() -> anyhow::Result<()> {
    let scene = scene()?;
    let text = csv(3);
    let utf16 = |bytes: fn(u16) -> [u8; 2]| {
        std::iter::once(0xfeff)
            .chain(text.encode_utf16())
            .flat_map(bytes)
            .collect::<Vec<u8>>()
    };
    let mut ids = Vec::new();
    for (name, bytes) in [
        ("plain.csv", text.clone().into_bytes()),
        ("bom.csv", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("little.csv", utf16(u16::to_le_bytes)),
        ("big.csv", utf16(u16::to_be_bytes)),
    ] {
        let before = scene.topics.count(Topic::Raw).await?;
        let (succeeded, summary) = import(&scene, &scene.file(name, bytes)?, &[])?;
        ensure!(succeeded && summary["files"][0]["rows_unreadable"] == 0, "{name}: {summary}");
        assert_eq!(numbers(&summary["files"][0]), [Some(3), Some(0), Some(3), Some(3)], "{name}");
        assert_eq!(scene.topics.count(Topic::Raw).await?, before + 3, "{name}");
        let raw = scene.topics.raw().await?;
        ids.push(raw.into_iter().filter_map(|record| record.key).collect::<BTreeSet<_>>());
    }
    ensure!(ids[0].len() == 3 && ids.iter().all(|these| *these == ids[0]), "{ids:?}");
    Ok(())
}

fn list(numbers: std::ops::Range<usize>) -> String {
    let line = |number: usize| format!("E{number:05},员工{number},199{number:08}\n");
    format!("工号,姓名,手机号\n{}", numbers.map(line).collect::<String>())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_employees_that_says_nothing_new_writes_nothing_and_one_that_lost_many_is_refused() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    let all = scene.file("all.csv", list(0..100))?.display().to_string();
    let few = scene.file("few.csv", list(0..80))?.display().to_string();
    let import = |arguments: &[&str]| -> anyhow::Result<Value> {
        let arguments = [&["employees", "import", "--json"], arguments].concat();
        Ok(serde_json::from_str(&scene.installation.run(&arguments)?)?)
    };
    let told = |summary: &Value| ["new", "changed", "left", "unchanged"].map(|name| summary[name].as_u64().unwrap_or(u64::MAX));
    let first = import(&[&all, "--full", "--as-of", "2026-03-01T00:00:00Z"])?;
    assert_eq!(told(&first), [100, 0, 0, 0], "{first}");
    assert_eq!(scene.topics.count(Topic::Employees).await?, 100);
    let second = import(&[&all, "--full", "--as-of", "2026-03-02T00:00:00Z"])?;
    assert_eq!(told(&second), [0, 0, 0, 100], "{second}");
    let refused = scene
        .installation
        .output(&["employees", "import", &few, "--full", "--as-of", "2026-03-03T00:00:00Z"])?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    ensure!(said.contains("nothing was written") && said.contains("20"), "{said}");
    assert_eq!(scene.topics.count(Topic::Employees).await?, 100);
    let forced = import(&[&few, "--full", "--force", "--as-of", "2026-03-03T00:00:00Z"])?;
    assert_eq!(told(&forced), [0, 0, 20, 80], "{forced}");
    assert_eq!(scene.topics.count(Topic::Employees).await?, 120);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_imports_of_employees_at_once_the_second_is_refused() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    let employees = 40_000;
    let large = scene.file("large.csv", list(0..employees))?.display().to_string();
    let small = scene.file("small.csv", list(0..10))?.display().to_string();
    let mut first = scene.installation.start("first-import", &["employees", "import", &large])?;
    until("the first import writes", SETTLE, async || {
        run_for_a_moment(&first).await?;
        Ok(scene.topics.count(Topic::Employees).await? > 0)
    })
    .await?;
    let mut command = scene.installation.command(&["employees", "import", &small])?;
    let second = tokio::task::spawn_blocking(move || command.output());
    // However fast it is, the first goes on for as long as the second asks, and never so slowly that it loses its place in the group.
    while !second.is_finished() {
        run_for_a_moment(&first).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    ensure!(
        first.ended(Duration::ZERO)?.is_none(),
        "the first import was through before the second asked"
    );
    first.signal("CONT")?;
    let second = second.await??;
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    ensure!(said.contains("another import of employees is going on"), "{said}");
    let status = first.ended(Duration::from_secs(120))?.context("the first import goes on")?;
    ensure!(status.success(), "{}", first.log());
    assert_eq!(scene.topics.count(Topic::Employees).await?, employees as i64);
    Ok(())
}

/// Lets a process run that stands still else, so that it cannot be through before somebody has looked.
async fn run_for_a_moment(process: &Process) -> anyhow::Result<()> {
    process.signal("CONT")?;
    tokio::time::sleep(Duration::from_millis(20)).await;
    process.signal("STOP")
}
