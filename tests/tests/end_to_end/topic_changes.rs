//! A topic that is not the one whose positions are recorded: going on could skip or garble something, so the stage stops.

use std::time::Duration;

use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewPartitions},
    client::DefaultClientContext,
};
use scoresync_kafka::{Topic, TopicNames};
use scoresync_tests::{installation::Database, process::Process, settle::settle};

use crate::support::{Bytes, Foreign, Http, SETTLE, START, STOP, Scene, academy, audit, balance_and_nothing_is_in_flight, is_named, until};

/// One report is filed by a process that goes on.
async fn file_one_report_and_go_on(scene: &Scene) -> anyhow::Result<Process> {
    let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
    scene.installation.run(&["employees", "import", &roster])?;
    let mut up = scene.installation.start("up", &["up"])?;
    up.ready(START).await?;
    let http = Http::new(&scene.installation);
    let row = academy::json("X-1").to_string();
    let answer = http.push(("academy", Some("academy")), "application/json", row).await?;
    assert_eq!(answer.status, 202);
    let archive = scene.archive().await?;
    settle((&scene.topics, &archive), (1, SETTLE), |_| {}).await?;
    Ok(up)
}

async fn file_one_report(scene: &Scene) -> anyhow::Result<()> {
    let up = file_one_report_and_go_on(scene).await?;
    ensure!(up.stop(STOP)?.success());
    Ok(())
}

/// As somebody might who wants to begin anew. Records come in at once, so that there is something at every position that was recorded.
async fn recreate(scene: &Scene, topic: Topic) -> anyhow::Result<String> {
    let name = TopicNames::new(&scene.installation.topics).name(topic);
    let partitions = scene.topics.ends(topic).await?.into_keys();
    let deleted = admin(scene)?.delete_topics(&[&name], &AdminOptions::new()).await?;
    ensure!(deleted.iter().all(Result::is_ok), "{deleted:?}");
    // The broker deletes at its leisure; until then the command fails, or finds the topic still there.
    until("the topic is made anew", SETTLE, async || {
        let made = scene.installation.output(&["topics", "create", "--json"])?;
        let said = String::from_utf8_lossy(&made.stdout).into_owned();
        let documents: serde_json::Value = serde_json::from_str(said.trim()).unwrap_or_default();
        let is_created = |document: &serde_json::Value| document["topic"] == name && document["created"] == true;
        Ok(made.status.success() && documents.as_array().is_some_and(|documents| documents.iter().any(is_created)))
    })
    .await?;
    let foreign = Foreign::of(scene)?;
    for partition in partitions {
        for _ in 0..3 {
            foreign.write((topic, partition), &Bytes::new("K", b"no record")).await?;
        }
    }
    Ok(name)
}

/// As somebody might who wants more parallel work.
async fn grow(scene: &mut Scene, name: &str) -> anyhow::Result<()> {
    let partitions = scene.installation.topics.partitions + 1;
    let grown = admin(scene)?
        .create_partitions(&[NewPartitions::new(name, usize::try_from(partitions)?)], &AdminOptions::new())
        .await?;
    ensure!(grown.iter().all(Result::is_ok), "{grown:?}");
    scene.installation.set("SCORESYNC_TOPICS__PARTITIONS", partitions.to_string());
    Ok(())
}

fn admin(scene: &Scene) -> anyhow::Result<AdminClient<DefaultClientContext>> {
    let mut config = ClientConfig::new();
    Ok(config.set("bootstrap.servers", &scene.installation.kafka.brokers).create()?)
}

/// The stage does not start, its process ends with a failing code, and its log says which topic, and why.
fn check_end(scene: &Scene, stage: &str, said: [&str; 2]) -> anyhow::Result<()> {
    explained_end(scene.installation.start(stage, &["run", stage])?, START, said)
}

