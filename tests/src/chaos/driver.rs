//! Sends a stream and keeps a log of every attempt: answered, or unknown, in which case it is sent again.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use rdkafka::{
    ClientConfig,
    producer::{FutureProducer, FutureRecord},
};
use reqwest::StatusCode;
use scoresync_domain::Origin;
use scoresync_fault_points::Point;
use scoresync_kafka::{Topic, TopicNames};

use super::{
    fleet::{Arming, has_crashed},
    staff::Roster,
    stream::{Parcel, Poison, Source, Stream},
};
use crate::{installation::Installation, topics::Topics};

/// How long one parcel is sent again and again.
const PATIENCE: Duration = Duration::from_secs(150);
/// Nobody maps by a directory that was read before so long; with a margin for the clock of whoever looks.
const DIRECTORY_AGE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(150);
const SENDERS: usize = 4;

/// How often something was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tries {
    /// With success: it is there so often at least.
    pub(super) answered: usize,
    /// Nobody knows: it may be there so much more often.
    pub(super) unknown: usize,
}

/// What became of one attempt.
enum Answer {
    Accepted,
    /// Nobody knows, be it that somebody said so: it is sent again.
    Unknown,
    /// It is not to be sent again, and why.
    Refused(String),
}

/// The log of all attempts.
#[derive(Clone, Debug, Default)]
pub struct Attempts {
    /// By number of the row.
    pub(super) rows: Vec<Tries>,
    /// By number of the poison.
    pub(super) poison: Vec<Tries>,
    /// What no sender should have been told.
    pub(super) refused: Vec<String>,
    /// Ends of `scores.raw` when the late employees must have been known to every mapper.
    late_known_from: BTreeMap<i32, i64>,
}

impl Attempts {
    /// Whether the report there came when the late employees had been told of.
    pub(super) fn knows_late_employees(&self, origin: Origin) -> bool {
        let end = self.late_known_from.get(&origin.partition);
        end.is_some_and(|end| origin.offset >= *end)
    }
}

/// What senders share.
pub(super) struct Driver<'a> {
    installation: &'a Installation,
    stream: &'a Stream,
    http: reqwest::Client,
    waiting: Mutex<VecDeque<&'a Parcel>>,
    attempts: Mutex<Attempts>,
    /// What the next commands of a name are started with, one after the other.
    next: Mutex<BTreeMap<&'static str, VecDeque<Arming>>>,
    /// Places at which commands crashed, and how often.
    crashes: Mutex<BTreeMap<String, usize>>,
    /// What every command is started with.
    arming: Arming,
    /// How long all of it shall take.
    duration: Duration,
    begun: Instant,
}

impl<'a> Driver<'a> {
    pub(super) fn new(installation: &'a Installation, stream: &'a Stream, (duration, arming): (Duration, Arming)) -> anyhow::Result<Self> {
        let attempts = Attempts {
            rows: vec![Tries::default(); stream.rows.len()],
            poison: vec![Tries::default(); stream.poison.len()],
            refused: Vec::new(),
            late_known_from: BTreeMap::new(),
        };
        Ok(Self {
            installation,
            stream,
            http: reqwest::Client::builder().timeout(Duration::from_secs(8)).build()?,
            waiting: Mutex::new(stream.parcels.iter().collect()),
            attempts: Mutex::new(attempts),
            next: Mutex::default(),
            crashes: Mutex::default(),
            arming,
            duration,
            begun: Instant::now(),
        })
    }

    /// Sends everything, spread over the duration; gives the log when the last parcel was answered.
    pub(super) async fn send_all(&self) -> anyhow::Result<()> {
        let senders = (0..SENDERS).map(|_| self.send_parcels());
        let (parcels, poison) = tokio::join!(futures_util::future::try_join_all(senders), self.send_poison());
        parcels?;
        poison
    }

    pub(super) fn attempts(&self) -> Attempts {
        lock(&self.attempts).clone()
    }

    /// The next command of this name is to be made to fail.
    pub(super) fn arm_next(&self, command: &'static str, arming: Arming) {
        lock(&self.next).entry(command).or_default().push_back(arming);
    }

