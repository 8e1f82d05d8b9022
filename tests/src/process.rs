//! A process of scoresync: started, waited for, stopped politely or killed, and never left behind.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};

const PAUSE: Duration = Duration::from_millis(20);

/// A running process; dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
    admin: SocketAddr,
    is_asked: bool,
}

impl Process {
    /// Starts a command whose admin port is to be there; what it says is appended to the log.
    ///
    /// # Errors
    /// The operating system's.
    pub fn start(mut command: Command, log: PathBuf, admin: SocketAddr) -> anyhow::Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("open {}", log.display()))?;
        command.stdout(file.try_clone()?).stderr(file).stdin(Stdio::null());
        let child = command.spawn().context("start scoresync")?;
        Ok(Self {
            child,
            log,
            admin,
            is_asked: false,
        })
    }

    /// Waits until `/readyz` says that all is well.
    ///
    /// # Errors
    /// It ended, or was not ready in time: the error has the reason that it gave and the end of its log.
    pub async fn ready(&mut self, deadline: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + deadline;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
        let url = format!("http://{}/readyz", self.admin);
        loop {
            let reason = match http.get(&url).send().await {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            if let Some(status) = self.child.try_wait()? {
                bail!("scoresync ended with {status}; the end of its log:\n{}", self.end_of_log());
            }
            ensure!(
                Instant::now() < end,
                "scoresync is not ready: {reason}; the end of its log:\n{}",
                self.end_of_log()
            );
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where `/readyz` and `/metrics` are.
    #[must_use]
    pub const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// All that it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read(&self.log)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Waits until it has ended by itself; `None` where it has not within the deadline.
    ///
    /// # Errors
    /// The operating system's.
    pub fn ended(&mut self, deadline: Duration) -> anyhow::Result<Option<ExitStatus>> {
        let end = Instant::now() + deadline;
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() || Instant::now() > end {
                return Ok(status);
            }
            thread::sleep(PAUSE);
        }
    }

    /// Asks it to end, and waits for it; one that has just been started hears that when its admin port is open.
    ///
    /// # Errors
    /// It was still there at the deadline, and was killed.
    pub fn stop(mut self, deadline: Duration) -> anyhow::Result<ExitStatus> {
        let end = Instant::now() + deadline;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            self.ask_to_end();
            thread::sleep(PAUSE);
        }
        bail!(
            "scoresync did not end within {deadline:?}; the end of its log:\n{}",
            self.end_of_log()
        )
    }

    /// Kills it (`kill -9`), and waits until it is gone.
    ///
    /// # Errors
    /// The operating system's.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends a signal by its name, such as `STOP`, `CONT` or `TERM`.
    ///
    /// # Errors
    /// The process is gone.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let status = Command::new("kill")
            .args([format!("-{name}"), self.id().to_string()])
            .status()
            .context("run kill")?;
        ensure!(status.success(), "SIG{name} could not be sent to process {}", self.id());
        Ok(())
    }

    /// Whether a signal has stopped it, until it is told to continue.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        // The state comes after the program's name, which is in brackets.
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap_or_default();
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'))
    }

    /// The most memory that it has had at one time (`VmHWM`).
    ///
    /// # Errors
    /// It is gone.
    pub fn peak_memory_kib(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        number.and_then(|number| number.parse().ok()).context("/proc tells no VmHWM")
    }

    /// Asks it to end, once, and not before its admin port is open: until then it hears nothing and dies of it. To be called again and again.
    pub fn ask_to_end(&mut self) {
        if !self.is_asked && TcpStream::connect(self.admin).is_ok() {
            self.is_asked = self.signal("TERM").is_ok();
        }
    }

    /// Lets it go on when this program ends.
    pub fn leave(self) {
        std::mem::forget(self);
    }

    /// The last lines that it has logged.
    #[must_use]
    pub fn end_of_log(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
