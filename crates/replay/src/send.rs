//! Sending what differs, as a mapper would write it, and waiting until the sink has filed it.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use scoresync_domain::{Origin, Reason, Timestamp};
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{
    Outgoing, Publisher, Shipment, Specification, Topic,
    dead_letter::{DeadLetter, enriched_headers},
    record_at, topic_bounds,
};
use scoresync_service::now_millis;

use crate::{
    look::Look,
    outgoing::Letter,
    replay::{Progress, Replay, ReplayError, Step},
};

/// How long the broker may make no room, or not acknowledge what is queued last, and how long the sink may file nothing.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at where the sink is.
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
        let publisher = Publisher::new(self.kafka, self.topics)?;
        let mut letters = Shipment::new(&publisher, PATIENCE);
        for letter in look.letters.read()? {
            self.add_letter(&letter?, (&dead_letters, &mut letters))?;
            progress(Step::Sending, 1);
        }
        letters.arrive()?;
        fault_points::pass(Point::ReplayLettersWritten);
        let mut scores = Shipment::new(&publisher, PATIENCE);
        for output in look.outgoing.read()? {
            let output = output?;
            let key = output.result_id().to_string();
            let record = Outgoing {
                topic: &enriched,
                key: Some(key.as_bytes()),
                value: Some(&output.value),
            };
            scores.add(record, enriched_headers(output.attempts, output.traceparent.as_deref()))?;
            fault_points::pass(Point::ReplayedScoreQueued);
            progress(Step::Sending, 1);
        }
        Ok(scores.arrive()?)
    }

    /// Whose the reports are was found by the employees as they were: by others, what is sent could be somebody else's.
    fn check_directory(&self, look: &Look) -> Result<(), ReplayError> {
        match self.directory()?.position() == look.directory {
            true => Ok(()),
            false => Err(ReplayError::DirectoryMoved),
        }
    }

    /// With its report, unless that fell out of its log meanwhile.
    fn add_letter(&self, letter: &Letter, (dead_letters, shipment): (&str, &mut Shipment<'_>)) -> Result<(), ReplayError> {
        let (generation, partition, offset) = letter.origin;
        let topic = self.names(generation).name(Topic::Raw);
        let report = record_at(self.kafka, &topic, partition, offset)?.unwrap_or_default();
        let group = format!("{}.mapper", self.kafka.group_prefix);
        let dead_letter = DeadLetter {
            topic: &topic,
            partition,
            offset,
            group: &group,
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
        let report = Outgoing {
            topic: dead_letters,
            key: report.key.as_deref(),
            value: report.value.as_deref(),
        };
        let written = dead_letter.about(report, Specification::greatest_output_bytes(self.topics));
        Ok(shipment.add(written.record, Some(written.headers))?)
    }

    /// Waits until the sink has filed all that stands in `scores.enriched` now. Blocks its thread.
    ///
    /// # Errors
    /// The sink does not go on.
    pub fn wait_for_sink(&self, progress: Progress<'_>) -> Result<(), ReplayError> {
        let generation = self.topics.generation;
        let topic = self.names(generation).name(Topic::Enriched);
        let bounds = topic_bounds(self.kafka, &topic)?;
        let (mut least, mut since) = (u64::MAX, Instant::now());
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
            if left < least {
                (least, since) = (left, Instant::now());
            }
            if since.elapsed() >= PATIENCE {
                return Err(ReplayError::SinkStands(PATIENCE.as_secs(), left));
            }
            sleep(PAUSE);
        }
    }
}
