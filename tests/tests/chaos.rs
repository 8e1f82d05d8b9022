//! The promises under fire: every seeded bug is caught, and every crash point and a mixture of faults do no harm.
//!
//! The rounds of seeded bugs, which break nothing around the processes, play side by side on one stack; `dev/chaos` plays longer ones.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::ensure;
use scoresync_fault_points::{Bug, Point};
use scoresync_tests::{
    chaos::{
        Field, Outcome, Owners, Plan, Player, Round, Schedule,
        faults::{Fault, stage_of},
        traps::{set_without_errors, spring},
    },
    stack::Part,
};

async fn play(field: &Field, plan: &Plan) -> anyhow::Result<Outcome> {
    let mut folder = tempfile::Builder::new().prefix("scoresync-chaos.").tempdir()?;
    folder.disable_cleanup(std::env::var_os("KEEP_TEST_FOLDERS").is_some());
    Round::new(field, folder.path(), plan).play().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_seeded_bug_is_caught() -> anyhow::Result<()> {
    let only = std::env::var("SEEDED_BUG").ok();
    let bugs = Bug::ALL
        .into_iter()
        .filter(|bug| only.as_ref().is_none_or(|only| only == bug.as_str()));
    let sprung = spring(&Arc::new(Field::open().await?), bugs).await?;
    ensure!(!sprung.is_empty(), "there is no bug {only:?}");
    let missed: Vec<String> = sprung.into_iter().filter_map(|(_, miss)| miss).collect();
    ensure!(missed.is_empty(), "{} bugs are not caught:\n{}", missed.len(), missed.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_where_no_bug_is_seeded() -> anyhow::Result<()> {
    let said = set_without_errors(&Arc::new(Field::open().await?)).await?;
    ensure!(said.is_empty(), "{}", said.join("\n"));
    Ok(())
}

/// The processes of the three stages crash one after the other at each of their places, all stages at the same time.
fn every_crash_point() -> Schedule {
    let mut next = BTreeMap::new();
    let strikes = Point::PIPELINE.into_iter().map(|point| {
        let at = next.entry(stage_of(point)).or_insert(3);
        let strike = (*at, Fault::Crashed(point, 1));
        // For the group to miss the one that crashed, and for the next one to come by its place.
        *at += 10;
        strike
    });
    Schedule::of(&strikes.collect::<Vec<_>>())
}

async fn harmless(field: &Field, schedule: Schedule, (seed, seconds): (u64, u64)) -> anyhow::Result<Outcome> {
    let plan = Plan {
        seed,
        duration: Duration::from_secs(seconds),
        rows: 50 * usize::try_from(seconds)?,
        owners: Owners::Disputed,
        players: Player::usual(),
        schedule,
        arming: Vec::new(),
        lingers: None,
    };
    let outcome = play(field, &plan).await?;
    ensure!(outcome.anomalies.is_empty(), "{}", outcome.told(&plan));
    Ok(outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_point_loses_nothing_and_files_nothing_twice() -> anyhow::Result<()> {
    let outcome = harmless(&Field::open().await?, every_crash_point(), (5, 85)).await?;
    let places: BTreeSet<String> = Point::PIPELINE.into_iter().map(|point| point.as_str().to_owned()).collect();
    let missed: Vec<&String> = places.difference(&outcome.crashes).collect();
    ensure!(missed.is_empty(), "nobody crashed at {missed:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mixture_of_faults_breaks_no_promise() -> anyhow::Result<()> {
    let schedule = Schedule::generate(1, Duration::from_secs(45));
    harmless(&Field::open().await?, schedule, (1, 45)).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disks_break_no_promise() -> anyhow::Result<()> {
    let schedule = Schedule::of(&[(3, Fault::DiskFull(Part::Postgres)), (18, Fault::DiskFull(Part::Kafka))]);
    let field = Field::open_on_small_disks().await?;
    harmless(&field, schedule, (3, 35)).await?;
    for part in [Part::Postgres, Part::Kafka] {
        ensure!(
            said(&field, part, "No space left on device")?,
            "the disk of {part:?} was never full"
        );
    }
    Ok(())
}

/// Whether a part of the surroundings logged something, as the fault wants it to.
fn said(field: &Field, part: Part, text: &str) -> anyhow::Result<bool> {
    let log = match part {
        Part::Kafka => "kafka.log",
        Part::Registry => "registry.log",
        Part::Postgres => "postgres.log",
    };
    let log = std::fs::read(field.stack.folder()?.join(log))?;
    Ok(String::from_utf8_lossy(&log).contains(text))
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_leaders_too_few_replicas_and_a_long_lock_break_no_promise() -> anyhow::Result<()> {
    let field = Field::open_with_three_brokers().await?;
    harmless(&field, Schedule::with_brokers_lost(), (2, 40)).await?;
    ensure!(
        said(&field, Part::Kafka, "NotEnoughReplicas")?,
        "there were replicas enough all the time"
    );
    Ok(())
}
