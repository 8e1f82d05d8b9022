//! Addresses of this machine on which something may listen, again and again, until this program ends.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr as UnixAddress, UnixDatagram},
    },
    sync::{Mutex, PoisonError},
};

use anyhow::Context;

/// Below the range from which systems take ports for outgoing connections, and beside that of `dev/stack`, so that a process which is
/// away for a while finds its port again.
const PORTS: Range<u16> = 10_000..20_000;
/// How many ports belong to one program of tests at a time.
const BLOCK: u16 = 50;

/// The ports that are this program's, on which something may listen later.
struct Reserved {
    /// Those of the last block that were not given.
    ports: Range<u16>,
    /// One socket for each block, as long as this program lives.
    sockets: Vec<UnixDatagram>,
}

static RESERVED: Mutex<Reserved> = Mutex::new(Reserved {
    ports: 0..0,
    sockets: Vec::new(),
});

/// An address that nobody listens on, and that is not given again, by no other program of tests either.
///
/// # Errors
/// No port is free.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    let mut reserved = RESERVED.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let mut addresses = reserved.ports.by_ref().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        if let Some(address) = addresses.find(|address| TcpListener::bind(address).is_ok()) {
            return Ok(address);
        }
        let (ports, socket) = reserve_block().context("find a free port")?;
        reserved.ports = ports;
        reserved.sockets.push(socket);
    }
}

/// A block is its program's who has the name for it, of which there is one on the machine.
fn reserve_block() -> Option<(Range<u16>, UnixDatagram)> {
    // Not always from the first on: what is left of a program that was killed may still look for its neighbours at their ports.
    let blocks: Vec<u16> = PORTS.step_by(usize::from(BLOCK)).collect();
    let begin = rand::random_range(0..blocks.len());
    let mut blocks = blocks.iter().copied().cycle().skip(begin).take(blocks.len()).filter_map(|first| {
        let name = UnixAddress::from_abstract_name(format!("scoresync-test-ports-{first}")).ok()?;
        Some((first..first + BLOCK, UnixDatagram::bind_addr(&name).ok()?))
    });
    blocks.next()
}
