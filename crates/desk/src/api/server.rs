//! The interface as a stage of the process: bound first, then served until the end is asked for.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use scoresync_service::Shutdown;
use scoresync_web::{ConnectionLimits, Connections, HttpMetrics, Tokens, observed};
use tokio::net::TcpListener;

use super::{Counter, routes};
use crate::office::{Office, Reach};

/// For people and pages, not for machines in thousands.
const LIMITS: ConnectionLimits = ConnectionLimits {
    max_open: 256,
    header_timeout: Duration::from_secs(30),
};
/// How long requests may go on when the process is to end.
const DRAIN: Duration = Duration::from_secs(8);
/// What whoever knocks at a wrong address is told.
const HINT: &str = "dead letters are at /v1/dead-letters; /v1/openapi.json describes everything that is here";

/// What the interface leads to.
pub struct ApiParts {
    /// The letters.
    pub office: Office,
    /// The way to Kafka and the registry.
    pub reach: Reach,
    /// Who may do what.
    pub tokens: Arc<Tokens>,
    /// What is counted.
    pub metrics: HttpMetrics,
}

/// Why the interface does not work.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// It cannot be bound.
    #[error("cannot listen on {listen} for the desk's HTTP interface; set desk.listen to an address of this machine with a free port")]
    Bind {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// The interface, bound and not yet open.
pub struct Api {
    listener: TcpListener,
    address: SocketAddr,
    routes: Router,
}

impl Api {
    /// Takes the port, so that a taken one ends the start and not the work.
    ///
    /// # Errors
    /// An address that cannot be bound.
    pub async fn bind(listen: SocketAddr, parts: ApiParts) -> Result<Self, ApiError> {
        let bind = |source| ApiError::Bind { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(bind)?;
        let ApiParts {
            office,
            reach,
            tokens,
            metrics,
        } = parts;
        let counter = Counter { office, reach, tokens };
        Ok(Self {
            address: listener.local_addr().map_err(bind)?,
            listener,
            routes: observed(routes(counter), metrics, HINT),
        })
    }

    /// The address that it is bound to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`; then takes no more connections, and lets requests end.
    pub async fn serve(self, shutdown: Shutdown) {
        let mut connections = Connections::new(self.routes, LIMITS, shutdown);
        connections.accept(self.listener).await;
        let left = connections.finish(DRAIN).await;
        if left > 0 {
            tracing::warn!(
                left,
                "requests to the desk did not end in time; what they had changed by then stands"
            );
        }
    }
}
