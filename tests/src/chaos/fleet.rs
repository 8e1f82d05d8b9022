//! The processes of an installation, each started again when it has ended, as a supervisor would.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    os::unix::process::ExitStatusExt,
    process::ExitStatus,
    time::Duration,
};

use anyhow::Context;

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
/// Says how many milliseconds an armed process lets its other threads go on before it crashes.
pub const LINGER: &str = "FAULT_POINTS_LINGER";
/// Says at which place an armed process freezes.
pub const FREEZE: &str = "FAULT_POINTS_FREEZE";
/// Says which error an armed process makes.
pub const BUG: &str = "FAULT_POINTS_BUG";

/// Variables for one process, beside those of the installation.
pub type Arming = Vec<(String, String)>;

/// How long a process may take to end before another one comes in its place.
const LEAVE: Duration = Duration::from_secs(15);
const BEAT: Duration = Duration::from_millis(50);

struct Member {
    stage: Stage,
    process: Process,
    /// What it alone was started with.
    arming: Arming,
    is_killed: bool,
    /// It comes and goes, and is nobody's victim.
    is_guest: bool,
}

impl Member {
    /// The place, where it is armed to crash or freeze at one.
    fn armed(&self, variable: &str) -> Option<&str> {
        let armed = self.arming.iter().find(|(armed, _)| armed == variable);
        armed.and_then(|(_, place)| place.split(':').next())
    }

    /// Whether this is an end that was brought about.
    fn may_end_so(&self, status: ExitStatus) -> bool {
        match status.signal() {
            Some(SIGKILL) => self.is_killed,
            Some(SIGABRT) => self.armed(CRASH).is_some(),
            _ => false,
        }
    }
}

const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

