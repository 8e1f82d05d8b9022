//! The dead-letter desk: what could not be filed is seen, and melts away when its people appear.

use std::time::Duration;

use anyhow::{Context, ensure};
use scoresync_domain::Fate;
use scoresync_kafka::Topic;
use scoresync_tests::{installation::Database, process::Process};
use serde_json::Value;

use crate::support::{Bytes, Foreign, SETTLE, START, STOP, Scene, academy, until};

const REPORTS: usize = 10_000;
const PEOPLE: usize = 500;
/// Within which letters are filed whose people have appeared.
const MELT: Duration = Duration::from_secs(60);

/// Exams of people whom nobody knows.
fn reports() -> String {
    let names: Vec<&str> = academy::fields("").into_iter().map(|(name, _)| name).collect();
    let line = |number: usize| {
        let mut fields = academy::fields(&format!("X-{number}"));
        fields[0].1 = format!("U{}", number % PEOPLE);
        fields.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(",")
    };
    let lines: Vec<String> = std::iter::once(names.join(",")).chain((0..REPORTS).map(line)).collect();
    lines.join("\n")
}

/// Those people.
fn people() -> String {
    let lines = (0..PEOPLE).map(|number| format!("U{number},人{number},{}\n", 19_900_100_000_u64 + number as u64));
    format!("工号,姓名,手机号\n{}", lines.collect::<String>())
}

fn start(scene: &Scene, stages: &[&str]) -> anyhow::Result<Vec<Process>> {
    let start = |stage: &&str| scene.installation.start(stage, &["run", stage]);
    stages.iter().map(start).collect()
}

async fn ready(processes: &mut [Process]) -> anyhow::Result<()> {
    for process in processes {
        process.ready(START).await?;
    }
    Ok(())
}

fn end(processes: Vec<Process>) -> anyhow::Result<()> {
    for process in processes {
        ensure!(process.stop(STOP)?.success(), "a stage did not end well");
    }
    Ok(())
}

/// What a command of the desk says.
fn dlq(scene: &Scene, arguments: &[&str]) -> anyhow::Result<Value> {
    let said = scene.installation.run(&[&["dlq"], arguments, &["--json"]].concat())?;
    serde_json::from_str(&said).with_context(|| format!("read {said}"))
}

/// How many letters are in a state.
fn count(scene: &Scene, state: &str) -> anyhow::Result<usize> {
    let stats = dlq(scene, &["stats"])?;
    Ok(stats["states"][state].as_u64().unwrap_or(0).try_into()?)
}

async fn until_letters_are(scene: &Scene, state: &str, letters: usize, deadline: Duration) -> anyhow::Result<()> {
    until(&format!("{letters} letters are {state}"), deadline, async || {
        let counted = count(scene, state)?;
        ensure!(counted <= letters, "{counted} are {state}");
        Ok(counted == letters)
    })
    .await
}

fn import(scene: &Scene, file: &str) -> anyhow::Result<()> {
    let state = scene.folder().join("imports").display().to_string();
    scene
        .installation
        .run(&["import", "academy", file, "--state-dir", &state])
        .map(drop)
}

fn employ(scene: &Scene, roster: &str) -> anyhow::Result<()> {
    let file = scene.file("people.csv", roster)?.display().to_string();
    scene.installation.run(&["employees", "import", &file]).map(drop)
}

/// Every report of the people is in the archive, once.
async fn are_filed_once(scene: &Scene, reports: usize) -> anyhow::Result<()> {
    let archive = scene.archive().await?;
    let fates = async |fate: Fate| -> anyhow::Result<i64> {
        let counts = archive.fates().await?;
        Ok(counts.iter().filter(|((_, known), _)| *known == fate).map(|(_, count)| count).sum())
    };
    let filed = i64::try_from(reports)?;
    until("all are filed", SETTLE, async || Ok(fates(Fate::Filed).await? >= filed)).await?;
    ensure!(fates(Fate::Filed).await? == filed, "some are filed twice");
    ensure!(archive.refused().await?.is_empty(), "some are refused");
    for number in [0, 7, PEOPLE - 1] {
        let records = archive.file(&format!("U{number}")).await?;
        ensure!(records.len() == reports / PEOPLE, "U{number} has {} records", records.len());
    }
    Ok(())
}

