//! An installation of scoresync for one test: `examples/scoresync.toml` with addresses, a topic prefix, tokens and an archive of its own.

use std::{
    collections::BTreeMap,
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, ensure};
use scoresync_archive::{ArchiveSettings, PostgresSettings, SqliteSettings};
use scoresync_fault_points::Point;
use scoresync_kafka::{KafkaSettings, RegistrySettings, TopicSettings};

use crate::{
    chaos::{CRASH, LINGER, has_crashed},
    ports::free_address,
    process::Process,
    schema::Schema,
    stack::{POSTGRES, Stack, project},
};

/// For a client to connect and send a few records.
const SENT_WITHIN: Duration = Duration::from_secs(2);
/// The variable that names the configuration file.
const CONFIG: &str = "SCORESYNC_CONFIG";

/// Which database holds the training records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// The embedded one, in the installation's folder.
    Sqlite,
    /// The stack's, in a schema of the installation's own, which is dropped with the installation.
    Postgres,
}

/// An installation. Its processes and its folder are the caller's to end and to remove.
#[derive(Debug)]
pub struct Installation {
    /// Where its files are.
    pub folder: PathBuf,
    /// Where the door listens.
    pub door: SocketAddr,
    /// Where the admin port listens.
    pub admin: SocketAddr,
    /// The senders' tokens, by the names that they have in the configuration.
    pub tokens: BTreeMap<&'static str, String>,
    /// For clients of Kafka.
    pub kafka: KafkaSettings,
    /// How the topics are called.
    pub topics: TopicSettings,
    /// For clients of the registry.
    pub registry: RegistrySettings,
    /// Where the training records are.
    pub archive: ArchiveSettings,
    settings: BTreeMap<String, String>,
    admins: Mutex<BTreeMap<String, SocketAddr>>,
    schema: Option<Schema>,
}

impl Installation {
    /// Lays out an installation in an existing folder; nothing runs and nothing is created in Kafka yet.
    ///
    /// # Errors
    /// No free port, no binary, or no PostgreSQL where one is asked for.
    pub fn new(stack: &Stack, folder: &Path, database: Database) -> anyhow::Result<Self> {
        let kafka = KafkaSettings {
            brokers: stack.brokers.clone(),
            dev: true,
            ..KafkaSettings::default()
        };
        let topics = TopicSettings {
            prefix: unique_prefix(),
            ..TopicSettings::default()
        };
        let registry = RegistrySettings {
            url: stack.registry_url.clone(),
            ..RegistrySettings::default()
        };
        let schema = match database {
            Database::Sqlite => None,
            Database::Postgres => {
                let server_url = stack.postgres_url.as_ref().with_context(|| format!("{POSTGRES} is not set"))?;
                Some(Schema::create(server_url, topics.prefix.replace(['-', '.'], "_"))?)
            }
        };
        let (door, admin) = (free_address()?, free_address()?);
        let mut installation = Self {
            folder: folder.to_owned(),
            door,
            admin,
            tokens: BTreeMap::new(),
            kafka: KafkaSettings {
                group_prefix: format!("{}scoresync", topics.prefix),
                ..kafka
            },
            topics,
            registry,
            archive: ArchiveSettings {
                sqlite: SqliteSettings {
                    path: folder.join("scoresync.db"),
                },
                postgres: schema.as_ref().map(|schema| PostgresSettings::new(schema.url())),
            },
            settings: BTreeMap::new(),
            admins: Mutex::default(),
            schema,
        };
        installation.write_settings();
        for source in ["academy", "skills"] {
            installation.make_token(source)?;
        }
        Ok(installation)
    }

    /// Sets the environment twin of a setting (`SCORESYNC_SINK__MAX_BATCH_RECORDS`) for what is started from now on.
    pub fn set(&mut self, variable: &str, value: impl Into<String>) {
        self.settings.insert(variable.to_owned(), value.into());
    }

