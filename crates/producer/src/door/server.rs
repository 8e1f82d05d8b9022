//! The door as a stage of the process: bound first, then served until the end is asked for.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, routing::post};
use scoresync_domain::{Problem, Sources};
use scoresync_service::{Shutdown, StageReadiness};
use scoresync_web::{ConnectionLimits, Connections, HttpMetrics, Tokens, limited, observed};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use super::{
    admission::{Entrance, Porter},
    broker_watch::{BrokerWatch, until_dead},
    reports::{ROUTE, Reception, receive},
    settings::{DoorSettings, number, seconds},
};
use crate::{intake::Intake, source_format::format_settings_of};

/// What whoever knocks at a wrong address is told.
const HINT: &str = "reports are sent with POST to /v1/sources/NAME/reports";
/// How long what nobody waits for any more is given to reach the broker.
const SETTLE: Duration = Duration::from_secs(3);

/// What the door leads to.
pub struct DoorParts {
    /// Where reports go.
    pub intake: Arc<Intake>,
    /// Who may send.
    pub tokens: Arc<Tokens>,
    /// For whom.
    pub sources: Arc<Sources>,
    /// What is counted.
    pub metrics: HttpMetrics,
    /// Told when the door is open and when the broker does not acknowledge.
    pub readiness: StageReadiness,
}

/// Why the door does not work.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// It cannot be bound.
    #[error("cannot listen on {listen} for reports; set door.listen to an address of this machine with a free port")]
    Bind {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// Settings that no report could be received with.
    #[error("the settings of the door are not usable: {}", list(.0))]
    Settings(Vec<Problem>),
    /// The way to the broker is closed for good; a new process finds another one.
    #[error("the producer of reports cannot go on: {0}; start the process again when that is mended")]
    Producer(String),
}

/// The door, bound and not yet open.
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
    routes: Router,
    reception: Arc<Reception>,
}

impl Door {
    /// Takes the port, so that a taken one ends the start and not the work. `routes` are served beside those of reports, each request for as
    /// long as `door.read_timeout_seconds` and `door.acknowledge_timeout_seconds` together.
    ///
    /// # Errors
    /// All settings that are not usable, or an address that cannot be bound.
    pub async fn bind(settings: &DoorSettings, parts: DoorParts, routes: Router) -> Result<Self, DoorError> {
        let entrances = entrances(settings, &parts).map_err(DoorError::Settings)?;
        if parts.tokens.is_empty() {
            tracing::warn!("no token is configured, so that nobody can send reports: make one with `scoresync token new`");
        }
        let reception = Arc::new(Reception {
            porter: Porter {
                tokens: parts.tokens,
                entrances,
                slots: Arc::new(Semaphore::new(number(settings.max_concurrent_requests).min(Semaphore::MAX_PERMITS))),
                max_body_bytes: settings.max_body_bytes(),
            },
            intake: parts.intake,
            broker: BrokerWatch::new(parts.readiness),
            settings: settings.clone(),
            end: CancellationToken::new(),
        });
        let reports = Router::new().route(ROUTE, post(receive)).with_state(Arc::clone(&reception));
        let request_limit = seconds(settings.read_timeout_seconds) + seconds(settings.acknowledge_timeout_seconds);
        let bind = |source| DoorError::Bind {
            listen: settings.listen,
            source,
        };
        let listener = TcpListener::bind(settings.listen).await.map_err(bind)?;
        Ok(Self {
            address: listener.local_addr().map_err(bind)?,
            listener,
            routes: observed(reports.merge(limited(routes, request_limit)), parts.metrics, HINT),
            reception,
        })
    }

    /// The address that it is bound to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`; then takes no more connections, lets bodies arrive for `door.drain_seconds`, cuts off the others with an
    /// answer, and gives the broker a moment to acknowledge what nobody waits for.
    ///
    /// # Errors
    /// The producer met an error that it cannot go on after. `shutdown` is asked for then, and the end is the same.
    pub async fn serve(self, shutdown: Shutdown) -> Result<(), DoorError> {
        let Self {
            listener,
            routes,
            reception,
            ..
        } = self;
        let limits = ConnectionLimits {
            max_open: number(reception.settings.max_connections),
            header_timeout: seconds(reception.settings.header_timeout_seconds),
        };
        let mut connections = Connections::new(routes, limits, shutdown.clone());
        let outcome = tokio::select! {
            () = connections.accept(listener) => Ok(()),
            never = reception.broker.keep(&reception.intake) => match never {},
            cause = until_dead(&reception.intake) => Err(DoorError::Producer(cause)),
        };
        if outcome.is_err() {
            shutdown.request("the producer of reports cannot go on");
        }
        reception.broker.shut_down();
        reception.finish(connections).await;
        outcome
    }
}

impl Reception {
    async fn finish(&self, mut connections: Connections) {
        if connections.finish(seconds(self.settings.drain_seconds)).await > 0 {
            self.end.cancel();
            let answering = seconds(self.settings.acknowledge_timeout_seconds) + Duration::from_secs(1);
            let left = connections.finish(answering).await;
            if left > 0 {
                tracing::warn!(
                    left,
                    "{left} connections did not end in time and are closed; none of them was told of success"
                );
            }
        }
        drop(connections);
        let intake = Arc::clone(&self.intake);
        let settled = tokio::task::spawn_blocking(move || intake.settle(SETTLE)).await;
        if !settled.unwrap_or(false) {
            tracing::warn!("the broker has not acknowledged all reports; their senders were not told of success and will send them again");
        }
    }
}

fn entrances(settings: &DoorSettings, parts: &DoorParts) -> Result<Vec<Arc<Entrance>>, Vec<Problem>> {
    let (mut entrances, mut problems) = (Vec::new(), Vec::new());
    problems.extend(settings.check_room(parts.intake.max_value_bytes()).err());
    for source in parts.sources.iter() {
        match format_settings_of(source) {
            Ok(settings) => entrances.push(Arc::new(Entrance {
                source: source.clone(),
                settings,
            })),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(entrances) } else { Err(problems) }
}

fn list(problems: &[Problem]) -> String {
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    texts.join("; ")
}
