//! The Kafka, registry and PostgreSQL that a test runs on: those of the environment, or a stack of its own that it may harm.

use std::{
    env,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, ensure};

/// The variable that names Kafka.
pub const BROKERS: &str = "SCORESYNC_KAFKA__BROKERS";
/// The variable that names the registry.
pub const REGISTRY: &str = "SCORESYNC_REGISTRY__URL";
/// The variable that names PostgreSQL.
pub const POSTGRES: &str = "SCORESYNC_ARCHIVE__POSTGRES__URL";

/// Where the surroundings are.
#[derive(Debug)]
pub struct Stack {
    /// Kafka's bootstrap servers.
    pub brokers: String,
    /// The registry's address.
    pub registry_url: String,
    /// PostgreSQL's address, where there is one.
    pub postgres_url: Option<String>,
    /// Where a stack of the caller's own is, and which parts of it are started there.
    own: Option<(PathBuf, Vec<Part>)>,
    /// Through which clients of the broker's second port come.
    gate: Option<SocketAddr>,
    /// Held while something is done to it meanwhile; true once it is given up, and nothing may be started any more.
    is_given_up: Arc<Mutex<bool>>,
}

/// A part of a stack of one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The broker.
    Kafka,
    /// The schema registry.
    Registry,
    /// The database.
    Postgres,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 3] = [Self::Kafka, Self::Registry, Self::Postgres];

    /// The variable that names it.
    const fn variable(self) -> &'static str {
        match self {
            Self::Kafka => BROKERS,
            Self::Registry => REGISTRY,
            Self::Postgres => POSTGRES,
        }
    }

    /// Its name for `dev/stack`, and that of its folder.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Registry => "registry",
            Self::Postgres => "postgres",
        }
    }
}

impl Stack {
    /// The stack that the environment names, shared with other tests: nothing in it is to be stopped.
    ///
    /// # Errors
    /// Kafka or the registry is not named.
    pub fn of_environment() -> anyhow::Result<Self> {
        let named = |variable: &str| env::var(variable).ok().filter(|value| !value.is_empty());
        let required =
            |variable: &str| named(variable).with_context(|| format!("{variable} is not set; run dev/stack up and source its env"));
        Ok(Self {
            brokers: required(BROKERS)?,
            registry_url: required(REGISTRY)?,
            postgres_url: named(POSTGRES),
            own: None,
            gate: None,
            is_given_up: Arc::default(),
        })
    }

