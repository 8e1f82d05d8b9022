//! `POST /v1/sources/{source}/reports`: a body of rows, answered when the broker has them.

use std::{io, pin::Pin, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, header::EXPECT},
    response::{IntoResponse, Response},
};
use futures_util::Stream;
use scoresync_web::{Kind, Problem, linger};
use tokio_util::{
    io::{StreamReader, SyncIoBridge},
    sync::CancellationToken,
};

use super::{
    admission::{Admission, Porter},
    answer::{Taken, Teller, empty_body},
    broker_watch::BrokerWatch,
    incoming_body::{Beginning, BodyBounds, IncomingBody},
    rows::{Pace, Stopped},
    settings::{DoorSettings, number, seconds},
    worker::Worker,
};
use crate::{format::Format, intake::Intake};

/// The address, as a pattern.
pub(super) const ROUTE: &str = "/v1/sources/{source}/reports";

/// All that receiving reports needs.
pub(super) struct Reception {
    pub(super) porter: Porter,
    pub(super) intake: Arc<Intake>,
    pub(super) broker: BrokerWatch,
    pub(super) settings: DoorSettings,
    /// Cancelled when bodies are no longer to be received.
    pub(super) end: CancellationToken,
}

/// Answers a request.
pub(super) async fn receive(
    State(reception): State<Arc<Reception>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let least_bytes = body.size_hint().lower();
    // A source's name is ASCII, so that what is no text is no source's name.
    let source = path.map(|Path(source)| source).unwrap_or_default();
    let admission = match reception.porter.admit(&source, &headers, least_bytes).await {
        Ok(admission) => Arc::new(admission),
        Err(problem) => {
            // Who expects `100 Continue` has not sent the body, and will not.
            if !headers.contains_key(EXPECT) {
                linger(body.into_data_stream()).await;
            }
            return problem.into_response();
        }
    };
    let received = reception.receive(&admission, body).await;
    received.unwrap_or_else(|problem| problem.about(&admission.entrance.source.name).into_response())
}

impl Reception {
    async fn receive(&self, admission: &Arc<Admission>, body: Body) -> Result<Response, Problem> {
        let bounds = BodyBounds {
            max_bytes: self.porter.max_bytes(admission.format),
            read_timeout: seconds(self.settings.read_timeout_seconds),
            end: self.end.clone(),
        };
        let mut body = IncomingBody::new(body, bounds);
        let taken = match body.begin().await {
            Ok(Beginning::Whole(bytes)) if bytes.is_empty() => return Err(empty_body()),
            Ok(Beginning::Whole(bytes)) if self.has_few_rows(admission.format, &bytes) => {
                self.worker(admission, Duration::ZERO).take_in(&*bytes)
            }
            Ok(Beginning::Whole(bytes)) => {
                let whole = futures_util::stream::once(async { Ok(bytes) });
                self.take_in_streamed(admission, Box::pin(whole)).await?
            }
            Ok(Beginning::Part(bytes)) => self.take_in_streamed(admission, Box::pin(body.after(bytes))).await?,
            Err(cut) => self.worker(admission, Duration::ZERO).take_nothing(Stopped::Cut(cut)),
        };
        let teller = Teller {
            broker: &self.broker,
            acknowledge_timeout: seconds(self.settings.acknowledge_timeout_seconds),
        };
        teller.answer(taken).await
    }

    /// Takes rows in on a thread of their own while the body arrives: reading waits when too many rows are on their way, and ends when
    /// this future is dropped.
    async fn take_in_streamed(&self, admission: &Arc<Admission>, pieces: PieceStream) -> Result<Taken, Problem> {
        let worker = self.worker(admission, seconds(self.settings.acknowledge_timeout_seconds));
        let _abandons_when_dropped = worker.pace.abandoned.clone().drop_guard();
        let working = tokio::task::spawn_blocking(move || {
            let mut input = SyncIoBridge::new(StreamReader::new(pieces));
            let taken = worker.take_in(&mut input);
            (taken, input.into_inner().into_inner())
        });
        let (taken, rest) = working.await.map_err(|error| {
            tracing::error!(%error, "receiving a body failed, which is an error in the program: {error}");
            Problem::new(Kind::Internal, "the body could not be received: the log of this process says more")
        })?;
        match &taken.outcome {
            Ok(()) | Err(Stopped::Cut(_)) => {}
            Err(_) => linger(rest).await,
        }
        Ok(taken)
    }

    /// Whether so many rows may be on their way at once, by what separates rows: a small body can be thousands of empty ones.
    fn has_few_rows(&self, format: Format, body: &[u8]) -> bool {
        let separators: &[u8] = match format {
            Format::Ndjson | Format::Csv => b"\n\r",
            Format::Json => b",",
            Format::Xml => b"<",
        };
        let rows = 1 + body.iter().filter(|byte| separators.contains(byte)).count();
        rows <= number(self.settings.max_rows_in_flight)
    }

    fn worker(&self, admission: &Arc<Admission>, patience: Duration) -> Worker {
        let pace = Pace {
            max_rows: self.settings.max_rows.get(),
            max_in_flight: number(self.settings.max_rows_in_flight),
            patience,
            abandoned: CancellationToken::new(),
        };
        Worker {
            admission: Arc::clone(admission),
            intake: Arc::clone(&self.intake),
            limits: self.settings.row_limits(),
            pace,
        }
    }
}

type PieceStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;
