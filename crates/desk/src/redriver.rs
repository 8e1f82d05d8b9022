//! Sends what waits to be sent: byte-for-byte copies back to `scores.raw`.

use std::time::{Duration, Instant};

use scoresync_archive::{Archive, ArchiveError, DueRedrive, LetterId};
use scoresync_domain::Timestamp;
use scoresync_kafka::{
    DeliveryTicket, OffsetTracker, Outgoing, PublishError, Publisher,
    dead_letter::{DirectoryPosition, Redrive, TRACEPARENT},
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
    publisher: Publisher<DeliveryTicket>,
    topic: String,
    per_second: u32,
    /// How many may be sent now.
    allowance: f64,
    last_refill: Instant,
    last_look: Instant,
    /// Whether there was more than could be sent, or something was asked for since.
    is_due: bool,
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
    pub(crate) fn new(publisher: Publisher<DeliveryTicket>, topic: String, per_second: u32) -> Self {
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
        let due = wait_for(runtime, archive.due_redrives(limit))?;
        if due.is_empty() {
            self.is_due = false;
            return Ok(0);
        }
        let outcome = self.send_all(&due, directory);
        let acknowledged = match &outcome {
            Ok(()) => due.len(),
            Err((acknowledged, _)) => *acknowledged,
        };
        self.allowance -= acknowledged as f64;
        let ids: Vec<LetterId> = due.iter().take(acknowledged).map(|letter| letter.id.clone()).collect();
        wait_for(runtime, archive.redrives_sent(&ids, now))?;
        match outcome {
            Ok(()) => {
                self.is_due = due.len() >= limit as usize;
                Ok(acknowledged as u64)
            }
            Err((_, RedriveError::Publish(PublishError::TooLarge))) => {
                self.give_back((archive, runtime), &due[acknowledged].id)?;
                Ok(acknowledged as u64)
            }
            Err((_, error)) => Err(error),
        }
    }

    /// A copy has headers that the record did not have: of one that is as large as the topic takes, no copy goes in.
    fn give_back(&mut self, (archive, runtime): (&Archive, &Handle), id: &LetterId) -> Result<(), ArchiveError> {
        tracing::error!(letter = %id, "the copy of a letter is larger than scores.raw takes; it is open again, and a person has to send it");
        wait_for(runtime, archive.give_back_redrives(std::slice::from_ref(id))).map(drop)
    }

    /// Gives how many from the first on are acknowledged where not all are.
    fn send_all(&self, due: &[DueRedrive], directory: DirectoryPosition) -> Result<(), (usize, RedriveError)> {
        let mut tracker = OffsetTracker::new(0, ());
        let mut refused = None;
        for (number, letter) in (0..).zip(due) {
            let traceparent = traceparent(&letter.headers);
            let redrive = Redrive {
                origin: letter.id.origin,
                attempts: letter.attempts,
                first_failed_at: letter.first_failed_at,
                directory,
                traceparent: traceparent.as_deref(),
            };
            let copy = Outgoing {
                topic: &self.topic,
                key: letter.key.as_deref(),
                value: letter.value.as_deref(),
            };
            let ticket = tracker.begin(number);
            if let Err(error) = self.publisher.publish_within(PATIENCE, copy, Some(redrive.headers()), ticket) {
                refused = Some(error);
                break;
            }
        }
        let is_settled = self.publisher.settle(PATIENCE);
        let acknowledged = usize::try_from(tracker.watermark()).unwrap_or(0);
        match refused {
            Some(error) => Err((acknowledged, error.into())),
            None if is_settled && acknowledged == due.len() => Ok(()),
            None => {
                let cause = self
                    .publisher
                    .last_refusal()
                    .map(|refusal| format!(": {refusal}"))
                    .unwrap_or_default();
                Err((acknowledged, RedriveError::NotAcknowledged(cause)))
            }
        }
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

/// The trace that a letter belongs to, of all its headers.
fn traceparent(headers: &str) -> Option<String> {
    let all: Vec<serde_json::Value> = serde_json::from_str(headers).ok()?;
    let trace = all.iter().find(|header| header["name"] == TRACEPARENT)?;
    trace["text"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_is_found_among_the_headers() {
        let headers = r#"[{"name":"a","hex":"ff"},{"name":"traceparent","text":"00-1-2-01"}]"#;
        assert_eq!(traceparent(headers).as_deref(), Some("00-1-2-01"));
        for other in ["[]", "", r#"[{"name":"traceparent","hex":"ff"}]"#] {
            assert_eq!(traceparent(other), None, "{other}");
        }
    }
}
