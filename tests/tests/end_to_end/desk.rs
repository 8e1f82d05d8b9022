//! The dead-letter desk: what could not be filed is seen, and melts away when its people appear.

use std::time::Duration;

use anyhow::{Context, ensure};
use scoresync_domain::{Employee, Fate, Fields, Identity, IdentityKind, Score, ScoreReport, Status, Timestamp};
use scoresync_fault_points::Point;
use scoresync_kafka::{Encoder, Topic};
use scoresync_tests::{
    chaos::{CRASH, FREEZE},
    installation::Database,
    process::Process,
};
use serde_json::Value;

use crate::support::{Bytes, Foreign, SETTLE, START, STOP, Scene, academy, academy::write, balance, end, ready, start, until};

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
    balance(scene)
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

/// Letters are taken in, their people appear, and the desk dies at each of its places, once before there is anything else to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_crashes_at_any_of_its_points_files_every_letter_once() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Postgres)?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    for (number, point) in Point::DESK.into_iter().enumerate() {
        end(processes.split_off(2))?;
        let arming = [(CRASH.to_owned(), format!("{}:1", point.as_str()))];
        let mut desk = scene.installation.start_armed("armed", &["run", "desk"], &arming)?;
        if !matches!(point, Point::LettersTaken) {
            // What nobody waits for is taken in without a letter.
            desk.ready(START).await?;
        }
        write(&scene, &format!("X-{number}"), &[("工号", &format!("U{number}"))]).await?;
        if !matches!(point, Point::LettersTaken | Point::LettersKept) {
            until_letters_are(&scene, "open", 1, SETTLE).await?;
            employ(&scene, &format!("工号,姓名,手机号\nU{number},人,1990010000{number}\n"))?;
        }
        let status = desk.ended(SETTLE)?.with_context(|| format!("nothing came by {}", point.as_str()))?;
        ensure!(!status.success(), "it ended well at {}", point.as_str());
        processes.extend(start(&scene, &["desk"])?);
        ready(&mut processes[2..]).await?;
        if matches!(point, Point::LettersTaken | Point::LettersKept) {
            until_letters_are(&scene, "open", 1, SETTLE).await?;
            employ(&scene, &format!("工号,姓名,手机号\nU{number},人,1990010000{number}\n"))?;
        }
        until_letters_are(&scene, "filed", number + 1, SETTLE).await?;
        has_records(&scene, &format!("U{number}"), 1).await?;
    }
    let letters = scene.topics.count(Topic::DeadLetters).await?;
    ensure!(
        letters == i64::try_from(Point::DESK.len())?,
        "{letters} letters: an attempt was burnt"
    );
    balance(&scene)?;
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
    balance(&scene)?;
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
    balance(&scene)?;
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
    let spring: [(&str, &[u8]); 4] = [
        ("kafka_dlt-exception-fqcn", b"com.example.Failed"),
        ("kafka_dlt-original-topic", b"payments"),
        ("kafka_dlt-original-partition", &7_i32.to_be_bytes()),
        ("kafka_dlt-original-offset", &9_000_000_000_i64.to_be_bytes()),
    ];
    foreign.write_with((Topic::DeadLetters, 3), &spring).await?;
    // The file is made by whoever comes first.
    let mut processes = start(&scene, &["desk"])?;
    ready(&mut processes).await?;
    until_letters_are(&scene, "open", 3, SETTLE).await?;
    let letters = dlq(&scene, &["list"])?;
    let about: Vec<(&str, &str)> = letters
        .as_array()
        .context("no list")?
        .iter()
        .filter_map(|letter| Some((letter["letter"].as_str()?, letter["family"].as_str()?)))
        .collect();
    ensure!(about.contains(&("orders:0/3/41", "connect")), "{about:?}");
    ensure!(about.contains(&("payments:0/7/9000000000", "spring")), "{about:?}");
    ensure!(about.iter().any(|(_, family)| *family == "unknown"), "{about:?}");
    let redriven = dlq(&scene, &["redrive", "--all"])?;
    ensure!(redriven["redriven"] == 0 && redriven["of_other_systems"] == 3, "{redriven}");
    ensure!(scene.topics.count(Topic::Raw).await? == 0, "something was sent");
    end(processes)
}