    /// Takes [`Self::arm_next`] back, if that command was not run yet.
    pub(super) fn disarm_next(&self, command: &str, arming: &Arming) {
        if let Some(next) = lock(&self.next).get_mut(command) {
            next.retain(|waiting| waiting != arming);
        }
    }

    /// Names of the places at which commands crashed, as they were armed to.
    pub(super) fn crashes(&self) -> BTreeSet<String> {
        lock(&self.crashes).keys().cloned().collect()
    }

    /// How often a command crashed at a place.
    pub(super) fn crashes_at(&self, point: Point) -> usize {
        lock(&self.crashes).get(point.as_str()).copied().unwrap_or(0)
    }

    async fn send_parcels(&self) -> anyhow::Result<()> {
        let total = self.stream.parcels.len().max(1) as u32;
        loop {
            let (parcel, sent) = {
                let mut waiting = lock(&self.waiting);
                let parcel = waiting.pop_front();
                (parcel, total.saturating_sub(waiting.len() as u32))
            };
            let Some(parcel) = parcel else { return Ok(()) };
            tokio::time::sleep_until((self.begun + self.duration * sent / total).into()).await;
            self.send(parcel).await?;
        }
    }

    async fn send(&self, parcel: &Parcel) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let answer = match parcel.source {
                Source::Hall | Source::Booth => self.push(parcel).await,
                Source::Export => self.import(parcel).await?,
            };
            self.note(parcel, &answer);
            match answer {
                Answer::Accepted => return Ok(()),
                Answer::Refused(text) => {
                    self.complain(format!("a parcel of {} was refused: {text}", parcel.source.name()));
                    return Ok(());
                }
                Answer::Unknown if Instant::now() > end => {
                    self.complain(format!("a parcel of {} was never answered", parcel.source.name()));
                    return Ok(());
                }
                Answer::Unknown => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    fn note(&self, parcel: &Parcel, answer: &Answer) {
        let mut attempts = lock(&self.attempts);
        for row in &parcel.rows {
            let tries = &mut attempts.rows[*row];
            match answer {
                Answer::Accepted => tries.answered += 1,
                Answer::Unknown => tries.unknown += 1,
                Answer::Refused(_) => {}
            }
        }
    }

    fn complain(&self, text: String) {
        lock(&self.attempts).refused.push(text);
    }

    async fn push(&self, parcel: &Parcel) -> Answer {
        let url = format!("http://{}/v1/sources/{}/reports", self.installation.door, parcel.source.name());
        let content_type = match parcel.source {
            Source::Hall => "application/json",
            Source::Booth | Source::Export => "application/xml",
        };
        let token = self.installation.tokens.get("chaos").map(String::as_str).unwrap_or_default();
        let request = self.http.post(url).bearer_auth(token).header("content-type", content_type);
        let Ok(answer) = request.body(parcel.body.clone()).send().await else {
            return Answer::Unknown;
        };
        let status = answer.status();
        let is_to_be_repeated = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        if status == StatusCode::ACCEPTED {
            Answer::Accepted
        } else if status.is_client_error() && !is_to_be_repeated {
            Answer::Refused(format!("{status}: {}", answer.text().await.unwrap_or_default()))
        } else {
            Answer::Unknown
        }
    }

    /// A file that keeps its name over attempts, so that what was interrupted goes on.
    async fn import(&self, parcel: &Parcel) -> anyhow::Result<Answer> {
        let name = format!("export-{}.csv", parcel.rows.first().copied().unwrap_or(0));
        let path = self.installation.folder.join(name);
        std::fs::write(&path, &parcel.body)?;
        let (path, state) = (display(path), display(self.installation.folder.join("imports")));
        let is_done = self.run(&["import", "export", &path, "--state-dir", &state]).await?;
        Ok(if is_done { Answer::Accepted } else { Answer::Unknown })
    }

    /// Runs a command; says whether it succeeded.
    async fn run(&self, arguments: &[&str]) -> anyhow::Result<bool> {
        let own = arguments
            .first()
            .and_then(|command| lock(&self.next).get_mut(*command)?.pop_front())
            .unwrap_or_default();
        let place = own.first().and_then(|(_, place)| place.split(':').next()).map(str::to_owned);
        let mut command = self.installation.armed_command(arguments, &[self.arming.clone(), own].concat())?;
        let output = tokio::task::spawn_blocking(move || command.output())
            .await?
            .context("start scoresync")?;
        if let Some(place) = place.filter(|_| has_crashed(output.status)) {
            *lock(&self.crashes).entry(place).or_default() += 1;
        }
        if output.status.code() == Some(2) || output.status.code() == Some(78) {
            bail!("{}", String::from_utf8_lossy(&output.stderr));
        }
        let log = self.installation.folder.join("imports.log");
        let mut file = std::fs::File::options().create(true).append(true).open(log)?;
        std::io::Write::write_all(&mut file, &[output.stdout, output.stderr].concat())?;
        Ok(output.status.success())
    }

    /// Brings a file of the HR system in, again and again until it is there.
    pub(super) async fn employ(&self, roster: &Roster) -> anyhow::Result<()> {
        let path = self.installation.folder.join(roster.name);
        std::fs::write(&path, &roster.csv)?;
        let path = display(path);
        let mut arguments = vec!["employees", "import", &path, "--as-of", roster.as_of];
        if roster.is_full {
            arguments.push("--full");
        }
        let end = Instant::now() + PATIENCE;
        while !self.run(&arguments).await? {
            if Instant::now() > end {
                self.complain(format!("{} was never taken over", roster.name));
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Brings the late employees in, and notes from where in `scores.raw` on they must be known.
    pub(super) async fn employ_late(&self, roster: &Roster, topics: &Topics) -> anyhow::Result<()> {
        self.employ(roster).await?;
        tokio::time::sleep(DIRECTORY_AGE).await;
        let end = Instant::now() + PATIENCE;
        let ends = loop {
            match topics.ends(Topic::Raw).await {
                Ok(ends) => break ends,
                // A broker that is away is asked again.
                Err(_) if Instant::now() < end => tokio::time::sleep(PAUSE).await,
                Err(error) => return Err(error),
            }
        };
        lock(&self.attempts).late_known_from = ends;
        Ok(())
    }

    /// As a client that knows nothing of scoresync.
    async fn send_poison(&self) -> anyhow::Result<()> {
        let mut producer = self.foreign()?;
        let topic = TopicNames::new(&self.installation.topics).name(Topic::Raw);
        let total = self.stream.poison.len().max(1) as u32;
        for (number, poison) in self.stream.poison.iter().enumerate() {
            tokio::time::sleep_until((self.begun + self.duration * number as u32 / total).into()).await;
            let end = Instant::now() + PATIENCE;
            while !self.write(&producer, &topic, (number, poison)).await {
                ensure!(Instant::now() < end, "poison was never acknowledged");
                // A client that was told of no brokers never finds any again (librdkafka 2.12).
                producer = self.foreign()?;
            }
        }
        Ok(())
    }

    fn foreign(&self) -> anyhow::Result<FutureProducer> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.installation.kafka.brokers)
            .set("message.timeout.ms", "5000")
            // What it is told is written once is there once, also where its acknowledgement was lost and it sent again.
            .set("enable.idempotence", "true");
        Ok(config.create()?)
    }

    async fn write(&self, producer: &FutureProducer, topic: &str, (number, poison): (usize, &Poison)) -> bool {
        let mut record = FutureRecord::<str, [u8]>::to(topic).key(&poison.key);
        record.payload = poison.value.as_deref();
        let is_written = producer.send(record, Duration::from_secs(5)).await.is_ok();
        let tries = &mut lock(&self.attempts).poison[number];
        if is_written {
            tries.answered += 1;
        } else {
            tries.unknown += 1;
        }
        is_written
    }
}

fn display(path: PathBuf) -> String {
    path.display().to_string()
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
