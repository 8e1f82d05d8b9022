//! Where a run is measured: an installation of its own on the benchmark's stack, and the commands and stages that are measured there.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, ensure};
use scoresync_archive::{Access, Archive, ArchiveSettings};
use scoresync_kafka::{Topic, TopicNames};
use scoresync_tests::{
    installation::{Database, Installation},
    metrics::Metrics,
    process::Process,
    stack::{POSTGRES, Part, Stack},
};
use tempfile::TempDir;

use super::{
    bare_kafka::BareKafka,
    pace::{Pace, Parties, measure},
    usage::{self, Speed, Stopwatch},
    workload::Workload,
};

const READY: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(60);

/// An installation with topics, schemas and employees.
pub(crate) struct Site<'a> {
    pub(crate) installation: Installation,
    pub(crate) kafka: BareKafka,
    pub(crate) names: TopicNames,
    pub(crate) workload: Workload,
    stack: &'a Stack,
    folder: TempDir,
}

impl<'a> Site<'a> {
    /// Lays it out, and imports the employees.
    pub(crate) fn lay_out(stack: &'a Stack, workload: Workload) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("scoresync-bench.").tempdir()?;
        let mut installation = Installation::new(stack, folder.path(), Database::Postgres)?;
        installation.append(include_str!("source.toml"))?;
        installation.make_token("bench")?;
        installation.create()?;
        let site = Self {
            kafka: BareKafka::new(&stack.brokers)?,
            names: TopicNames::new(&installation.topics),
            installation,
            workload,
            stack,
            folder,
        };
        site.import_employees()?;
        Ok(site)
    }

    /// States the employees of the workload.
    pub(crate) fn import_employees(&self) -> anyhow::Result<()> {
        let roster = self.folder.path().join("roster.csv");
        self.workload.write_roster(&roster)?;
        self.installation.run(&["employees", "import", text(&roster)?]).map(drop)
    }

    pub(crate) fn topic(&self, topic: Topic) -> String {
        self.names.name(topic)
    }

    /// How many outputs the mappers have written.
    pub(crate) fn mapped(&self) -> anyhow::Result<i64> {
        self.kafka.count(&[&self.topic(Topic::Enriched), &self.topic(Topic::DeadLetters)])
    }

    /// Imports all reports as a file, from the command's start to its end.
    pub(crate) fn import(&self, name: &str, revision: u32) -> anyhow::Result<Speed> {
        let path = |ending: &str| self.folder.path().join(format!("{name}{ending}"));
        let (file, state): (PathBuf, PathBuf) = (path(".csv"), path(".state"));
        self.workload.write_reports(&file, revision)?;
        let stopwatch = Stopwatch::start(usage::cpu_with_children, std::process::id())?;
        self.installation
            .run(&["import", "bench", text(&file)?, "--state-dir", text(&state)?])?;
        let speed = stopwatch.stop(self.workload.reports)?;
        std::fs::remove_file(file)?;
        Ok(speed)
    }

    /// Maps what is new, until every report has its output.
    pub(crate) async fn map(&self, mappers: usize) -> anyhow::Result<Pace> {
        let (from, to) = (self.mapped()?, self.kafka.count(&[&self.topic(Topic::Raw)])?);
        let started = (1..=mappers).map(|number| self.installation.start(&format!("mapper-{number}"), &["run", "mapper"]));
        let started: Vec<Process> = started.collect::<anyhow::Result<_>>()?;
        let pace = measure(&self.parties(&started, Part::Kafka)?, (from, to), async || self.mapped()).await?;
        stop(started)?;
        Ok(pace)
    }

    /// Takes the employees into a database's archive, until all are there.
    pub(crate) async fn file_employees(&self, database: Database) -> anyhow::Result<Pace> {
        let topic = self.topic(Topic::Employees);
        let sink = self.start_sink("sink-0", database)?;
        let settings = match database {
            Database::Postgres => self.installation.archive.clone(),
            Database::Sqlite => ArchiveSettings {
                postgres: None,
                ..self.installation.archive.clone()
            },
        };
        let started = vec![sink];
        let mut opened = None;
        let count = async || {
            // The sink is still making the tables.
            if opened.is_none() && Archive::is_prepared(&settings).await? {
                opened = Archive::open(&settings, Access::Reader).await.ok();
            }
            let Some(archive) = &opened else { return Ok(0) };
            let positions = archive.positions(&topic, 1).await?;
            Ok(positions.iter().map(|position| position.next_offset).sum())
        };
        let employees = i64::try_from(self.workload.employees)?;
        let pace = measure(&self.archive_parties(&started, database)?, (0, employees), count).await?;
        stop(started)?;
        Ok(pace)
    }

