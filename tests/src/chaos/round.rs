//! One round: an installation, a stream, a schedule of faults, and the verdict.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    path::Path,
    sync::atomic::AtomicUsize,
    time::{Duration, Instant},
};

use anyhow::Context;
use scoresync_domain::{Fields, ScoreReport, Timestamp};
use scoresync_kafka::{Encoder, Registry, Topic, TopicNames};
use tokio::sync::Mutex;

use super::{
    Arming, Evidence, Field, Fleet, Schedule, Staff, Stage, Stream,
    arena::Arena,
    checker::{Anomaly, Case, check},
    driver::Driver,
    schedule::Strike,
    stream::Owners,
    watch::Watch,
};
use crate::{installation::Installation, topics::Topics};

const SUPERVISION: Duration = Duration::from_millis(300);
/// How many anomalies are told one by one.
const TOLD: usize = 20;
const START: Duration = Duration::from_secs(60);
/// Within which the pipeline must have caught up after the last fault.
const RECOVERY: Duration = Duration::from_secs(60);

/// A process of the round, and what it is started with for the first time alone.
#[derive(Clone, Debug)]
pub struct Player {
    /// Its name.
    pub name: &'static str,
    /// What it runs.
    pub stage: Stage,
    /// Beside what every process is started with; it may end by it.
    pub arming: Arming,
}

impl Player {
    /// One producer, two mappers, two sinks.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        let player = |(name, stage)| Self {
            name,
            stage,
            arming: Arming::new(),
        };
        let usual = [
            ("producer-1", Stage::Producer),
            ("mapper-1", Stage::Mapper),
            ("mapper-2", Stage::Mapper),
            ("sink-1", Stage::Sink),
            ("sink-2", Stage::Sink),
        ];
        usual.map(player).to_vec()
    }
}

/// What is to happen in a round.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Of the staff and the stream.
    pub seed: u64,
    /// How long reports are sent.
    pub duration: Duration,
    /// How many, about.
    pub rows: usize,
    /// Whether there are some about whose owner they disagree.
    pub owners: Owners,
    /// The processes.
    pub players: Vec<Player>,
    /// The faults.
    pub schedule: Schedule,
    /// What every process is started with.
    pub arming: Arming,
    /// Whose client keeps records back before it sends them, so that a crash catches some on their way.
    pub lingers: Option<Lingers>,
}

/// Whose client waits for more records for two seconds before it sends any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lingers {
    /// A stage's.
    Stage(Stage),
    /// That of commands.
    Commands,
}

/// The configuration ends with settings of librdkafka.
const LINGERING: &str = "\"linger.ms\" = \"2000\"\n";

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Records of `scores.raw`.
    pub reports: usize,
    /// What the archive counted as duplicates.
    pub duplicates: i64,
    /// Of all faults.
    pub recoveries: Vec<Recovery>,
    /// Names of the places at which something crashed, as it was armed to.
    pub crashes: BTreeSet<String>,
    /// What is wrong.
    pub anomalies: Vec<Anomaly>,
}

impl Outcome {
    /// What is wrong, with the seed, the schedule and the smallest history of each key.
    #[must_use]
    pub fn told(&self, plan: &Plan) -> String {
        let first = self.anomalies.iter().take(TOLD);
        let listed: String = first.map(|anomaly| format!("  {anomaly}\n")).collect();
        let (seed, schedule, count) = (plan.seed, &plan.schedule, self.anomalies.len());
        format!("seed {seed}, schedule:\n{schedule}{count} anomalies, the first of them:\n{listed}")
    }
}

/// A round in a folder.
pub struct Round<'a> {
    field: &'a Field,
    folder: &'a Path,
    plan: &'a Plan,
}

impl<'a> Round<'a> {
    /// Prepares it; nothing runs yet.
    #[must_use]
    pub const fn new(field: &'a Field, folder: &'a Path, plan: &'a Plan) -> Self {
        Self { field, folder, plan }
    }

    /// Plays it.
    ///
    /// # Errors
    /// It could not be played; broken promises are no errors but anomalies of the outcome.
    pub async fn play(&self) -> anyhow::Result<Outcome> {
        let (installation, topics) = self.field.install(self.folder).await?;
        let staff = Staff::generate(self.plan.seed);
        let stream = self.stream(&staff, &installation).await?;
        let lingering = self.lingering()?;
        let of_commands = if self.plan.lingers == Some(Lingers::Commands) {
            lingering.as_slice()
        } else {
            &[]
        };
        let of_commands = [&self.plan.arming, of_commands].concat();
        let mut fleet = Fleet::new(&installation, self.plan.arming.clone());
        if let Some(Lingers::Stage(stage)) = self.plan.lingers {
            fleet.arm_stage(stage, lingering);
        }
        let driver = Driver::new(&installation, &stream, (self.plan.duration, Arming::new()))?;
        for roster in staff.rosters() {
            driver.employ(&roster).await?;
        }
        for Player { name, stage, arming } in &self.plan.players {
            fleet.start(name, *stage, arming)?;
        }
        fleet.ready(START).await?;
        let arena = Arena {
            field: self.field,
            installation: &installation,
            fleet: Mutex::new(fleet),
            driver: Driver::new(&installation, &stream, (self.plan.duration, of_commands))?,
            turn: AtomicUsize::new(0),
            stages: Default::default(),
        };
        let watch = Watch::new(&installation, &topics);
        let sent_by = Instant::now() + self.plan.duration;
        let fought = self.fight((&arena, &watch), &staff, &topics).await;
        self.field.calm();
        let recoveries = fought?;
        let calm_since = recoveries.iter().map(|recovery| recovery.since).fold(sent_by, Instant::max);
        let mut accidents = late(&watch, calm_since).await;
        let backwards = watch.backwards();
        let (attempts, mut fleet) = (arena.driver.attempts(), arena.fleet.into_inner());
        fleet.supervise()?;
        let crashes = arena.driver.crashes().union(fleet.crashes()).cloned().collect();
        let metrics = fleet.metrics().await;
        accidents.extend(tokio::task::block_in_place(|| fleet.end()));
        let mut evidence = Evidence::gather(&installation, &topics, &staff).await?;
        evidence.texts.extend(metrics);
        (evidence.accidents, evidence.backwards) = (accidents, backwards);
        let tokens: Vec<&str> = installation.tokens.values().map(String::as_str).collect();
        let case = Case {
            staff: &staff,
            stream: &stream,
            attempts: &attempts,
            tokens: &tokens,
        };
        let duplicates = evidence
            .fates
            .iter()
            .filter(|((_, fate), _)| *fate == scoresync_domain::Fate::Duplicate);
        Ok(Outcome {
            reports: evidence.raw.len(),
            duplicates: duplicates.map(|(_, count)| count).sum(),
            recoveries,
            crashes,
            anomalies: check(&case, &evidence),
        })
    }