fn explained_end(mut process: Process, deadline: Duration, said: [&str; 2]) -> anyhow::Result<()> {
    let status = process.ended(deadline)?.context("the stage goes on with another topic")?;
    let log = process.log();
    assert_eq!(status.code(), Some(1), "{log}");
    ensure!(said.iter().all(|said| log.contains(said)), "the end is not explained: {log}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_stops_in_front_of_enriched_scores_that_were_made_anew() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    file_one_report(&scene).await?;
    let name = recreate(&scene, Topic::Enriched).await?;
    check_end(&scene, "sink", [&name, "recorded for"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_sink_ends_when_enriched_scores_are_made_anew_under_it() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    let running = file_one_report_and_go_on(&scene).await?;
    let name = recreate(&scene, Topic::Enriched).await?;
    explained_end(running, SETTLE, [&name, "recorded for"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_mapper_ends_when_raw_reports_are_made_anew_under_it_and_starts_no_more() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    let running = file_one_report_and_go_on(&scene).await?;
    let name = recreate(&scene, Topic::Raw).await?;
    explained_end(running, SETTLE, [&name, "recorded for"])?;
    check_end(&scene, "mapper", [&name, "recorded for"])
}

/// The broker forgets a group's positions together with the topic; what they were recorded for stands beside another topic, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_mapper_stops_in_front_of_raw_reports_that_were_made_anew() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    file_one_report(&scene).await?;
    let name = recreate(&scene, Topic::Raw).await?;
    check_end(&scene, "mapper", [&name, "recorded for"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_mapper_ends_when_the_employees_are_made_anew_under_it() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    file_one_report(&scene).await?;
    let mut mapper = scene.installation.start("mapper", &["run", "mapper"])?;
    mapper.ready(START).await?;
    let name = recreate(&scene, Topic::Employees).await?;
    explained_end(mapper, SETTLE, [&name, "was read"])?;
    balance_and_nothing_is_in_flight(&scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapper_that_expects_positions_does_not_begin_without_any() -> anyhow::Result<()> {
    let mut scene = Scene::new(Database::Sqlite)?;
    let name = format!("{}scores.raw", scene.installation.topics.prefix);
    scene.installation.set("SCORESYNC_MAPPER__FIRST_START", "refuse");
    check_end(&scene, "mapper", [&name, "mapper.first_start"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapper_stops_in_front_of_raw_reports_that_have_more_partitions() -> anyhow::Result<()> {
    let mut scene = Scene::new(Database::Sqlite)?;
    file_one_report(&scene).await?;
    for topic in ["scores.enriched", "scores.dlq", "scores.raw"] {
        let name = format!("{}{topic}", scene.installation.topics.prefix);
        grow(&mut scene, &name).await?;
    }
    let name = format!("{}scores.raw", scene.installation.topics.prefix);
    check_end(&scene, "mapper", [&name, "recorded for"])?;
    balance_and_nothing_is_in_flight(&scene)
}

/// The audit wants topics to be as the configuration says: all of them have as many partitions then.
async fn balance_once_these_have_grown(scene: &mut Scene, topics: &[&str]) -> anyhow::Result<()> {
    let names = topics.iter().map(|topic| format!("{}{topic}", scene.installation.topics.prefix));
    for name in names.collect::<Vec<_>>() {
        grow(scene, &name).await?;
    }
    balance_and_nothing_is_in_flight(scene)
}

/// Reports of one result would come into two partitions, in no order, if anybody went on.
#[tokio::test(flavor = "multi_thread")]
async fn running_stages_end_when_their_topics_get_more_partitions() -> anyhow::Result<()> {
    let mut scene = Scene::new(Database::Sqlite)?;
    file_one_report(&scene).await?;
    scene.configure("[kafka.librdkafka]\n\"topic.metadata.refresh.interval.ms\" = \"1000\"")?;
    for (stage, topic) in [("mapper", "scores.raw"), ("sink", "scores.enriched")] {
        let mut running = scene.installation.start(stage, &["run", stage])?;
        running.ready(START).await?;
        let name = format!("{}{topic}", scene.installation.topics.prefix);
        grow(&mut scene, &name).await?;
        explained_end(running, SETTLE, [&name, "recorded for"])?;
        let partitions = scene.installation.topics.partitions;
        scene.installation.set("SCORESYNC_TOPICS__PARTITIONS", partitions.to_string());
    }
    balance_once_these_have_grown(&mut scene, &["scores.dlq"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_stops_in_front_of_enriched_scores_that_have_more_partitions() -> anyhow::Result<()> {
    let mut scene = Scene::new(Database::Sqlite)?;
    file_one_report(&scene).await?;
    let name = format!("{}scores.enriched", scene.installation.topics.prefix);
    grow(&mut scene, &name).await?;
    check_end(&scene, "sink", [&name, "recorded for"])?;
    balance_once_these_have_grown(&mut scene, &["scores.raw", "scores.dlq"]).await
}

/// As retention does while the reader stands still for too long.
async fn forget_all(scene: &Scene, topic: Topic) -> anyhow::Result<String> {
    let name = TopicNames::new(&scene.installation.topics).name(topic);
    let mut ends = TopicPartitionList::new();
    for (partition, end) in scene.topics.ends(topic).await? {
        ends.add_partition_offset(&name, partition, Offset::Offset(end))?;
    }
    let forgotten = admin(scene)?.delete_records(&ends, &AdminOptions::new()).await?;
    ensure!(
        forgotten.elements().iter().all(|partition| partition.error().is_ok()),
        "{forgotten:?}"
    );
    Ok(name)
}

/// A report whose reader does not run: `running` brings it as far as the topic.
async fn leave_one_behind(scene: &Scene, running: &[&str], topic: Topic) -> anyhow::Result<()> {
    let mut processes = Vec::new();
    for stage in running {
        let mut process = scene.installation.start(stage, &["run", stage])?;
        process.ready(START).await?;
        processes.push(process);
    }
    // The same result, so that it comes into the partition whose position is recorded.
    let http = Http::new(&scene.installation);
    let row = academy::json("X-1").to_string();
    let answer = http.push(("academy", Some("academy")), "application/json", row).await?;
    assert_eq!(answer.status, 202);
    until("the report is in the topic", SETTLE, async || {
        Ok(scene.topics.count(topic).await? == 2)
    })
    .await?;
    for process in processes {
        ensure!(process.stop(STOP)?.success());
    }
    Ok(())
}

/// The audit names the partition that had two records, the second of which nobody has read.
async fn is_missed(scene: &Scene, (topic, name): (Topic, &str)) -> anyhow::Result<()> {
    let ends = scene.topics.ends(topic).await?;
    let partition = ends.iter().find(|(_, end)| **end == 2).context("no partition had two records")?.0;
    is_named(&audit(scene)?, ("position", &format!("{name}:1/{partition}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapper_stops_in_front_of_reports_that_retention_took_unread() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    file_one_report(&scene).await?;
    leave_one_behind(&scene, &["producer"], Topic::Raw).await?;
    let name = forget_all(&scene, Topic::Raw).await?;
    check_end(&scene, "mapper", [&name, "records are missing"])?;
    is_missed(&scene, (Topic::Raw, &name)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_stops_in_front_of_scores_that_retention_took_unread() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    file_one_report(&scene).await?;
    leave_one_behind(&scene, &["producer", "mapper"], Topic::Enriched).await?;
    let name = forget_all(&scene, Topic::Enriched).await?;
    check_end(&scene, "sink", [&name, "records are missing"])?;
    is_missed(&scene, (Topic::Enriched, &name)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_takes_nothing_from_the_files_where_enriched_scores_were_made_anew() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    file_one_report(&scene).await?;
    let before = scene.installation.run(&["records", "E100", "--json"])?;
    let name = recreate(&scene, Topic::Enriched).await?;
    is_named(&audit(&scene)?, ("position", &name))?;
    let repaired = scene.installation.output(&["audit", "--repair", "--yes"])?;
    ensure!(repaired.status.code() == Some(1), "{}", repaired.status);
    let after = scene.installation.run(&["records", "E100", "--json"])?;
    ensure!(before == after, "{}\n{before}{after}", String::from_utf8_lossy(&repaired.stderr));
    Ok(())
}
