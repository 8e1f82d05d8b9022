//! Judging a batch against what is known, without a database: what both archives do, told as plain values.
//!
//! A result takes one judgement per new statement that is neither a copy nor a repetition of a known version; a judgement is linear in
//! the statements known about the result. A few thousand corrections of one result in one batch are a matter of seconds.

mod contents;
mod intake;
mod known;
mod ledger;
mod plan;
mod successors;

pub(crate) use intake::{Intake, tally};
pub(crate) use known::{Known, KnownHistory, KnownRecord, KnownResult};
pub(crate) use ledger::{Ledger, Newcomer};
pub(crate) use plan::{HistoryRow, Plan, ReadableRefusal, RecordRow, RefusedRow, Tally, judge_refusals_again};
pub(crate) use successors::Successors;
