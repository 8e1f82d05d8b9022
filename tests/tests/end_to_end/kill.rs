//! `kill -9` at any line loses nothing and files nothing twice.

use std::time::Duration;

use anyhow::ensure;
use scoresync_tests::{
    company::{Company, Size},
    installation::{Database, Installation},
    process::Process,
};

use crate::support::{Load, START, STOP, Scene, assert_every_fate_is_true, balance_and_nothing_is_in_flight};

const STAGES: [&str; 3] = ["producer", "mapper", "sink"];
/// For how long a killed stage is away.
const AWAY: Duration = Duration::from_millis(400);

fn start(installation: &Installation, stage: &str) -> anyhow::Result<Process> {
    installation.start(stage, &["run", stage])
}

/// Kills each stage once while reports are being sent, and starts it again.
async fn kill_one_after_the_other(load: &Load<'_>, installation: &Installation, running: &mut [Process; 3]) -> anyhow::Result<()> {
    for (number, share) in [0.15, 0.35, 0.55].into_iter().enumerate() {
        load.reaches(share).await;
        // As if the machine had lost its power.
        running[number].signal("KILL")?;
        tokio::time::sleep(AWAY).await;
        let again = start(installation, STAGES[number])?;
        std::mem::replace(&mut running[number], again).kill()?;
    }
    Ok(())
}

async fn check(database: Database, seed: u64) -> anyhow::Result<()> {
    let company = Company::generate(seed, Size::default());
    let scene = Scene::new(database)?;
    scene.employ(&company)?;
    let installation = &scene.installation;
    let [producer, mapper, sink] = STAGES.map(|stage| start(installation, stage));
    let mut running = [producer?, mapper?, sink?];
    for process in &mut running {
        process.ready(START).await?;
    }
    let load = Load::new(&company, installation)?;
    let (sent, killed) = tokio::join!(load.send_all(), kill_one_after_the_other(&load, installation, &mut running));
    killed?;
    let sent = sent?;
    ensure!(sent.repeated() > 0, "no delivery met the killed producer: the test tested nothing");
    assert_every_fate_is_true(&scene, &company, &sent).await?;
    for process in running {
        ensure!(process.stop(STOP)?.success(), "a stage that was killed before did not end well");
    }
    balance_and_nothing_is_in_flight(&scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_stages_lose_nothing_and_file_nothing_twice_in_postgresql() -> anyhow::Result<()> {
    check(Database::Postgres, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_stages_lose_nothing_and_file_nothing_twice_in_sqlite() -> anyhow::Result<()> {
    check(Database::Sqlite, 2).await
}