    /// Starts a stack that belongs to the caller alone; it is removed when this is dropped. Takes 10 to 20 seconds.
    ///
    /// # Errors
    /// `dev/stack up` failed.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_parts(&Part::ALL)
    }

    /// Starts parts that belong to the caller alone; the others are those that the environment names.
    ///
    /// # Errors
    /// `dev/stack up` failed.
    pub fn start_parts(parts: &[Part]) -> anyhow::Result<Self> {
        Self::start_own(parts, None)
    }

    /// A whole stack whose broker has a second port, given here, for clients that come back through `gate`.
    ///
    /// # Errors
    /// `dev/stack up` failed.
    pub fn start_behind(gate: SocketAddr) -> anyhow::Result<(Self, SocketAddr)> {
        let stack = Self::start_own(&Part::ALL, Some(gate))?;
        let port = std::fs::read_to_string(stack.folder()?.join("kafka/gated_port"))?;
        let behind = SocketAddr::from((Ipv4Addr::LOCALHOST, port.trim().parse()?));
        Ok((stack, behind))
    }

    fn start_own(parts: &[Part], gate: Option<SocketAddr>) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("scoresync-own-stack.").tempdir()?.keep();
        let mut stack = Self {
            brokers: String::new(),
            registry_url: String::new(),
            postgres_url: None,
            own: Some((folder.clone(), parts.to_vec())),
            gate,
            is_given_up: Arc::default(),
        };
        stack.command(&["up"])?;
        let values = values_of(&folder.join("env"), &[BROKERS, REGISTRY, POSTGRES])?;
        let [brokers, registry_url, postgres_url] = values.try_into().ok().context("read the stack's env")?;
        (stack.brokers, stack.registry_url, stack.postgres_url) = (brokers, registry_url, Some(postgres_url));
        Ok(stack)
    }

    /// Where the files of a stack of the caller's own are: the parts' settings and data, each in a folder of its name.
    ///
    /// # Errors
    /// The stack is shared.
    pub fn folder(&self) -> anyhow::Result<&Path> {
        let own = self
            .own
            .as_ref()
            .context("the stack is shared; start one with Stack::start to change it")?;
        Ok(&own.0)
    }

    /// The process of a part.
    ///
    /// # Errors
    /// The stack is shared, or the part does not run.
    pub fn process_id(&self, part: Part) -> anyhow::Result<u32> {
        let text = std::fs::read_to_string(self.folder()?.join(format!("{}.pid", part.as_str())))?;
        Ok(text.trim().parse()?)
    }

    /// Whether a part's process is there.
    #[must_use]
    pub fn is_running(&self, part: Part) -> bool {
        self.process_id(part).is_ok_and(|id| Path::new(&format!("/proc/{id}")).exists())
    }

    /// Stops a part politely.
    ///
    /// # Errors
    /// The stack is not the caller's own, or the part does not stop.
    pub fn stop(&self, part: Part) -> anyhow::Result<()> {
        self.on_part("stop", part)
    }

    /// Kills a part.
    ///
    /// # Errors
    /// The stack is not the caller's own.
    pub fn kill(&self, part: Part) -> anyhow::Result<()> {
        self.on_part("kill", part)
    }

    /// Starts a part again, on the same port and data (the registry keeps nothing over a stop).
    ///
    /// # Errors
    /// The stack is not the caller's own, or the part does not answer.
    pub fn start_again(&self, part: Part) -> anyhow::Result<()> {
        self.on_part("start", part)
    }

    fn on_part(&self, action: &str, part: Part) -> anyhow::Result<()> {
        let output = self.prepared_for(action, part)?.output();
        check(action, &output.context("run dev/stack")?)
    }

    fn prepared_for(&self, action: &str, part: Part) -> anyhow::Result<Command> {
        let own = self.own.as_ref().filter(|(_, parts)| parts.contains(&part));
        let command = own.and_then(|_| self.prepared(&[action, part.as_str()]));
        command.with_context(|| format!("that part of the stack is shared; start one with Stack::start to {action} it"))
    }

    /// [`Self::kill`] for whoever has other things to do meanwhile.
    pub(crate) async fn kill_meanwhile(&self, part: Part) -> anyhow::Result<()> {
        self.meanwhile("kill", part).await
    }

    /// [`Self::start_again`] for whoever has other things to do meanwhile.
    pub(crate) async fn start_again_meanwhile(&self, part: Part) -> anyhow::Result<()> {
        self.meanwhile("start", part).await
    }

    async fn meanwhile(&self, action: &str, part: Part) -> anyhow::Result<()> {
        let mut command = self.prepared_for(action, part)?;
        let is_given_up = Arc::clone(&self.is_given_up);
        let output = tokio::task::spawn_blocking(move || {
            // Whoever waits for this can be interrupted; it goes on, and the stack is not removed before it is done.
            let is_given_up = is_given_up.lock().unwrap_or_else(PoisonError::into_inner);
            (!*is_given_up).then(|| command.output()).transpose()
        });
        let output = output.await?.context("run dev/stack")?;
        check(action, &output.context("the stack is given up")?)
    }

    /// Runs `dev/stack ACTION FOLDER …`, whose progress is kept unless it fails.
    fn command(&self, words: &[&str]) -> anyhow::Result<()> {
        let Some(mut command) = self.prepared(words) else { return Ok(()) };
        check(&words.join(" "), &command.output().context("run dev/stack")?)
    }

    /// Nothing to run where the stack is shared.
    fn prepared(&self, words: &[&str]) -> Option<Command> {
        let ((folder, own), (action, rest)) = self.own.as_ref().zip(words.split_first())?;
        let mut command = Command::new(project().join("dev/stack"));
        command.arg(action).arg(folder).args(rest);
        for part in own {
            command.env_remove(part.variable());
        }
        if let Some(gate) = self.gate {
            command.env("STACK_KAFKA_GATE", gate.to_string());
        }
        Some(command)
    }
}

fn check(action: &str, output: &Output) -> anyhow::Result<()> {
    ensure!(
        output.status.success(),
        "dev/stack {action} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

impl Drop for Stack {
    fn drop(&mut self) {
        *self.is_given_up.lock().unwrap_or_else(PoisonError::into_inner) = true;
        // A stack that could not be removed says so itself; there is nobody here to tell.
        let _ = self.command(&["down"]);
    }
}

/// The folder of the project.
#[must_use]
pub fn project() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests)
}

/// The values of variables that a shell script exports.
fn values_of(script: &Path, variables: &[&str]) -> anyhow::Result<Vec<String>> {
    let print_each = "source \"$1\"; shift; for name; do printf '%s\\n' \"${!name}\"; done";
    let output = Command::new("bash")
        .args(["-c", print_each, "bash"])
        .arg(script)
        .args(variables)
        .output()?;
    ensure!(output.status.success(), "{} cannot be read", script.display());
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}
