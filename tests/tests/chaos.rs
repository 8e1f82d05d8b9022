//! The promises under fire: every seeded bug is caught, and every crash point and a mixture of faults do no harm.
//!
//! Rounds that break nothing around the processes play side by side on one stack; `dev/chaos` plays longer ones.

use std::{collections::BTreeMap, time::Duration};

use anyhow::ensure;
use futures_util::StreamExt;
use scoresync_fault_points::{Bug, Point};
use scoresync_tests::chaos::{
    CRASH, FREEZE, Field, Lingers, Outcome, Plan, Player, Round, Schedule, Stage, Strike,
    checker::{Anomaly, Class},
    faults::{Fault, stage_of},
};

/// Rounds at a time.
const SIDE_BY_SIDE: usize = 4;

/// What shows a bug, and which broken promises it shows itself by.
struct Trap {
    bug: Bug,
    seconds: u64,
    lingers: Option<Lingers>,
    players: Vec<Player>,
    strikes: Vec<(u64, Fault)>,
    classes: &'static [Class],
}

impl Trap {
    fn plan(&self) -> Plan {
        let strike = |(seconds, fault): &(u64, Fault)| Strike {
            at: Duration::from_secs(*seconds),
            fault: *fault,
        };
        Plan {
            seed: 77,
            duration: Duration::from_secs(self.seconds),
            rows: 60 * usize::try_from(self.seconds).unwrap_or(1),
            players: self.players.clone(),
            schedule: Schedule(self.strikes.iter().map(strike).collect()),
            arming: vec![("FAULT_POINTS_BUG".to_owned(), self.bug.as_str().to_owned())],
            lingers: self.lingers,
        }
    }
}

impl Trap {
    fn new(bug: Bug, seconds: u64, classes: &'static [Class]) -> Self {
        Self {
            bug,
            seconds,
            lingers: None,
            players: Player::usual(),
            strikes: Vec::new(),
            classes,
        }
    }

    fn with_strike(mut self, at: u64, fault: Fault) -> Self {
        self.strikes.push((at, fault));
        self
    }

    /// The first process of a stage, when it starts for the first time.
    fn with_armed(mut self, stage: Stage, variable: &str, value: &str) -> Self {
        if let Some(player) = self.players.iter_mut().find(|player| player.stage == stage) {
            player.arming.push((variable.to_owned(), value.to_owned()));
        }
        self
    }

    /// Who is alone has all partitions.
    fn with_one(mut self, stage: Stage) -> Self {
        self.players.retain(|player| player.stage != stage || !player.name.ends_with("-2"));
        self
    }

    fn lingering(mut self, lingers: Lingers) -> Self {
        self.lingers = Some(lingers);
        self
    }
}

fn trap(bug: Bug) -> Trap {
    let trap = |seconds, classes| Trap::new(bug, seconds, classes);
    match bug {
        Bug::PositionBeforeRows => {
            trap(8, &[Class::Lost, Class::Fates])
                .with_one(Stage::Sink)
                .with_armed(Stage::Sink, CRASH, "before_commit:12")
        }
        Bug::SeekToGroupOffset => trap(8, &[Class::Fates])
            .with_one(Stage::Sink)
            .with_armed(Stage::Sink, CRASH, "after_commit:12"),
        Bug::NoCompareAndSet => trap(26, &[Class::Fates, Class::Position])
            .with_armed(Stage::Sink, FREEZE, "batch_taken:6")
            .with_strike(1, Fault::Woken(Stage::Sink)),
        Bug::AnswerBeforeAcknowledgement => {
            trap(8, &[Class::Lost])
                .lingering(Lingers::Stage(Stage::Producer))
                .with_armed(Stage::Producer, CRASH, "report_queued:150")
        }
        Bug::AutoCommit => {
            trap(8, &[Class::Lost])
                .lingering(Lingers::Stage(Stage::Mapper))
                .with_armed(Stage::Mapper, CRASH, "output_queued:60")
        }
        Bug::DroppedWithoutSettling => trap(6, &[Class::Lost]).lingering(Lingers::Commands),
        Bug::LetterErrorSwallowed => trap(10, &[Class::Lost]).with_strike(3, Fault::LettersRefused),
        Bug::FailedBatchSkipped => trap(14, &[Class::Fates, Class::Lost]).with_strike(3, Fault::Locked),
        Bug::NoVersionGuard => trap(6, &[Class::Record]),
        Bug::ClockAsRevision => trap(6, &[Class::Garbled, Class::Record]),
        Bug::FirstMatchOnAmbiguity | Bug::UnknownNumberFallsThrough | Bug::ZeroAsMissing => trap(6, &[Class::Letter]),
        Bug::OwnerChangedSilently => trap(6, &[Class::Record, Class::History]),
        Bug::IdentifierInLog => trap(6, &[Class::Leak]),
        Bug::TruncatedDecoded => trap(10, &[Class::Letter]),
    }
}

