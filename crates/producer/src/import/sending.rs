//! One file on its way: rows out, acknowledgements in, a checkpoint about once a second.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use scoresync_fault_points::{self as fault_points, Bug, Point};
use scoresync_service::Shutdown;

use super::{
    broker_wait::InFlight,
    checkpoint::{Checkpoint, CheckpointFile},
    error::{Acknowledged, ImportError},
    fingerprint::Fingerprint,
    progress::{ImportProgress, ImportState},
    resume::Notice,
    summary::{FileSummary, RowReport},
};
use crate::{
    clock::now,
    format::{BodyError, Row},
    intake::{IntakeError, Submission},
};

/// How often whoever watches is told.
const BEAT: Duration = Duration::from_millis(100);
/// How often how far the import is is kept.
const CHECKPOINT: Duration = Duration::from_secs(1);
/// How long an interrupted import waits for what it has sent.
const SETTLE_WHEN_INTERRUPTED: Duration = Duration::from_secs(10);

/// What is kept on disk of this import.
pub(super) struct Kept {
    pub(super) file: CheckpointFile,
    pub(super) fingerprint: Fingerprint,
}

/// Where in the whole import this file is.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) path: &'a Path,
    pub(super) number: usize,
    pub(super) files: usize,
    pub(super) bytes_total: Option<u64>,
}

/// Who watches, and how long to wait.
pub(super) struct Watch<'a> {
    pub(super) observer: &'a mut dyn FnMut(&ImportProgress<'_>),
    pub(super) shutdown: &'a Shutdown,
    pub(super) broker_patience: Duration,
}

/// One file on its way.
pub(super) struct Sending<'a> {
    pub(super) submission: Submission<'a>,
    pub(super) in_flight: InFlight,
    /// The first row to be sent.
    pub(super) begin_at: u64,
    pub(super) kept: Option<Kept>,
    pub(super) place: Place<'a>,
    pub(super) bytes_read: Arc<AtomicU64>,
    pub(super) watch: Watch<'a>,
    pub(super) summary: FileSummary,
    pub(super) last_beat: Instant,
    pub(super) last_checkpoint: Instant,
}

