//! The desk's loop: takes letters in, hears what the directory learns, sends again what can be filed.

mod assignment;
mod bookkeeping;
mod judging;
mod overdue;

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use scoresync_archive::{Archive, ArchiveError, FiledReport, IncomingLetter, LetterBatch};
use scoresync_domain::{EnrichedScore, Region, Sources, Timestamp};
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{
    BorrowedMessage, Decoder, DirectoryChange, DirectoryError, Error, Event, GroupConsumer, KafkaSettings, Kind, LiveDirectory, Membership,
    Message, Publisher, Registry, SchemaLookupError, TableError, Topic, TopicNames, TopicSettings,
};
use scoresync_positions::{Reader, StartError, TopicMemory, wait_for};
use scoresync_service::{Backoff, BackoffLimits, Loudness, Shutdown, StageReadiness, now_millis, now_seconds};
use tokio::runtime::Handle;

use self::{
    assignment::{Change, Unstarted},
    overdue::Overdue,
};
use crate::{
    incoming,
    judge::Judge,
    metrics::{DeskMetrics, STAGE},
    news::News,
    partitions::Partitions,
    redriver::{RedriveError, Redriver},
    settings::DeskSettings,
};

/// How long a poll waits when there is nothing to do. The directory is looked at, and letters are sent, in this beat.
const POLL: Duration = Duration::from_millis(20);
/// What is taken in at once, at most.
const MOST_RECORDS: usize = 2_000;
const MOST_BYTES: usize = 8 << 20;
/// How often positions move over records that say nothing about letters.
const REST: Duration = Duration::from_secs(1);
const BOOKKEEPING: Duration = Duration::from_millis(500);
/// How long reading the directory may take at the start.
const DIRECTORY_LIMIT: Duration = Duration::from_secs(300);

/// What the desk works with.
pub struct Surroundings<'a> {
    /// `[kafka]`.
    pub kafka: &'a KafkaSettings,
    /// `[topics]`.
    pub topics: &'a TopicSettings,
    /// The schema registry.
    pub registry: &'a Registry,
    /// Where calls to registry and database run.
    pub runtime: &'a Handle,
    /// The archive, open for the desk.
    pub archive: Arc<Archive>,
    /// Where the directory's phone numbers without a country code belong.
    pub region: Region,
}

/// Why the desk cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The registry, or what is recorded about its schemas.
    #[error("the desk cannot be sure of its topics' schemas")]
    Schemas(#[from] SchemaLookupError),
    /// The client will never write anything again: what is queued stays queued.
    #[error("the client of Kafka cannot write any more: {0}; start the desk again")]
    CannotWrite(String),
}

impl DeskError {
    /// Whether trying the same again can help.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Kafka(error) => error.kind(),
            Self::Directory(DirectoryError(TableError::Kafka { cause, .. })) => cause.kind(),
            Self::Archive(ArchiveError::Environment { .. }) | Self::CannotWrite(_) => Kind::Environment,
            Self::Archive(
                ArchiveError::Transient { .. } | ArchiveError::LostPosition { .. } | ArchiveError::WouldRefuse | ArchiveError::Overtaken,
            )
            | Self::Directory(DirectoryError(TableError::Schemas { .. } | TableError::TooSlow { .. }))
            | Self::Schemas(_) => Kind::Transient,
        }
    }
}

impl From<StartError> for DeskError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Kafka(error) => Self::Kafka(error),
            StartError::Archive(error) => Self::Archive(error),
            StartError::Schemas(error) => Self::Schemas(error),
        }
    }
}

/// The desk. Runs on a thread of its own.
pub struct Desk {
    consumer: GroupConsumer,
    partitions: Partitions,
    unstarted: Unstarted,
    memories: Memories,
    judge: Judge,
    scores: Decoder<EnrichedScore<'static>>,
    live: LiveDirectory,
    news: News,
    overdue: Overdue,
    redriver: Redriver,
    archive: Arc<Archive>,
    kafka: KafkaSettings,
    topics: TopicSettings,
    runtime: Handle,
    settings: DeskSettings,
    metrics: DeskMetrics,
    readiness: StageReadiness,
    backoff: Backoff,
    /// What keeps letters from being judged or sent is tried again then.
    not_before: Option<Instant>,
    last_moved: Instant,
    last_bookkeeping: Instant,
    last_count: Option<Instant>,
    /// Of which sources and reasons open letters were shown.
    shown: BTreeSet<(String, String)>,
}

