//! The dead letters in the archive's database: taken in with the desk's positions, redriven, closed, listed.
//!
//! Every statement is the same for both databases (`session`), and every change says in its conditions what it needs to find: nothing is
//! read first and decided outside, so that no two of them can undo each other.

mod events;
mod letter;
mod list;
mod positions;
mod redrive;
mod session;
mod take;

pub(crate) use events::{events, note};
pub use letter::{
    DeskEvent, DueRedrive, FiledReport, IncomingLetter, Letter, LetterBatch, LetterBody, LetterFilter, LetterGroup, LetterId, LetterPage,
    LetterPosition, LetterToJudge, LettersTaken, OpenLetters, ParseLetterIdError, Request, WaitingGroup,
};
pub(crate) use list::{
    group, groups, last_naming_report, letter, letters, open, origins_of, owner_decisions, owners_matched_by, read_id, states,
    unread_by_mapping,
};
pub(crate) use positions::{claim, positions};
pub(crate) use redrive::{
    discard, due, expect_again, give_back, open_groups, open_letters_about, open_letters_of, purge, purgeable, queue, reopen_lost,
    reopen_unfiled, sent, waiting_for,
};
pub(crate) use session::{Column, Intent, Row, Session};
pub(crate) use take::take;
