//! A wrong field mapping is corrected for all that it did, and one sees what changes before it does.

mod wrong_mapping;
mod wrong_person;

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use scoresync_archive::TrainingRecord;
use scoresync_domain::Status;
use scoresync_fault_points::Point;
use scoresync_kafka::Topic;
use scoresync_tests::installation::Database;
use serde_json::Value;

use self::wrong_mapping::WrongMapping;
use crate::support::{SETTLE, STOP, balance, balance_and_nothing_is_in_flight, end, ready, start, until};

/// The field's values before and after in a row of what differs.
fn change<'a>(row: &'a Value, field: &str) -> Option<(&'a str, &'a str)> {
    let change = row["changes"].as_array()?.iter().find(|change| change["field"] == field)?;
    Some((change["before"].as_str().unwrap_or("-"), change["after"].as_str().unwrap_or("-")))
}

/// What becomes of a result, and its score before and after, by exam.
type Told = BTreeMap<String, (String, Option<(String, String)>)>;

fn told(document: &Value) -> anyhow::Result<Told> {
    let rows = document["difference"]["told"].as_array().context("no rows")?;
    let told = rows.iter().map(|row| {
        let text = |field: &str| row[field].as_str().unwrap_or("-").to_owned();
        let score = change(row, "exam_score").map(|(before, after)| (before.to_owned(), after.to_owned()));
        (text("exam"), (text("kind"), score))
    });
    Ok(told.collect())
}

/// Exactly the rows that are affected: nothing of other sources, other times, or reports in which both numbers are equal.
fn expect_exactly_the_affected(document: &Value) -> anyhow::Result<()> {
    let row = |exam: &str, kind: &str, score: Option<(&str, &str)>| {
        let score = score.map(|(before, after)| (before.to_owned(), after.to_owned()));
        (exam.to_owned(), (kind.to_owned(), score))
    };
    let expected = BTreeMap::from([
        row("A-0", "changed", Some(("100", "80"))),
        row("A-1", "changed", Some(("100", "81"))),
        row("A-2", "changed", Some(("100", "82"))),
        row("TWICE", "changed", Some(("100", "75"))),
        row("ABOVE", "no_longer_filed", Some(("100", "-"))),
        row("FALLS-BACK", "changed", Some(("100", "60"))),
        row("LETTER", "newly_filed", Some(("-", "85"))),
    ]);
    ensure!(told(document)? == expected, "{document:#}");
    let difference = &document["difference"];
    // TWICE and FALLS-BACK have two reports each.
    let counted = ["read", "differ", "same", "still_rejected", "discarded"].map(|name| difference["reports"][name].as_u64());
    ensure!(counted == [Some(12), Some(9), Some(1), Some(1), Some(1)], "{difference:#}");
    ensure!(difference["reasons"]["invalid_field"] == 2, "{difference:#}");
    let rows = difference["told"].as_array().context("no rows")?;
    let above = rows.iter().find(|row| row["exam"] == "ABOVE").context("no row")?;
    let because = above["because"].as_str().unwrap_or_default();
    ensure!(because.starts_with("invalid_field: ") && because.len() > 20, "{above:#}");
    ensure!(change(above, "state") == Some(("final", "withdrawn")), "{above:#}");
    Ok(())
}

fn shown_score(record: &TrainingRecord) -> Option<String> {
    record.shown.as_ref()?.content.exam_score.map(|score| score.to_string())
}

/// The file after the correction, in which nothing of before is lost.
async fn expect_corrected(wrong: &WrongMapping) -> anyhow::Result<()> {
    let file = wrong.file().await?;
    let check = |exam: &str, score: Option<&str>, status: Status, before: &[&str]| {
        let record = file.get(exam).with_context(|| format!("no record of {exam}"))?;
        let history: Vec<String> = record
            .history
            .iter()
            .filter_map(|said| said.content.exam_score.map(|score| score.to_string()))
            .collect();
        let is_right = shown_score(record).as_deref() == score && record.head.status == status;
        ensure!(is_right, "{exam}: {record:#?}");
        ensure!(
            before.iter().all(|before| history.iter().any(|kept| kept == before)),
            "{exam}: {history:?}"
        );
        Ok(())
    };
    for (exam, score) in [("A-0", "80"), ("A-1", "81"), ("A-2", "82"), ("TWICE", "75")] {
        check(exam, Some(score), Status::Final, &["100"])?;
    }
    check("FALLS-BACK", Some("60"), Status::Final, &["100"])?;
    check("ABOVE", None, Status::Withdrawn, &["100"])?;
    check("LETTER", Some("85"), Status::Final, &[])?;
    check("EQUAL", Some("90"), Status::Final, &[])?;
    // Received at another time, or from another source.
    check("EARLIER", Some("100"), Status::Final, &[])?;
    check("ELSEWHERE", Some("100"), Status::Final, &[])?;
    ensure!(
        !file.contains_key("HOPELESS") && !file.contains_key("NOTHING"),
        "a letter was filed"
    );
    Ok(())
}