/// What is remembered of the schemas of the two topics that are read.
struct Memories {
    letters: TopicMemory,
    scores: TopicMemory,
}

impl Memories {
    fn of(&self, topic: &str) -> &TopicMemory {
        if topic == self.scores.topic { &self.scores } else { &self.letters }
    }
}

impl Desk {
    /// Makes sure that the registry is the one of before, reads the directory to its end and joins the group.
    ///
    /// # Errors
    /// Settings that the client refuses, a registry whose schemas are not those that were recorded, or no answer.
    pub fn start(
        surroundings: &Surroundings<'_>,
        settings: DeskSettings,
        sources: Sources,
        (metrics, readiness): (DeskMetrics, StageReadiness),
    ) -> Result<Self, DeskError> {
        let Surroundings {
            kafka,
            topics,
            registry,
            runtime,
            archive,
            region,
        } = surroundings;
        let names = TopicNames::new(topics);
        let reports = Decoder::new(names.subject(Topic::Raw), (*registry).clone(), (*runtime).clone());
        let scores = Decoder::new(names.subject(Topic::Enriched), (*registry).clone(), (*runtime).clone()).patient();
        let memory = |topic, schemas| TopicMemory {
            topic: names.name(topic),
            generation: names.generation(),
            schemas,
        };
        let memories = Memories {
            letters: memory(Topic::DeadLetters, reports.memory().clone()),
            scores: memory(Topic::Enriched, scores.memory().clone()),
        };
        for memory in [&memories.letters, &memories.scores] {
            memory.recall(Reader::Desk, archive, runtime)?;
            memory.verify(registry, runtime)?;
        }
        readiness.in_transition("reading the directory");
        let mut live = LiveDirectory::open(kafka, topics, *region, (registry, runtime))?;
        live.read_to_end(DIRECTORY_LIMIT)?;
        let group = format!("{}.{STAGE}", kafka.group_prefix);
        let membership = Membership {
            group: &group,
            topics: &[&memories.letters.topic, &memories.scores.topic],
        };
        readiness.in_transition("waiting for partitions");
        Ok(Self {
            consumer: GroupConsumer::join(kafka, &membership)?,
            partitions: Partitions::default(),
            unstarted: Unstarted::default(),
            memories,
            judge: Judge { reports, sources },
            scores,
            live,
            news: News::new(*region),
            overdue: Overdue::default(),
            redriver: Redriver::new(
                Publisher::new(kafka, topics)?,
                names.name(Topic::Raw),
                settings.redrives_per_second.get(),
            ),
            archive: Arc::clone(archive),
            kafka: (*kafka).clone(),
            topics: (*topics).clone(),
            runtime: (*runtime).clone(),
            settings,
            metrics,
            readiness,
            backoff: Backoff::new(BackoffLimits {
                longest: Duration::from_secs(5),
                ..BackoffLimits::default()
            }),
            not_before: None,
            last_moved: Instant::now(),
            last_bookkeeping: Instant::now(),
            last_count: None,
            shown: BTreeSet::new(),
        })
    }

    /// Works until the end is asked for. What waits to be sent then, the next desk sends.
    ///
    /// # Errors
    /// What a person must mend. What passes by itself is waited for.
    pub fn run(mut self, shutdown: &Shutdown) -> Result<(), DeskError> {
        while !shutdown.is_requested() {
            self.read()?;
            self.start_partitions()?;
            self.follow_directory();
            if !self.waits() {
                self.resolve();
            }
            if self.last_bookkeeping.elapsed() >= BOOKKEEPING {
                self.last_bookkeeping = Instant::now();
                if let Some(cause) = self.redriver.fatal_error() {
                    return Err(DeskError::CannotWrite(cause));
                }
                self.keep_books();
            }
        }
        self.readiness.in_transition("shutting down");
        Ok(())
    }

