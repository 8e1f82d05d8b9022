//! The processes of an installation, each started again when it has ended, as a supervisor would.

use std::{collections::BTreeMap, fmt, time::Duration};

use anyhow::{Context, ensure};

use crate::{installation::Installation, process::Process};

/// How long a process that was asked to end may take.
const STOP: Duration = Duration::from_secs(40);

/// A kind of process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The door.
    Producer,
    /// `scores.raw` to `scores.enriched`.
    Mapper,
    /// `scores.enriched` to the archive.
    Sink,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Producer, Self::Mapper, Self::Sink];

    /// Its name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Mapper => "mapper",
            Self::Sink => "sink",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Says at which place an armed process crashes.
pub const CRASH: &str = "FAULT_POINTS_CRASH";
/// Says at which place an armed process freezes.
pub const FREEZE: &str = "FAULT_POINTS_FREEZE";

/// Variables for one process, beside those of the installation.
pub type Arming = Vec<(String, String)>;

struct Member {
    stage: Stage,
    process: Process,
    /// What it alone was started with.
    arming: Arming,
    is_killed: bool,
}

impl Member {
    fn is_armed(&self, variable: &str) -> bool {
        self.arming.iter().any(|(armed, _)| armed == variable)
    }
}

/// Processes by their names, `mapper-2` for one.
pub struct Fleet<'a> {
    installation: &'a Installation,
    /// What every process is started with.
    arming: Arming,
    /// What those of one stage are started with.
    of_stage: Option<(Stage, Arming)>,
    members: BTreeMap<String, Member>,
    /// Ends that nobody had asked for, in words.
    accidents: Vec<String>,
}

impl<'a> Fleet<'a> {
    /// Nothing runs yet.
    #[must_use]
    pub const fn new(installation: &'a Installation, arming: Arming) -> Self {
        Self {
            installation,
            arming,
            of_stage: None,
            members: BTreeMap::new(),
            accidents: Vec::new(),
        }
    }

    /// What processes of a stage are started with from now on.
    pub fn arm_stage(&mut self, stage: Stage, arming: Arming) {
        self.of_stage = Some((stage, arming));
    }

    /// Starts a process under a name, or starts it again; what is armed to crash may end by itself.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&mut self, name: &str, stage: Stage, arming: &[(String, String)]) -> anyhow::Result<()> {
        let of_stage = self
            .of_stage
            .iter()
            .filter(|(armed, _)| *armed == stage)
            .flat_map(|(_, arming)| arming);
        let all: Vec<_> = self.arming.iter().chain(of_stage).chain(arming).cloned().collect();
        let process = self.installation.start_armed(name, &["run", stage.as_str()], &all)?;
        let member = Member {
            stage,
            process,
            arming: arming.to_vec(),
            is_killed: false,
        };
        self.members.insert(name.to_owned(), member);
        Ok(())
    }

    /// Starts a process again so that it crashes or freezes somewhere.
    ///
    /// # Errors
    /// There is none of this name, or it cannot be started.
    pub fn arm(&mut self, name: &str, arming: &[(String, String)]) -> anyhow::Result<()> {
        let stage = self.member(name)?.stage;
        self.start(name, stage, arming)
    }

    /// Starts a process again as it should be, if it has not been started again already.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn disarm(&mut self, name: &str) -> anyhow::Result<()> {
        let member = self.member(name)?;
        if member.is_armed(CRASH) || member.is_armed(FREEZE) {
            let stage = member.stage;
            self.start(name, stage, &[])?;
        }
        Ok(())
    }

    /// Whether a process stands still where it was armed to; `None` where it is not armed to, or no longer.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn has_frozen(&mut self, name: &str) -> anyhow::Result<Option<bool>> {
        let member = self.member(name)?;
        Ok(member.is_armed(FREEZE).then(|| member.process.is_stopped()))
    }

    fn member(&mut self, name: &str) -> anyhow::Result<&mut Member> {
        self.members.get_mut(name).with_context(|| format!("there is no {name}"))
    }

    /// Lets a process go, which is the caller's to end then.
    pub fn take(&mut self, name: &str) -> Option<Process> {
        self.members.remove(name).map(|member| member.process)
    }

    /// Waits until all are ready.
    ///
    /// # Errors
    /// One is not.
    pub async fn ready(&mut self, deadline: Duration) -> anyhow::Result<()> {
        for (name, member) in &mut self.members {
            member.process.ready(deadline).await.with_context(|| name.clone())?;
        }
        Ok(())
    }

    /// The names of the processes of a stage.
    #[must_use]
    pub fn names(&self, stage: Stage) -> Vec<String> {
        let of_stage = self.members.iter().filter(|(_, member)| member.stage == stage);
        of_stage.map(|(name, _)| name.clone()).collect()
    }

    /// Kills a process; [`Self::supervise`] starts it again.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn kill(&mut self, name: &str) -> anyhow::Result<()> {
        self.member(name)?.is_killed = true;
        self.signal(name, "KILL")
    }

    /// Sends a signal.
    ///
    /// # Errors
    /// There is no process of this name.
    pub fn signal(&self, name: &str, signal: &str) -> anyhow::Result<()> {
        let member = self.members.get(name).with_context(|| format!("there is no {name}"))?;
        member.process.signal(signal)
    }

    /// Asks a process to end for good, and waits for it.
    ///
    /// # Errors
    /// It does not end, or not well.
    pub fn dismiss(&mut self, name: &str) -> anyhow::Result<()> {
        if let Some(process) = self.take(name) {
            let status = process.stop(STOP).with_context(|| name.to_owned())?;
            ensure!(status.success(), "{name} ended with {status}");
        }
        Ok(())
    }

    /// Starts again what has ended, unarmed; says how many there were.
    ///
    /// # Errors
    /// Something cannot be started again.
    pub fn supervise(&mut self) -> anyhow::Result<usize> {
        let mut ended = Vec::new();
        for (name, member) in &mut self.members {
            if let Some(status) = member.process.ended(Duration::ZERO)? {
                if !member.is_killed && !member.is_armed(CRASH) {
                    let log = member.process.end_of_log();
                    self.accidents
                        .push(format!("{name} ended with {status} and nobody had asked it to:\n{log}"));
                }
                ended.push((name.clone(), member.stage));
            }
        }
        for (name, stage) in &ended {
            self.start(name, *stage, &[])?;
        }
        Ok(ended.len())
    }

    /// What ended without having been asked to.
    #[must_use]
    pub fn accidents(&self) -> &[String] {
        &self.accidents
    }

    /// What all of them say on `/metrics` now; whoever does not answer says nothing.
    pub async fn metrics(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (name, member) in &self.members {
            let address = format!("http://{}/metrics", member.process.admin());
            let asked = tokio::time::timeout(Duration::from_secs(2), reqwest::get(address)).await;
            if let Ok(Ok(answer)) = asked {
                all.push((format!("the metrics of {name}"), answer.text().await.unwrap_or_default()));
            }
        }
        all
    }

    /// Ends everything politely.
    ///
    /// # Errors
    /// Something does not end well.
    pub fn end(mut self) -> anyhow::Result<Vec<String>> {
        for name in self.members.keys().cloned().collect::<Vec<_>>() {
            self.dismiss(&name)?;
        }
        Ok(self.accidents)
    }
}