/// What is sent in the scene: nine reports say something else, two of them that they take back what they said.
const OUTPUTS: i64 = 9;
/// These are dead letters as well.
const RETRACTED: i64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_with_score_and_maximum_swapped_is_corrected_under_load_and_nothing_else_is() -> anyhow::Result<()> {
    let mut wrong = WrongMapping::open(Database::Postgres).await?;
    let topics = wrong.scene.topics.clone();
    balance(&wrong.scene)?;
    let (nothing, code) = wrong.replay(&[])?;
    ensure!(code == 0 && nothing["difference"]["outputs"] == 0, "{nothing:#}");
    let outputs = topics.count(Topic::Enriched).await?;
    expect_refusals(&mut wrong).await?;
    ensure!(topics.count(Topic::Enriched).await? == outputs, "something was sent");

    let import = wrong.import(4_000)?;
    until("the import is under way", SETTLE, async || {
        Ok(topics.count(Topic::Enriched).await? > outputs + 100)
    })
    .await?;
    let (seen, code) = wrong.replay(&[])?;
    ensure!(code == 1 && seen["difference"]["least_mapping_version"].is_null(), "{seen:#}");
    expect_exactly_the_affected(&seen)?;
    let (applied, code) = wrong.replay(&["--apply", "--yes"])?;
    ensure!(code == 0 && applied["remaining"]["outputs"] == 0, "{applied:#}");
    ensure!(
        applied["sent"] == OUTPUTS && applied["difference"]["outputs"] == OUTPUTS,
        "{applied:#}"
    );
    expect_exactly_the_affected(&applied)?;
    expect_corrected(&wrong).await?;
    balance(&wrong.scene)?;

    wrong.stop_importing(import)?;
    until("everything is mapped", SETTLE, async || {
        let written = topics.count(Topic::Enriched).await? + topics.count(Topic::DeadLetters).await?;
        Ok(written == topics.count(Topic::Raw).await? + OUTPUTS + RETRACTED)
    })
    .await?;
    let (again, code) = wrong.replay(&["--apply", "--yes"])?;
    ensure!(code == 0 && again["sent"] == 0, "{again:#}");
    until("the desk has heard of it", SETTLE, async || {
        wrong.are_letters(&[
            ("LETTER", "filed"),
            ("HOPELESS", "open"),
            ("NOTHING", "discarded"),
            ("ABOVE", "open"),
        ])
    })
    .await?;
    expect_corrected(&wrong).await?;
    balance_and_nothing_is_in_flight(&wrong.scene)?;

    // Without --from there is one report more, which people can read of.
    let said = wrong
        .scene
        .installation
        .output(&["replay", "--source", "academy", "--to", wrong_mapping::TO])?;
    let text = String::from_utf8(said.stdout)?;
    let is_told = ["EARLIER", "changed", "exam_score", "max_score", "--apply"]
        .iter()
        .all(|word| text.contains(word));
    ensure!(said.status.code() == Some(1) && is_told && !text.contains("A-0"), "{text}");
    end(wrong.processes)
}

