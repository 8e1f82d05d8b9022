//! The words and rules of scoresync, as plain values and functions.
//!
//! Lives here: what a score report is, how its fields are mapped, how the employee is found, and the rule by which an archive decides
//! what stands in a file. Never here: async, I/O, clocks, Kafka, Avro, databases.

mod alias_key;
mod candidates;
mod concern;
mod decide;
mod directory;
mod employee;
mod employee_no;
mod enriched_score;
mod fate;
mod field_mapping;
#[cfg(test)]
mod fixtures;
mod matching;
mod normalise;
mod origin;
mod period;
mod report;
mod result_id;
mod retraction;
mod roster;
pub mod rule;
mod score;
mod source;
mod timestamp;

pub use alias_key::ParseAliasSubjectError;
pub use candidates::{Candidate, Candidates, Resemblance};
pub use concern::{About, Concern, identity_hash};
pub use decide::{Rejection, decide};
pub use directory::{Directory, HeldEmployee};
pub use employee::{AliasSubject, Employee, Identity, IdentityAlias, IdentityKind, Revocation};
pub use employee_no::{meant_employee_no, normalise_employee_no};
pub use enriched_score::{ContentHash, EnrichedScore, Repeat, Status};
pub use fate::{Fate, LetterFamily, LetterState, Reason, Refusal, UnknownName};
pub use field_mapping::{Field, KeyProblem, MappedScore, MappingError, Marks, PresentedIdentities};
pub use matching::{Clue, Found, MatchError, MatchPolicy, Subject, find_employee};
pub use normalise::{Region, UnknownRegion, normalise_identity, normalise_key_part, normalise_name};
pub use origin::{Origin, ParseOriginError};
pub use period::Period;
pub use report::{Fields, ScoreReport, WITHDRAWAL};
pub use result_id::ResultId;
pub use retraction::Retraction;
pub use roster::{IdentityKey, Roster, RosterEntry, RosterError, Update, check_employee_no};
pub use score::{Score, ScoreError};
pub use source::{Format, FormatSettings, Problem, Rung, Source, SourceSettings, Sources, SourcesSettings};
pub use timestamp::Timestamp;