/// Whether a process ended as an armed one crashes.
pub(crate) fn has_crashed(status: ExitStatus) -> bool {
    status.signal() == Some(SIGABRT)
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
    /// Places at which processes crashed.
    crashes: BTreeSet<String>,
    /// With which words a process may end at present, as a person has to act first; one for each fault that brings it about.
    expected: Vec<&'static str>,
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
            crashes: BTreeSet::new(),
            expected: Vec::new(),
        }
    }

    /// From now on, a process may end that says this.
    pub fn expect(&mut self, explanation: &'static str) {
        self.expected.push(explanation);
    }

    /// Takes [`Self::expect`] back once.
    pub fn expect_no_more(&mut self, explanation: &str) {
        if let Some(place) = self.expected.iter().position(|expected| *expected == explanation) {
            self.expected.remove(place);
        }
    }

    /// What processes of a stage are started with from now on.
    pub fn arm_stage(&mut self, stage: Stage, arming: Arming) {
        self.of_stage = Some((stage, arming));
    }

    /// Starts a process under a name that nobody has, or whose process has ended; what is armed to crash may end by itself.
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
            is_guest: false,
        };
        self.members.insert(name.to_owned(), member);
        Ok(())
    }

    /// Starts a further process that is to [`Self::leave`] again.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_guest(&mut self, name: &str, stage: Stage) -> anyhow::Result<()> {
        self.start(name, stage, &[])?;
        self.member(name)?.is_guest = true;
        Ok(())
    }

    /// Lets a process end as it should, so that its group knows, and starts it again with something.
    ///
    /// # Errors
    /// There is none of this name, or it cannot be started.
    pub async fn arm(&mut self, name: &str, arming: &[(String, String)]) -> anyhow::Result<()> {
        let stage = self.member(name)?.stage;
        self.leave(name).await?;
        self.start(name, stage, arming)
    }

    /// A process that does not end in time is killed: it stands still, or has not begun to hear.
    pub(super) async fn leave(&mut self, name: &str) -> anyhow::Result<()> {
        let Some(mut member) = self.members.remove(name) else {
            return Ok(());
        };
        let end = tokio::time::Instant::now() + LEAVE;
        loop {
            if let Some(status) = member.process.ended(Duration::ZERO)? {
                if !status.success() {
                    self.note_end(name, &member, status);
                }
                return Ok(());
            }
            if tokio::time::Instant::now() > end {
                return member.process.kill();
            }
            member.process.ask_to_end();
            tokio::time::sleep(BEAT).await;
        }
    }

    fn note_end(&mut self, name: &str, member: &Member, status: ExitStatus) {
        if !member.may_end_so(status) {
            let log = member.process.end_of_log();
            if self.expected.iter().any(|explanation| log.contains(explanation)) {
                return;
            }
            self.accidents
                .push(format!("{name} ended with {status} and nobody had asked it to:\n{log}"));
        } else if has_crashed(status) {
            self.crashes.extend(member.armed(CRASH).map(str::to_owned));
        }
    }

    /// Starts a process again as it should be, if it has not been started again already.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn disarm(&mut self, name: &str) -> anyhow::Result<()> {
        let member = self.member(name)?;
        if member.armed(CRASH).or(member.armed(FREEZE)).is_some() {
            self.arm(name, &[]).await?;
        }
        Ok(())
    }

    /// Whether a process that was armed to crash has been started again since.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn has_crashed(&mut self, name: &str) -> anyhow::Result<bool> {
        Ok(self.member(name)?.armed(CRASH).is_none())
    }

    /// Whether a process stands still where it was armed to; `None` where it is not armed to, or no longer.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn has_frozen(&mut self, name: &str) -> anyhow::Result<Option<bool>> {
        let member = self.member(name)?;
        Ok(member.armed(FREEZE).map(|_| member.process.is_stopped()))
    }

    fn member(&mut self, name: &str) -> anyhow::Result<&mut Member> {
        self.members.get_mut(name).with_context(|| format!("there is no {name}"))
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

    /// The names of the processes of a stage that stay.
    #[must_use]
    pub fn names(&self, stage: Stage) -> Vec<String> {
        let of_stage = self.members.iter().filter(|(_, member)| member.stage == stage && !member.is_guest);
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

    /// Starts again what has ended, unarmed.
    ///
    /// # Errors
    /// Something cannot be started again.
    pub fn supervise(&mut self) -> anyhow::Result<()> {
        let mut ended = Vec::new();
        for (name, member) in &mut self.members {
            if let Some(status) = member.process.ended(Duration::ZERO)? {
                ended.push((name.clone(), status));
            }
        }
        for (name, status) in ended {
            if let Some(member) = self.members.remove(&name) {
                self.note_end(&name, &member, status);
                if !member.is_guest {
                    self.start(&name, member.stage, &[])?;
                }
            }
        }
        Ok(())
    }

    /// Names of the places at which processes crashed, as they were armed to.
    #[must_use]
    pub const fn crashes(&self) -> &BTreeSet<String> {
        &self.crashes
    }

    /// Where a process says whether it is ready.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn readiness_of(&mut self, name: &str) -> anyhow::Result<String> {
        Ok(format!("http://{}/readyz", self.member(name)?.process.admin()))
    }

    /// What all of them say on `/metrics` now.
    pub async fn metrics(&mut self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for (name, member) in &self.members {
            let address = format!("http://{}/metrics", member.process.admin());
            let asked = async { reqwest::get(address).await?.text().await };
            match tokio::time::timeout(Duration::from_secs(20), asked).await {
                Ok(Ok(text)) => all.push((format!("the metrics of {name}"), text)),
                Ok(Err(_)) | Err(_) => self.accidents.push(format!("{name} says no metrics")),
            }
        }
        all
    }

    /// Ends everything politely; gives what went wrong, then and before.
    #[must_use]
    pub fn end(mut self) -> Vec<String> {
        for (name, member) in self.members {
            match member.process.stop(STOP) {
                Ok(status) if status.success() => {}
                Ok(status) => self.accidents.push(format!("{name} was asked to end, and ended with {status}")),
                Err(error) => self.accidents.push(format!("{name}: {error:#}")),
            }
        }
        self.accidents
    }
}