async fn has_records(scene: &Scene, employee_no: &str, count: usize) -> anyhow::Result<()> {
    let archive = scene.archive().await?;
    until(&format!("{employee_no} has {count} records"), SETTLE, async || {
        Ok(archive.file(employee_no).await?.len() == count)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_filed_whenever_its_employee_appears() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Postgres)?;
    let mut processes = start(&scene, &["sink", "mapper"])?;
    ready(&mut processes).await?;
    let desk = async |name: &str| -> anyhow::Result<Process> {
        let mut desk = scene.installation.start(name, &["run", "desk"])?;
        desk.ready(START).await?;
        Ok(desk)
    };
    let roster = |number: usize| format!("工号,姓名,手机号\nU{number},人,1990010000{number}\n");
    let stop = |desk: Process| end(vec![desk]);
    // The letter is read, then the employee appears.
    let running = desk("desk-1").await?;
    write(&scene, "X-1", &[("工号", "U1")]).await?;
    until_letters_are(&scene, "open", 1, SETTLE).await?;
    employ(&scene, &roster(1))?;
    until_letters_are(&scene, "filed", 1, SETTLE).await?;
    // The letter is read, and nobody is there to hear of the employee.
    write(&scene, "X-2", &[("工号", "U2")]).await?;
    until_letters_are(&scene, "open", 1, SETTLE).await?;
    stop(running)?;
    employ(&scene, &roster(2))?;
    let running = desk("desk-2").await?;
    until_letters_are(&scene, "filed", 2, SETTLE).await?;
    // The employee is known by the time at which the letter is read, and was not when the mapper wrote it.
    stop(running)?;
    write(&scene, "X-3", &[("工号", "U3")]).await?;
    until("the letter is written", SETTLE, async || {
        Ok(scene.topics.count(Topic::DeadLetters).await? == 3)
    })
    .await?;
    employ(&scene, &roster(3))?;
    let running = desk("desk-3").await?;
    until_letters_are(&scene, "filed", 3, SETTLE).await?;
    for number in 1..=3 {
        has_records(&scene, &format!("U{number}"), 1).await?;
    }
    ensure!(scene.topics.count(Topic::DeadLetters).await? == 3, "an attempt was burnt");
    processes.push(running);
    balance(&scene)?;
    end(processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_files_what_waits_and_can_be_taken_back_and_what_it_filed_be_moved() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Postgres)?;
    employ(&scene, &format!("{}E200,另一人,19900000200\n", academy::ROSTER))?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    write(&scene, "X-1", &[("工号", "WRONG")]).await?;
    until_letters_are(&scene, "open", 1, SETTLE).await?;
    let letter = dlq(&scene, &["list"])?[0]["letter"].as_str().context("no letter")?.to_owned();
    let stranger = scene
        .installation
        .output(&["dlq", "resolve", &letter, "--employee", "E999", "--because", "a test"])?;
    ensure!(stranger.status.code() == Some(1), "a decision for somebody unknown was taken");
    let shown = dlq(&scene, &["show", &letter, "--candidates"])?;
    ensure!(
        shown["candidates"].as_array().is_some_and(Vec::is_empty) && shown["fields"]["工号"] == "W•••G",
        "{shown}"
    );
    let dry = dlq(
        &scene,
        &["resolve", &letter, "--employee", "E100", "--because", "a test", "--dry-run"],
    )?;
    ensure!(dry["about"] == "employee_no W•••G in academy", "{dry}");
    dlq(&scene, &["resolve", &letter, "--employee", "E100", "--because", "a test"])?;
    until_letters_are(&scene, "filed", 1, SETTLE).await?;
    has_records(&scene, "E100", 1).await?;
    let by_alias = scene
        .installation
        .run(&["records", "--matched-by", "alias:employee_no", "--json"])?;
    let by_alias: Value = serde_json::from_str(&by_alias)?;
    ensure!(by_alias.as_array().is_some_and(|all| all.len() == 1), "{by_alias}");
    let result_id = by_alias[0]["result_id"].as_str().context("no result")?.to_owned();
    // Taken back: the next report of that number is a letter again.
    scene.installation.run(&[
        "aliases",
        "revoke",
        "identity/academy/employee_no/WRONG",
        "--because",
        "it was wrong",
    ])?;
    write(&scene, "X-2", &[("工号", "WRONG")]).await?;
    until_letters_are(&scene, "open", 1, SETTLE).await?;
    has_records(&scene, "E100", 1).await?;
    // Moved, and so are its corrections.
    dlq(
        &scene,
        &["resolve", "--result", &result_id, "--employee", "E200", "--because", "it is hers"],
    )?;
    has_records(&scene, "E200", 1).await?;
    has_records(&scene, "E100", 0).await?;
    write(&scene, "X-1", &[("工号", "WRONG"), ("版本", "2"), ("分数", "99")]).await?;
    let archive = scene.archive().await?;
    until("the correction is filed on its new owner", SETTLE, async || {
        let records = archive.file("E200").await?;
        Ok(records.len() == 1 && records[0].head.revision == Some(2))
    })
    .await?;
    let file = archive.file("E200").await?;
    let owners: Vec<Option<&str>> = file[0].history.iter().map(|other| other.head.employee_no.as_deref()).collect();
    ensure!(owners.contains(&Some("E100")), "the first owner is forgotten: {owners:?}");
    ensure!(archive.refused().await?.is_empty(), "something is refused");
    // What is nobody's is discarded.
    let problem = dlq(&scene, &["groups"])?[0]["problem"].as_str().context("no problem")?.to_owned();
    let nobody = dlq(&scene, &["resolve", "--group", &problem, "--nobody", "--because", "a test account"])?;
    ensure!(nobody["discarded"] == 1, "{nobody}");
    let aliases: Value = serde_json::from_str(&scene.installation.run(&["aliases", "list", "--json"])?)?;
    ensure!(aliases.as_array().is_some_and(|all| all.len() == 2), "{aliases}");
    balance(&scene)?;
    end(processes)
}

/// A command that decides whose a result is.
fn resolve<'a>(result_id: &'a str, employee_no: &'a str) -> [&'a str; 8] {
    [
        "dlq",
        "resolve",
        "--result",
        result_id,
        "--employee",
        employee_no,
        "--because",
        "it is hers",
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_dies_anywhere_is_carried_out_if_it_was_written() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Postgres)?;
    employ(&scene, &format!("{}E200,另一人,19900000200\n", academy::ROSTER))?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    for number in 0..Point::DECISION.len() {
        write(&scene, &format!("X-{number}"), &[]).await?;
    }
    has_records(&scene, "E100", Point::DECISION.len()).await?;
    let filed = scene.archive().await?.file("E100").await?;
    for (point, record) in Point::DECISION.into_iter().zip(&filed) {
        let result_id = record.result_id.to_string();
        scene.installation.crash(&resolve(&result_id, "E200"), (point, 1))?;
    }
    has_records(&scene, "E200", Point::DECISION.len() - 1).await?;
    has_records(&scene, "E100", 1).await?;
    // A withdrawal names nobody: what it withdraws is moved by the report that does.
    write(&scene, "X-0", &[("状态", "作废"), ("版本", "2")]).await?;
    let archive = scene.archive().await?;
    let exams = async |owner: &str, status| -> anyhow::Result<usize> {
        let records = archive.file(owner).await?;
        Ok(records.iter().filter(|record| record.head.status == status).count())
    };
    until("it is withdrawn", SETTLE, async || {
        Ok(exams("E100", Status::Withdrawn).await? + exams("E200", Status::Withdrawn).await? == 1)
    })
    .await?;
    let owner = if exams("E100", Status::Withdrawn).await? == 1 {
        "E200"
    } else {
        "E100"
    };
    let file = archive.file(if owner == "E100" { "E200" } else { "E100" }).await?;
    let moved = file
        .iter()
        .find(|record| record.head.status == Status::Withdrawn)
        .context("it is gone")?
        .result_id;
    scene.installation.run(&resolve(&moved.to_string(), owner))?;
    until("it is moved", SETTLE, async || Ok(exams(owner, Status::Withdrawn).await? == 1)).await?;
    balance(&scene)?;
    end(processes)
}

