//! Letters are judged again by what the directory has learnt; what can be filed by now is asked to be sent.

use scoresync_archive::{ArchiveError, LetterToJudge, Request};
use scoresync_domain::Timestamp;
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::SchemaLookupError;
use scoresync_positions::wait_for;
use scoresync_service::now_millis;

use super::Desk;
use crate::{
    metrics::STAGE,
    news::{Sweep, WaitingLetters},
};

/// Steps between two looks at the topics.
const STEPS: usize = 5;
/// News that are looked up at once.
const NEWS: usize = 500;
/// Letters of a group that are read at once; each holds a whole record.
const LETTERS: u32 = 200;
/// Groups that are gone through at once.
const GROUPS: u32 = 200;

/// Why letters were not judged.
#[derive(Debug, thiserror::Error)]
pub(super) enum JudgeError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Schemas(#[from] SchemaLookupError),
}

/// Label of `scoresync_retries_total`.
pub(super) const fn cause(error: &JudgeError) -> &'static str {
    match error {
        JudgeError::Archive(_) => "archive",
        JudgeError::Schemas(_) => "schemas",
    }
}

impl Desk {
    /// Takes some steps with what is new: other letters come and go meanwhile, and those that can be filed are sent.
    pub(super) fn judge_news(&mut self) -> Result<(), JudgeError> {
        for _ in 0..STEPS {
            if self.news.is_empty() {
                break;
            }
            self.step()?;
        }
        Ok(())
    }

    /// One question, and what follows from it. What is new is let go of when that is done, and not before.
    fn step(&mut self) -> Result<(), JudgeError> {
        if let Some(waiting) = self.news.groups.front().cloned() {
            return self.judge_some(waiting);
        }
        let identities = self.news.identities(NEWS);
        if !identities.is_empty() {
            let groups = wait_for(&self.runtime, self.archive.groups_waiting_for(&identities))?;
            self.news.exchange(&identities, groups);
        } else if let Some(result_id) = self.news.result() {
            let letters = wait_for(&self.runtime, self.archive.open_letters_about(result_id))?;
            self.judge_letters(&letters)?;
            self.news.forget_result(result_id);
        } else if let Some(sweep) = self.news.sweep {
            self.news.sweep = self.go_on_with(sweep)?;
        }
        Ok(())
    }

    /// The letters of those next groups are to be judged about whose people the directory knows anything.
    fn go_on_with(&mut self, Sweep(after): Sweep) -> Result<Option<Sweep>, JudgeError> {
        let groups = wait_for(&self.runtime, self.archive.open_groups(after, GROUPS))?;
        let directory = self.live.directory();
        let known = groups.iter().filter(|group| {
            let mut identities = group.identities.iter();
            identities.any(|identity| directory.is_known(&group.source, identity))
        });
        let known: Vec<[u8; 16]> = known.map(|group| group.group_id).collect();
        self.news.exchange(&[], known);
        let is_last = groups.len() < GROUPS as usize;
        Ok(groups.last().filter(|_| !is_last).map(|group| Sweep(Some(group.group_id))))
    }

    fn judge_some(&mut self, WaitingLetters { group_id, after }: WaitingLetters) -> Result<(), JudgeError> {
        let letters = wait_for(&self.runtime, self.archive.open_letters_of(group_id, (after.as_ref(), LETTERS)))?;
        self.judge_letters(&letters)?;
        let is_last = letters.len() < LETTERS as usize;
        let last = letters.into_iter().next_back().map(|letter| letter.id);
        self.news.groups.pop_front();
        if !is_last {
            self.news.groups.push_front(WaitingLetters { group_id, after: last });
        }
        Ok(())
    }

    /// Asks for those to be sent that can be filed by now.
    fn judge_letters(&mut self, letters: &[LetterToJudge]) -> Result<(), JudgeError> {
        let mut ready = Vec::new();
        for letter in letters.iter().filter(|letter| letter.id.topic.is_empty()) {
            let value = letter.value.as_deref();
            if self.judge.can_be_filed(value, letter.id.origin, self.live.directory())? {
                ready.push(letter.id.clone());
            }
        }
        if ready.is_empty() {
            return Ok(());
        }
        let request = Request {
            actor: STAGE,
            action: "redrive",
            reason: "the directory has learnt who was missing",
            at: Timestamp::from_millis(now_millis()),
        };
        let max_attempts = self.settings.max_attempts.get();
        let queued = wait_for(&self.runtime, self.archive.queue_redrives(&ready, &request, max_attempts))?;
        fault_points::pass(Point::RedrivesAsked);
        if queued > 0 {
            tracing::info!(
                letters = queued,
                "letters can be filed by now; they are sent through the pipeline again"
            );
            self.redriver.wake();
        }
        Ok(())
    }
}
