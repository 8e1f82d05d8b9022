//! The mapper: a pure function of report, field mapping and directory, run over `scores.raw`.
//!
//! For every report it writes exactly one thing, an enriched score or a dead letter, and moves its position only when that is acknowledged.
//! It keeps no state but the directory.

mod metrics;
mod partitions;
mod position_note;
mod run;
mod schema_memories;
mod settings;
mod transform;

pub use metrics::MapperMetrics;
pub use run::{Mapper, MapperError, Surroundings};
pub use settings::MapperSettings;
