//! The admin port of a process: `/livez`, `/readyz`, `/metrics`.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{Readiness, StageReport};

/// `[admin]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminSettings {
    /// Where to listen. Whoever can reach it can read metrics and reasons, so by default only this machine can. Port 0 takes a free one.
    pub listen: SocketAddr,
}

impl Default for AdminSettings {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 9090).into(),
        }
    }
}

/// Why the admin port does not work.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// It cannot be bound.
    #[error("cannot listen on {listen} for the admin endpoints; set admin.listen to an address of this machine with a free port")]
    Bind {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// It stopped.
    #[error("the admin endpoints stopped")]
    Serve(#[source] io::Error),
}

/// The endpoints, bound and not yet served.
#[derive(Debug)]
pub struct AdminServer {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

#[derive(Clone)]
struct Shown {
    readiness: Readiness,
    registry: Registry,
}

#[derive(Serialize)]
struct ReadinessReport {
    ready: bool,
    stages: Vec<StageReport>,
}

impl AdminServer {
    /// Takes the port, so that a taken one ends the start and not the work.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn bind(settings: &AdminSettings, readiness: Readiness, registry: Registry) -> Result<Self, AdminError> {
        let bind = |source| AdminError::Bind {
            listen: settings.listen,
            source,
        };
        let listener = TcpListener::bind(settings.listen).await.map_err(bind)?;
        let router = Router::new()
            .route("/livez", get(|| async { "alive\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(Shown { readiness, registry });
        Ok(Self {
            address: listener.local_addr().map_err(bind)?,
            listener,
            router,
        })
    }

    /// The address that it is bound to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `end`, then finishes the answers in hand. An `end` after that of all stages lets people watch a process end.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve_until(self, end: impl Future<Output = ()> + Send + 'static) -> Result<(), AdminError> {
        axum::serve(self.listener, self.router)
            .with_graceful_shutdown(end)
            .await
            .map_err(AdminError::Serve)
    }
}

/// A process without stages has not come far enough to be ready.
async fn readyz(State(shown): State<Shown>) -> (StatusCode, Json<ReadinessReport>) {
    let stages = shown.readiness.report();
    let ready = !stages.is_empty() && stages.iter().all(|stage| stage.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(ReadinessReport { ready, stages }))
}

async fn metrics(State(shown): State<Shown>) -> Response {
    match TextEncoder::new().encode_to_string(&shown.registry.gather()) {
        Ok(text) => ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("cannot write the metrics as text: {error}\n"),
        )
            .into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProcessMetrics;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
        task::JoinHandle,
    };
    use tokio_util::sync::CancellationToken;

    struct Running {
        address: SocketAddr,
        readiness: Readiness,
        end: CancellationToken,
        server: JoinHandle<Result<(), AdminError>>,
    }

    async fn start() -> Running {
        let registry = Registry::new();
        let readiness = Readiness::new(ProcessMetrics::register(&registry, "1.2.3").unwrap());
        let settings = AdminSettings {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
        };
        let server = AdminServer::bind(&settings, readiness.clone(), registry).await.unwrap();
        let end = CancellationToken::new();
        Running {
            address: server.address(),
            readiness,
            server: tokio::spawn(server.serve_until(end.clone().cancelled_owned())),
            end,
        }
    }

    async fn get(address: SocketAddr, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    #[tokio::test]
    async fn readiness_is_answered_with_every_stage_and_its_reason() {
        let running = start().await;
        let readyz = || async {
            let (status, _, body) = get(running.address, "/readyz").await;
            (status, body)
        };
        assert_eq!(readyz().await, (503, r#"{"ready":false,"stages":[]}"#.to_owned()));
        let (mapper, sink) = (running.readiness.stage("mapper"), running.readiness.stage("sink"));
        mapper.ready();
        sink.not_ready("the database does not answer");
        let sink_says = r#"{"stage":"sink","ready":false,"reason":"the database does not answer"}"#;
        let expected = format!(r#"{{"ready":false,"stages":[{{"stage":"mapper","ready":true}},{sink_says}]}}"#);
        assert_eq!(readyz().await, (503, expected));
        sink.ready();
        let expected = r#"{"ready":true,"stages":[{"stage":"mapper","ready":true},{"stage":"sink","ready":true}]}"#;
        assert_eq!(readyz().await, (200, expected.to_owned()));
    }

    #[tokio::test]
    async fn a_process_that_is_not_ready_is_alive() {
        let running = start().await;
        running.readiness.stage("sink").not_ready("the database does not answer");
        assert_eq!(get(running.address, "/livez").await.0, 200);
        assert_eq!(get(running.address, "/nothing").await.0, 404);
    }

    #[tokio::test]
    async fn metrics_are_prometheus_text() {
        let running = start().await;
        running.readiness.stage("sink").ready();
        let (status, head, body) = get(running.address, "/metrics").await;
        assert_eq!(status, 200);
        assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
        assert!(body.contains("scoresync_ready{stage=\"sink\"} 1\n"), "{body}");
        assert!(body.contains("scoresync_build_info{version=\"1.2.3\"} 1\n"), "{body}");
    }

    #[tokio::test]
    async fn the_server_ends_when_it_is_asked_to() {
        let running = start().await;
        assert_eq!(get(running.address, "/livez").await.0, 200);
        running.end.cancel();
        running.server.await.unwrap().unwrap();
        assert!(TcpStream::connect(running.address).await.is_err());
    }

    #[tokio::test]
    async fn a_taken_port_is_an_error_that_names_it() {
        let running = start().await;
        let settings = AdminSettings { listen: running.address };
        let error = AdminServer::bind(&settings, running.readiness.clone(), Registry::new())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(&running.address.to_string()), "{error}");
    }
}
