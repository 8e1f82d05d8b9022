//! HTTP/1.1 over accepted connections: not too many at once, none that is silent for ever, all of them ended politely.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use scoresync_service::Shutdown;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinError, JoinSet},
};

/// How long accepting rests when the system refuses it, as it does without free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The open connections.
pub(super) struct Connections {
    routes: Router,
    http: http1::Builder,
    shutdown: Shutdown,
    free: Arc<Semaphore>,
    open: JoinSet<()>,
}

/// How connections are held.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionLimits {
    pub(super) max_open: usize,
    /// For the head of a request, and for being idle.
    pub(super) header_timeout: Duration,
}

impl Connections {
    pub(super) fn new(routes: Router, limits: ConnectionLimits, shutdown: Shutdown) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
        Self {
            routes,
            http,
            shutdown,
            free: Arc::new(Semaphore::new(limits.max_open.min(Semaphore::MAX_PERMITS))),
            open: JoinSet::new(),
        }
    }

    /// Takes connections until the end is asked for. While too many are open, further ones wait in the system's queue.
    pub(super) async fn accept(&mut self, listener: TcpListener) {
        let shutdown = self.shutdown.clone();
        loop {
            let accepted = tokio::select! {
                () = shutdown.wait() => return,
                Some(ended) = self.open.join_next() => {
                    note_end(ended);
                    continue;
                }
                accepted = accept_one(&listener, &self.free) => accepted,
            };
            match accepted {
                Ok((stream, place)) => self.open(stream, place),
                Err(error) => {
                    tracing::warn!(%error, "the HTTP door cannot accept a connection and tries again: {error}");
                    tokio::select! {
                        () = shutdown.wait() => return,
                        () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                    }
                }
            }
        }
    }

    /// Waits until all connections have ended, or the time is over; says how many are left.
    pub(super) async fn finish(&mut self, limit: Duration) -> usize {
        let all = async {
            while let Some(ended) = self.open.join_next().await {
                note_end(ended);
            }
        };
        // What is left when the time is over is counted below.
        let _ = tokio::time::timeout(limit, all).await;
        self.open.len()
    }

    fn open(&mut self, stream: TcpStream, place: OwnedSemaphorePermit) {
        // Without it, small answers could wait for the acknowledgement of what went before; with an error it is merely slower.
        let _ = stream.set_nodelay(true);
        let connection = self
            .http
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(self.routes.clone()));
        let shutdown = self.shutdown.waiting();
        self.open.spawn(async move {
            let _place = place;
            let mut connection = std::pin::pin!(connection);
            // An error is the sender's: it went away, was too slow, or spoke no HTTP.
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = shutdown => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early: {error}");
            }
        });
    }
}

async fn accept_one(listener: &TcpListener, free: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(free).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

fn note_end(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "answering a request failed, which is an error in the program: {error}");
    }
}
