//! A door to knock at, and the answers.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::put};
use prometheus::{Registry, TextEncoder};
use scoresync_kafka::{
    KafkaSettings, TopicSettings,
    mock::{DefaultProducerContext, MockCluster},
};
use scoresync_service::{ProcessMetrics, Readiness, Shutdown, StageMetrics};
use scoresync_web::{HttpMetrics, Tokens, TokensSettings};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

use crate::{
    Door, DoorError, DoorParts, DoorSettings, Intake, ProducerMetrics, STAGE,
    fixtures::{sha256, sources},
};

/// Nothing in these tests takes so long unless it is broken.
pub(super) const LONG: Duration = Duration::from_secs(30);

/// For the source academy alone.
pub(super) const LMS: &str = "ss_lms";
/// For all sources.
pub(super) const ALL: &str = "ss_all";
/// For employees alone.
pub(super) const HR: &str = "ss_hr";

/// A door that is served, with its own broker.
pub(super) struct Running {
    pub(super) address: std::net::SocketAddr,
    pub(super) broker: MockCluster<'static, DefaultProducerContext>,
    pub(super) readiness: Readiness,
    pub(super) registry: Registry,
    pub(super) shutdown: Shutdown,
    pub(super) served: JoinHandle<Result<(), DoorError>>,
}

/// One answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The head, in lower case.
    pub(super) head: String,
    pub(super) body: Value,
}

pub(super) fn tokens() -> Tokens {
    let text = format!(
        "lms = {{ sha256 = '{}', sources = ['academy'] }}\nall = {{ sha256 = '{}', sources = ['*'] }}\nhr = {{ sha256 = '{}', rights = ['employees'] }}",
        sha256(LMS),
        sha256(ALL),
        sha256(HR)
    );
    let settings: TokensSettings = toml::from_str(&text).unwrap();
    Tokens::compile(&settings, |name| sources().get(name).is_some()).unwrap()
}

/// The parts of a door, and what they tell.
pub(super) fn parts(broker: &MockCluster<'static, DefaultProducerContext>) -> (DoorParts, Readiness, Registry) {
    let kafka = KafkaSettings {
        brokers: broker.bootstrap_servers(),
        ..KafkaSettings::default()
    };
    let registry = Registry::new();
    let readiness = Readiness::new(ProcessMetrics::register(&registry, "1.2.3").unwrap());
    let stage = StageMetrics::register(&registry).unwrap();
    let metrics = ProducerMetrics::register(&registry, stage).unwrap();
    let parts = DoorParts {
        intake: Arc::new(Intake::new(&kafka, &TopicSettings::default(), 1, metrics).unwrap()),
        tokens: Arc::new(tokens()),
        sources: Arc::new(sources()),
        metrics: HttpMetrics::register(&registry).unwrap(),
        readiness: readiness.stage(STAGE),
    };
    (parts, readiness, registry)
}

pub(super) fn mock_broker() -> MockCluster<'static, DefaultProducerContext> {
    let broker = MockCluster::new(1).unwrap();
    broker.create_topic("scores.raw", 4, 1).unwrap();
    broker
}

/// A door with some settings, written as in TOML, and another route beside its own.
pub(super) async fn start(settings: &str) -> Running {
    start_before(mock_broker(), settings).await
}

/// Like [`start`], before a broker that is there already.
pub(super) async fn start_before(broker: MockCluster<'static, DefaultProducerContext>, settings: &str) -> Running {
    let settings: DoorSettings = toml::from_str(&format!("listen = '127.0.0.1:0'\n{settings}")).unwrap();
    let (parts, readiness, registry) = parts(&broker);
    let routes = Router::new().route("/v1/others/{other}", put(|body: String| async move { body }));
    let door = Door::bind(&settings, parts, routes).await.unwrap();
    let shutdown = Shutdown::from_inside();
    Running {
        address: door.address(),
        broker,
        readiness,
        registry,
        served: tokio::spawn(door.serve(shutdown.clone())),
        shutdown,
    }
}

