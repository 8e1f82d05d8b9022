//! The training records: what the archive's rule makes of `scores.enriched`, in SQLite or PostgreSQL. Beside them stand the dead letters.
//!
//! The only crate that names a database. What is to be written is decided in `judging`, without one; both databases do what it says, in
//! one transaction with the offset. Never here: Kafka, Avro, clocks.

mod archive;
mod batch;
mod bisection;
mod employees;
mod error;
mod escape;
mod judging;
mod letters;
mod migrations;
mod postgres;
mod read;
mod rebuild;
mod reconciliations;
mod record;
mod results;
mod settings;
mod sqlite;
mod survey;
mod table;

pub use archive::Archive;
pub use batch::{
    Applied, Batch, EmployeeBatch, EmployeeChange, EmployeesApplied, EnrichedPosition, Entry, Position, Refusals, TopicPartition,
    UndecodableRecord,
};
pub use error::{ArchiveError, DatabaseError};
pub use judging::Successors;
pub use letters::{
    DeskEvent, DueRedrive, FiledReport, IncomingLetter, Letter, LetterBatch, LetterBody, LetterFilter, LetterGroup, LetterId, LetterPage,
    LetterPosition, LetterToJudge, LettersTaken, OpenLetters, ParseLetterIdError, Request, WaitingGroup,
};
pub use postgres::PostgresArchive;
pub use rebuild::{OffsetsRead, Rebuild};
pub use reconciliations::{ReconciliationResult, ReconciliationRun};
pub use record::{Content, FateCount, Head, HistoricStatement, RefusedScore, RefusedStatement, Shown, TrainingRecord};
pub use settings::{Access, ArchiveSettings, PostgresSettings, SqliteSettings, Tls};
pub use sqlite::SqliteArchive;
pub use survey::{Surveyed, SurveyedHistory, SurveyedRecord};
