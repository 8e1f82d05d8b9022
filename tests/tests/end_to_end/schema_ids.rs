//! A registry that was emptied and filled anew while the stages were down gives other ids: nothing is read by them, and nothing is set aside.

use std::process::Stdio;

use anyhow::ensure;
use scoresync_domain::{Fate, ScoreReport};
use scoresync_kafka::{Record, Registry, Topic, TopicNames, subjects};
use scoresync_tests::{
    installation::{Database, Installation},
    process::Process,
    settle::{Progress, settle},
    stack::{Part, Stack},
};

use crate::support::{Bytes, Foreign, Http, SETTLE, START, STOP, Scene, academy, balance_and_nothing_is_in_flight, readiness, until};

const STAGES: [&str; 2] = ["mapper", "sink"];
/// How often a stage has to come to the same conclusion before a test believes that it stays there.
const TRIES: usize = 4;

/// The first report is filed, the second one waits in the log with the ids of the first registry, and no stage runs.
async fn file_one_report_and_leave_another(scene: &Scene) -> anyhow::Result<()> {
    let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
    scene.installation.run(&["employees", "import", &roster])?;
    let mut up = scene.installation.start("up", &["up"])?;
    up.ready(START).await?;
    let pushed = academy::json("X-1").to_string();
    let answer = Http::new(&scene.installation)
        .push(("academy", Some("academy")), "application/json", pushed)
        .await?;
    assert_eq!(answer.status, 202);
    settle((&scene.topics, &scene.archive().await?), (1, SETTLE), |_| {}).await?;
    ensure!(up.stop(STOP)?.success());
    let foreign = Foreign::of(scene)?;
    let left = foreign.encode(&academy::report("X-2", &[])).await?;
    foreign.write((Topic::Raw, 0), &Bytes::new("X-2", left)).await?;
    Ok(())
}

/// An empty registry in place of the one that was there.
fn empty(stack: &Stack) -> anyhow::Result<()> {
    stack.kill(Part::Registry)?;
    stack.start_again(Part::Registry)
}

/// Starts the stages, waits until they have said several times why they do not go on, and looks whether they did any harm.
async fn refuse(scene: &Scene, said: [&str; 2]) -> anyhow::Result<[Process; 2]> {
    let before = Progress::look(&scene.topics, &scene.archive().await?).await?;
    let [mapper, sink] = STAGES.map(|stage| scene.installation.start(stage, &["run", stage]));
    let stages = [mapper?, sink?];
    for ((stage, process), said) in STAGES.into_iter().zip(&stages).zip(said) {
        until(&format!("{stage} says that it does not go on"), START, async || {
            // The admin port opens in a moment.
            let reasons = readiness(process.admin()).await.unwrap_or_default();
            let reason = reasons.get(stage).map_or("", String::as_str);
            let is_explained = reason.contains(said) && reason.contains("restore the schema registry's data");
            Ok(is_explained && process.log().matches(said).count() >= TRIES)
        })
        .await?;
    }
    let after = Progress::look(&scene.topics, &scene.archive().await?).await?;
    ensure!(
        (after.enriched, after.dead_letters, after.judged) == (before.enriched, 0, before.judged),
        "something was done with another registry: {after:?} after {before:?}"
    );
    Ok(stages)
}

/// The report that was left is filed, by the processes that waited.
async fn go_on(scene: &Scene, stages: [Process; 2]) -> anyhow::Result<()> {
    for (stage, process) in STAGES.into_iter().zip(&stages) {
        until(&format!("{stage} is ready"), SETTLE, async || {
            Ok(readiness(process.admin()).await?.is_empty())
        })
        .await?;
    }
    let archive = scene.archive().await?;
    settle((&scene.topics, &archive), (2, SETTLE), |_| {}).await?;
    let fates = archive.fates().await?;
    ensure!(fates.keys().all(|(_, fate)| *fate == Fate::Filed), "{fates:?}");
    assert_eq!(archive.file(academy::EMPLOYEE_NO).await?.len(), 2);
    assert_eq!(scene.topics.count(Topic::DeadLetters).await?, 0);
    for process in stages {
        ensure!(process.stop(STOP)?.success(), "a stage did not end well");
    }
    balance_and_nothing_is_in_flight(scene)
}

/// `fill` gives an empty registry's first ids to something else; our schemas are registered after it. `said` is by the mapper and the sink.
async fn check(
    database: Database,
    fill: impl AsyncFnOnce(&Registry, &TopicNames) -> anyhow::Result<()>,
    said: [&str; 2],
) -> anyhow::Result<()> {
    let stack = Stack::start_parts(&[Part::Registry])?;
    let scene = Scene::on(&stack, database)?;
    file_one_report_and_leave_another(&scene).await?;
    empty(&stack)?;
    let registry = Registry::new(&scene.installation.registry)?;
    fill(&registry, &TopicNames::new(&scene.installation.topics)).await?;
    scene.installation.run(&["schemas", "register"])?;
    let stages = refuse(&scene, said).await?;
    empty(&stack)?;
    scene.installation.run(&["schemas", "register"])?;
    go_on(&scene, stages).await
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_belong_to_somebody_else_now_stop_the_stages_until_they_are_ours_again() -> anyhow::Result<()> {
    let fill = async |registry: &Registry, _: &TopicNames| {
        registry.register("somebody-else-value", r#"{"type":"string"}"#).await?;
        Ok(())
    };
    check(Database::Sqlite, fill, ["schema id 1 any more", "schema id 2 any more"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_means_another_schema_of_the_same_topic_stops_the_stages_until_it_does_not() -> anyhow::Result<()> {
    let fill = async |registry: &Registry, names: &TopicNames| {
        let further_field = r#""fields": [{"name":"mood","type":"string","default":""},"#;
        let another = ScoreReport::SCHEMA.replacen(r#""fields": ["#, further_field, 1);
        ensure!(another != ScoreReport::SCHEMA);
        registry.register(&names.subject(Topic::Raw), &another).await?;
        Ok(())
    };
    check(
        Database::Postgres,
        fill,
        ["means another schema than before", "schema id 2 any more"],
    )
    .await
}

/// Reports could still be read; nobody would be found for them.
#[tokio::test(flavor = "multi_thread")]
async fn employees_under_another_id_stop_the_stages_before_anybody_goes_unmatched() -> anyhow::Result<()> {
    let fill = async |registry: &Registry, names: &TopicNames| {
        for subject in subjects(names) {
            if subject.topic == Topic::Employees {
                registry.register("somebody-else-value", r#"{"type":"string"}"#).await?;
            }
            subject.register(registry).await?;
        }
        Ok(())
    };
    check(Database::Sqlite, fill, ["schema id 3 any more", "schema id 3 any more"]).await
}

#[tokio::test]
async fn registrations_at_the_same_moment_do_not_fail_over_each_other() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let installation = Installation::new(&Stack::of_environment()?, folder.path(), Database::Sqlite)?;
    let register = || {
        let mut command = installation.command(&["schemas", "register"])?;
        anyhow::Ok(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?)
    };
    let registrations: Vec<_> = (0..4).map(|_| register()).collect::<anyhow::Result<_>>()?;
    for registration in registrations {
        let output = registration.wait_with_output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    installation.run(&["schemas", "check"]).map(drop)
}
