//! A network that fails: whatever is sent to it is passed on to somebody, late, in fits, or not at all.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How the link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// Everything passes.
    Fair,
    /// Everything passes so much later.
    Slow(Duration),
    /// As TCP shows the loss of packets: one piece in four passes only when it has been sent again.
    Lossy,
    /// Connections stay open, and nothing passes.
    Cut,
    /// Connections are refused, and those that there are end.
    Down,
    /// Requests of HTTP are answered with this head and an empty object.
    Answers(&'static str),
    /// Requests of HTTP are answered with success and something that nobody asked for.
    Babbles,
}

/// A port that stands for somebody else's.
pub(super) struct FrailLink {
    address: SocketAddr,
    weather: Arc<Mutex<Weather>>,
    task: JoinHandle<()>,
}

impl FrailLink {
    /// Listens at `address` for somebody at `to`.
    ///
    /// # Errors
    /// The port is taken.
    pub(super) async fn open(address: SocketAddr, to: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address).await.with_context(|| format!("listen at {address}"))?;
        let weather = Arc::new(Mutex::new(Weather::Fair));
        let task = tokio::spawn(listen(listener, to, Arc::clone(&weather)));
        Ok(Self { address, weather, task })
    }

    /// Where it listens.
    #[must_use]
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather, for open connections, too.
    pub(super) fn set(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }
}

impl Drop for FrailLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Shared = Arc<Mutex<Weather>>;

fn now(weather: &Shared) -> Weather {
    *weather.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: TcpListener, to: SocketAddr, weather: Shared) {
    while let Ok((near, _)) = listener.accept().await {
        let weather = Arc::clone(&weather);
        tokio::spawn(async move {
            // A connection that breaks is what this is for.
            let _ = serve(near, to, &weather).await;
        });
    }
}

async fn serve(mut near: TcpStream, to: SocketAddr, weather: &Shared) -> std::io::Result<()> {
    match now(weather) {
        Weather::Down => return Ok(()),
        Weather::Answers(head) => return answer(&mut near, head, "{}").await,
        Weather::Babbles => return answer(&mut near, "200 OK", "{\"what\": [\"nobody\", \"asked\"]}").await,
        Weather::Fair | Weather::Slow(_) | Weather::Lossy | Weather::Cut => {}
    }
    let far = TcpStream::connect(to).await?;
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        passed = pass(near_in, far_out, weather) => passed,
        passed = pass(far_in, near_out, weather) => passed,
    }
}

async fn pass(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, weather: &Shared) -> std::io::Result<()> {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut piece).await?;
        if read == 0 {
            return Ok(());
        }
        if !let_through(weather).await {
            return Ok(());
        }
        to.write_all(&piece[..read]).await?;
    }
}

/// Waits until a piece may pass; says whether the connection goes on.
async fn let_through(weather: &Shared) -> bool {
    let pause = Duration::from_millis(20);
    match now(weather) {
        Weather::Fair => {}
        Weather::Slow(delay) => tokio::time::sleep(delay).await,
        Weather::Lossy if rand::random_range(0..4) == 0 => {
            tokio::time::sleep(Duration::from_millis(200 + rand::random_range(0..400))).await
        }
        Weather::Lossy => {}
        Weather::Down | Weather::Answers(_) | Weather::Babbles => return false,
        Weather::Cut => {
            while now(weather) == Weather::Cut {
                tokio::time::sleep(pause).await;
            }
        }
    }
    true
}

/// To every request on the connection.
async fn answer(near: &mut TcpStream, head: &str, body: &str) -> std::io::Result<()> {
    let mut request = vec![0; 16 * 1024];
    while near.read(&mut request).await? > 0 {
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {head}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
        near.write_all(answer.as_bytes()).await?;
        near.shutdown().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::free_address;

    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut peer, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = peer.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn says(stream: &mut TcpStream, limit: Duration) -> Option<String> {
        stream.write_all(b"word").await.ok()?;
        let mut heard = [0; 4];
        tokio::time::timeout(limit, stream.read_exact(&mut heard)).await.ok()?.ok()?;
        String::from_utf8(heard.to_vec()).ok()
    }

    #[tokio::test]
    async fn what_is_cut_off_arrives_when_the_weather_is_fair_again() {
        let link = FrailLink::open(free_address().unwrap(), echo().await).await.unwrap();
        let mut stream = TcpStream::connect(link.address()).await.unwrap();
        let (short, long) = (Duration::from_millis(100), Duration::from_secs(10));
        assert_eq!(says(&mut stream, long).await.as_deref(), Some("word"));
        link.set(Weather::Cut);
        assert_eq!(says(&mut stream, short).await, None);
        link.set(Weather::Fair);
        assert_eq!(says(&mut stream, long).await.as_deref(), Some("word"));
        link.set(Weather::Down);
        assert_eq!(says(&mut stream, long).await, None);
    }
}
