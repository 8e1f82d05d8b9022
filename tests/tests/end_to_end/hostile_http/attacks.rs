//! The attacks, each on plain sockets, as no well-meaning client would speak.

use std::{pin::Pin, time::Duration};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::target::Place;

type Running = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>>;

/// Something that is done to the door.
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) run: fn(Place) -> Running,
}

/// Longer than the door waits for a piece of a body in these tests, and than a connection is waited for.
const LONG: Duration = Duration::from_secs(20);
/// More than may be open at once (`door.max_connections` is 1024).
const CROWD: usize = 2_000;
/// As many as try the same at once; fewer than `door.max_concurrent_requests`.
const GROUP: usize = 20;

/// All attacks, in the order in which they are tried.
pub(super) fn attacks() -> [Attack; 9] {
    [
        attack("a byte of a body in a second", |place| Box::pin(slow_bodies(place))),
        attack("a byte of a head in a second", |place| Box::pin(slow_heads(place))),
        attack("a body without end", |place| Box::pin(endless_bodies(place))),
        attack("10,000 headers", |place| Box::pin(many_headers(place))),
        attack("lengths that are wrong", |place| Box::pin(wrong_lengths(place))),
        attack("100,000 brackets", |place| Box::pin(deep_json(place))),
        attack("a name 30,000 times", |place| Box::pin(repeated_name(place))),
        attack("answers that nobody reads", |place| Box::pin(unread_answers(place))),
        attack("2,000 connections that say nothing", |place| Box::pin(silent_crowd(place))),
    ]
}

const fn attack(name: &'static str, run: fn(Place) -> Running) -> Attack {
    Attack { name, run }
}

