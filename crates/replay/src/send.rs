//! Sending what differs, as a mapper would write it, and waiting until the sink has filed it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use scoresync_domain::{Origin, Reason, Timestamp};
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{
    DeliveryFailure, Outgoing, OwnedHeaders, PublishError, Publisher, StoredRecord, Ticket, Topic,
    dead_letter::{DeadLetter, enriched_headers},
    record_at, topic_bounds,
};
use scoresync_service::now_millis;

use crate::{
    look::Look,
    outgoing::Letter,
    replay::{Progress, Replay, ReplayError, Step},
};

/// How long the broker may acknowledge nothing, or the sink file nothing.
const PATIENCE: Duration = Duration::from_secs(120);
const QUEUE_LIMIT: Duration = Duration::from_secs(1);
/// Between two looks at what is acknowledged, and at where the sink is.
const PAUSE: Duration = Duration::from_millis(50);
/// The instance that dead letters name.
const INSTANCE: &str = "replay";

impl Replay<'_> {
    /// Sends everything that was found to differ, and returns when the broker has acknowledged all of it; says how many enriched scores it
    /// were. Blocks its thread.
    ///
    /// Whoever is killed meanwhile looks again and sends what is left: what is sent already does not differ any more. Dead letters go first,
    /// as nothing tells later that one is missing; written twice, they are one letter.
    ///
    /// # Errors
    /// The broker does not take it.
    pub fn send(&self, look: &mut Look, progress: Progress<'_>) -> Result<u64, ReplayError> {
        self.check_directory(look)?;
        let names = self.names(self.topics.generation);
        let (enriched, dead_letters) = (names.name(Topic::Enriched), names.name(Topic::DeadLetters));
        let mut sending = Sending::begin(Publisher::new(self.kafka, self.topics)?);
        for letter in look.letters.read()? {
            let letter = letter?;
            let report = self.report(&letter)?;
            let record = Outgoing {
                topic: &dead_letters,
                key: report.key.as_deref(),
                value: report.value.as_deref(),
            };
            sending.queue(record, &|| Some(self.headers(&letter)))?;
            progress(Step::Sending, 1);
        }
        sending.settle()?;
        fault_points::pass(Point::ReplayLettersWritten);
        for output in look.outgoing.read()? {
            let output = output?;
            let key = output.result_id().to_string();
            let record = Outgoing {
                topic: &enriched,
                key: Some(key.as_bytes()),
                value: Some(&output.value),
            };
            sending.queue(record, &|| enriched_headers(output.attempts, output.traceparent.as_deref()))?;
            fault_points::pass(Point::ReplayedScoreQueued);
            progress(Step::Sending, 1);
        }
        sending.settle()?;
        Ok(look.outgoing.count)
    }

    /// Whose the reports are was found by the employees as they were: by others, what is sent could be somebody else's.
    fn check_directory(&self, look: &Look) -> Result<(), ReplayError> {
        match self.directory()?.position() == look.directory {
            true => Ok(()),
            false => Err(ReplayError::DirectoryMoved),
        }
    }

    /// The report of a letter; one that fell out of its log meanwhile, or has no room in a letter, is left out of it.
    fn report(&self, letter: &Letter) -> Result<StoredRecord, ReplayError> {
        let (generation, partition, offset) = letter.origin;
        let name = self.names(generation).name(Topic::Raw);
        let report = record_at(self.kafka, &name, partition, offset)?.unwrap_or_default();
        let largest = self.topics.max_message_bytes;
        Ok(StoredRecord {
            value: report.value.filter(|value| value.len() <= largest),
            ..report
        })
    }

    fn headers(&self, letter: &Letter) -> OwnedHeaders {
        let (generation, partition, offset) = letter.origin;
        let letter = DeadLetter {
            topic: &self.names(generation).name(Topic::Raw),
            partition,
            offset,
            group: &format!("{}.mapper", self.kafka.group_prefix),
            instance: INSTANCE,
            // It was written by its name a moment ago.
            reason: letter.reason.parse().unwrap_or(Reason::InvalidField),
            message: &letter.message,
            source: &self.source.name,
            origin: Origin {
                generation,
                partition,
                offset,
            },
            attempt: letter.attempt,
            first_failed_at: Timestamp::from_millis(now_millis()),
            traceparent: letter.traceparent.as_deref(),
            is_retracted: true,
        };
        letter.headers()
    }

    /// Waits until the sink has filed all that stands in `scores.enriched` now. Blocks its thread.
    ///
    /// # Errors
    /// The sink does not go on.
    pub fn wait_for_sink(&self, progress: Progress<'_>) -> Result<(), ReplayError> {
        let generation = self.topics.generation;
        let topic = self.names(generation).name(Topic::Enriched);
        let bounds = topic_bounds(self.kafka, &topic)?;
        let mut patience = Patience::begin();
        loop {
            let positions = self.runtime.block_on(self.archive.positions(&topic, generation))?;
            let left = bounds.iter().map(|(partition, (first, end))| {
                let next = positions.iter().find(|position| position.partition.partition == *partition);
                (end - next.map_or(*first, |position| position.next_offset)).max(0).unsigned_abs()
            });
            let left: u64 = left.sum();
            progress(Step::Waiting, left);
            if left == 0 {
                return Ok(());
            }
            patience.expect_more(u64::MAX - left, ReplayError::SinkStands(PATIENCE.as_secs(), left))?;
            sleep(PAUSE);
        }
    }
}