    /// Takes in what is there.
    fn read(&mut self) -> Result<(), DeskError> {
        let mut records = Vec::new();
        let is_idle = self.news.is_empty() || self.waits();
        let (mut bytes, mut timeout) = (0, if is_idle { POLL } else { Duration::ZERO });
        let change = loop {
            match self.consumer.poll(timeout) {
                Event::Record(record) => {
                    if self.partitions.take((record.topic(), record.partition()), record.offset()) {
                        bytes += record.payload().map_or(0, <[u8]>::len);
                        records.push(record);
                    }
                    if records.len() >= MOST_RECORDS || bytes >= MOST_BYTES {
                        break None;
                    }
                }
                other @ (Event::Assigned(_) | Event::Revoked(_) | Event::Stalled(_) | Event::Trouble(_) | Event::Nothing) => {
                    break Change::of(other);
                }
            }
            timeout = Duration::ZERO;
        };
        let now = Timestamp::from_millis(now_millis());
        let contents = contents(&records, (&mut self.judge, &mut self.scores, &self.live), (&self.memories, now));
        let batch = contents.map(|(letters, filed)| LetterBatch {
            positions: self.partitions.moves(|place| self.memories.of(&place.topic)),
            letters,
            filed,
            now,
            max_attempts: self.settings.max_attempts.get(),
        });
        let taken = batch.map_err(DeskError::from).and_then(|batch| {
            let says_nothing = batch.letters.is_empty() && batch.filed.is_empty();
            if batch.positions.is_empty() || (says_nothing && self.last_moved.elapsed() < REST) {
                return Ok(None);
            }
            let can_be_filed = batch.letters.iter().any(|letter| letter.can_be_filed);
            fault_points::pass(Point::LettersTaken);
            let taken = wait_for(&self.runtime, self.archive.take_letters(&batch))?;
            fault_points::pass(Point::LettersKept);
            Ok(Some((taken, can_be_filed)))
        });
        drop(records);
        match taken {
            Ok(None) => {}
            Ok(Some((taken, can_be_filed))) => {
                self.partitions.archived();
                self.last_moved = Instant::now();
                self.metrics.stage.last_progress.get([STAGE]).set(now_seconds());
                self.metrics.count_taken(taken);
                if can_be_filed {
                    self.redriver.wake();
                }
            }
            Err(error) => self.begin_all_again(&error)?,
        }
        // Nothing is in hand.
        change.map_or(Ok(()), |change| self.obey(change))
    }

    fn follow_directory(&mut self) {
        if self.waits() {
            return;
        }
        let (news, overdue) = (&mut self.news, &mut self.overdue);
        let mut hear = |change: DirectoryChange<'_>| {
            overdue.hear(&change);
            news.hear(change);
        };
        if let Err(error) = self.live.read_available(&mut hear) {
            self.trouble("directory", &error);
        }
    }

    /// Sends what is asked for, and judges letters by what the directory has learnt.
    fn resolve(&mut self) {
        let now = Timestamp::from_millis(now_millis());
        match self.redriver.send((&self.archive, &self.runtime), self.live.position(), now) {
            Ok(sent) => self.metrics.redriven.inc_by(sent),
            Err(error) => {
                let cause = match &error {
                    RedriveError::Archive(_) => "archive",
                    RedriveError::Publish(_) | RedriveError::NotAcknowledged(_) => "publish",
                };
                return self.trouble(cause, &error);
            }
        }
        match self.judge_news() {
            Ok(()) => {
                if self.not_before.take().is_some() && self.unstarted.is_empty() {
                    self.backoff.reset();
                }
            }
            Err(error) => self.trouble(judging::cause(&error), &error),
        }
    }

    /// Whether something is only tried again later.
    fn waits(&self) -> bool {
        self.not_before.is_some_and(|time| time > Instant::now())
    }

    /// Something keeps the desk from its work, and is tried again.
    fn trouble(&mut self, cause: &'static str, error: &(dyn std::error::Error + 'static)) {
        self.metrics.stage.retries.get([STAGE, cause]).inc();
        self.not_before = Some(Instant::now() + self.backoff.next_delay());
        self.readiness.not_ready(error.to_string());
        match self.backoff.loudness() {
            Loudness::Quiet => tracing::info!(error, "letters have to wait; trying again"),
            Loudness::Warn => tracing::warn!(error, "letters have to wait; trying again"),
            Loudness::Error => tracing::error!(error, "letters have been waiting for long; trying again"),
        }
    }
}

/// What records say, in their order.
fn contents<'a>(
    records: &'a [BorrowedMessage<'_>],
    (judge, scores, live): (&mut Judge, &mut Decoder<EnrichedScore<'static>>, &LiveDirectory),
    (memories, now): (&Memories, Timestamp),
) -> Result<(Vec<IncomingLetter<'a>>, Vec<FiledReport>), SchemaLookupError> {
    let (mut letters, mut filed) = (Vec::new(), Vec::new());
    for record in records {
        if record.topic() == memories.letters.topic {
            letters.push(incoming::letter(record, (judge, live.directory()), now)?);
        } else {
            filed.extend(incoming::filed(record, scores, now)?);
        }
    }
    Ok((letters, filed))
}
