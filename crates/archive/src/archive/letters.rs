//! The dead letters of the archive, whichever database is behind it. All errors are [`ArchiveError`].

use scoresync_domain::{Origin, ResultId, Timestamp};

use super::Archive;
use crate::{
    ArchiveError, DeskEvent, DueRedrive, Letter, LetterBatch, LetterBody, LetterFilter, LetterGroup, LetterId, LetterPage, LetterToJudge,
    LettersTaken, OpenLetters, Position, Request, WaitingGroup, letters,
};

impl Archive {
    /// Where the desk goes on in each claimed partition of a topic's generation.
    ///
    /// # Errors
    /// The database's.
    pub async fn desk_positions(&self, topic: &str, generation: i32) -> Result<Vec<Position>, ArchiveError> {
        in_transaction!(Look, self, "read the desk's positions", session => letters::positions(session, topic, generation))
    }

    /// Claims a partition at the desk's first start; returns what stands, which is another's where that was first.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_desk_position(&self, position: &Position) -> Result<Position, ArchiveError> {
        in_transaction!(Change, self, "claim a position of the desk", session => letters::claim(session, position))
    }

    /// Takes in what was read of any partitions: all of it, or nothing. What is read twice changes nothing.
    ///
    /// # Errors
    /// [`ArchiveError::LostPosition`] where a partition is not at its expected offset, or the database's.
    pub async fn take_letters(&self, batch: &LetterBatch<'_>) -> Result<LettersTaken, ArchiveError> {
        in_transaction!(Change, self, "take letters in", session => letters::take(session, batch))
    }

    /// Opens letters again that are closed as filed, and are not.
    ///
    /// # Errors
    /// The database's.
    pub async fn reopen_unfiled(&self, letters: &[LetterId]) -> Result<(), ArchiveError> {
        in_transaction!(Change, self, "open letters again", session => letters::reopen_unfiled(session, letters))
    }

    /// The groups that wait for one of these identities, by [`scoresync_domain::identity_hash`].
    ///
    /// # Errors
    /// The database's.
    pub async fn groups_waiting_for(&self, identities: &[[u8; 16]]) -> Result<Vec<[u8; 16]>, ArchiveError> {
        in_transaction!(Look, self, "look for letters that wait for somebody", session => letters::waiting_for(session, identities))
    }

    /// Groups with open letters behind this one, in the order of their ids, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_groups(&self, after: Option<[u8; 16]>, limit: u32) -> Result<Vec<WaitingGroup>, ArchiveError> {
        in_transaction!(Look, self, "read the open problems", session => letters::open_groups(session, after, limit))
    }

    /// The open letters of a group behind this one, in the order of their origins, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_letters_of(
        &self,
        group_id: [u8; 16],
        (after, limit): (Option<&LetterId>, u32),
    ) -> Result<Vec<LetterToJudge>, ArchiveError> {
        in_transaction!(Look, self, "read the letters of a problem", session => letters::open_letters_of(session, &group_id, (after, limit)))
    }

    /// The open letters about a result.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_letters_about(&self, result_id: ResultId) -> Result<Vec<LetterToJudge>, ArchiveError> {
        in_transaction!(Look, self, "read the letters about a result", session => letters::open_letters_about(session, result_id))
    }

    /// Asks for open letters of ours to be redriven that were tried less than `max_attempts` times; says how many there were. A person's
    /// request is noted.
    ///
    /// # Errors
    /// The database's.
    pub async fn queue_redrives(&self, ids: &[LetterId], request: &Request<'_>, max_attempts: u32) -> Result<u64, ArchiveError> {
        in_transaction!(Change, self, "ask for letters to be redriven", session => letters::queue(session, ids, (request, max_attempts)))
    }

    /// Letters that are to be sent by now, those first that wait longest.
    ///
    /// # Errors
    /// The database's.
    pub async fn due_redrives(&self, now: Timestamp, limit: u32) -> Result<Vec<DueRedrive>, ArchiveError> {
        in_transaction!(Look, self, "read what is to be redriven", session => letters::due(session, (now, limit)))
    }

    /// Opens letters again of whose copies nothing was heard, though they were sent before a moment; says how many there were.
    ///
    /// # Errors
    /// The database's.
    pub async fn reopen_lost_redrives(&self, sent_before: Timestamp) -> Result<u64, ArchiveError> {
        in_transaction!(Change, self, "open lost letters again", session => letters::reopen_lost(session, sent_before))
    }

    /// Of a report that a person sends again, what becomes of it counts, although its letter was closed.
    ///
    /// # Errors
    /// The database's.
    pub async fn expect_again(&self, id: &LetterId, at: Timestamp) -> Result<u64, ArchiveError> {
        in_transaction!(Change, self, "expect a letter again", session => letters::expect_again(session, id, at))
    }

    /// Remembers that copies of letters, after so many attempts, are in `scores.raw`; says how many were waited for still.
    ///
    /// # Errors
    /// The database's.
    pub async fn redrives_sent(&self, ids: &[(LetterId, u32)], at: Timestamp) -> Result<u64, ArchiveError> {
        in_transaction!(Change, self, "remember what was redriven", session => letters::sent(session, ids, at))
    }

    /// Opens letters again whose copies cannot be sent; says how many were waited for still.
    ///
    /// # Errors
    /// The database's.
    pub async fn give_back_redrives(&self, ids: &[LetterId]) -> Result<u64, ArchiveError> {
        in_transaction!(Change, self, "give letters back", session => letters::give_back(session, ids))
    }

    /// Closes open letters that are nothing; says how many there were.
    ///
    /// # Errors
    /// The database's.
    pub async fn discard_letters(&self, ids: &[LetterId], request: &Request<'_>) -> Result<u64, ArchiveError> {
        in_transaction!(Change, self, "discard letters", session => letters::discard(session, ids, request))
    }

    /// Forgets at most `limit` letters that were filed or discarded before a moment, and says how many; to be called until there are none.
    ///
    /// # Errors
    /// The database's.
    pub async fn purge_letters(&self, closed_before: Timestamp, limit: u32) -> Result<u64, ArchiveError> {
        in_transaction!(Change, self, "forget letters", session => letters::purge(session, (closed_before, limit)))
    }

    /// How many letters [`Self::purge_letters`] would forget in all.
    ///
    /// # Errors
    /// The database's.
    pub async fn purgeable_letters(&self, closed_before: Timestamp) -> Result<u64, ArchiveError> {
        in_transaction!(Look, self, "count closed letters", session => letters::purgeable(session, closed_before))
    }

    /// Remembers who did something with letters, or saw what they hold.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_desk_event(&self, ids: &[LetterId], request: &Request<'_>) -> Result<(), ArchiveError> {
        in_transaction!(Change, self, "note what was done at the desk", session => letters::note(session, ids, request))
    }

    /// What is noted about a letter, the last of it first.
    ///
    /// # Errors
    /// The database's.
    pub async fn desk_events(&self, id: &LetterId, limit: u32) -> Result<Vec<DeskEvent>, ArchiveError> {
        in_transaction!(Look, self, "read what was done at the desk", session => letters::events(session, (id, limit)))
    }

    /// The letters of a filter, those first that failed first.
    ///
    /// # Errors
    /// The database's.
    pub async fn letters(&self, filter: &LetterFilter, page: &LetterPage) -> Result<Vec<Letter>, ArchiveError> {
        in_transaction!(Look, self, "list letters", session => letters::letters(session, filter, page))
    }

    /// One letter with what it holds.
    ///
    /// # Errors
    /// The database's.
    pub async fn letter(&self, id: &LetterId) -> Result<Option<(Letter, LetterBody)>, ArchiveError> {
        in_transaction!(Look, self, "read a letter", session => letters::letter(session, id))
    }

    /// The problems with open letters, those first that have most.
    ///
    /// # Errors
    /// The database's.
    pub async fn letter_groups(&self, limit: u32) -> Result<Vec<LetterGroup>, ArchiveError> {
        in_transaction!(Look, self, "list problems", session => letters::groups(session, limit))
    }

    /// What a problem is about; `None` where there is none of this name.
    ///
    /// # Errors
    /// The database's.
    pub async fn letter_group(&self, group_id: [u8; 16]) -> Result<Option<WaitingGroup>, ArchiveError> {
        in_transaction!(Look, self, "read a problem", session => letters::group(session, &group_id))
    }

    /// Where the reports first appeared that say something of a result, refused ones included, in their order.
    ///
    /// # Errors
    /// The database's.
    pub async fn origins_of(&self, result_id: ResultId) -> Result<Vec<Origin>, ArchiveError> {
        in_transaction!(Look, self, "look for the reports of a result", session => letters::origins_of(session, result_id))
    }

    /// The last report of a result that names an employee, whom a decision can replace: a withdrawal may name nobody.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_naming_report(&self, result_id: ResultId) -> Result<Option<Origin>, ArchiveError> {
        in_transaction!(Look, self, "look for a report of a result", session => letters::last_naming_report(session, result_id))
    }

    /// By which decision the owners of those results were found that the archive has; 0 is none.
    ///
    /// # Errors
    /// The database's.
    pub async fn owner_decisions(&self, results: &[ResultId]) -> Result<Vec<(ResultId, i64)>, ArchiveError> {
        in_transaction!(Look, self, "look for the owners of results", session => letters::owner_decisions(session, results))
    }

    /// Whose records were matched by a person's decision of this kind (`alias:phone`, `alias:result` …).
    ///
    /// # Errors
    /// The database's.
    pub async fn owners_matched_by(&self, matched_by: &str) -> Result<Vec<String>, ArchiveError> {
        in_transaction!(Look, self, "look for records that were filed by a decision", session => letters::owners_matched_by(session, matched_by))
    }

    /// How many letters are open, by source and reason, and since when.
    ///
    /// # Errors
    /// The database's.
    pub async fn open_letters(&self) -> Result<OpenLetters, ArchiveError> {
        in_transaction!(Look, self, "count open letters", session => letters::open(session))
    }

    /// How many letters are open that a field mapping could not read, by source and the mapping's version.
    ///
    /// # Errors
    /// The database's.
    pub async fn letters_unread_by_mapping(&self) -> Result<Vec<(String, i32, u64)>, ArchiveError> {
        in_transaction!(Look, self, "count letters by mapping", session => letters::unread_by_mapping(session))
    }

    /// How many letters there are in each state.
    ///
    /// # Errors
    /// The database's.
    pub async fn letter_states(&self) -> Result<Vec<(String, u64)>, ArchiveError> {
        in_transaction!(Look, self, "count letters", session => letters::states(session))
    }
}
