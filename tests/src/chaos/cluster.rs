//! Two more brokers beside that of a stack, so that a partition has a leader that can be lost. The first stays the only controller.

use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};

use crate::{
    ports::free_address,
    stack::{Part, Stack},
};

const START: Duration = Duration::from_secs(60);

/// A broker of its own process.
pub(super) struct Broker {
    address: String,
    program: Command,
    log: PathBuf,
    process: Option<Child>,
}

impl Broker {
    /// Lays out the broker of this number beside the first one, and starts it.
    pub(super) fn join(stack: &Stack, number: u8) -> anyhow::Result<Self> {
        let (folder, first) = (stack.folder()?, first_broker(stack)?);
        let data = folder.join(format!("kafka-{number}"));
        let (address, gated) = (free_address()?.to_string(), free_address()?.to_string());
        let properties = folder.join(format!("kafka-{number}.properties"));
        fs::write(&properties, properties_of(folder, number, (&address, &gated), &data)?)?;
        let cluster = value_of(&folder.join("kafka/data/meta.properties"), "cluster.id")?;
        let mut format = java(&first, "kafka.tools.StorageTool");
        let formatted = format
            .args(["format", "--cluster-id", &cluster, "--config"])
            .arg(&properties)
            .output()?;
        ensure!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
        let mut program = java(&first, "kafka.Kafka");
        program.arg(&properties);
        let mut broker = Self {
            address,
            program,
            log: folder.join(format!("kafka-{number}.log")),
            process: None,
        };
        broker.start()?;
        Ok(broker)
    }

    /// Starts it, if it does not run, and waits until it listens.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        let log = fs::File::options().create(true).append(true).open(&self.log)?;
        self.program.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let end = Instant::now() + START;
        let process = match &mut self.process {
            Some(process) => process,
            none => none.insert(self.program.spawn()?),
        };
        while TcpStream::connect(&self.address).is_err() {
            if let Some(status) = process.try_wait()? {
                bail!("a broker ended with {status}; see {}", self.log.display());
            }
            ensure!(Instant::now() < end, "a broker does not answer; see {}", self.log.display());
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
            process.wait()?;
        }
        Ok(())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.kill();
    }
}

/// How the first broker was started.
fn first_broker(stack: &Stack) -> anyhow::Result<Vec<String>> {
    let line = fs::read(format!("/proc/{}/cmdline", stack.process_id(Part::Kafka)?))?;
    let words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    Ok(words.collect())
}

/// The same Java with the same options and classes.
fn java(first: &[String], class: &str) -> Command {
    let mut words = first.iter().take_while(|word| *word != "kafka.Kafka");
    let mut command = Command::new(words.next().map_or("java", String::as_str));
    command.args(words).arg(class);
    command
}

/// Those of the first broker, without its part as a controller.
fn properties_of(folder: &Path, number: u8, (address, gated): (&str, &str), data: &Path) -> anyhow::Result<String> {
    let listeners = format!("PLAINTEXT://{address},GATED://{gated}");
    let own = [
        ("process.roles", "broker".to_owned()),
        ("node.id", number.to_string()),
        ("listeners", listeners.clone()),
        ("advertised.listeners", listeners),
        ("log.dirs", data.display().to_string()),
    ];
    let first = fs::read_to_string(folder.join("kafka/server.properties"))?;
    let kept = first.lines().filter(|line| {
        let name = line.split_once('=').map_or(*line, |(name, _)| name);
        own.iter().all(|(own, _)| *own != name)
    });
    let own = own.iter().map(|(name, value)| format!("{name}={value}"));
    Ok(kept.map(str::to_owned).chain(own).map(|line| line + "\n").collect())
}

fn value_of(file: &Path, name: &str) -> anyhow::Result<String> {
    let text = fs::read_to_string(file)?;
    let mut pairs = text.lines().filter_map(|line| line.split_once('='));
    let found = pairs.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned());
    found.with_context(|| format!("{} has no {name}", file.display()))
}
