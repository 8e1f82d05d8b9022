//! The door with real sockets, a real intake and a mock broker that really acknowledges.

mod admission;
mod bodies;
mod broker;
mod ends;
mod harness;
