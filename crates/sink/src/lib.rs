//! The sink: applies `scores.enriched` and `employees` to the archive, by the archive's rule, and produces nothing.
//!
//! One thread polls and collects, another decodes and applies: while one batch commits, the next is collected. Positions live in the
//! archive's database alone, moved in the transaction of the rows they stand for.

mod applier;
mod applier_handle;
mod collected;
mod held;
mod metrics;
mod partitions;
mod run;
mod schema_memories;
mod seeded_bugs;
mod settings;

pub use metrics::SinkMetrics;
pub use run::{Sink, SinkError, Surroundings};
pub use settings::SinkSettings;
