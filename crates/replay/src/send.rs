//! Sending what differs, as a mapper would write it, and waiting until the sink has filed it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

use scoresync_kafka::{DeliveryFailure, Outgoing, PublishError, Publisher, Ticket, Topic, dead_letter::enriched_headers, topic_bounds};

use crate::{
    look::Look,
    outgoing::Output,
    replay::{Progress, Replay, ReplayError, Step},
};

/// How long the broker may acknowledge nothing, or the sink file nothing.
const PATIENCE: Duration = Duration::from_secs(120);
const QUEUE_LIMIT: Duration = Duration::from_secs(1);
/// Between two looks at what is acknowledged, and at where the sink is.
const PAUSE: Duration = Duration::from_millis(50);

impl Replay<'_> {
    /// Sends everything that was found to differ, and returns when the broker has acknowledged all of it. Blocks its thread.
    ///
    /// Whoever is killed meanwhile looks again and sends what is left: what is sent already does not differ any more.
    ///
    /// # Errors
    /// The broker does not take it.
    pub fn send(&self, look: &mut Look, progress: Progress<'_>) -> Result<u64, ReplayError> {
        let publisher = Publisher::new(self.kafka, self.topics)?;
        let topic = self.names(self.topics.generation).name(Topic::Enriched);
        let tally = Arc::new(Tally::default());
        let mut queued = 0;
        for output in look.outgoing.read()? {
            queue(&publisher, (&topic, &output?), &tally)?;
            queued += 1;
            progress(Step::Sending, 1);
        }
        let mut patience = Patience::begin();
        while tally.acknowledged() < queued {
            tally.check()?;
            patience.expect_more(tally.acknowledged(), ReplayError::Unacknowledged(PATIENCE.as_secs()))?;
            sleep(PAUSE);
        }
        Ok(queued)
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

fn queue(publisher: &Publisher<Tally>, (topic, output): (&str, &Output), tally: &Arc<Tally>) -> Result<(), ReplayError> {
    let key = output.result_id().to_string();
    let record = Outgoing {
        topic,
        key: Some(key.as_bytes()),
        value: Some(&output.value),
    };
    let mut patience = Patience::begin();
    loop {
        let headers = enriched_headers(output.attempts, output.traceparent.as_deref());
        match publisher.publish_within(QUEUE_LIMIT, record, headers, Arc::clone(tally)) {
            Ok(()) => return tally.check(),
            Err(PublishError::QueueFull) => {
                tally.check()?;
                patience.expect_more(tally.acknowledged(), ReplayError::Unacknowledged(PATIENCE.as_secs()))?;
            }
            Err(error @ (PublishError::TooLarge | PublishError::Client(_))) => return Err(error.into()),
        }
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
