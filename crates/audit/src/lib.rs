//! The books: whether every report that was ever received came to one fate, and whether the archive is what its rule makes of them.
//!
//! Reads `scores.raw`, `scores.enriched`, `scores.dlq` and the archive, and changes nothing. What is compared is what was done by one moment,
//! the one at which the archive is looked at; what came later is in flight.
//!
//! Memory does not grow with the archive: a report is one byte, and everything that is known about results is written to files on disk by the
//! hash of the result, each of which is then judged by itself.

mod archived;
mod books;
mod copies;
mod counts;
mod ledger;
mod logs;
mod outputs;
mod people;
mod remedy;
mod repair;
mod results;
mod run;
mod said;
mod standing;

pub use books::{Books, CourseDay, Finding, FindingKind, PartitionBooks};
pub use remedy::Remedy;
pub use repair::{NotRebuilt, Repair, Repaired};
pub use run::{Audit, AuditError, Progress, Step};