impl Sending<'_> {
    /// Sends all rows from the first on that was not acknowledged, and waits until the broker has them. Whatever way it ends, how far it
    /// came is in the summary and kept.
    pub(super) fn send(&mut self, rows: impl Iterator<Item = Result<Row, BodyError>>) -> Result<(), ImportError> {
        let sent = self.send_rows(rows);
        let settled = match &sent {
            Ok(()) | Err(ImportError::Broken(_) | ImportError::Input { .. } | ImportError::TooLarge { .. }) => self.settle(None),
            Err(ImportError::Interrupted { .. }) => self.settle(Some(SETTLE_WHEN_INTERRUPTED)),
            Err(_) => Ok(()),
        };
        self.look();
        let outcome = match (sent, settled) {
            (Ok(()), settled) => settled,
            // Interrupted, it is no error if the rest does not settle in time.
            (Err(ImportError::Interrupted { .. }), _) => Err(self.interrupted()),
            // What is wrong with the file comes up again when the rows before it are there.
            (Err(_), Err(unsettled)) => Err(unsettled),
            (Err(error), Ok(())) => Err(error),
        };
        let path = self.place.path;
        if outcome.is_ok() && self.kept.as_ref().is_some_and(|kept| !kept.fingerprint.is_current(path)) {
            self.summary.notices.push(Notice::ChangedMeanwhile);
        }
        self.keep(outcome.is_ok());
        self.tell(ImportState::Settling);
        outcome
    }

    fn send_rows(&mut self, rows: impl Iterator<Item = Result<Row, BodyError>>) -> Result<(), ImportError> {
        for row in rows {
            let row = row?;
            self.summary.rows_read += 1;
            if row.number < self.begin_at {
                self.summary.rows_skipped += 1;
                self.beat(ImportState::Skipping);
                self.obey_shutdown()?;
                continue;
            }
            self.wait_for_room()?;
            self.send_row(row)?;
            self.beat(ImportState::Sending);
        }
        Ok(())
    }

    fn send_row(&mut self, row: Row) -> Result<(), ImportError> {
        let (number, line, bytes) = (row.number, row.line, size(&row));
        let unreadable = row.content.as_ref().err().map(|unreadable| RowReport {
            row: number,
            line,
            problem: unreadable.problem.clone(),
        });
        match self.submission.accept(row, now(), self.watch.broker_patience) {
            Ok(_) => {}
            Err(IntakeError::TooLarge { bytes, limit }) => {
                return Err(ImportError::TooLarge {
                    row: number,
                    line,
                    bytes,
                    limit,
                });
            }
            Err(IntakeError::Refused(cause)) => {
                self.look();
                return Err(ImportError::Refused {
                    acknowledged: self.acknowledged(),
                    cause,
                });
            }
            Err(cause @ (IntakeError::Busy | IntakeError::Publish(_) | IntakeError::Encode(_))) => {
                self.look();
                return Err(ImportError::Intake {
                    row: number,
                    acknowledged: self.acknowledged(),
                    cause,
                });
            }
        }
        fault_points::pass(Point::RowImported);
        self.in_flight.add(number, bytes);
        self.summary.rows_sent += 1;
        if let Some(report) = unreadable {
            self.summary.add_unreadable(report);
        }
        Ok(())
    }

    fn wait_for_room(&mut self) -> Result<(), ImportError> {
        self.obey_shutdown()?;
        while self.in_flight.is_full() {
            self.look();
            if self.in_flight.is_full() {
                self.wait(ImportState::Sending)?;
                self.obey_shutdown()?;
            }
        }
        Ok(())
    }

    /// Waits until everything that was sent is acknowledged.
    fn settle(&mut self, limit: Option<Duration>) -> Result<(), ImportError> {
        if fault_points::has(Bug::DroppedWithoutSettling) {
            return Ok(());
        }
        let begun = Instant::now();
        self.look();
        while !self.in_flight.is_empty() && limit.is_none_or(|limit| begun.elapsed() < limit) {
            self.wait(ImportState::Settling)?;
            if limit.is_none() {
                self.obey_shutdown()?;
            }
            self.look();
        }
        Ok(())
    }

    /// A short wait for the broker, unless it took too long already.
    fn wait(&mut self, state: ImportState) -> Result<(), ImportError> {
        if let Some(cause) = self.submission.failure() {
            let cause = cause.clone();
            self.look();
            return Err(ImportError::Refused {
                acknowledged: self.acknowledged(),
                cause,
            });
        }
        let waited = self.in_flight.waited();
        if waited > self.watch.broker_patience {
            return Err(ImportError::NotAcknowledged {
                waited,
                acknowledged: self.acknowledged(),
            });
        }
        self.beat(state);
        thread::sleep(Duration::from_millis(1));
        Ok(())
    }

    fn obey_shutdown(&mut self) -> Result<(), ImportError> {
        if self.watch.shutdown.is_requested() {
            Err(self.interrupted())
        } else {
            Ok(())
        }
    }

    fn interrupted(&mut self) -> ImportError {
        ImportError::Interrupted {
            acknowledged: self.acknowledged(),
        }
    }

    /// Takes in what was acknowledged.
    fn look(&mut self) {
        self.in_flight.arrived_before(self.submission.first_unacknowledged());
        self.summary.rows_acknowledged = self.summary.rows_sent - self.in_flight.len();
    }

    fn acknowledged(&mut self) -> Acknowledged {
        Acknowledged {
            first_unacknowledged: self.first_unacknowledged(),
            can_resume: self.kept.is_some() && !self.summary.notices.contains(&Notice::NotKept),
        }
    }

    /// Nothing at or after this row is known to be where it should be.
    fn first_unacknowledged(&mut self) -> u64 {
        self.submission.first_unacknowledged().max(self.begin_at)
    }

    /// Tells whoever watches, and keeps how far the import is, each when it is time.
    fn beat(&mut self, state: ImportState) {
        if self.last_beat.elapsed() < BEAT {
            return;
        }
        self.last_beat = Instant::now();
        self.look();
        let waiting = self.in_flight.is_worth_mentioning();
        self.tell(waiting.map_or(state, |waited| ImportState::WaitingForBroker { waited }));
        if self.last_checkpoint.elapsed() >= CHECKPOINT {
            self.last_checkpoint = Instant::now();
            self.keep(false);
        }
    }

    fn tell(&mut self, state: ImportState) {
        (self.watch.observer)(&ImportProgress {
            file: self.place.path,
            file_number: self.place.number,
            files: self.place.files,
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
            bytes_total: self.place.bytes_total,
            rows_read: self.summary.rows_read,
            rows_skipped: self.summary.rows_skipped,
            rows_sent: self.summary.rows_sent,
            rows_acknowledged: self.summary.rows_acknowledged,
            rows_unreadable: self.summary.rows_unreadable,
            state,
        });
    }

    /// Keeps how far the import is. That it cannot be kept does not end the import: it only begins anew if it is stopped.
    fn keep(&mut self, is_complete: bool) {
        let first_unacknowledged = self.first_unacknowledged();
        let Some(kept) = &self.kept else { return };
        let is_complete = is_complete && !self.summary.notices.contains(&Notice::ChangedMeanwhile);
        let checkpoint = Checkpoint::new(kept.fingerprint.clone(), first_unacknowledged, is_complete);
        match kept.file.save(&checkpoint) {
            Ok(()) => self.summary.notices.retain(|notice| *notice != Notice::NotKept),
            Err(error) if self.summary.notices.contains(&Notice::NotKept) => {
                tracing::debug!(%error, "the checkpoint still cannot be written")
            }
            Err(error) => {
                tracing::warn!(%error, "how far the import is cannot be kept in {}: {error}", kept.file.path().display());
                self.summary.notices.push(Notice::NotKept);
            }
        }
    }
}

/// About how much room a row takes in the producer's queue.
fn size(row: &Row) -> usize {
    match &row.content {
        Ok(fields) => fields.iter().map(|(name, value)| name.len() + value.map_or(0, str::len) + 4).sum(),
        Err(unreadable) => unreadable.bytes.len(),
    }
}