    /// Takes all letters in, until the desk's positions are at their end.
    pub(crate) async fn take_letters(&self, letters: i64) -> anyhow::Result<Pace> {
        let topic = self.topic(Topic::DeadLetters);
        let started = vec![self.start("desk-0", &["run", "desk"]).await?];
        let archive = Archive::open(&self.installation.archive, Access::Reader).await?;
        let count = async || {
            let positions = archive.desk_positions(&topic, 1).await?;
            Ok(positions.iter().map(|position| position.next_offset).sum())
        };
        let pace = self.pace_of(&started, (0, letters), count).await?;
        stop(started)?;
        Ok(pace)
    }

    /// How fast some processes let a count grow, beside the database.
    pub(crate) async fn pace_of(
        &self,
        started: &[Process],
        (from, to): (i64, i64),
        count: impl AsyncFnMut() -> anyhow::Result<i64>,
    ) -> anyhow::Result<Pace> {
        measure(&self.parties(started, Part::Postgres)?, (from, to), count).await
    }

    /// Files what is new, until all of so many enriched scores have come to a fate.
    pub(crate) async fn file(&self, database: Database, (sinks, scores): (usize, usize)) -> anyhow::Result<Pace> {
        let started = (1..=sinks).map(|number| self.start_sink(&format!("sink-{number}"), database));
        let started: Vec<Process> = started.collect::<anyhow::Result<_>>()?;
        let count = async || {
            let mut count = 0.0;
            for sink in &started {
                count += judged(sink).await.unwrap_or(0.0);
            }
            Ok(count as i64)
        };
        let parties = self.archive_parties(&started, database)?;
        let pace = measure(&parties, (0, i64::try_from(scores)?), count).await?;
        stop(started)?;
        Ok(pace)
    }

    pub(crate) async fn start(&self, name: &str, arguments: &[&str]) -> anyhow::Result<Process> {
        let mut process = self.installation.start(name, arguments)?;
        process.ready(READY).await?;
        Ok(process)
    }

    pub(crate) fn database_url(&self) -> anyhow::Result<&str> {
        let settings = self.installation.archive.postgres.as_ref();
        Ok(&settings.context("the archive is not in PostgreSQL")?.url)
    }

    /// The process of a part of the stack.
    pub(crate) fn server(&self, part: Part) -> anyhow::Result<u32> {
        self.stack.process_id(part)
    }

    fn start_sink(&self, name: &str, database: Database) -> anyhow::Result<Process> {
        let mut command = self.installation.command(&["run", "sink"])?;
        if database == Database::Sqlite {
            command.env_remove(POSTGRES);
        }
        self.installation.start_command(name, command)
    }

    fn archive_parties<'p>(&self, started: &'p [Process], database: Database) -> anyhow::Result<Parties<'p>> {
        match database {
            Database::Postgres => self.parties(started, Part::Postgres),
            Database::Sqlite => self.parties(started, None),
        }
    }

    fn parties<'p>(&self, started: &'p [Process], other: impl Into<Option<Part>>) -> anyhow::Result<Parties<'p>> {
        Ok(Parties {
            processes: started,
            other: other.into().map(|part| self.server(part)).transpose()?,
        })
    }
}

/// How many enriched scores a sink has brought to a fate since it started.
async fn judged(sink: &Process) -> anyhow::Result<f64> {
    let metrics = Metrics::scrape(sink.admin()).await?;
    let of_sink = metrics
        .of("scoresync_reports_total")
        .filter(|(sample, _)| sample.contains("stage=\"sink\""));
    Ok(of_sink.map(|(_, count)| count).sum())
}

pub(crate) fn stop(processes: Vec<Process>) -> anyhow::Result<()> {
    for process in processes {
        let status = process.stop(STOP)?;
        ensure!(status.success(), "a stage ended with {status}");
    }
    Ok(())
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path is not UTF-8")
}