    async fn stream(&self, staff: &Staff, installation: &Installation) -> anyhow::Result<Stream> {
        let Plan { seed, rows, owners, .. } = self.plan;
        Ok(Stream::generate(*seed, staff, (*rows, *owners), &valid_report(installation).await?))
    }

    /// Variables under which a client lingers.
    fn lingering(&self) -> anyhow::Result<Arming> {
        let config = std::fs::read_to_string(self.folder.join("scoresync.toml"))?;
        let path = self.folder.join("lingering.toml");
        std::fs::write(&path, config + LINGERING)?;
        Ok(vec![("SCORESYNC_CONFIG".to_owned(), path.display().to_string())])
    }

    /// Sends while faults strike.
    async fn fight(&self, (arena, watch): (&Arena<'_>, &Watch<'_>), staff: &Staff, topics: &Topics) -> anyhow::Result<Vec<Recovery>> {
        let late = async {
            tokio::time::sleep(self.plan.duration.mul_f64(0.4)).await;
            arena.driver.employ_late(&staff.late_roster(), topics).await
        };
        let strikes = self.plan.schedule.0.iter().map(|strike| struck((arena, watch), *strike));
        let strikes = futures_util::future::try_join_all(strikes);
        let work = async { tokio::try_join!(arena.driver.send_all(), late, strikes) };
        tokio::select! {
            worked = work => Ok(worked?.2),
            () = watch.look() => anyhow::bail!("the watch ended"),
            supervised = supervise(arena) => match supervised.context("supervise")? {},
        }
    }
}

/// Lets a fault strike at its time, and waits until what was sent by its end is filed.
async fn struck((arena, watch): (&Arena<'_>, &Watch<'_>), Strike { at, fault }: Strike) -> anyhow::Result<Recovery> {
    tokio::time::sleep(at).await;
    let has_struck = arena.strike(fault, watch).await.with_context(|| fault.class())?;
    let since = Instant::now();
    // Whether everything is filed in time is asked at the end.
    let _ = watch.passed_what_is_there(RECOVERY).await;
    Ok(Recovery {
        class: fault.class(),
        has_struck,
        since,
        took: since.elapsed(),
    })
}

/// What is not done in time after the last fault.
async fn late(watch: &Watch<'_>, calm_since: Instant) -> Vec<String> {
    let mut late = Vec::new();
    if calm_since.elapsed() > RECOVERY {
        late.push(format!("not all was answered and filed {RECOVERY:?} after the last fault"));
    }
    if let Err(error) = watch.caught_up(RECOVERY.saturating_sub(calm_since.elapsed())).await {
        late.push(format!("{error:#}"));
    }
    late
}

/// Starts again what has ended, until it is dropped.
async fn supervise(arena: &Arena<'_>) -> anyhow::Result<Infallible> {
    loop {
        arena.fleet.lock().await.supervise()?;
        tokio::time::sleep(SUPERVISION).await;
    }
}

/// How a fault was got over.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// What the fault is called.
    pub class: String,
    /// Whether it met anybody: a process may never come by the place where it was to crash.
    pub has_struck: bool,
    /// How long it took to file what had been sent by its end.
    pub took: Duration,
    /// Its end.
    since: Instant,
}

/// A framed report, for poison to be made of.
async fn valid_report(installation: &Installation) -> anyhow::Result<Vec<u8>> {
    let registry = Registry::new(&installation.registry)?;
    let subject = TopicNames::new(&installation.topics).subject(Topic::Raw);
    let versions = registry.versions(&subject).await?;
    let schema_id = versions.first().context("the subject has no version")?.schema_id;
    let fields = [("课程编号", "C-9"), ("分数", "50"), ("结果号", "POISON")];
    let report = ScoreReport {
        source: "hall".into(),
        received_at: Timestamp::from_millis(1_750_000_000_000),
        content_type: "application/json".into(),
        fields: Fields::from_unique(fields.map(|(name, value)| (name.into(), Some(value.into()))).to_vec()),
        unparsed: None,
    };
    let mut value = Vec::new();
    Encoder::<ScoreReport<'static>>::new(schema_id).encode(&report, &mut value)?;
    Ok(value)
}