    /// Appends tables to its configuration file.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn append(&mut self, tables: &str) -> anyhow::Result<()> {
        let present = fs::read_to_string(self.settings.get(CONFIG).map_or("", String::as_str))?;
        let file = self.folder.join("scoresync.toml");
        fs::write(&file, format!("{present}\n{tables}"))?;
        self.set(CONFIG, file.display().to_string());
        Ok(())
    }

    /// Changes the first of each of these texts in its configuration file.
    ///
    /// # Errors
    /// The file cannot be read or written, or has no such text.
    pub fn change(&mut self, changes: &[(&str, &str)]) -> anyhow::Result<()> {
        let mut text = fs::read_to_string(self.settings.get(CONFIG).map_or("", String::as_str))?;
        for (from, to) in changes {
            ensure!(text.contains(from), "the configuration has no `{from}`");
            text = text.replacen(from, to, 1);
        }
        let file = self.folder.join("scoresync.toml");
        fs::write(&file, text)?;
        self.set(CONFIG, file.display().to_string());
        Ok(())
    }

    /// The variables under which `scoresync` works on this installation.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// `scoresync` with these arguments, not yet started. No setting of this process's environment reaches it.
    ///
    /// # Errors
    /// There is no binary.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        self.command_of("scoresync", arguments)
    }

    /// The same of the build that can be made to fail (see `crates/fault_points`).
    ///
    /// # Errors
    /// There is no such binary.
    pub fn armed_command(&self, arguments: &[&str], arming: &[(String, String)]) -> anyhow::Result<Command> {
        let mut command = self.command_of("scoresync-armed", arguments)?;
        command.envs(arming.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    fn command_of(&self, binary: &str, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(find(binary)?);
        for (inherited, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SCORESYNC_")) {
            command.env_remove(inherited);
        }
        command
            .args(arguments)
            .envs(self.variables())
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        Ok(command)
    }

    /// Runs a command to its end, whatever its exit code is.
    ///
    /// # Errors
    /// It could not be started.
    pub fn output(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        self.command(arguments)?
            .output()
            .with_context(|| format!("start scoresync {}", arguments.join(" ")))
    }

    /// Runs a command that has to die when it comes by a place for the so manieth time.
    ///
    /// # Errors
    /// It could not be started, or did not die so; the error has what it said.
    pub fn crash(&self, arguments: &[&str], place: (Point, u64)) -> anyhow::Result<()> {
        self.crash_after(Duration::ZERO, arguments, place)
    }

    /// The same, once its client has had time to send what is queued until then.
    ///
    /// # Errors
    /// As for [`Self::crash`].
    pub fn crash_when_sent(&self, arguments: &[&str], place: (Point, u64)) -> anyhow::Result<()> {
        self.crash_after(SENT_WITHIN, arguments, place)
    }

    fn crash_after(&self, linger: Duration, arguments: &[&str], (point, times): (Point, u64)) -> anyhow::Result<()> {
        let place = format!("{}:{times}", point.as_str());
        let arming = [(CRASH, place.clone()), (LINGER, linger.as_millis().to_string())];
        let arming = arming.map(|(name, value)| (name.to_owned(), value));
        let output = self.armed_command(arguments, &arming)?.output()?;
        ensure!(
            has_crashed(output.status),
            "scoresync {} did not die at {place} but ended with {}: {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// Runs a command that has to succeed, and gives what it printed.
    ///
    /// # Errors
    /// It could not be started, or it failed; the error has what it said.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.output(arguments)?;
        let said = [output.stderr.as_slice(), &output.stdout].concat();
        ensure!(
            output.status.success(),
            "scoresync {} failed with {}: {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&said)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Makes topics and schemas.
    ///
    /// # Errors
    /// One of the commands failed.
    pub fn create(&self) -> anyhow::Result<()> {
        self.run(&["topics", "create"])?;
        self.run(&["schemas", "register"]).map(drop)
    }

    /// Starts a command that stays, such as `up` or `run mapper`, with an admin port of its own; its log is `NAME.log` in the folder.
    ///
    /// # Errors
    /// It could not be started, or there is no free port.
    pub fn start(&self, name: &str, arguments: &[&str]) -> anyhow::Result<Process> {
        self.start_command(name, self.command(arguments)?)
    }

    /// The same of the build that can be made to fail.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub fn start_armed(&self, name: &str, arguments: &[&str], arming: &[(String, String)]) -> anyhow::Result<Process> {
        self.start_command(name, self.armed_command(arguments, arming)?)
    }

    /// The same of a command that the caller has made and changed.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub fn start_command(&self, name: &str, mut command: Command) -> anyhow::Result<Process> {
        let admin = self.admin_of(name)?;
        command.env("SCORESYNC_ADMIN__LISTEN", admin.to_string());
        Process::start(command, self.folder.join(format!("{name}.log")), admin)
    }

    /// Lets the training records stay when this is dropped.
    pub fn keep_records(&mut self) {
        if let Some(schema) = &mut self.schema {
            schema.keep();
        }
    }

    /// The admin port of the process of this name: the installation's for the first, and the same again when it is started again.
    fn admin_of(&self, name: &str) -> anyhow::Result<SocketAddr> {
        let mut admins = self.admins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(admin) = admins.get(name) {
            return Ok(*admin);
        }
        let admin = if admins.is_empty() { self.admin } else { free_address()? };
        admins.insert(name.to_owned(), admin);
        Ok(admin)
    }

    fn write_settings(&mut self) {
        let config = project().join("examples/scoresync.toml");
        let settings = [
            (CONFIG, config.display().to_string()),
            ("SCORESYNC_KAFKA__BROKERS", self.kafka.brokers.clone()),
            ("SCORESYNC_KAFKA__GROUP_PREFIX", self.kafka.group_prefix.clone()),
            ("SCORESYNC_REGISTRY__URL", self.registry.url.clone()),
            ("SCORESYNC_TOPICS__PREFIX", self.topics.prefix.clone()),
            ("SCORESYNC_DOOR__LISTEN", self.door.to_string()),
            ("SCORESYNC_ADMIN__LISTEN", self.admin.to_string()),
            ("SCORESYNC_ARCHIVE__SQLITE__PATH", self.archive.sqlite.path.display().to_string()),
        ];
        self.settings.extend(settings.map(|(name, value)| (name.to_owned(), value)));
        if let Some(postgres) = &self.archive.postgres {
            self.settings.insert(POSTGRES.to_owned(), postgres.url.clone());
        }
    }

    /// Makes a token under a name that the configuration has (a source's, mostly), as an operator would.
    ///
    /// # Errors
    /// `scoresync token new` failed.
    pub fn make_token(&mut self, source: &'static str) -> anyhow::Result<()> {
        let made: serde_json::Value =
            serde_json::from_str(&self.run(&["token", "new", "--json"])?).context("read what token new printed")?;
        let text = |member: &str| {
            made[member]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("token new printed no {member}"))
        };
        self.set(&format!("SCORESYNC_TOKENS__{}__SHA256", source.to_uppercase()), text("sha256")?);
        self.tokens.insert(source, text("token")?);
        Ok(())
    }
}

/// No two installations share a topic, a subject or a consumer group.
fn unique_prefix() -> String {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("t{}-{}.", std::process::id(), since_epoch.as_nanos() % 1_000_000_000_000)
}

/// A program that is built beside the tests.
fn find(binary: &str) -> anyhow::Result<PathBuf> {
    let running = env::current_exe()?;
    let folders = running.ancestors().skip(1).take(2);
    let found = folders.map(|folder| folder.join(binary)).find(|path| path.is_file());
    found.with_context(|| format!("there is no binary `{binary}` beside this one; dev/test builds it"))
}