impl Running {
    /// Sends reports of the academy.
    pub(super) async fn send(&self, content_type: &str, body: impl AsRef<[u8]>) -> Answer {
        self.post(
            "academy",
            &[("Authorization", "Bearer ss_lms"), ("Content-Type", content_type)],
            body,
        )
        .await
    }

    pub(super) async fn post(&self, source: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Answer {
        let body = body.as_ref();
        let length = body.len().to_string();
        let mut stream = self.open(source, &[headers, &[("Content-Length", length.as_str())]].concat()).await;
        stream.write_all(body).await.unwrap();
        answer(&mut stream).await
    }

    /// A request of another route, which never sends its body.
    pub(super) async fn open_other(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = b"PUT /v1/others/7 HTTP/1.1\r\nHost: door\r\nContent-Length: 1\r\n\r\n";
        stream.write_all(head).await.unwrap();
        stream
    }

    /// A request for the source whose head was sent, and which is to be the last of its connection.
    pub(super) async fn open(&self, source: &str, headers: &[(&str, &str)]) -> TcpStream {
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("POST /v1/sources/{source}/reports HTTP/1.1\r\nHost: door\r\nConnection: close\r\n{lines}\r\n");
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    /// A request of the academy whose body comes in chunks.
    pub(super) async fn open_chunked(&self, content_type: &str) -> TcpStream {
        let headers = [
            ("Authorization", "Bearer ss_lms"),
            ("Content-Type", content_type),
            ("Transfer-Encoding", "chunked"),
        ];
        self.open("academy", &headers).await
    }

    /// Until as many requests are in hand as are allowed: the refusal of one more.
    pub(super) async fn until_full(&self) -> Answer {
        let refused = async {
            loop {
                let answer = self.send("application/json", "[]").await;
                if answer.status == 429 {
                    return answer;
                }
            }
        };
        tokio::time::timeout(LONG, refused).await.expect("there is always room")
    }

    pub(super) fn exported(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap()
    }

    pub(super) fn obstacle(&self) -> Option<String> {
        self.readiness.report()[0].reason.clone()
    }

    /// Until `condition` holds.
    pub(super) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        let holds = async {
            while !condition(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(LONG, holds).await;
        assert!(
            waited.is_ok(),
            "{what} did not come about:\n{:?}\n{}",
            self.readiness,
            self.exported()
        );
    }
}

/// Sends one chunk; an empty one ends the body. A connection that was closed meanwhile is told by its answer.
pub(super) async fn send_chunk(stream: &mut TcpStream, chunk: &[u8]) -> std::io::Result<()> {
    let head = format!("{:x}\r\n", chunk.len());
    stream.write_all(&[head.as_bytes(), chunk, b"\r\n"].concat()).await
}

/// The one answer of a connection that ends after it.
pub(super) async fn answer(stream: &mut TcpStream) -> Answer {
    let mut text = String::new();
    let read = tokio::time::timeout(LONG, stream.read_to_string(&mut text)).await;
    read.expect("no answer in time").unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_lowercase(),
        body: serde_json::from_str(body).unwrap_or(Value::Null),
    }
}

impl Answer {
    /// Checks that this is a whole problem document, of this kind.
    pub(super) fn is_problem(&self, status: u16, name: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.head.contains("content-type: application/problem+json"), "{self:?}");
        assert_eq!(self.body["type"], format!("urn:scoresync:problem:{name}"), "{self:?}");
        assert_eq!(self.body["status"], status, "{self:?}");
        for member in ["title", "detail"] {
            assert!(self.body[member].as_str().is_some_and(|text| text.len() > 10), "{self:?}");
        }
    }
}

/// So many rows of the academy as NDJSON, of 100 bytes or so each.
pub(super) fn ndjson(rows: usize) -> String {
    let row = |number| format!("{{\"工号\":\"E{number}\",\"课程编号\":\"C-7\",\"分数\":\"85\",\"完成时间\":\"2026-11-20 09:30:00\"}}\n");
    (0..rows).map(row).collect()
}
