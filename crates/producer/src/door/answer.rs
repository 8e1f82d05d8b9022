//! What the sender is told in the end: a receipt for what the broker has acknowledged, or why not and how far it came.

use std::time::Duration;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use scoresync_fault_points::{self as fault_points, Bug, Point};
use scoresync_web::{Kind, Problem};

use super::{
    admission::body_too_large,
    broker_watch::BrokerWatch,
    incoming_body::Cut,
    rows::{Receipt, Stopped},
};
use crate::{format::BrokenBody, intake::Acknowledgement};

/// What became of a body before the broker was waited for.
pub(super) struct Taken {
    pub(super) receipt: Receipt,
    pub(super) outcome: Result<(), Stopped>,
    pub(super) acknowledgement: Acknowledgement,
}

/// Waits for the broker, then answers.
pub(super) struct Teller<'a> {
    pub(super) broker: &'a BrokerWatch,
    pub(super) acknowledge_timeout: Duration,
}

impl Teller<'_> {
    /// The answer; success, and every count of accepted rows, speaks of acknowledged rows alone.
    ///
    /// # Errors
    /// Not all rows were accepted; those that were are counted.
    pub(super) async fn answer(&self, taken: Taken) -> Result<Response, Problem> {
        let Taken {
            receipt,
            outcome,
            mut acknowledgement,
        } = taken;
        let patience = match &outcome {
            // A row was not queued, which no acknowledgement will ever be waited for; those before it go on by themselves.
            Err(Stopped::QueueFull | Stopped::NotQueued(_) | Stopped::Internal) => None,
            Err(Stopped::NotAcknowledged) => Some(Duration::ZERO),
            Ok(()) | Err(Stopped::Broken(_) | Stopped::Cut(_) | Stopped::TooManyRows { .. } | Stopped::RowTooLarge { .. }) => {
                Some(self.acknowledge_timeout)
            }
        };
        let waits = !fault_points::has(Bug::AnswerBeforeAcknowledgement);
        if let Some(patience) = patience.filter(|_| waits)
            && let Err(unacknowledged) = acknowledgement.wait(patience).await
        {
            self.broker.note(&unacknowledged);
            return Err(not_acknowledged().with("accepted", acknowledgement.acknowledged_rows()));
        }
        fault_points::pass(Point::ReportsAcknowledged);
        match &outcome {
            Err(Stopped::NotQueued(cause)) => self.broker.note_refusal(cause),
            Ok(()) | Err(_) if acknowledgement.acknowledged_rows() > 0 => self.broker.note_success(),
            Ok(()) | Err(_) => {}
        }
        match outcome {
            Ok(()) => Ok((StatusCode::ACCEPTED, Json(receipt)).into_response()),
            Err(stopped) => {
                let problem = problem(stopped).with("accepted", acknowledgement.acknowledged_rows());
                Err(problem.with("unreadable", receipt.unreadable))
            }
        }
    }
}

fn problem(stopped: Stopped) -> Problem {
    match stopped {
        Stopped::Broken(broken) => broken_body(&broken),
        Stopped::Cut(cut) => cut_body(cut),
        Stopped::TooManyRows { max_rows } => {
            let detail = format!(
                "a request may have {max_rows} rows (door.max_rows), and so many were accepted: send the others in another request"
            );
            Problem::new(Kind::TooLarge, detail).with("max_rows", max_rows)
        }
        Stopped::RowTooLarge { row, line } => {
            let detail = format!("the report of row {row}, line {line}, is larger than topics.max_message_bytes allows: send less in it");
            Problem::new(Kind::TooLarge, detail).with("row", row).with("line", line)
        }
        Stopped::QueueFull => Problem::new(
            Kind::Busy,
            "the broker does not take reports as fast as they are sent: send all of this again later, which is safe",
        ),
        Stopped::NotAcknowledged | Stopped::NotQueued(_) => not_acknowledged(),
        Stopped::Internal => Problem::new(Kind::Internal, "a report could not be written: the log of this process says more"),
    }
}

fn broken_body(broken: &BrokenBody) -> Problem {
    let kind = if broken.is_too_large { Kind::TooLarge } else { Kind::Malformed };
    let detail = format!(
        "line {}, column {}: {}; the rows before were accepted, and to send them again with the others is safe",
        broken.line, broken.column, broken.message
    );
    Problem::new(kind, detail)
        .with("line", broken.line)
        .with("column", broken.column)
        .with("message", broken.message.as_str())
}

fn cut_body(cut: Cut) -> Problem {
    match cut {
        Cut::TooLarge { max_bytes } => body_too_large(max_bytes),
        Cut::Slow => Problem::new(
            Kind::TooSlow,
            "no more of the body came for door.read_timeout_seconds: send it again without pauses, which is safe",
        ),
        Cut::Gone => Problem::new(Kind::Malformed, "the body ended before its end: send it again, which is safe"),
        Cut::ShuttingDown => Problem::new(
            Kind::ShuttingDown,
            "the process is shutting down: send all of this again later, or to another instance, which is safe",
        ),
    }
}

fn not_acknowledged() -> Problem {
    let detail = "the broker has not acknowledged all reports: send all of this again later, which is safe, as nothing is filed twice";
    Problem::new(Kind::NotAcknowledged, detail)
}

/// The refusal of a body without a single byte.
pub(super) fn empty_body() -> Problem {
    let message = "the body is empty; to send no rows, send an empty JSON array";
    let empty = BrokenBody {
        line: 1,
        column: 1,
        message: message.to_owned(),
        rows_before: 0,
        is_too_large: false,
    };
    broken_body(&empty).with("accepted", 0)
}
