//! The HTTP door: sources send their reports here and hear 202 only after the broker has acknowledged every row.
//!
//! Requests are admitted by their head, bodies are read as they arrive, refusals are documents of RFC 9457. What becomes a report and how
//! it is written is the intake's business; other routes are merged in by whoever binds the door.

mod admission;
mod answer;
mod broker_watch;
mod incoming_body;
mod reports;
mod rows;
mod server;
mod settings;
mod worker;

#[cfg(test)]
mod tests;

pub use server::{Door, DoorError, DoorParts};
pub use settings::DoorSettings;
