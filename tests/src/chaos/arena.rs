//! How faults strike: what is broken, waited for, and mended.

mod letters;

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use scoresync_fault_points::Point;
use tokio::{sync::Mutex, task::JoinHandle};

use super::{
    cluster::Broker,
    driver::Driver,
    faults::{Fault, Neighbour, command_of, stage_of},
    field::Field,
    fleet::{Arming, CRASH, FREEZE, Fleet, Stage},
    frail_link::Weather,
    watch::Watch,
};
use crate::{
    installation::Installation,
    stack::{Part, Stack},
};

/// For a process to start, to be given partitions, and to come by the place where it is to crash or freeze.
const STRUCK_WITHIN: Duration = Duration::from_secs(30);
/// For others to do the work of a process that stands still.
const OVERTAKEN_WITHIN: Duration = Duration::from_secs(30);
const BEAT: Duration = Duration::from_millis(50);
/// What a process says that is started while the registry has forgotten everything, and ends: somebody has to register the schemas.
const REGISTER: &str = "run `scoresync schemas register`";
/// For whoever was started meanwhile to end.
const START: Duration = Duration::from_secs(2);
/// For a group to hear that a member has left.
const REBALANCE: Duration = Duration::from_secs(3);

/// Where faults strike.
pub(super) struct Arena<'a> {
    pub(super) field: &'a Field,
    pub(super) installation: &'a Installation,
    pub(super) fleet: Mutex<Fleet<'a>>,
    pub(super) driver: Driver<'a>,
    /// How often somebody was struck.
    pub(super) turn: AtomicUsize,
    /// Held by a fault whose victim is started with something, so that no other takes it away; by stage.
    pub(super) stages: [Mutex<()>; 3],
}

