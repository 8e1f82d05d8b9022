//! Sends what waits to be sent: byte-for-byte copies back to `scores.raw`.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use scoresync_archive::{Archive, ArchiveError, DueRedrive, LetterId};
use scoresync_domain::Timestamp;
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{
    DeliveryFailure, Outgoing, PublishError, Publisher, Ticket,
    dead_letter::{DirectoryPosition, Redrive, TRACEPARENT, TRACEPARENT_BYTES},
};
use scoresync_positions::wait_for;
use tokio::runtime::Handle;

/// Copies that are sent before the archive is told.
const TOGETHER: u32 = 500;
/// How often the archive is asked for what others have asked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long the broker may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends copies, so many in a second at most.
pub(crate) struct Redriver {
    publisher: Publisher<Copy>,
    topic: String,
    per_second: u32,
    /// How many may be sent now.
    allowance: f64,
    last_refill: Instant,
    last_look: Instant,
    /// Whether there was more than could be sent, or something was asked for since.
    is_due: bool,
}

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Acknowledged,
    TooLarge,
    Refused,
}

/// A copy on its way.
#[derive(Debug, Default)]
pub(crate) struct Copy {
    fate: OnceLock<Fate>,
}

impl Ticket for Copy {
    fn settle(&self, outcome: Result<(), DeliveryFailure>) {
        let fate = match outcome {
            Ok(()) => Fate::Acknowledged,
            Err(failure) if failure.is_too_large() => Fate::TooLarge,
            Err(_) => Fate::Refused,
        };
        let _ = self.fate.set(fate);
    }
}

/// Why copies are not in `scores.raw`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RedriveError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("a letter could not be sent again")]
    Publish(#[from] PublishError),
    #[error("the broker does not acknowledge what was sent again{0}")]
    NotAcknowledged(String),
}

impl Redriver {
    pub(crate) fn new(publisher: Publisher<Copy>, topic: String, per_second: u32) -> Self {
        Self {
            publisher,
            topic,
            per_second,
            allowance: per_second.into(),
            last_refill: Instant::now(),
            last_look: Instant::now(),
            is_due: true,
        }
    }

    /// Why nothing will ever be sent any more, if it is so.
    pub(crate) fn fatal_error(&self) -> Option<String> {
        self.publisher.fatal_error()
    }

    /// Something was asked for.
    pub(crate) const fn wake(&mut self) {
        self.is_due = true;
    }

    /// Sends what waits, as far as it may; says how many copies the broker has. What is not told to the archive any more is sent again.
    pub(crate) fn send(
        &mut self,
        (archive, runtime): (&Archive, &Handle),
        directory: DirectoryPosition,
        now: Timestamp,
    ) -> Result<u64, RedriveError> {
        let limit = self.limit();
        if limit == 0 || !(self.is_due || self.last_look.elapsed() >= LOOK_EVERY) {
            return Ok(0);
        }
        self.last_look = Instant::now();
        // Where anything fails, this is tried again at once.
        self.is_due = true;
        let due = wait_for(runtime, archive.due_redrives(now, limit))?;
        if due.is_empty() {
            self.is_due = false;
            return Ok(0);
        }
        let (copies, failure) = self.send_all(&due, directory);
        let fates: Vec<(&DueRedrive, Option<Fate>)> = due.iter().zip(copies.iter().map(|copy| copy.fate.get().copied())).collect();
        let sent: Vec<(LetterId, u32)> = fates
            .iter()
            .filter(|(_, fate)| *fate == Some(Fate::Acknowledged))
            .map(|(letter, _)| (letter.id.clone(), letter.attempts))
            .collect();
        let too_large = fates.iter().filter(|(_, fate)| *fate == Some(Fate::TooLarge));
        let too_large: Vec<LetterId> = too_large.map(|(letter, _)| letter.id.clone()).collect();
        self.allowance -= sent.len() as f64;
        fault_points::pass(Point::CopiesSent);
        wait_for(runtime, archive.redrives_sent(&sent, now))?;
        fault_points::pass(Point::CopiesTold);
        if !too_large.is_empty() {
            tracing::error!(
                letters = too_large.len(),
                "copies of letters are larger than scores.raw takes; they are open again: raise topics.max_message_bytes, or discard them"
            );
            wait_for(runtime, archive.give_back_redrives(&too_large))?;
        }
        if let Some(failure) = failure {
            return Err(failure.into());
        }
        if sent.len() + too_large.len() < due.len() {
            return Err(RedriveError::NotAcknowledged(self.publisher.because()));
        }
        self.is_due = due.len() >= limit as usize;
        Ok(sent.len() as u64)
    }

    /// The copies as far as they were queued, each with its fate where that is known.
    fn send_all(&self, due: &[DueRedrive], directory: DirectoryPosition) -> (Vec<Arc<Copy>>, Option<PublishError>) {
        let (mut copies, mut failure) = (Vec::with_capacity(due.len()), None);
        for letter in due {
            let traceparent = traceparent(&letter.headers);
            let redrive = Redrive {
                origin: letter.id.origin,
                attempts: letter.attempts,
                first_failed_at: letter.first_failed_at,
                directory,
                traceparent: traceparent.as_deref(),
            };
            let record = Outgoing {
                topic: &self.topic,
                key: letter.key.as_deref(),
                value: letter.value.as_deref(),
            };
            let copy = Arc::new(Copy::default());
            copies.push(Arc::clone(&copy));
            match self
                .publisher
                .publish_within(PATIENCE, record, Some(redrive.headers()), Arc::clone(&copy))
            {
                Ok(()) => {}
                Err(PublishError::TooLarge) => {
                    let _ = copy.fate.set(Fate::TooLarge);
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        // Those that are not known by then are sent again.
        let _ = self.publisher.settle(PATIENCE);
        (copies, failure)
    }

    /// How many may be sent now: what a second allows, refilled as time passes.
    fn limit(&mut self) -> u32 {
        let (now, most) = (Instant::now(), f64::from(self.per_second));
        let refill = now.duration_since(self.last_refill).as_secs_f64() * most;
        self.last_refill = now;
        self.allowance = (self.allowance + refill).min(most);
        TOGETHER.min(self.allowance.max(0.0) as u32)
    }
}

/// The trace that a letter belongs to, of all its headers; what cannot be one by its length is none.
fn traceparent(headers: &str) -> Option<String> {
    let all: Vec<serde_json::Value> = serde_json::from_str(headers).ok()?;
    let trace = all.iter().find(|header| header["name"] == TRACEPARENT)?;
    trace["text"]
        .as_str()
        .filter(|trace| trace.len() == TRACEPARENT_BYTES)
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_is_found_among_the_headers() {
        let headers =
            r#"[{"name":"a","hex":"ff"},{"name":"traceparent","text":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}]"#;
        assert!(traceparent(headers).is_some());
        let endless = headers.replace("-01", &"1".repeat(9_000));
        for other in ["[]", "", &endless, r#"[{"name":"traceparent","hex":"ff"}]"#] {
            assert_eq!(traceparent(other), None, "{other}");
        }
    }
}