/// Where it would not count, would be more than is allowed, or nobody agreed, nothing is sent.
async fn expect_refusals(wrong: &mut WrongMapping) -> anyhow::Result<()> {
    // Corrected, but not as another version: one sees what differs.
    wrong.correct()?;
    let (seen, code) = wrong.replay(&[])?;
    ensure!(code == 1 && seen["difference"]["least_mapping_version"] == 2, "{seen:#}");
    expect_exactly_the_affected(&seen)?;
    let refused = |wrong: &WrongMapping, arguments: &[&str]| {
        let (refused, code) = wrong.replay(arguments)?;
        ensure!(code == 1 && refused["sent"] == 0, "{arguments:?}: {refused:#}");
        Ok(())
    };
    refused(wrong, &["--apply", "--yes"])?;
    wrong.raise_version().await?;
    refused(wrong, &["--apply", "--yes", "--at-most", "6"])?;
    refused(wrong, &["--apply"])
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_anywhere_sends_nothing_twice_and_a_later_mapping_files_again_what_was_taken_back() -> anyhow::Result<()> {
    let mut wrong = WrongMapping::open(Database::Sqlite).await?;
    let topics = wrong.scene.topics.clone();
    wrong.correct()?;
    wrong.raise_version().await?;
    let outputs = topics.count(Topic::Enriched).await?;
    let apply = [wrong_mapping::COMMAND, &["--apply", "--yes"]].concat();
    wrong.scene.installation.crash(&apply, (Point::ReplayLettersWritten, 1))?;
    ensure!(topics.count(Topic::Enriched).await? == outputs, "a score came before the letters");
    wrong.scene.installation.crash(&apply, (Point::ReplayedScoreQueued, 3))?;
    let before = topics.count(Topic::Enriched).await?;
    ensure!(before < outputs + OUTPUTS, "nobody died before everything was sent");
    wrong.scene.installation.crash_when_sent(&apply, (Point::ReplayedScoreQueued, 3))?;
    ensure!(topics.count(Topic::Enriched).await? == before + 3, "nobody died between two scores");
    // While the sink sleeps, what is sent is waited for.
    let sink = wrong.processes.remove(0);
    ensure!(sink.stop(STOP)?.success(), "the sink did not end well");
    let scratch = wrong.scene.folder().display().to_string();
    let arguments = [wrong_mapping::COMMAND, &["--apply", "--yes", "--scratch", &scratch]].concat();
    let applying = wrong.scene.installation.start("replay", &arguments)?;
    until("everything is sent", SETTLE, async || {
        Ok(topics.count(Topic::Enriched).await? == outputs + OUTPUTS)
    })
    .await?;
    applying.kill()?;
    interrupt(&wrong).await?;
    let mut sink = start(&wrong.scene, &["sink"])?;
    ready(&mut sink).await?;
    wrong.processes.splice(0..0, sink);
    let (again, code) = wrong.replay(&["--apply", "--yes"])?;
    ensure!(code == 0 && again["sent"] == 0, "{again:#}");
    ensure!(
        topics.count(Topic::Enriched).await? == outputs + OUTPUTS,
        "something was sent twice"
    );
    expect_corrected(&wrong).await?;
    balance_and_nothing_is_in_flight(&wrong.scene)?;

    // A mapping that allows scores above the maximum after all.
    until("the desk knows what was taken back", SETTLE, async || {
        wrong.are_letters(&[("ABOVE", "open")])
    })
    .await?;
    wrong
        .scene
        .installation
        .change(&[("score_above_maximum = \"refuse\"", "score_above_maximum = \"allow\"")])?;
    wrong.raise_version().await?;
    let (applied, code) = wrong.replay(&["--apply", "--yes"])?;
    ensure!(code == 0 && applied["sent"] == 2, "{applied:#}");
    let file = wrong.file().await?;
    for (exam, score) in [("ABOVE", "120"), ("FALLS-BACK", "130"), ("A-0", "80")] {
        let record = file.get(exam).with_context(|| format!("no record of {exam}"))?;
        let is_right = shown_score(record).as_deref() == Some(score) && record.head.status == Status::Final;
        ensure!(is_right, "{exam}: {record:#?}");
    }
    balance_and_nothing_is_in_flight(&wrong.scene)?;
    until("the desk has heard of it", SETTLE, async || {
        wrong.are_letters(&[("ABOVE", "filed")])
    })
    .await?;
    end(wrong.processes)
}

/// Whoever interrupts it while it waits is told so at once, and it leaves nothing behind.
async fn interrupt(wrong: &WrongMapping) -> anyhow::Result<()> {
    let scratch = wrong.scene.folder().join("scratch");
    std::fs::create_dir(&scratch)?;
    let folder = scratch.display().to_string();
    let arguments = [wrong_mapping::COMMAND, &["--apply", "--yes", "--scratch", &folder]].concat();
    let mut waiting = wrong.scene.installation.start("interrupted", &arguments)?;
    let count = || anyhow::Ok(std::fs::read_dir(&scratch)?.count());
    until("it has begun", SETTLE, async || Ok(count()? == 1)).await?;
    waiting.signal("INT")?;
    let ended = waiting.ended(STOP)?.context("it does not end")?;
    ensure!(ended.code() == Some(1) && count()? == 0, "{ended}: {}", waiting.end_of_log());
    Ok(())
}