async fn play(field: &Field, plan: &Plan) -> anyhow::Result<Outcome> {
    let mut folder = tempfile::Builder::new().prefix("scoresync-chaos.").tempdir()?;
    folder.disable_cleanup(std::env::var_os("KEEP_TEST_FOLDERS").is_some());
    Round::new(field, folder.path(), plan).play().await
}

/// With the seed, the schedule and the smallest history of each key.
fn told(plan: &Plan, anomalies: &[Anomaly]) -> String {
    let listed: String = anomalies.iter().take(10).map(|anomaly| format!("  {anomaly}\n")).collect();
    format!(
        "seed {}, schedule:\n{}{} anomalies:\n{listed}",
        plan.seed,
        plan.schedule,
        anomalies.len()
    )
}

/// `None` where it is caught.
async fn miss(field: &Field, trap: Trap) -> anyhow::Result<Option<String>> {
    let (plan, bug) = (trap.plan(), trap.bug.as_str());
    let outcome = match play(field, &plan).await {
        Ok(outcome) => outcome,
        Err(error) => return Ok(Some(format!("{bug}: the round could not be played: {error:#}"))),
    };
    let is_caught = outcome.anomalies.iter().any(|anomaly| trap.classes.contains(&anomaly.class));
    Ok((!is_caught).then(|| format!("{bug} is not caught; {}", told(&plan, &outcome.anomalies))))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_seeded_bug_is_caught() -> anyhow::Result<()> {
    let field = Field::open().await?;
    let only = std::env::var("SEEDED_BUG").ok();
    let bugs = Bug::ALL
        .into_iter()
        .filter(|bug| only.as_ref().is_none_or(|only| only == bug.as_str()));
    let misses = futures_util::stream::iter(bugs.map(|bug| miss(&field, trap(bug))))
        .buffer_unordered(SIDE_BY_SIDE)
        .collect::<Vec<_>>()
        .await;
    let misses: Vec<Option<String>> = misses.into_iter().collect::<anyhow::Result<_>>()?;
    let missed: Vec<String> = misses.into_iter().flatten().collect();
    ensure!(missed.is_empty(), "{} bugs are not caught:\n{}", missed.len(), missed.join("\n"));
    Ok(())
}

/// The processes of the three stages crash one after the other at each of their places, all stages at the same time.
fn every_crash_point() -> Schedule {
    let mut next = BTreeMap::new();
    let strikes = Point::ALL.into_iter().map(|point| {
        let fault = Fault::Crashed(point, 2);
        let at = next.entry(stage_of(point)).or_insert(Duration::from_secs(3));
        let strike = Strike { at: *at, fault };
        *at += fault.duration() + Duration::from_secs(1);
        strike
    });
    Schedule(strikes.collect())
}

async fn harmless(schedule: Schedule, (seed, seconds): (u64, u64)) -> anyhow::Result<()> {
    let plan = Plan {
        seed,
        duration: Duration::from_secs(seconds),
        rows: 50 * usize::try_from(seconds)?,
        players: Player::usual(),
        schedule,
        arming: Vec::new(),
        lingers: None,
    };
    let outcome = play(&Field::open().await?, &plan).await?;
    ensure!(outcome.anomalies.is_empty(), "{}", told(&plan, &outcome.anomalies));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_point_loses_nothing_and_files_nothing_twice() -> anyhow::Result<()> {
    harmless(every_crash_point(), (5, 68)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mixture_of_faults_breaks_no_promise() -> anyhow::Result<()> {
    harmless(Schedule::generate(1, Duration::from_secs(45)), (1, 45)).await
}