async fn melt(database: Database) -> anyhow::Result<()> {
    let scene = Scene::new(database)?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    import(&scene, &scene.file("reports.csv", reports())?.display().to_string())?;
    until_letters_are(&scene, "open", REPORTS, SETTLE).await?;
    let groups = dlq(&scene, &["groups", "--limit", "1000"])?;
    let groups = groups.as_array().context("no list")?;
    ensure!(groups.len() == PEOPLE, "{} problems", groups.len());
    ensure!(groups.iter().all(|group| group["letters"] == REPORTS / PEOPLE), "{:?}", groups[0]);
    ensure!(
        groups[0]["identities"][0]["value"]
            .as_str()
            .is_some_and(|value| value.contains('•')),
        "{:?}",
        groups[0]
    );
    employ(&scene, &people())?;
    until_letters_are(&scene, "filed", REPORTS, MELT).await?;
    are_filed_once(&scene, REPORTS).await?;
    let open = dlq(&scene, &["stats"])?["open"].clone();
    ensure!(open.as_array().is_some_and(Vec::is_empty), "{open}");
    end(processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_melt_away_when_their_people_appear_in_postgresql() -> anyhow::Result<()> {
    melt(Database::Postgres).await
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_melt_away_when_their_people_appear_in_sqlite() -> anyhow::Result<()> {
    melt(Database::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_is_killed_again_and_again_files_every_letter_once() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Postgres)?;
    let mut processes = start(&scene, &["sink", "mapper"])?;
    ready(&mut processes).await?;
    let mut desk = scene.installation.start("desk-0", &["run", "desk"])?;
    import(&scene, &scene.file("reports.csv", reports())?.display().to_string())?;
    // While it takes letters in, while it hears of the people, and while it sends.
    for (number, pause) in [300, 900, 100, 500, 700].into_iter().enumerate() {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        desk.kill()?;
        desk = scene.installation.start(&format!("desk-{}", number + 1), &["run", "desk"])?;
        if number == 1 {
            employ(&scene, &people())?;
        }
        desk.ready(START).await?;
    }
    until_letters_are(&scene, "filed", REPORTS, SETTLE).await?;
    are_filed_once(&scene, REPORTS).await?;
    ensure!(count(&scene, "open")? == 0 && count(&scene, "redriven")? == 0, "letters are left");
    processes.push(desk);
    end(processes)
}

/// The headers of all letters about one report, in their order.
async fn letters_about(scene: &Scene, origin: &str) -> anyhow::Result<Vec<Vec<(String, String)>>> {
    let letters = scene.topics.dead_letters().await?;
    let about = letters
        .into_iter()
        .filter(|letter| letter.header("scoresync.origin") == Some(origin));
    Ok(about.map(|letter| letter.headers).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_fails_again_keeps_its_past_and_is_tried_no_more_than_so_often() -> anyhow::Result<()> {
    let mut scene = Scene::new(Database::Sqlite)?;
    scene.installation.set("SCORESYNC_DESK__MAX_ATTEMPTS", "2");
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    let foreign = Foreign::of(&scene)?;
    let report = academy::report("X-1", &[("工号", "NOBODY")]);
    foreign
        .write((Topic::Raw, 0), &Bytes::new("k", foreign.encode(&report).await?))
        .await?;
    until_letters_are(&scene, "open", 1, SETTLE).await?;
    let listed = dlq(&scene, &["list"])?[0].clone();
    let origin = listed["letter"].as_str().context("no letter")?.to_owned();
    let dry = dlq(&scene, &["redrive", &origin, "--dry-run"])?;
    ensure!(dry["redriven"] == 1 && count(&scene, "open")? == 1, "{dry}");
    ensure!(dlq(&scene, &["redrive", &origin])?["redriven"] == 1, "it was not redriven");
    until("it failed again", SETTLE, async || {
        let letter = dlq(&scene, &["show", &origin])?;
        Ok(letter["attempt"] == 2 && letter["state"] == "open")
    })
    .await?;
    let [first, second] = &letters_about(&scene, &origin).await?[..] else {
        anyhow::bail!("not two letters")
    };
    let header = |letter: &[(String, String)], name: &str| {
        let values: Vec<String> = letter
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
            .collect();
        values.join("|")
    };
    ensure!(
        header(first, "scoresync.attempt") == "1" && header(second, "scoresync.attempt") == "2",
        "{second:?}"
    );
    for same in [
        "scoresync.first_failed_at",
        "scoresync.origin",
        "scoresync.reason",
        "scoresync.source",
    ] {
        ensure!(
            header(first, same) == header(second, same) && !header(first, same).is_empty(),
            "{same}: {second:?}"
        );
    }
    ensure!(first.len() == second.len(), "{first:?} and {second:?}");
    let shown = dlq(&scene, &["show", &origin])?;
    ensure!(shown["first_failed_at"] == listed["first_failed_at"], "{shown}");
    // It was tried as often as it may be.
    let refused = dlq(&scene, &["redrive", "--all"])?;
    ensure!(refused["redriven"] == 0 && refused["tried_too_often"] == 1, "{refused}");
    let output = scene.installation.output(&["dlq", "discard", &origin])?;
    ensure!(output.status.code() == Some(2), "a reason must be given");
    ensure!(
        dlq(&scene, &["discard", &origin, "--because", "a test"])?["discarded"] == 1,
        "it was not discarded"
    );
    let discarded = dlq(&scene, &["show", &origin])?;
    ensure!(
        discarded["state"] == "discarded" && discarded["closing_reason"] == "a test",
        "{discarded}"
    );
    end(processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_report_that_is_redriven_after_its_correction_is_superseded() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Postgres)?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    employ(&scene, academy::ROSTER)?;
    let foreign = Foreign::of(&scene)?;
    // The first version has a score that cannot be read by this mapping; the correction has one that can.
    let old = academy::report("X-1", &[("工号", "U1"), ("版本", "1"), ("分数", "60")]);
    foreign
        .write((Topic::Raw, 0), &Bytes::new("k", foreign.encode(&old).await?))
        .await?;
    until_letters_are(&scene, "open", 1, SETTLE).await?;
    employ(&scene, "工号,姓名,手机号\nU1,人,19900100001\n")?;
    let archive = scene.archive().await?;
    until("the old report is filed", SETTLE, async || Ok(archive.file("U1").await?.len() == 1)).await?;
    let new = academy::report("X-2", &[("工号", "U2"), ("版本", "2"), ("分数", "90")]);
    let older = academy::report("X-2", &[("工号", "U2"), ("版本", "1"), ("分数", "60")]);
    foreign
        .write((Topic::Raw, 0), &Bytes::new("k", foreign.encode(&older).await?))
        .await?;
    until_letters_are(&scene, "open", 1, SETTLE).await?;
    // Her number becomes known to the mapper before the correction; the desk is stopped meanwhile, so that the correction is first.
    let desk = processes.pop().context("no desk")?;
    ensure!(desk.stop(STOP)?.success(), "the desk did not end well");
    employ(&scene, "工号,姓名,手机号\nU2,人二,19900100002\n")?;
    foreign
        .write((Topic::Raw, 0), &Bytes::new("k", foreign.encode(&new).await?))
        .await?;
    until("the correction is filed", SETTLE, async || Ok(archive.file("U2").await?.len() == 1)).await?;
    processes.extend(start(&scene, &["desk"])?);
    until_letters_are(&scene, "filed", 2, SETTLE).await?;
    until("the old report is judged", SETTLE, async || {
        let counts = archive.fates().await?;
        Ok(counts.iter().any(|((_, fate), count)| *fate == Fate::Superseded && *count == 1))
    })
    .await?;
    let records = archive.file("U2").await?;
    ensure!(records[0].head.revision == Some(2), "{:?}", records[0].head);
    end(processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_other_systems_are_listed_with_where_they_come_from() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    let foreign = Foreign::of(&scene)?;
    let connect = Bytes::new("k", "not ours")
        .with_header("__connect.errors.topic", "orders")
        .with_header("__connect.errors.partition", "3")
        .with_header("__connect.errors.offset", "41")
        .with_header(
            "__connect.errors.exception.class.name",
            "org.apache.kafka.connect.errors.DataException",
        );
    foreign.write((Topic::DeadLetters, 0), &connect).await?;
    foreign.write((Topic::DeadLetters, 1), &connect).await?;
    foreign.write((Topic::DeadLetters, 2), &Bytes::new("k", "who wrote this?")).await?;
    // The file is made by whoever comes first.
    let mut processes = start(&scene, &["desk"])?;
    ready(&mut processes).await?;
    until_letters_are(&scene, "open", 2, SETTLE).await?;
    let letters = dlq(&scene, &["list"])?;
    let about: Vec<(&str, &str)> = letters
        .as_array()
        .context("no list")?
        .iter()
        .filter_map(|letter| Some((letter["letter"].as_str()?, letter["family"].as_str()?)))
        .collect();
    ensure!(about.contains(&("orders:0/3/41", "connect")), "{about:?}");
    ensure!(about.iter().any(|(_, family)| *family == "unknown"), "{about:?}");
    let redriven = dlq(&scene, &["redrive", "--all"])?;
    ensure!(redriven["redriven"] == 0 && redriven["of_other_systems"] == 2, "{redriven}");
    ensure!(scene.topics.count(Topic::Raw).await? == 0, "something was sent");
    end(processes)
}
