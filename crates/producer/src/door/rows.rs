//! From the rows of a body to the intake, and what there is to tell the sender of them. Nothing is awaited here.

use std::{
    io::BufRead,
    thread,
    time::{Duration, Instant},
};

use scoresync_domain::{ResultId, Timestamp};
use scoresync_kafka::PublishError;
use scoresync_service::now_millis;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::incoming_body::Cut;
use crate::{
    format::{BodyError, BrokenBody, Row, RowReader},
    intake::{IntakeError, Submission},
};

/// How many result ids the answer lists.
const RESULT_IDS: usize = 100;

/// How many unreadable rows the answer lists.
const UNREADABLE_ROWS: usize = 20;

/// What was queued of a body; the body of the answer once the broker has acknowledged it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Receipt {
    /// Rows that became reports.
    pub(super) accepted: u64,
    /// Those of them that could not be read.
    pub(super) unreadable: u64,
    /// Of the first rows that have one.
    pub(super) result_ids: Vec<String>,
    /// The first of them.
    pub(super) unreadable_rows: Vec<UnreadableRow>,
}

/// A row that became a report with its bytes instead of fields.
#[derive(Debug, Serialize)]
pub(super) struct UnreadableRow {
    pub(super) row: u64,
    pub(super) line: u64,
    pub(super) problem: String,
}

/// Why not all rows of a body were queued. Those before were.
#[derive(Debug)]
pub(super) enum Stopped {
    /// The body cannot be read on.
    Broken(BrokenBody),
    /// It was cut off.
    Cut(Cut),
    /// It has more rows than are taken.
    TooManyRows { max_rows: u64 },
    /// A row's report is larger than the topic takes.
    RowTooLarge { row: u64, line: u64 },
    /// The producer's queue stayed full.
    QueueFull,
    /// The broker did not acknowledge for too long, or refused a row.
    NotAcknowledged,
    /// The client did not queue a row, for this reason.
    NotQueued(String),
    /// An error in the program.
    Internal,
}

/// How rows are taken in.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// Rows of one body.
    pub(super) max_rows: u64,
    /// Rows on their way to the broker.
    pub(super) max_in_flight: usize,
    /// How long to wait for room; zero where waiting would hold up others.
    pub(super) patience: Duration,
    /// Cancelled when nobody waits for the answer any more.
    pub(super) abandoned: CancellationToken,
}

/// Queues all rows, or those before something goes wrong.
pub(super) fn take_in<R: BufRead>(rows: RowReader<R>, submission: &mut Submission<'_>, pace: &Pace) -> (Receipt, Result<(), Stopped>) {
    let mut receipt = Receipt::default();
    for row in rows {
        let taken = row
            .map_err(Stopped::from)
            .and_then(|row| take_in_row(row, submission, pace, &mut receipt));
        if let Err(stopped) = taken {
            return (receipt, Err(stopped));
        }
    }
    (receipt, Ok(()))
}

fn take_in_row(row: Row, submission: &mut Submission<'_>, pace: &Pace, receipt: &mut Receipt) -> Result<(), Stopped> {
    if receipt.accepted >= pace.max_rows {
        return Err(Stopped::TooManyRows { max_rows: pace.max_rows });
    }
    wait_for_room(submission, pace)?;
    let (number, line) = (row.number, row.line);
    let problem = row.content.as_ref().err().map(|unreadable| unreadable.problem.clone());
    let result_id = submission
        .accept(row, Timestamp::from_millis(now_millis()), pace.patience)
        .map_err(|error| Stopped::by_intake(error, number, line))?;
    receipt.add(
        result_id,
        problem.map(|problem| UnreadableRow {
            row: number,
            line,
            problem,
        }),
    );
    Ok(())
}

/// Waits while too many rows are on their way, as long as some of them arrive.
fn wait_for_room(submission: &mut Submission<'_>, pace: &Pace) -> Result<(), Stopped> {
    let (mut acknowledged, mut since) = (submission.first_unacknowledged(), Instant::now());
    loop {
        if pace.abandoned.is_cancelled() {
            return Err(Stopped::Cut(Cut::Gone));
        }
        if submission.failure().is_some() {
            return Err(Stopped::NotAcknowledged);
        }
        if submission.in_flight() < pace.max_in_flight {
            return Ok(());
        }
        let present = submission.first_unacknowledged();
        if present != acknowledged {
            (acknowledged, since) = (present, Instant::now());
        } else if since.elapsed() >= pace.patience {
            return Err(Stopped::NotAcknowledged);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

impl Receipt {
    fn add(&mut self, result_id: Option<ResultId>, unreadable: Option<UnreadableRow>) {
        self.accepted += 1;
        if let Some(result_id) = result_id.filter(|_| self.result_ids.len() < RESULT_IDS) {
            self.result_ids.push(result_id.to_string());
        }
        if let Some(row) = unreadable {
            self.unreadable += 1;
            if self.unreadable_rows.len() < UNREADABLE_ROWS {
                self.unreadable_rows.push(row);
            }
        }
    }
}

/// The error and what it follows from, in one line.
fn with_cause(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl Stopped {
    fn not_queued(cause: String) -> Self {
        tracing::error!(cause, "the producer cannot queue reports: {cause}");
        Self::NotQueued(cause)
    }

    fn by_intake(error: IntakeError, row: u64, line: u64) -> Self {
        match error {
            IntakeError::Busy | IntakeError::Publish(PublishError::QueueFull) => Self::QueueFull,
            IntakeError::TooLarge { .. } | IntakeError::Publish(PublishError::TooLarge) => Self::RowTooLarge { row, line },
            IntakeError::Refused(refusal) => Self::not_queued(refusal.to_string()),
            IntakeError::Publish(error @ PublishError::Client(_)) => Self::not_queued(with_cause(&error)),
            IntakeError::Encode(_) => {
                tracing::error!("a report does not fit its schema, which is an error in the program");
                Self::Internal
            }
        }
    }
}

impl From<BodyError> for Stopped {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Broken(broken) => Self::Broken(broken),
            BodyError::Input { source, .. } => Self::Cut(Cut::of(&source)),
        }
    }
}
