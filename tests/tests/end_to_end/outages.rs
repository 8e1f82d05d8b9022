//! What is around scoresync goes away under load and comes back: it waits, says so, and goes on by itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::ensure;
use scoresync_kafka::Topic;
use scoresync_tests::{
    company::{Company, Size},
    installation::Database,
    metrics::Metrics,
    process::Process,
    stack::{Part, Stack},
};

use crate::support::{
    Bytes, Foreign, Load, NotReady, SETTLE, START, STOP, Scene, Sent, assert_every_fate_is_true, balance_and_nothing_is_in_flight,
    readiness, until,
};

const STAGES: [&str; 3] = ["producer", "mapper", "sink"];
/// Within which a stage has to notice.
const NOTICE: Duration = Duration::from_secs(30);
/// Within which a stage has to go on, its longest pause included.
const RECOVER: Duration = Duration::from_secs(60);

/// A company whose reports are being sent to three processes.
struct Play {
    company: Company,
    scene: Scene,
    running: [Process; 3],
}

impl Play {
    async fn begin(stack: &Stack, database: Database, seed: u64) -> anyhow::Result<Self> {
        let company = Company::generate(
            seed,
            Size {
                employees: 150,
                reports: 2_000,
            },
        );
        let mut scene = Scene::on(stack, database)?;
        scene.installation.set("SCORESYNC_DOOR__ACKNOWLEDGE_TIMEOUT_SECONDS", "2");
        scene.employ(&company)?;
        let [producer, mapper, sink] = STAGES.map(|stage| scene.installation.start(stage, &["run", stage]));
        let mut running = [producer?, mapper?, sink?];
        for process in &mut running {
            process.ready(START).await?;
        }
        Ok(Self { company, scene, running })
    }

