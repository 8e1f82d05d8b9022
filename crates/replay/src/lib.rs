//! Mapping anew what was received: what the present field mapping makes of a source's reports, beside what stands in the archive.
//!
//! Looking changes nothing. What differs can be sent to `scores.enriched`, as a mapper would write it; the sink files it by its rule. Nothing
//! here writes to the archive.
//!
//! Memory grows with the results that are affected alone, 16 bytes for each: what is known of reports is written to files on disk by where
//! they first appeared, and what is said of the affected results goes into an archive of its own, which is thrown away.

mod comparison;
mod difference;
mod items;
mod letters;
mod look;
mod mending;
mod outgoing;
mod outputs;
mod records;
mod replay;
mod reports;
mod scratch;
mod send;
mod spill;

pub use difference::{Change, Difference, Reports, Row, RowKind, Rows};
pub use look::Look;
pub use replay::{Progress, Replay, ReplayError, Span, Step};
