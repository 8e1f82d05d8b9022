//! The words and rules of scoresync, as plain values and functions.
//!
//! Lives here: what a score report is, how its fields are mapped, how the employee is found, and the rule by which an archive decides
//! what stands in a file. Never here: async, I/O, clocks, Kafka, Avro, databases.

mod employee;
mod enriched_score;
mod fate;
mod origin;
mod report;
mod result_id;
pub mod rule;
mod score;
mod timestamp;

pub use employee::{AliasSubject, Employee, Identity, IdentityAlias, IdentityKind, Revocation};
pub use enriched_score::{ContentHash, EnrichedScore, Repeat, Status};
pub use fate::{Fate, Reason, Refusal, UnknownName};
pub use origin::{Origin, ParseOriginError};
pub use report::{Fields, ScoreReport};
pub use result_id::ResultId;
pub use score::{Score, ScoreError};
pub use timestamp::Timestamp;