/// Records on their way.
struct Sending {
    publisher: Publisher<Tally>,
    tally: Arc<Tally>,
    queued: u64,
    patience: Patience,
}

impl Sending {
    fn begin(publisher: Publisher<Tally>) -> Self {
        Self {
            publisher,
            tally: Arc::default(),
            queued: 0,
            patience: Patience::begin(),
        }
    }

    /// Queues a record, as soon as there is room for it.
    fn queue(&mut self, record: Outgoing<'_>, headers: &dyn Fn() -> Option<OwnedHeaders>) -> Result<(), ReplayError> {
        loop {
            let queued = self
                .publisher
                .publish_within(QUEUE_LIMIT, record, headers(), Arc::clone(&self.tally));
            match queued {
                Ok(()) => {
                    self.queued += 1;
                    return self.tally.check();
                }
                Err(PublishError::QueueFull) => self.go_on()?,
                Err(error @ (PublishError::TooLarge | PublishError::Client(_))) => return Err(error.into()),
            }
        }
    }

    /// Waits until everything that was queued is acknowledged.
    fn settle(&mut self) -> Result<(), ReplayError> {
        while self.tally.acknowledged() < self.queued {
            self.go_on()?;
            sleep(PAUSE);
        }
        Ok(())
    }

    /// Whether there is reason to wait.
    fn go_on(&mut self) -> Result<(), ReplayError> {
        self.tally.check()?;
        let waited = ReplayError::Unacknowledged(PATIENCE.as_secs());
        self.patience.expect_more(self.tally.acknowledged(), waited)
    }
}

/// What became of all that was queued.
#[derive(Default)]
struct Tally {
    acknowledged: AtomicU64,
    failure: Mutex<Option<DeliveryFailure>>,
}

impl Tally {
    fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Acquire)
    }

    fn check(&self) -> Result<(), ReplayError> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        failure.map_or(Ok(()), |failure| Err(failure.into()))
    }
}

impl Ticket for Tally {
    fn settle(&self, outcome: Result<(), DeliveryFailure>) {
        match outcome {
            Ok(()) => drop(self.acknowledged.fetch_add(1, Ordering::Release)),
            Err(failure) => *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure),
        }
    }
}

/// Waits as long as something goes on.
struct Patience {
    reached: u64,
    since: Instant,
}

impl Patience {
    fn begin() -> Self {
        Self {
            reached: 0,
            since: Instant::now(),
        }
    }

    fn expect_more(&mut self, reached: u64, otherwise: ReplayError) -> Result<(), ReplayError> {
        if reached != self.reached {
            (self.reached, self.since) = (reached, Instant::now());
        }
        if self.since.elapsed() < PATIENCE { Ok(()) } else { Err(otherwise) }
    }
}
