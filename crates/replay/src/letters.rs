//! What the desk knows of a report that was a dead letter.

use scoresync_archive::LetterId;
use scoresync_domain::{LetterState, Origin};

use crate::replay::{Replay, ReplayError};

/// What became of a dead letter before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// A person decided that it is nothing.
    Discarded,
    /// Its report was tried so often.
    Tried(u32),
}

/// How many of the things that were done to one letter are looked at.
const MOST_EVENTS: u32 = 1_000;

/// Asks the desk's tables. A letter that the desk never read, or forgot, was tried once as far as anybody knows.
pub(crate) fn past_of(replay: &Replay<'_>, origin: Origin) -> Result<Past, ReplayError> {
    let id = LetterId::of(origin);
    if let Some((letter, _)) = replay.runtime.block_on(replay.archive.letter(&id))? {
        return Ok(match letter.state {
            LetterState::Discarded => Past::Discarded,
            LetterState::Open | LetterState::Redriven | LetterState::Filed => Past::Tried(letter.attempt.max(1)),
        });
    }
    let events = replay.runtime.block_on(replay.archive.desk_events(&id, MOST_EVENTS))?;
    let is_discarded = events.iter().any(|event| event.action == "discard");
    Ok(if is_discarded { Past::Discarded } else { Past::Tried(1) })
}
