//! A request's body as it arrives: piece by piece, with what cuts it off.

use std::{io, time::Duration};

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::{Stream, StreamExt, stream};
use scoresync_web::linger;
use tokio_util::sync::CancellationToken;

/// Bodies up to this size are held and read at once.
pub(super) const SMALL_BODY_BYTES: usize = 64 * 1024;

/// The body of one request.
pub(super) struct IncomingBody {
    pieces: BodyDataStream,
    received_bytes: u64,
    bounds: BodyBounds,
}

/// What cuts a body off.
#[derive(Clone, Debug)]
pub(super) struct BodyBounds {
    /// Greatest size; `None` is without end.
    pub(super) max_bytes: Option<u64>,
    /// Greatest time between two pieces.
    pub(super) read_timeout: Duration,
    /// Cancelled when no more is to be received.
    pub(super) end: CancellationToken,
}

/// Why a body ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Cut {
    /// The sender let wait for a piece.
    #[error("the body came too slowly")]
    Slow,
    /// The body is larger than it may be.
    #[error("the body is larger than {max_bytes} bytes")]
    TooLarge {
        /// What it may be.
        max_bytes: u64,
    },
    /// The sender went away, or what it sends is no HTTP.
    #[error("the body ended before its end")]
    Gone,
    /// The process is about to end.
    #[error("the process is shutting down")]
    ShuttingDown,
}

impl From<Cut> for io::Error {
    fn from(cut: Cut) -> Self {
        Self::other(cut)
    }
}

impl Cut {
    /// The cut that [`IncomingBody`] gave as an error of input.
    pub(super) fn of(error: &io::Error) -> Self {
        error
            .get_ref()
            .and_then(|inner| inner.downcast_ref())
            .copied()
            .unwrap_or(Self::Gone)
    }
}

/// The beginning of a body.
pub(super) enum Beginning {
    /// All there is.
    Whole(Bytes),
    /// More than [`SMALL_BODY_BYTES`], and there is more to come.
    Part(Bytes),
}

impl IncomingBody {
    pub(super) fn new(body: Body, bounds: BodyBounds) -> Self {
        Self {
            pieces: body.into_data_stream(),
            received_bytes: 0,
            bounds,
        }
    }

    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Cut> {
        let piece = tokio::select! {
            piece = tokio::time::timeout(self.bounds.read_timeout, self.pieces.next()) => piece,
            () = self.bounds.end.cancelled() => return Err(Cut::ShuttingDown),
        };
        let Some(piece) = piece.map_err(|_| Cut::Slow)? else {
            return Ok(None);
        };
        let piece = piece.map_err(|_| Cut::Gone)?;
        self.received_bytes += piece.len() as u64;
        match self.bounds.max_bytes {
            Some(max_bytes) if self.received_bytes > max_bytes => {
                linger(&mut self.pieces).await;
                Err(Cut::TooLarge { max_bytes })
            }
            Some(_) | None => Ok(Some(piece)),
        }
    }

    /// Reads the body to its end, or more than [`SMALL_BODY_BYTES`] of it.
    pub(super) async fn begin(&mut self) -> Result<Beginning, Cut> {
        let mut held = Vec::new();
        while let Some(piece) = self.next().await? {
            held.extend_from_slice(&piece);
            if held.len() > SMALL_BODY_BYTES {
                return Ok(Beginning::Part(held.into()));
            }
        }
        Ok(Beginning::Whole(held.into()))
    }

    /// `beginning` and all that follows it.
    pub(super) fn after(self, beginning: Bytes) -> impl Stream<Item = io::Result<Bytes>> + Send {
        let rest = stream::try_unfold(self, |mut body| async move {
            let piece = body.next().await?;
            Ok(piece.map(|piece| (piece, body)))
        });
        stream::once(async { Ok(beginning) }).chain(rest)
    }
}
