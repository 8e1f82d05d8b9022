//! Judging a batch against what is known, without a database: what both archives do, told as plain values.
//!
//! Nothing is judged as a whole: a new statement takes logarithmic time in the statements of its batch about the result and the versions
//! that are known of it. Repetitions that say nothing are not even loaded.

mod cases;
mod contents;
mod intake;
mod known;
mod ledger;
mod plan;
mod settlement;
mod successors;
mod versions;

pub(crate) use cases::Cases;
pub(crate) use intake::{Intake, Statement, only_one, tally};
pub(crate) use known::{Known, KnownHistory, KnownRecord, KnownResult, Newcomers};
pub(crate) use ledger::{Ledger, Newcomer};
pub(crate) use plan::{HistoryRow, Plan, ReadableRefusal, RecordRow, RefusedRow, Tally, Verdicts, judge_refusals_again};
pub(crate) use settlement::{Disagreement, Replaced, changed_successors, numbers_of, settled};
pub use successors::Successors;

/// How many results are loaded and judged at a time, which bounds what is held in memory.
pub(crate) const RESULTS_AT_ONCE: usize = 500;
