//! How faults strike: what is broken, waited for, and mended.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
};
use scoresync_fault_points::Point;
use scoresync_kafka::{Specification, Topic, TopicNames};
use tokio::sync::Mutex;

use super::{
    cluster::Broker,
    driver::Driver,
    faults::{Fault, Neighbour, stage_of},
    field::Field,
    fleet::{CRASH, FREEZE, Fleet, Stage},
    frail_link::Weather,
};
use crate::{installation::Installation, stack::Part};

/// For a process to start, to be given partitions, and to come by the place where it is to freeze.
const FREEZES_WITHIN: Duration = Duration::from_secs(30);

/// Where faults strike.
pub(super) struct Arena<'a> {
    pub(super) field: &'a Field,
    pub(super) installation: &'a Installation,
    pub(super) fleet: Mutex<Fleet<'a>>,
    pub(super) driver: Driver<'a>,
}

impl Arena<'_> {
    /// Breaks something, waits, and mends it.
    pub(super) async fn strike(&self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::Killed(stage) => {
                let name = self.first(stage).await?;
                self.fleet.lock().await.kill(&name)?;
            }
            Fault::Frozen(stage) => self.freeze(stage, fault.duration()).await?,
            Fault::Crashed(point, times) => self.crash(point, times, fault.duration()).await?,
            Fault::FrozenAt(point, times) => self.freeze_at(point, times, fault.duration()).await?,
            Fault::ClockJumps(stage) => self.shift_clock(stage, fault.duration()).await?,
            Fault::Woken(stage) => {
                let name = self.first(stage).await?;
                self.wake(&name, fault.duration()).await?;
            }
            Fault::LettersRefused => {
                self.limit_letters(Some(100)).await?;
                tokio::time::sleep(fault.duration()).await;
                self.limit_letters(None).await?;
            }
            Fault::Storm(stage) => self.storm(stage, fault.duration()).await?,
            Fault::PartKilled(part) => self.kill_part(part, fault.duration()).await?,
            Fault::PartFrozen(part) => {
                let process = self.field.stack.process_id(part)?.to_string();
                signal_group(&process, "STOP")?;
                tokio::time::sleep(fault.duration()).await;
                signal_group(&process, "CONT")?;
            }
            Fault::Network(neighbour, weather) => {
                let link = match neighbour {
                    Neighbour::Kafka => &self.field.to_kafka,
                    Neighbour::Registry => &self.field.to_registry,
                    Neighbour::Postgres => &self.field.to_postgres,
                };
                link.set(weather);
                tokio::time::sleep(fault.duration()).await;
                link.set(Weather::Fair);
            }
            Fault::Locked(_) => self.lock_records(fault.duration()).await?,
            Fault::SessionsEnded => self.end_sessions(fault.duration()).await?,
            Fault::BrokersKilled(count) => {
                self.field.further_brokers(count, Broker::kill)?;
                tokio::time::sleep(fault.duration()).await;
                tokio::task::block_in_place(|| self.field.further_brokers(count, Broker::start))?;
            }
            Fault::DiskFull(part) => self.fill_disk(part, fault.duration()).await?,
        }
        Ok(())
    }

    async fn first(&self, stage: Stage) -> anyhow::Result<String> {
        let names = self.fleet.lock().await.names(stage);
        names.into_iter().next().with_context(|| format!("there is no {stage}"))
    }

    async fn freeze(&self, stage: Stage, duration: Duration) -> anyhow::Result<()> {
        let name = self.first(stage).await?;
        self.fleet.lock().await.signal(&name, "STOP")?;
        tokio::time::sleep(duration).await;
        // Somebody may have killed it meanwhile, and started it again.
        let _ = self.fleet.lock().await.signal(&name, "CONT");
        Ok(())
    }

    async fn crash(&self, point: Point, times: u64, duration: Duration) -> anyhow::Result<()> {
        let arming = vec![(CRASH.to_owned(), format!("{}:{times}", point.as_str()))];
        let Some(stage) = stage_of(point) else {
            self.driver.arm_next_import(arming);
            return Ok(());
        };
        let name = self.first(stage).await?;
        self.fleet.lock().await.arm(&name, &arming)?;
        tokio::time::sleep(duration).await;
        self.fleet.lock().await.disarm(&name)
    }

    async fn freeze_at(&self, point: Point, times: u64, duration: Duration) -> anyhow::Result<()> {
        let stage = stage_of(point).context("only a stage can be frozen")?;
        let name = self.first(stage).await?;
        let arming = vec![(FREEZE.to_owned(), format!("{}:{times}", point.as_str()))];
        self.fleet.lock().await.arm(&name, &arming)?;
        self.wake(&name, duration).await
    }

    /// Waits until a process stands still as it is armed to, and lets it go on after the duration.
    async fn wake(&self, name: &str, duration: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + FREEZES_WITHIN;
        loop {
            let mut fleet = self.fleet.lock().await;
            match fleet.has_frozen(name)? {
                Some(true) => break,
                Some(false) if Instant::now() < end => {}
                // It would freeze later, with nobody to wake it.
                Some(false) => return fleet.disarm(name),
                None => return Ok(()),
            }
            drop(fleet);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(duration).await;
        // Somebody may have killed it meanwhile, and started it again.
        let _ = self.fleet.lock().await.signal(name, "CONT");
        Ok(())
    }

    async fn shift_clock(&self, stage: Stage, duration: Duration) -> anyhow::Result<()> {
        let name = self.first(stage).await?;
        let clock = self.installation.folder.join(format!("{name}.clock"));
        std::fs::write(&clock, "+3600\n")?;
        let shifted = [
            ("LD_PRELOAD", faketime()?.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let shifted = shifted.map(|(variable, value)| (variable.to_owned(), value));
        self.fleet.lock().await.start(&name, stage, &shifted)?;
        let end = tokio::time::Instant::now() + duration;
        for offset in ["+3600\n", "-3600\n"].into_iter().cycle() {
            if tokio::time::Instant::now() > end {
                break;
            }
            std::fs::write(&clock, offset)?;
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        self.fleet.lock().await.start(&name, stage, &[])
    }

    /// Lets the topic of dead letters take records of so many bytes, or as many as it should.
    async fn limit_letters(&self, bytes: Option<usize>) -> anyhow::Result<()> {
        let (kafka, topics) = (&self.installation.kafka, &self.installation.topics);
        let mut specification = Specification::of(Topic::DeadLetters, kafka, topics);
        if let Some(bytes) = bytes {
            specification.configuration.insert("max.message.bytes", bytes.to_string());
        }
        let name = TopicNames::new(topics).name(Topic::DeadLetters);
        let settings = specification.configuration.iter();
        let altered = settings.fold(AlterConfig::new(ResourceSpecifier::Topic(&name)), |altered, (setting, value)| {
            altered.set(setting, value)
        });
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", &kafka.brokers).create()?;
        // A broker that is away is asked again.
        for _ in 0..10 {
            let answered = admin.alter_configs([&altered], &AdminOptions::new()).await;
            if answered.is_ok_and(|answers| answers.iter().all(Result::is_ok)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        anyhow::bail!("the settings of {name} could not be changed")
    }

    async fn storm(&self, stage: Stage, duration: Duration) -> anyhow::Result<()> {
        let name = format!("{stage}-storm");
        let end = tokio::time::Instant::now() + duration;
        while tokio::time::Instant::now() < end {
            self.fleet.lock().await.start(&name, stage, &[])?;
            tokio::time::sleep(Duration::from_secs(3)).await;
            let leaving = self.fleet.lock().await.take(&name);
            if let Some(leaving) = leaving {
                let status = tokio::task::spawn_blocking(move || leaving.stop(Duration::from_secs(40))).await??;
                ensure!(status.success(), "{name} ended with {status}");
            }
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        Ok(())
    }

    async fn kill_part(&self, part: Part, duration: Duration) -> anyhow::Result<()> {
        self.field.stack.kill(part)?;
        tokio::time::sleep(duration).await;
        self.start_part(part).await?;
        if part == Part::Registry {
            // It has forgotten everything.
            self.register_again()?;
        }
        Ok(())
    }

    async fn start_part(&self, part: Part) -> anyhow::Result<()> {
        // A killed server's lock file can be in the way for a moment.
        let mut started = self.field.stack.start_again(part);
        for _ in 0..5 {
            if started.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            started = self.field.stack.start_again(part);
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

    fn register_again(&self) -> anyhow::Result<()> {
        let mut command = self.installation.command(&["schemas", "register"])?;
        command.env("SCORESYNC_REGISTRY__URL", &self.field.stack.registry_url);
        let output = command.output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// `SHARE` lets readers read.
    async fn lock_records(&self, duration: Duration) -> anyhow::Result<()> {
        let (client, connection) = tokio_postgres::connect(&self.postgres()?, tokio_postgres::NoTls).await?;
        let connection = tokio::spawn(connection);
        client.batch_execute("BEGIN; LOCK TABLE training_record IN SHARE MODE").await?;
        tokio::time::sleep(duration).await;
        // Where the server was killed meanwhile, the lock is gone.
        let _ = client.batch_execute("COMMIT").await;
        drop(client);
        connection.abort();
        Ok(())
    }

    async fn end_sessions(&self, duration: Duration) -> anyhow::Result<()> {
        let (client, connection) = tokio_postgres::connect(&self.postgres()?, tokio_postgres::NoTls).await?;
        let connection = tokio::spawn(connection);
        let end = tokio::time::Instant::now() + duration;
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid() \
                   AND (query ILIKE 'commit%' OR random() < 0.02)";
        while tokio::time::Instant::now() < end && client.batch_execute(sql).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        connection.abort();
        Ok(())
    }

    /// The database without a link.
    fn postgres(&self) -> anyhow::Result<String> {
        let settings = self
            .installation
            .archive
            .postgres
            .as_ref()
            .context("the archive is not in PostgreSQL")?;
        Ok(settings.url.clone())
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

/// A server with children stands still as a whole.
fn signal_group(process: &str, signal: &str) -> anyhow::Result<()> {
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), "--", &format!("-{process}")])
        .status()?;
    ensure!(sent.success(), "SIG{signal} could not be sent to the group {process}");
    Ok(())
}
