//! Addresses of this machine on which something may listen, again and again, until this program ends.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, ensure};

/// Below the range from which systems take ports for outgoing connections, and beside that of `dev/stack`, so that a process which is
/// away for a while finds its port again.
const PORTS: Range<u16> = 10_000..20_000;
const ATTEMPTS: usize = 1_000;

static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// An address that nobody listens on, and that is not given again.
///
/// # Errors
/// No port is free.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let candidates = std::iter::repeat_with(|| rand::random_range(PORTS)).take(ATTEMPTS);
    let is_free = |port: &u16| !given.contains(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let port = candidates.into_iter().find(is_free).context("find a free port")?;
    ensure!(given.insert(port), "port {port} was given twice");
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}