impl Arena<'_> {
    /// Breaks something, waits, and mends it; says whether it struck anybody.
    pub(super) async fn strike(&self, fault: Fault, watch: &Watch<'_>) -> anyhow::Result<bool> {
        match fault {
            Fault::Killed(stage) => {
                let name = self.victim(stage).await?;
                self.fleet.lock().await.kill(&name)?;
            }
            Fault::Frozen(stage) => self.freeze(stage, fault.duration()).await?,
            Fault::Crashed(point, times) => return self.crash(point, times).await,
            Fault::FrozenAt(point, times) => return self.freeze_at(point, times, fault.duration()).await,
            Fault::ClockJumps(stage) => self.shift_clock(stage, fault.duration()).await?,
            Fault::Woken(stage) => {
                let first = self.fleet.lock().await.names(stage).into_iter().next();
                let name = first.with_context(|| format!("there is no {stage}"))?;
                // Whoever is woken before somebody else has done its work does no harm.
                let is_overtaken = watch.passed_what_is_there(OVERTAKEN_WITHIN);
                return self.wake(&name, (fault.duration(), is_overtaken)).await;
            }
            Fault::LettersRefused => self.refuse_letters(fault.duration()).await?,
            Fault::Storm(stage) => self.storm(stage, fault.duration()).await?,
            Fault::PartKilled(part) => self.kill_part(part, fault.duration()).await?,
            Fault::PartFrozen(part) => {
                let processes = processes_of(&self.field.stack, part);
                signal(&processes, "STOP");
                tokio::time::sleep(fault.duration()).await;
                signal(&processes, "CONT");
            }
            Fault::Network(neighbour, weather) => self.change_weather((neighbour, weather), fault.duration()).await,
            Fault::Locked(_) => self.lock_records(fault.duration()).await?,
            Fault::SessionsEnded => self.end_sessions(fault.duration()).await?,
            Fault::BrokersKilled(count) => {
                self.field.further_brokers(count, Broker::kill).await?;
                tokio::time::sleep(fault.duration()).await;
                self.field.further_brokers(count, Broker::start).await?;
            }
            Fault::DiskFull(part) => self.fill_disk(part, fault.duration()).await?,
        }
        Ok(true)
    }

    /// The processes of a stage in turn.
    async fn victim(&self, stage: Stage) -> anyhow::Result<String> {
        let names = self.fleet.lock().await.names(stage);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let name = names.get(turn % names.len().max(1)).cloned();
        name.with_context(|| format!("there is no {stage}"))
    }

    async fn freeze(&self, stage: Stage, duration: Duration) -> anyhow::Result<()> {
        let name = self.victim(stage).await?;
        self.fleet.lock().await.signal(&name, "STOP")?;
        tokio::time::sleep(duration).await;
        // Somebody may have killed it meanwhile, and started it again.
        let _ = self.fleet.lock().await.signal(&name, "CONT");
        Ok(())
    }

    /// Waits until a process has crashed where it is armed to, but not for ever: it may never come by.
    async fn crash(&self, point: Point, times: u64) -> anyhow::Result<bool> {
        let arming = vec![(CRASH.to_owned(), format!("{}:{times}", point.as_str()))];
        let Some(stage) = stage_of(point) else {
            return Ok(self.crash_command(point, arming).await);
        };
        let _alone = self.stages[stage as usize].lock().await;
        let name = self.victim(stage).await?;
        self.fleet.lock().await.arm(&name, &arming).await?;
        if matches!(point, Point::MapperRevoked | Point::SinkRevoked) {
            self.take_and_give(stage, &name).await?;
        }
        let end = Instant::now() + STRUCK_WITHIN;
        while !self.fleet.lock().await.has_crashed(&name)? {
            if Instant::now() > end {
                self.fleet.lock().await.disarm(&name).await?;
                return Ok(false);
            }
            tokio::time::sleep(BEAT).await;
        }
        Ok(true)
    }

    async fn crash_command(&self, point: Point, arming: Arming) -> bool {
        let before = self.driver.crashes_at(point);
        self.driver.arm_next(command_of(point), arming.clone());
        let end = Instant::now() + STRUCK_WITHIN;
        while self.driver.crashes_at(point) == before {
            if Instant::now() > end {
                self.driver.disarm_next(command_of(point), &arming);
                return false;
            }
            tokio::time::sleep(BEAT).await;
        }
        true
    }

    /// A process of a stage gets all partitions, as all others leave, and has to give some up again, as they come back.
    async fn take_and_give(&self, stage: Stage, name: &str) -> anyhow::Result<()> {
        self.await_ready(name).await?;
        let mut others = self.fleet.lock().await.names(stage);
        others.retain(|other| other != name);
        for other in &others {
            self.fleet.lock().await.leave(other).await?;
        }
        tokio::time::sleep(REBALANCE).await;
        for other in &others {
            self.fleet.lock().await.start(other, stage, &[])?;
        }
        Ok(())
    }

    /// Not for ever: something else may keep it from being ready.
    async fn await_ready(&self, name: &str) -> anyhow::Result<()> {
        let url = self.fleet.lock().await.readiness_of(name)?;
        let end = Instant::now() + STRUCK_WITHIN;
        let is_ready = async || reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success());
        while Instant::now() < end && !is_ready().await {
            tokio::time::sleep(BEAT).await;
        }
        Ok(())
    }

    async fn freeze_at(&self, point: Point, times: u64, duration: Duration) -> anyhow::Result<bool> {
        let stage = stage_of(point).context("only a stage can be frozen")?;
        let _alone = self.stages[stage as usize].lock().await;
        let name = self.victim(stage).await?;
        let arming = vec![(FREEZE.to_owned(), format!("{}:{times}", point.as_str()))];
        self.fleet.lock().await.arm(&name, &arming).await?;
        self.wake(&name, (duration, std::future::ready(Ok(())))).await
    }

    /// Waits until a process stands still as it is armed to, and lets it go on after the duration and what else is waited for; says whether it
    /// did.
    async fn wake(&self, name: &str, (duration, waited_for): (Duration, impl Future<Output = anyhow::Result<()>>)) -> anyhow::Result<bool> {
        let end = Instant::now() + STRUCK_WITHIN;
        loop {
            let mut fleet = self.fleet.lock().await;
            match fleet.has_frozen(name)? {
                Some(true) => break,
                Some(false) if Instant::now() < end => {}
                // It would freeze later, with nobody to wake it.
                Some(false) => {
                    fleet.disarm(name).await?;
                    return Ok(false);
                }
                None => return Ok(false),
            }
            drop(fleet);
            tokio::time::sleep(BEAT).await;
        }
        tokio::time::sleep(duration).await;
        waited_for.await?;
        // Somebody may have killed it meanwhile, and started it again.
        let _ = self.fleet.lock().await.signal(name, "CONT");
        Ok(true)
    }

    async fn shift_clock(&self, stage: Stage, duration: Duration) -> anyhow::Result<()> {
        let _alone = self.stages[stage as usize].lock().await;
        let name = self.victim(stage).await?;
        let clock = self.installation.folder.join(format!("{name}.clock"));
        std::fs::write(&clock, "+0\n")?;
        let shifted = [
            ("LD_PRELOAD", faketime()?.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let shifted = shifted.map(|(variable, value)| (variable.to_owned(), value));
        self.fleet.lock().await.arm(&name, &shifted).await?;
        self.await_ready(&name).await?;
        let end = tokio::time::Instant::now() + duration;
        for offset in ["+3600\n", "-3600\n"].into_iter().cycle() {
            if tokio::time::Instant::now() > end {
                break;
            }
            std::fs::write(&clock, offset)?;
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        self.fleet.lock().await.arm(&name, &[]).await
    }

    async fn storm(&self, stage: Stage, duration: Duration) -> anyhow::Result<()> {
        let name = format!("{stage}-storm-{}", self.turn.fetch_add(1, Ordering::Relaxed));
        let end = tokio::time::Instant::now() + duration;
        while tokio::time::Instant::now() < end {
            self.fleet.lock().await.start_guest(&name, stage)?;
            tokio::time::sleep(Duration::from_secs(3)).await;
            self.fleet.lock().await.leave(&name).await?;
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        Ok(())
    }

    /// To a process that is started while the registry knows nothing, it has forgotten everything.
    async fn change_weather(&self, (neighbour, weather): (Neighbour, Weather), duration: Duration) {
        let link = match neighbour {
            Neighbour::Kafka => &self.field.to_kafka,
            Neighbour::Registry => &self.field.to_registry,
            Neighbour::Postgres => &self.field.to_postgres,
        };
        let knows_nothing = matches!(weather, Weather::Answers(head) if head.starts_with("404"));
        if knows_nothing {
            self.fleet.lock().await.expect(REGISTER);
        }
        link.set(weather);
        tokio::time::sleep(duration).await;
        link.set(Weather::Fair);
        if knows_nothing {
            tokio::time::sleep(START).await;
            self.fleet.lock().await.expect_no_more(REGISTER);
        }
    }

    async fn kill_part(&self, part: Part, duration: Duration) -> anyhow::Result<()> {
        if part == Part::Registry {
            self.fleet.lock().await.expect(REGISTER);
        }
        self.field.stack.kill_meanwhile(part).await?;
        tokio::time::sleep(duration).await;
        self.start_part(part).await?;
        if part == Part::Registry {
            self.register_again().await?;
            tokio::time::sleep(START).await;
            self.fleet.lock().await.expect_no_more(REGISTER);
        }
        Ok(())
    }

    async fn start_part(&self, part: Part) -> anyhow::Result<()> {
        // A killed server's lock file can be in the way for a moment.
        let mut started = self.field.stack.start_again_meanwhile(part).await;
        for _ in 0..5 {
            if started.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            started = self.field.stack.start_again_meanwhile(part).await;
        }
        started
    }

    /// Some servers end when they cannot write, and are started again once they can.
    async fn fill_disk(&self, part: Part, duration: Duration) -> anyhow::Result<()> {
        let disk = self.field.disks.iter().find(|(under, _)| *under == part);
        let (_, disk) = disk.with_context(|| format!("there is no small disk under {part:?}"))?;
        disk.fill()?;
        tokio::time::sleep(duration).await;
        disk.free()?;
        // It may be about to end.
        tokio::time::sleep(Duration::from_secs(1)).await;
        if !self.field.stack.is_running(part) {
            self.start_part(part).await?;
        }
        Ok(())
    }

    async fn register_again(&self) -> anyhow::Result<()> {
        let mut command = self.installation.command(&["schemas", "register"])?;
        command.env("SCORESYNC_REGISTRY__URL", &self.field.stack.registry_url);
        let output = tokio::task::spawn_blocking(move || command.output()).await??;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// `SHARE` lets readers read.
    async fn lock_records(&self, duration: Duration) -> anyhow::Result<()> {
        let (client, connection) = self.session().await?;
        client.batch_execute("BEGIN; LOCK TABLE training_record IN SHARE MODE").await?;
        tokio::time::sleep(duration).await;
        // Where the server was killed meanwhile, the lock is gone.
        let _ = client.batch_execute("COMMIT").await;
        drop(client);
        connection.abort();
        Ok(())
    }

    async fn end_sessions(&self, duration: Duration) -> anyhow::Result<()> {
        let (client, connection) = self.session().await?;
        let end = tokio::time::Instant::now() + duration;
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND state = 'active' AND pid <> pg_backend_pid() \
                   AND (query ILIKE 'commit%' OR random() < 0.02)";
        while tokio::time::Instant::now() < end && client.batch_execute(sql).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        connection.abort();
        Ok(())
    }

    /// With the database, without a link; another fault may keep it away for a while.
    async fn session(&self) -> anyhow::Result<(tokio_postgres::Client, JoinHandle<Result<(), tokio_postgres::Error>>)> {
        let settings = self.installation.archive.postgres.as_ref();
        let url = &settings.context("the archive is not in PostgreSQL")?.url;
        let end = Instant::now() + STRUCK_WITHIN;
        loop {
            match tokio_postgres::connect(url, tokio_postgres::NoTls).await {
                Ok((client, connection)) => return Ok((client, tokio::spawn(connection))),
                Err(error) if Instant::now() > end => return Err(error.into()),
                Err(_) => tokio::time::sleep(BEAT).await,
            }
        }
    }
}

/// The library of Debian's package `faketime`, which tells a process another time.
fn faketime() -> anyhow::Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib")?.filter_map(Result::ok).map(|folder| folder.path());
    let library = folders
        .map(|folder| folder.join("faketime/libfaketime.so.1"))
        .find(|library| library.exists());
    library.context("libfaketime.so.1 is not there: install the package faketime")
}

/// That of a part and those that it has started: a PostgreSQL has one for each session. None where it is not there at all.
fn processes_of(stack: &Stack, part: Part) -> Vec<String> {
    let Ok(first) = stack.process_id(part) else { return Vec::new() };
    let threads = std::fs::read_dir(format!("/proc/{first}/task")).into_iter().flatten().flatten();
    let children = threads.map(|thread| std::fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    let children: String = children.collect();
    std::iter::once(first.to_string())
        .chain(children.split_whitespace().map(str::to_owned))
        .collect()
}

/// To all at one moment, as far as that goes. Some may be gone.
fn signal(processes: &[String], signal: &str) {
    let mut kill = Command::new("kill");
    let _ = kill.arg(format!("-{signal}")).args(processes).stderr(Stdio::null()).status();
}
