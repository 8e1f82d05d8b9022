//! Requests that are ready in memory, over connections that stay: a client that costs as little as it can, beside the door that is measured.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A request, head and body.
pub(crate) type Request = Vec<u8>;

/// Makes a request to the door.
pub(crate) fn request(token: &str, content_type: &str, body: &str) -> Request {
    let head = format!(
        "POST /v1/sources/bench/reports HTTP/1.1\r\nHost: door\r\nAuthorization: Bearer {token}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    (head + body).into_bytes()
}

/// A connection to the door.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    async fn open(door: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(door).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            answer: Vec::with_capacity(4096),
        })
    }

    /// Sends a request and waits until it is answered as accepted; at once again while the door has too much to do.
    pub(crate) async fn send(&mut self, request: &Request) -> anyhow::Result<()> {
        loop {
            self.exchange(request).await?;
            if self.answer.starts_with(b"HTTP/1.1 202") {
                return Ok(());
            }
            ensure!(
                self.answer.starts_with(b"HTTP/1.1 429"),
                "a request was not accepted: {}",
                String::from_utf8_lossy(&self.answer)
            );
        }
    }

    async fn exchange(&mut self, request: &Request) -> anyhow::Result<()> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        while !is_whole(&self.answer) {
            let read = self.stream.read_buf(&mut self.answer).await?;
            ensure!(read > 0, "the door closed a connection: {}", String::from_utf8_lossy(&self.answer));
        }
        Ok(())
    }
}

/// The door gives the length of each answer.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length
        .and_then(|length| length.trim().parse::<usize>().ok())
        .is_some_and(|length| answer.len() >= end + 4 + length)
}

/// Opens so many connections.
pub(crate) async fn connect(door: SocketAddr, connections: usize) -> anyhow::Result<Vec<Connection>> {
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        opened.push(Connection::open(door).await?);
    }
    Ok(opened)
}

/// Sends all requests, each connection its next as soon as it is answered; gives how long each took.
pub(crate) async fn send_all(connections: Vec<Connection>, requests: &[Request]) -> anyhow::Result<Vec<Duration>> {
    let next = AtomicUsize::new(0);
    let senders = connections.into_iter().map(|mut connection| {
        let next = &next;
        async move {
            let mut latencies = Vec::new();
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                let sent = Instant::now();
                connection.send(request).await.context("send to the door")?;
                latencies.push(sent.elapsed());
            }
            anyhow::Ok(latencies)
        }
    });
    Ok(futures_util::future::try_join_all(senders).await?.concat())
}
