//! The desk: keeps the dead letters where people can see and resolve them, and sends them through the pipeline again, by itself as soon as
//! the directory knows who was missing.
//!
//! Letters, their states and the desk's positions are in the archive's database. A redrive is asked for there, and sent from there: whatever
//! dies in between, it is sent, perhaps twice, which the archive's rule makes one.

mod api;
mod decisions;
mod incoming;
mod judge;
mod metrics;
mod news;
pub mod office;
mod partitions;
mod redriver;
mod resender;
mod run;
mod settings;

pub use api::{Api, ApiError, ApiParts, openapi};
pub use decisions::{DecisionError, Decisions};
pub use metrics::DeskMetrics;
pub use resender::Resender;
pub use run::{Desk, DeskError, Surroundings};
pub use settings::DeskSettings;
