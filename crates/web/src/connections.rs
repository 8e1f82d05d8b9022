//! HTTP/1.1 over accepted connections: not too many at once, none that is silent for ever or keeps another out by silence, all of them ended
//! politely.

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Duration};

use axum::Router;
use hyper::{
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use scoresync_service::Shutdown;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinError, JoinSet},
    time::timeout,
};

use crate::silence::{Caller, SilentConnections};

/// How long accepting rests when the system refuses it, as it does without free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// How long the place of a connection that was told to give way is waited for: it may have begun to speak at that moment.
const GIVING_WAY: Duration = Duration::from_millis(100);

/// The open connections.
pub struct Connections {
    routes: Router,
    http: http1::Builder,
    shutdown: Shutdown,
    free: Arc<Semaphore>,
    silent: Arc<SilentConnections>,
    open: JoinSet<()>,
}

/// How connections are held.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Connections that are open at once.
    pub max_open: usize,
    /// For the head of a request, and for being idle.
    pub header_timeout: Duration,
}

impl Connections {
    /// None yet.
    #[must_use]
    pub fn new(routes: Router, limits: ConnectionLimits, shutdown: Shutdown) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
        Self {
            routes,
            http,
            shutdown,
            free: Arc::new(Semaphore::new(limits.max_open.min(Semaphore::MAX_PERMITS))),
            silent: Arc::default(),
            open: JoinSet::new(),
        }
    }

    /// Takes connections until the end is asked for. While too many are open, the next one waits until another has ended or given way, and
    /// further ones wait in the system's queue.
    pub async fn accept(&mut self, listener: TcpListener) {
        let shutdown = self.shutdown.clone();
        let mut next = None;
        loop {
            let room = Room {
                free: Arc::clone(&self.free),
                silent: Arc::clone(&self.silent),
            };
            tokio::select! {
                () = shutdown.wait() => return,
                Some(ended) = self.open.join_next() => note_end(ended),
                accepted = listener.accept(), if next.is_none() => match accepted {
                    Ok((stream, _)) => next = Some(stream),
                    Err(error) => {
                        tracing::warn!(%error, "an HTTP port cannot accept a connection and tries again: {error}");
                        tokio::select! {
                            () = shutdown.wait() => return,
                            () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                        }
                    }
                },
                place = room.place(), if next.is_some() => if let (Some(stream), Some(place)) = (next.take(), place) {
                    self.open(stream, place);
                },
            }
        }
    }

    /// Waits until all connections have ended, or the time is over; says how many are left.
    pub async fn finish(&mut self, limit: Duration) -> usize {
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
        let (caller, routes) = (self.silent.caller(), TowerToHyperService::new(self.routes.clone()));
        let speaker = Arc::clone(&caller);
        let service = service_fn(move |request| {
            let (speaking, answer) = (speaker.speak(), routes.call(request));
            async move {
                let _speaking = speaking;
                answer.await
            }
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
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
                () = caller.is_to_give_way() => {
                    connection.as_mut().graceful_shutdown();
                    finish_speaking(connection, &caller).await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early: {error}");
            }
        });
    }
}

/// Where a connection's place comes from.
struct Room {
    free: Arc<Semaphore>,
    silent: Arc<SilentConnections>,
}

impl Room {
    /// A free place, or that of a connection that gives way. `None` never comes: the semaphore is not closed.
    async fn place(self) -> Option<OwnedSemaphorePermit> {
        let mut place = std::pin::pin!(self.free.acquire_owned());
        loop {
            tokio::select! {
                biased;
                place = place.as_mut() => return place.ok(),
                () = self.silent.let_one_give_way() => {}
            }
            if let Ok(place) = timeout(GIVING_WAY, place.as_mut()).await {
                return place.ok();
            }
        }
    }
}

/// Drives a connection that gives way: to its end where a request is in hand or has just arrived as a whole, otherwise no further.
async fn finish_speaking<C: Future<Output = hyper::Result<()>>>(mut connection: Pin<&mut C>, caller: &Caller) -> hyper::Result<()> {
    match poll_fn(|context| Poll::Ready(connection.as_mut().poll(context))).await {
        Poll::Ready(ended) => ended,
        Poll::Pending if caller.is_speaking() => connection.await,
        Poll::Pending => Ok(()),
    }
}

fn note_end(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "answering a request failed, which is an error in the program: {error}");
    }
}