    /// Sends everything while something happens, then looks whether anybody was harmed.
    async fn send_while(&self, event: impl AsyncFnOnce(&Self, &Load<'_>) -> anyhow::Result<()>) -> anyhow::Result<Sent<'_>> {
        let load = Load::new(&self.company, &self.scene.installation)?.with_files_first();
        let (sent, happened) = tokio::join!(load.send_all(), event(self, &load));
        happened?;
        let sent = sent?;
        assert_every_fate_is_true(&self.scene, &self.company, &sent).await?;
        Ok(sent)
    }

    fn end(self) -> anyhow::Result<()> {
        for process in self.running {
            ensure!(process.stop(STOP)?.success(), "a stage did not end well");
        }
        balance_and_nothing_is_in_flight(&self.scene)
    }

    /// Waits until these stages say why they are not ready; gives the reasons.
    async fn notice(&self, stages: &[usize]) -> anyhow::Result<NotReady> {
        let mut reasons = NotReady::new();
        for stage in stages {
            let (name, admin) = (STAGES[*stage], self.running[*stage].admin());
            until(&format!("{name} says that it is not ready"), NOTICE, async || {
                reasons.extend(readiness(admin).await?);
                Ok(reasons.contains_key(name))
            })
            .await?;
        }
        Ok(reasons)
    }

    /// Waits until all are ready again, each in the process that it was in.
    async fn recover(&self) -> anyhow::Result<()> {
        for (name, process) in STAGES.iter().zip(&self.running) {
            until(&format!("{name} is ready again"), RECOVER, async || {
                Ok(readiness(process.admin()).await?.is_empty())
            })
            .await?;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_goes_away_under_load_and_everything_waits_for_it() -> anyhow::Result<()> {
    let stack = Stack::start_parts(&[Part::Kafka])?;
    let play = Play::begin(&stack, Database::Postgres, 3).await?;
    play.send_while(async |play, load| {
        load.reaches(0.4).await;
        stack.stop(Part::Kafka)?;
        let reasons = play.notice(&[0, 1, 2]).await?;
        ensure!(
            reasons["producer"].contains("broker") && reasons["sink"].contains("broker"),
            "{reasons:?}"
        );
        stack.start_again(Part::Kafka)?;
        play.recover().await
    })
    .await?;
    play.end()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_goes_away_under_load_and_the_sink_waits_for_it() -> anyhow::Result<()> {
    let stack = Stack::start_parts(&[Part::Postgres])?;
    let play = Play::begin(&stack, Database::Postgres, 4).await?;
    play.send_while(async |play, load| {
        load.reaches(0.3).await;
        stack.stop(Part::Postgres)?;
        is_waited_for(&stack, play, 0.0).await?;
        let before = retries(play).await?;
        load.reaches(0.6).await;
        stack.kill(Part::Postgres)?;
        is_waited_for(&stack, play, before).await
    })
    .await?;
    // It is noticed without a record that is to be filed, too.
    let before = retries(&play).await?;
    stack.stop(Part::Postgres)?;
    is_waited_for(&stack, &play, before).await?;
    play.end()
}

/// After so many retries.
async fn is_waited_for(stack: &Stack, play: &Play, before: f64) -> anyhow::Result<()> {
    let reasons = play.notice(&[2]).await?;
    ensure!(reasons["sink"].contains("archive"), "{reasons:?}");
    let others = [readiness(play.running[0].admin()).await?, readiness(play.running[1].admin()).await?];
    ensure!(others.iter().all(NotReady::is_empty), "others do not need the database: {others:?}");
    ensure!(retries(play).await? > before, "no retry is counted");
    // A killed server's lock file is in the way for a moment.
    until("PostgreSQL starts", START, async || Ok(stack.start_again(Part::Postgres).is_ok())).await?;
    play.recover().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_lost_everything_is_not_asked_for_what_is_known_and_makes_no_dead_letters() -> anyhow::Result<()> {
    let stack = Stack::start_parts(&[Part::Registry])?;
    let play = Play::begin(&stack, Database::Sqlite, 5).await?;
    let foreign = Foreign::of(&play.scene)?;
    let schema_id = foreign.schema_id(Topic::Raw).await?;
    play.send_while(async |play, load| {
        // Every stage has met its schemas by then.
        load.reaches(0.3).await;
        let archive = play.scene.archive().await?;
        until("something is filed", SETTLE, async || Ok(archive.judged().await? > 0)).await?;
        stack.kill(Part::Registry)?;
        let judged = archive.judged().await?;
        load.reaches(0.6).await;
        stack.start_again(Part::Registry)?;
        load.reaches(1.0).await;
        let all = i64::try_from(play.company.report_count())?;
        until("everything is mapped and judged without a registry", SETTLE, async || {
            let (raw, dead) = (
                play.scene.topics.count(Topic::Raw).await?,
                play.scene.topics.count(Topic::DeadLetters).await?,
            );
            Ok(raw >= all && dead + archive.judged().await? >= raw)
        })
        .await?;
        ensure!(archive.judged().await? > judged);
        // For whoever reads the topics, and because an operator would.
        play.scene.installation.run(&["schemas", "register"])?;
        ensure!(foreign.schema_id(Topic::Raw).await? == schema_id, "the registry gave another id");
        play.recover().await
    })
    .await?;
    an_unknown_id_waits_for_the_registry(&stack, &play, &foreign).await?;
    play.end()
}

/// An id that nobody knows could be known to the registry that was lost: it is no dead letter yet, and holds its partition up.
async fn an_unknown_id_waits_for_the_registry(stack: &Stack, play: &Play, foreign: &Foreign) -> anyhow::Result<()> {
    let dead_letters = play.scene.topics.count(Topic::DeadLetters).await?;
    stack.kill(Part::Registry)?;
    stack.start_again(Part::Registry)?;
    foreign.write((Topic::Raw, 0), &Bytes::new("k", [0, 0x7f, 0, 0, 0, 1])).await?;
    let reasons = play.notice(&[1]).await?;
    ensure!(reasons["mapper"].contains("scoresync schemas register"), "{reasons:?}");
    ensure!(
        play.scene.topics.count(Topic::DeadLetters).await? == dead_letters,
        "a dead letter without a registry"
    );
    play.scene.installation.run(&["schemas", "register"])?;
    until("the unknown id is a dead letter", RECOVER, async || {
        Ok(play.scene.topics.count(Topic::DeadLetters).await? > dead_letters)
    })
    .await?;
    play.recover().await
}

/// What a server's data are, as a backup of files has them.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    let copied = Command::new("cp").arg("-a").args([from, to]).status()?;
    ensure!(copied.success(), "{} could not be copied", from.display());
    Ok(())
}

/// How often the sink tried again because of the archive.
async fn retries(play: &Play) -> anyhow::Result<f64> {
    let metrics = Metrics::scrape(play.running[2].admin()).await?;
    Ok(metrics
        .get("scoresync_retries_total{cause=\"archive\",stage=\"sink\"}")
        .unwrap_or(0.0))
}

/// A database whose files can be put back to what they were.
struct Restorable<'a> {
    stack: &'a Stack,
    data: PathBuf,
    backup: PathBuf,
}

impl<'a> Restorable<'a> {
    fn new(stack: &'a Stack) -> anyhow::Result<Self> {
        let folder = stack.folder()?.join("postgres");
        Ok(Self {
            stack,
            data: folder.join("data"),
            backup: folder.join("backup"),
        })
    }

    async fn back_up(&self, play: &Play) -> anyhow::Result<()> {
        self.stack.stop(Part::Postgres)?;
        copy(&self.data, &self.backup)?;
        self.stack.start_again(Part::Postgres)?;
        play.recover().await
    }

    /// The sink stands still meanwhile, so that it can be seen that the database has lost something.
    async fn restore(&self, play: &Play) -> anyhow::Result<()> {
        play.running[2].signal("STOP")?;
        let before = play.scene.archive().await?.judged().await?;
        self.stack.stop(Part::Postgres)?;
        copy(&self.backup, &self.data)?;
        self.stack.start_again(Part::Postgres)?;
        let after = play.scene.archive().await?.judged().await?;
        ensure!(after < before, "the backup has {after} of {before}: nothing was lost");
        play.running[2].signal("CONT")?;
        play.recover().await
    }
}

/// Yesterday's rows have yesterday's positions beside them, so that the sink goes on from there and files again what is missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_restored_from_before_is_filled_from_there() -> anyhow::Result<()> {
    let stack = Stack::start_parts(&[Part::Postgres])?;
    let database = Restorable::new(&stack)?;
    let play = Play::begin(&stack, Database::Postgres, 6).await?;
    let sent = play
        .send_while(async |play, load| {
            load.reaches(0.3).await;
            database.back_up(play).await?;
            load.reaches(0.7).await;
            let backed_up = i64::try_from(play.company.report_count())? / 3;
            until("more is filed than the backup has", SETTLE, async || {
                Ok(play.scene.archive().await?.judged().await? > backed_up)
            })
            .await?;
            database.restore(play).await
        })
        .await?;
    // No record arrives any more that would tell the sink.
    database.restore(&play).await?;
    assert_every_fate_is_true(&play.scene, &play.company, &sent).await?;
    play.end()
}

/// The session is ended when the transaction is committed and its client cannot know: it waits for a replica that does not exist.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_neither_lost_nor_done_again() -> anyhow::Result<()> {
    let stack = Stack::start_parts(&[Part::Postgres])?;
    let play = Play::begin(&stack, Database::Postgres, 7).await?;
    let url = stack.postgres_url.clone().unwrap_or_default().replace("scoresync@", "postgres@");
    let (superuser, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    play.send_while(async |play, load| {
        for share in [0.2, 0.5, 0.8] {
            load.reaches(share).await;
            let (wait, go_on) = (
                "ALTER SYSTEM SET synchronous_standby_names = 'nobody'",
                "ALTER SYSTEM RESET synchronous_standby_names",
            );
            set(&superuser, wait).await?;
            let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE wait_event = 'SyncRep' AND usename = 'scoresync'";
            until("a commit waits for its answer, and never gets it", SETTLE, async || {
                Ok(superuser.query_one(ended, &[]).await?.get::<_, i64>(0) > 0)
            })
            .await?;
            set(&superuser, go_on).await?;
            play.recover().await?;
        }
        Ok(())
    })
    .await?;
    let log = play.running[2].log();
    ensure!(
        log.contains("lost its position") || log.contains("trying again"),
        "no commit went wrong: {log}"
    );
    play.end()
}

async fn set(superuser: &tokio_postgres::Client, statement: &str) -> anyhow::Result<()> {
    superuser.execute(statement, &[]).await?;
    superuser.execute("SELECT pg_reload_conf()", &[]).await?;
    Ok(())
}