/// Pauses that the door bears; every second body then never goes on, and is cut off.
async fn slow_bodies(place: Place) -> anyhow::Result<()> {
    let mut slow = Vec::new();
    for _ in 0..GROUP {
        slow.push(place.begin("Transfer-Encoding: chunked").await?);
    }
    for byte in "[ ]".chars() {
        for stream in &mut slow {
            stream.write_all(format!("1\r\n{byte}\r\n").as_bytes()).await?;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for stream in slow.iter_mut().step_by(2) {
        stream.write_all(b"0\r\n\r\n").await?;
    }
    for (number, stream) in slow.iter_mut().enumerate() {
        let expected = if number % 2 == 0 { 202 } else { 408 };
        ensure!(
            answer(stream).await? == Some(expected),
            "slow body {number} is not answered {expected}"
        );
    }
    Ok(())
}

async fn slow_heads(place: Place) -> anyhow::Result<()> {
    let mut slow = Vec::new();
    for _ in 0..CROWD {
        slow.push(TcpStream::connect(place.door).await?);
    }
    for byte in b"PO" {
        for stream in &mut slow {
            // Some have been closed to make room for others.
            let _ = stream.write_all(&[*byte]).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(())
}

/// JSON has a greatest size; it is refused while it still comes.
async fn endless_bodies(place: Place) -> anyhow::Result<()> {
    let blanks = format!("10000\r\n{}\r\n", " ".repeat(0x1_0000));
    let mut senders = Vec::new();
    for _ in 0..GROUP {
        let (mut stream, blanks) = (place.begin("Transfer-Encoding: chunked").await?, blanks.clone());
        senders.push(tokio::spawn(async move {
            let sending = async { while stream.write_all(blanks.as_bytes()).await.is_ok() {} };
            tokio::time::timeout(LONG, sending)
                .await
                .context("a body without end is taken in for ever")
        }));
    }
    for sender in senders {
        sender.await??;
    }
    Ok(())
}

async fn many_headers(place: Place) -> anyhow::Result<()> {
    for _ in 0..GROUP {
        let lines: String = (0..10_000).map(|number| format!("X-{number}: {number}\r\n")).collect();
        let mut stream = TcpStream::connect(place.door).await?;
        // The refusal may come while this is still being sent.
        let _ = stream.write_all(format!("{}{lines}\r\n[]", place.head()).as_bytes()).await;
        let status = answer(&mut stream).await?;
        ensure!(status.is_none_or(|status| status == 431), "10,000 headers are answered {status:?}");
    }
    Ok(())
}

async fn wrong_lengths(place: Place) -> anyhow::Result<()> {
    for (length, body, expected) in [
        ("Content-Length: 1000", "[]", Some(408)),
        ("Content-Length: 1", "[]", Some(400)),
        ("Content-Length: -1", "[]", Some(400)),
        ("Content-Length: 99999999999999999999999", "[]", Some(400)),
        ("Content-Length: 9223372036854775807", "[]", Some(413)),
        ("Content-Length: 2\r\nContent-Length: 3", "[]", Some(400)),
        ("Content-Length: 2\r\nTransfer-Encoding: chunked", "0\r\n\r\n", Some(400)),
        ("Transfer-Encoding: chunked", "ffffffffffffffffff\r\n[]", Some(400)),
        ("Transfer-Encoding: chunked", "-1\r\n[]", Some(400)),
        ("Transfer-Encoding: gzip", "[]", Some(400)),
    ] {
        let mut stream = place.begin(length).await?;
        stream.write_all(body.as_bytes()).await?;
        let status = answer(&mut stream).await?;
        ensure!(status == expected, "{length:?} with {body:?} is answered {status:?}");
    }
    Ok(())
}

async fn deep_json(place: Place) -> anyhow::Result<()> {
    let deep = [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        format!("[{{\"a\":{}", "[".repeat(100_000)),
    ];
    for body in deep.iter().cycle().take(GROUP) {
        let status = place.push(body.as_bytes()).await?;
        ensure!(matches!(status, Some(400 | 413)), "100,000 brackets are answered {status:?}");
    }
    Ok(())
}

/// A row of it is unreadable, which is no reason to refuse the body.
async fn repeated_name(place: Place) -> anyhow::Result<()> {
    let members = vec!["\"a\":1"; 30_000].join(",");
    for _ in 0..GROUP {
        let body = format!("{{{members}}}");
        let status = place.push(body.as_bytes()).await?;
        ensure!(status == Some(202), "a name that is repeated is answered {status:?}");
    }
    Ok(())
}

/// Requests one after the other on a connection whose answers are never read: the door stops reading, too.
async fn unread_answers(place: Place) -> anyhow::Result<()> {
    let mut senders = Vec::new();
    for _ in 0..GROUP {
        let place = place.clone();
        senders.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(place.door).await?;
            let request = format!("{}Content-Length: 2\r\n\r\n[]", place.head_of_many()).repeat(100);
            let sending = async { while stream.write_all(request.as_bytes()).await.is_ok() {} };
            // Either the door closes the connection, or it takes no more.
            let _ = tokio::time::timeout(Duration::from_secs(2), sending).await;
            anyhow::Ok(())
        }));
    }
    for sender in senders {
        sender.await??;
    }
    Ok(())
}

async fn silent_crowd(place: Place) -> anyhow::Result<()> {
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(TcpStream::connect(place.door).await?);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(crowd);
    Ok(())
}

impl Place {
    /// All of a head but what tells where the body ends.
    fn head(&self) -> String {
        format!("{}Connection: close\r\n", self.head_of_many())
    }

    /// The same on a connection that stays.
    fn head_of_many(&self) -> String {
        let Self { door, token } = self;
        format!(
            "POST /v1/sources/academy/reports HTTP/1.1\r\nHost: {door}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        )
    }

    /// A request up to its body.
    async fn begin(&self, length: &str) -> anyhow::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.door).await?;
        stream.write_all(format!("{}{length}\r\n\r\n", self.head()).as_bytes()).await?;
        Ok(stream)
    }

    /// A whole request on a connection of its own; the status of its answer.
    pub(super) async fn push(&self, body: &[u8]) -> anyhow::Result<Option<u16>> {
        let mut stream = self.begin(&format!("Content-Length: {}", body.len())).await?;
        stream.write_all(body).await?;
        answer(&mut stream).await
    }
}

/// The status of the answer; `None` where the connection ended without one that could be read.
async fn answer(stream: &mut TcpStream) -> anyhow::Result<Option<u16>> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut bytes)).await;
    // A connection that is reset may have brought its answer before.
    let _ = read.context("the connection stays open without an answer")?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.split(' ').nth(1).and_then(|status| status.parse().ok()))
}