/// Somebody decides by what stands, and while that one sleeps before it is written, somebody else decides about the same.
async fn decide_meanwhile(scene: &Scene, slow: &[&str], quick: &[&str]) -> anyhow::Result<()> {
    let arming = [(FREEZE.to_owned(), format!("{}:1", Point::DecisionMade.as_str()))];
    let mut sleeper = scene.installation.start_armed("decider", slow, &arming)?;
    until("one decides", SETTLE, async || Ok(sleeper.is_stopped())).await?;
    scene.installation.run(quick)?;
    sleeper.signal("CONT")?;
    let status = sleeper.ended(START)?.context("it decides and decides")?;
    ensure!(status.success(), "{status}: {}", sleeper.log());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_decide_at_the_same_moment_none_overwrites_what_it_has_not_seen() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    employ(
        &scene,
        &format!("{}E200,另一人,19900000200\nE300,又一人,19900000300\n", academy::ROSTER),
    )?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    write(&scene, "X-1", &[]).await?;
    has_records(&scene, "E100", 1).await?;
    let result_id = scene.archive().await?.file("E100").await?[0].result_id.to_string();
    let decisions =
        async || -> anyhow::Result<Value> { Ok(serde_json::from_str(&scene.installation.run(&["aliases", "list", "--json"])?)?) };
    // The later of the two stands, with a later time than the one that it covers, or the archive would not follow it.
    decide_meanwhile(&scene, &resolve(&result_id, "E300"), &resolve(&result_id, "E200")).await?;
    has_records(&scene, "E300", 1).await?;
    let standing = decisions().await?;
    ensure!(standing[0]["employee_no"] == "E300", "{standing}");
    // What is taken back is the decision that stands by then, not the one that was seen.
    let subject = format!("result/{result_id}");
    let revoke = ["aliases", "revoke", &subject, "--because", "it was wrong"];
    decide_meanwhile(&scene, &revoke, &resolve(&result_id, "E200")).await?;
    let revoked = decisions().await?;
    ensure!(
        revoked[0]["employee_no"] == "E200" && revoked[0]["revoked_by"].is_string(),
        "{revoked}"
    );
    // Two who take the same back have both taken it back, and the times of what was written grow.
    scene.installation.run(&resolve(&result_id, "E100"))?;
    decide_meanwhile(&scene, &revoke, &revoke).await?;
    let twice = decisions().await?;
    let time = |decisions: &Value| decisions[0]["revoked_at"].as_str().map(str::to_owned);
    ensure!(twice[0]["employee_no"] == "E100" && time(&twice) > time(&revoked), "{twice}");
    balance(&scene)?;
    end(processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_to_be_somebodys_is_filed_when_they_come_back() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    employ(&scene, academy::ROSTER)?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    write(&scene, "X-1", &[("工号", "WRONG")]).await?;
    until_letters_are(&scene, "open", 1, SETTLE).await?;
    let letter = dlq(&scene, &["list"])?[0]["letter"].as_str().context("no letter")?.to_owned();
    dlq(&scene, &["resolve", &letter, "--employee", "E100", "--because", "a test"])?;
    until_letters_are(&scene, "filed", 1, SETTLE).await?;
    // She is erased, so that her number means nobody.
    let foreign = Foreign::of(&scene)?;
    foreign.erase((Topic::Employees, 0), "E100").await?;
    until("nobody has her number", SETTLE, async || {
        let output = scene
            .installation
            .output(&["dlq", "resolve", &letter, "--employee", "E100", "--because", "a test", "--dry-run"])?;
        Ok(output.status.code() == Some(1))
    })
    .await?;
    write(&scene, "X-2", &[("工号", "WRONG")]).await?;
    until_letters_are(&scene, "open", 1, SETTLE).await?;
    employ(&scene, academy::ROSTER)?;
    until_letters_are(&scene, "filed", 2, SETTLE).await?;
    balance(&scene)?;
    end(processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_resembles_the_person_in_a_letter_is_suggested_and_nothing_is_filed_by_that() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    employ(&scene, academy::ROSTER)?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    write(&scene, "X-1", &[("工号", "WRONG")]).await?;
    write(&scene, "X-2", &[("工号", "E1O0"), ("手机号", "19900000101")]).await?;
    until_letters_are(&scene, "open", 2, SETTLE).await?;
    let show = |text: &str| -> anyhow::Result<Value> {
        let letter = dlq(&scene, &["list", "--text", text])?[0]["letter"]
            .as_str()
            .context("no letter")?
            .to_owned();
        dlq(&scene, &["show", &letter, "--candidates"])
    };
    let nobody = show("wrong")?;
    ensure!(nobody["candidates"].as_array().is_some_and(Vec::is_empty), "{nobody}");
    ensure!(
        nobody["fields"]["工号"] == "W•••G" && nobody["fields"]["分数"] == "85.5",
        "{nobody}"
    );
    let mistyped = show("e1o0")?;
    ensure!(
        mistyped["candidates"][0]["employee_no"] == "E100" && mistyped["candidates"][0]["name"] == "测•••员",
        "{mistyped}"
    );
    let because = mistyped["candidates"][0]["because"].as_array().context("no reasons")?;
    ensure!(because.len() == 2, "{because:?}");
    ensure!(count(&scene, "open")? == 2, "something was filed by a suggestion");
    balance(&scene)?;
    end(processes)
}

/// A report of `skills`, which knows phones alone.
pub(crate) fn by_phone((result_id, phone): (&str, &str), score: &str) -> ScoreReport<'static> {
    let fields = [
        ("result_id", result_id),
        ("phone", phone),
        ("course_id", "C-1"),
        ("exam_score", score),
        ("finish_timestamp", "2026-03-01T09:30:00+08:00"),
        ("status", "final"),
    ];
    let fields = fields.map(|(name, value)| (name.into(), Some(value.to_owned().into())));
    ScoreReport {
        source: "skills".into(),
        fields: Fields::from_unique(fields.to_vec()),
        ..academy::report("X-1", &[])
    }
}

/// A connector overwrites E100 and E200, so that the phone is the other's, who has a further one, and says nothing of when.
async fn overwrite(foreign: &Foreign, phones: [&str; 2]) -> anyhow::Result<()> {
    let encoder = Encoder::<Employee>::new(foreign.schema_id(Topic::Employees).await?);
    for (number, phones) in [("E100", &[][..]), ("E200", &phones)] {
        let identities = phones.iter().map(|phone| Identity {
            kind: IdentityKind::Phone,
            system: None,
            value: (*phone).to_owned(),
            valid_from: None,
            valid_to: None,
        });
        let employee = Employee {
            employee_no: number.to_owned(),
            name: None,
            department: None,
            position: None,
            identities: identities.collect(),
            left_at: None,
            replaced_by: None,
            as_of: Timestamp::parse_rfc3339("2027-01-01T00:00:00Z").context("no time")?,
        };
        let mut value = Vec::new();
        encoder.encode(&employee, &mut value)?;
        foreign.write((Topic::Employees, 0), &Bytes::new(number, value)).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_moved_without_dates_takes_no_result_along_and_one_command_decides() -> anyhow::Result<()> {
    const PHONE: &str = "19900000100";
    const OTHER_PHONE: &str = "19900000201";
    let scene = Scene::new(Database::Postgres)?;
    employ(&scene, &format!("{}E200,另一人,19900000200\n", academy::ROSTER))?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    let foreign = Foreign::of(&scene)?;
    let write = async |(result, phone): (&str, &str), score: &str| -> anyhow::Result<()> {
        let value = foreign.encode(&by_phone((result, phone), score)).await?;
        foreign.write((Topic::Raw, 0), &Bytes::new("k", value)).await.map(drop)
    };
    write(("R-1", PHONE), "60").await?;
    has_records(&scene, "E100", 1).await?;
    overwrite(&foreign, [PHONE, OTHER_PHONE]).await?;
    // Once this one is filed, the mapper has heard of both.
    write(("R-2", OTHER_PHONE), "70").await?;
    has_records(&scene, "E200", 1).await?;
    write(("R-1", PHONE), "95").await?;
    let archive = scene.archive().await?;
    until(
        "the correction is refused",
        SETTLE,
        async || Ok(archive.refused().await?.len() == 1),
    )
    .await?;
    has_records(&scene, "E200", 1).await?;
    let stats = dlq(&scene, &["stats"])?;
    ensure!(stats["refused_by_the_archive"][0]["reason"] == "owner_changed", "{stats}");
    let listed = dlq(&scene, &["list", "--reason", "owner_changed", "--employee", "E200"])?;
    let refused = listed[0]["letter"].as_str().context("the refusal is not listed")?;
    let shown = dlq(&scene, &["show", refused])?;
    ensure!(
        shown["family"] == "archive" && shown["fields"]["employee_no"] == "E•••0" && shown["fields"]["exam_score"] == "95",
        "{shown}"
    );
    let redriven = dlq(&scene, &["redrive", refused])?;
    ensure!(redriven["redriven"] == 0 && redriven["refused_by_the_archive"] == 1, "{redriven}");
    let because = ["--because", "the phone was given on"];
    let nobodys = scene
        .installation
        .output(&[&["dlq", "resolve", refused, "--nobody"], &because[..]].concat())?;
    ensure!(nobodys.status.code() == Some(1), "a result became nobody's");
    dlq(&scene, &[&["resolve", refused, "--employee", "E100"], &because[..]].concat())?;
    until("the correction is filed on its owner", SETTLE, async || {
        let records = archive.file("E100").await?;
        let score = records
            .first()
            .and_then(|record| record.shown.as_ref())
            .and_then(|shown| shown.content.exam_score);
        Ok(score == Some(Score::parse("95")?.0) && archive.refused().await?.is_empty())
    })
    .await?;
    has_records(&scene, "E200", 1).await?;
    balance(&scene)?;
    end(processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_exported_masked_and_forgotten_once_they_are_closed() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Postgres)?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    write(&scene, "X-1", &[("工号", "WRONG1")]).await?;
    write(&scene, "X-2", &[("工号", "WRONG2")]).await?;
    until_letters_are(&scene, "open", 2, SETTLE).await?;
    let export = |more: &[&str]| -> anyhow::Result<Vec<Value>> {
        let said = scene.installation.run(&[&["dlq", "export"], more].concat())?;
        said.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    };
    let masked = export(&[])?;
    ensure!(masked.len() == 2 && masked[0]["fields"]["工号"] == "W•••1", "{masked:?}");
    ensure!(
        masked[0]["fields"]["分数"] == "85.5" && masked[0]["value_hex"].is_null(),
        "{masked:?}"
    );
    let revealed = export(&["--reveal", "a test", "--text", "wrong2"])?;
    ensure!(revealed.len() == 1 && revealed[0]["fields"]["工号"] == "WRONG2", "{revealed:?}");
    ensure!(
        revealed[0]["value_hex"].as_str().is_some_and(|hex| hex.starts_with("00")),
        "{revealed:?}"
    );
    let by_employee = dlq(&scene, &["list", "--employee", "wrong1"])?;
    ensure!(by_employee.as_array().is_some_and(|all| all.len() == 1), "{by_employee}");
    let letter = by_employee[0]["letter"].as_str().context("no letter")?.to_owned();
    ensure!(
        dlq(&scene, &["purge", "--older-than", "0s"])?["forgotten"] == 0,
        "an open letter is forgotten"
    );
    dlq(&scene, &["discard", &letter, "--because", "a test"])?;
    ensure!(
        dlq(&scene, &["purge", "--older-than", "1d"])?["forgotten"] == 0,
        "a letter is forgotten too soon"
    );
    ensure!(
        dlq(&scene, &["purge", "--older-than", "0s", "--dry-run"])?["forgotten"] == 1,
        "it is not seen"
    );
    ensure!(
        dlq(&scene, &["purge", "--older-than", "0s"])?["forgotten"] == 1,
        "it is not forgotten"
    );
    let left = dlq(&scene, &["list", "--state", "all"])?;
    ensure!(left.as_array().is_some_and(|all| all.len() == 1), "{left}");
    balance(&scene)?;
    end(processes)
}

/// One letter about a person and one about a field, told from the topic as a desk tells them.
fn looks_as_at_a_desk(scene: &Scene) -> anyhow::Result<()> {
    let from_topic = |arguments: &[&str]| dlq(scene, &[arguments, &["--from-topic"]].concat());
    for filter in [
        ["--reason", "unmatched_employee"],
        ["--employee", "u1"],
        ["--text", "x-1"],
        ["--newer-than", "1h"],
    ] {
        let listed = from_topic(&["list", filter[0], filter[1]])?;
        let expected = if filter[0] == "--newer-than" { 2 } else { 1 };
        ensure!(listed.as_array().is_some_and(|all| all.len() == expected), "{filter:?}: {listed}");
    }
    let by_field = from_topic(&["list", "--field", "exam_score"])?;
    let letter = by_field[0]["letter"].as_str().context("no letter")?;
    let shown = from_topic(&["show", letter])?;
    ensure!(shown["fields"]["分数"] == "many" && shown["fields"]["工号"] == "E•••0", "{shown}");
    ensure!(shown["advice"].as_str().is_some_and(|advice| advice.len() > 20), "{shown}");
    let revealed = from_topic(&["show", letter, "--reveal", "a test"])?;
    ensure!(
        revealed["fields"]["工号"] == "E100" && revealed["history"][0]["action"] == "reveal",
        "{revealed}"
    );
    let groups = from_topic(&["groups"])?;
    ensure!(
        groups.as_array().is_some_and(|all| all.len() == 2) && groups[0]["letters"] == 1,
        "{groups}"
    );
    let stats = from_topic(&["stats"])?;
    ensure!(
        stats["states"]["open"] == 2 && stats["open"].as_array().is_some_and(|all| all.len() == 2),
        "{stats}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_desk_letters_are_listed_and_sent_from_the_topic_alone() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    let mut processes = start(&scene, &["sink", "mapper"])?;
    ready(&mut processes).await?;
    write(&scene, "X-1", &[("工号", "U1")]).await?;
    write(&scene, "X-2", &[("分数", "many")]).await?;
    until("both failed", SETTLE, async || {
        Ok(scene.topics.count(Topic::DeadLetters).await? == 2)
    })
    .await?;
    employ(&scene, "工号,姓名,手机号\nU1,人,19900100001\nE100,人,19900100002\n")?;
    looks_as_at_a_desk(&scene)?;
    let dry = dlq(&scene, &["redrive", "--from-topic", "--reason", "unmatched_employee", "--dry-run"])?;
    ensure!(dry["redriven"] == 1 && scene.topics.count(Topic::Raw).await? == 2, "{dry}");
    let sent = dlq(&scene, &["redrive", "--from-topic", "--reason", "unmatched_employee"])?;
    ensure!(sent["redriven"] == 1, "{sent}");
    has_records(&scene, "U1", 1).await?;
    let all = scene.installation.output(&["dlq", "redrive", "--from-topic"])?;
    ensure!(all.status.code() == Some(1), "everything was meant by saying nothing");
    ensure!(
        dlq(&scene, &["redrive", "--from-topic", "--reason", "invalid_field"])?["redriven"] == 1,
        "it was not sent"
    );
    until("it failed again", SETTLE, async || {
        Ok(scene.topics.count(Topic::DeadLetters).await? == 3)
    })
    .await?;
    let again = dlq(&scene, &["list", "--from-topic", "--reason", "invalid_field"])?;
    ensure!(again[0]["attempt"] == 2, "{again}");
    balance(&scene)?;
    end(processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_mapping_was_corrected_the_letters_that_it_could_not_read_are_offered_in_one_step() -> anyhow::Result<()> {
    let mut scene = Scene::new(Database::Sqlite)?;
    employ(&scene, academy::ROSTER)?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    for exam in ["X-1", "X-2"] {
        write(&scene, exam, &[("分数", "85,5")]).await?;
    }
    write(&scene, "X-3", &[("工号", "WRONG")]).await?;
    until_letters_are(&scene, "open", 3, SETTLE).await?;
    ensure!(
        dlq(&scene, &["stats"])?["offered"].as_array().is_some_and(Vec::is_empty),
        "nothing has changed yet"
    );
    ensure!(
        dlq(&scene, &["redrive", "--source", "academy", "--older-mapping"])?["meant"] == 0,
        "nothing has changed yet"
    );
    let commas = r#"{ from = ["分数", "exam_score"], decimal_comma = true }"#;
    scene.installation.change(&[
        ("mapping_version = 1", "mapping_version = 2"),
        (r#"exam_score = ["分数", "exam_score"]"#, &format!("exam_score = {commas}")),
    ])?;
    end(processes)?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    let offered = dlq(&scene, &["stats"])?["offered"].clone();
    ensure!(offered[0]["source"] == "academy" && offered[0]["letters"] == 2, "{offered}");
    ensure!(
        dlq(
            &scene,
            &["redrive", "--source", "academy", "--older-mapping", "--reason", "invalid_field"]
        )?["redriven"]
            == 2,
        "not two"
    );
    until_letters_are(&scene, "filed", 2, SETTLE).await?;
    has_records(&scene, academy::EMPLOYEE_NO, 2).await?;
    balance(&scene)?;
    end(processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_two_had_files_what_waits_when_one_of_them_loses_it() -> anyhow::Result<()> {
    const PHONE: &str = "19900000100";
    let scene = Scene::new(Database::Sqlite)?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    let file = scene.file("both.csv", format!("工号,姓名,手机号\nE100,一,{PHONE}\nE200,二,{PHONE}\n"))?;
    scene.installation.run(&[
        "employees",
        "import",
        &file.display().to_string(),
        "--as-of",
        "2025-01-01T00:00:00Z",
    ])?;
    let foreign = Foreign::of(&scene)?;
    let value = foreign.encode(&by_phone(("R-1", PHONE), "60")).await?;
    foreign.write((Topic::Raw, 0), &Bytes::new("k", value)).await?;
    until_letters_are(&scene, "open", 1, SETTLE).await?;
    let listed = dlq(&scene, &["list"])?;
    ensure!(listed[0]["reason"] == "ambiguous_employee", "{listed}");
    // Nobody gains anything by that.
    foreign
        .write(
            (Topic::Employees, 0),
            &Bytes {
                value: None,
                ..Bytes::new("E200", "")
            },
        )
        .await?;
    until_letters_are(&scene, "filed", 1, SETTLE).await?;
    has_records(&scene, "E100", 1).await?;
    balance(&scene)?;
    end(processes)
}
