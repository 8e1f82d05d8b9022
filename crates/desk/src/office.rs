//! What people do at the desk, whether they sit at the command line or behind the HTTP interface.

mod acts;
mod advice;
mod aliases;
mod candidates;
mod documents;
mod masking;
mod reach;
mod resolve;
mod rules;
mod topic;

use std::{sync::Arc, time::Duration};

use scoresync_archive::{Archive, ArchiveError, Letter, LetterBody, LetterId, Request};
use scoresync_domain::{Origin, Timestamp};
use scoresync_service::now_millis;

pub use self::{
    acts::{Act, Meant, Unclear, check_said},
    aliases::AliasDocument,
    documents::{
        CandidateDocument, EventDocument, GroupDocument, IdentityDocument, LetterDetail, LetterDocument, OfferDocument, OpenDocument,
        RecordDocument, RefusedDocument, StatsDocument, Tally, group_id, group_name, result_id,
    },
    masking::mask,
    reach::{Reach, ReachError},
    resolve::{About, Resolution, Resolved, Unresolved},
    rules::Rules,
    topic::{TopicError, TopicLetter, groups_of, read_topic_letters, stats_of},
};

/// Letters that are read or changed in one transaction.
const PAGE: u32 = 500;

/// So much of what was done to a letter is shown, the last of it.
const HISTORY: u32 = 100;

/// The letters of an archive, and what is configured about their sources.
#[derive(Clone)]
pub struct Office {
    /// The archive; whoever changes or reveals anything has opened it for that.
    pub archive: Arc<Archive>,
    /// What is configured.
    pub rules: Rules,
}

/// Which letters are meant, as people say it; what is `None` limits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// With this reason.
    pub reason: Option<String>,
    /// Of this source.
    pub source: Option<String>,
    /// With the problem in this field, by our name.
    pub field: Option<String>,
    /// Of this problem.
    pub group: Option<[u8; 16]>,
    /// That name this employee number.
    pub employee: Option<String>,
    /// With this text in any field.
    pub text: Option<String>,
    /// That were read by an older version of their source's field mapping than there is now; needs the source.
    pub older_mapping: bool,
    /// That first failed so long ago or longer.
    pub older_than: Option<Duration>,
    /// That first failed less long ago.
    pub newer_than: Option<Duration>,
}

impl Office {
    /// A letter in words, with what was done to it.
    ///
    /// # Errors
    /// As for any question to the archive.
    pub async fn detail(&self, found: &(Letter, LetterBody), is_revealed: bool) -> Result<LetterDetail, ArchiveError> {
        let events = self.archive.desk_events(&found.0.id, HISTORY).await?;
        Ok(self.rules.detail((&found.0, &found.1), &events, is_revealed))
    }

    /// How many letters there are, and what can be done about many at once.
    ///
    /// # Errors
    /// As for any question to the archive.
    pub async fn stats(&self) -> Result<StatsDocument, ArchiveError> {
        let refused = self.archive.refused_counts().await?.into_iter();
        let unread = self.archive.letters_unread_by_mapping().await?;
        Ok(StatsDocument {
            states: self.archive.letter_states().await?.into_iter().collect(),
            open: OpenDocument::all(self.archive.open_letters().await?),
            refused_by_the_archive: refused
                .map(|(reason, scores)| RefusedDocument {
                    reason: reason.to_string(),
                    scores,
                })
                .collect(),
            offered: self.rules.offered(&unread),
        })
    }

    /// Whoever looks at personal values says why, and that stays. Of no letters in particular there is one note.
    ///
    /// # Errors
    /// As for any change of the archive.
    pub async fn note_reveal(&self, letters: &[LetterId], (actor, reason): (&str, &str)) -> Result<(), ArchiveError> {
        let request = Request {
            actor,
            action: "reveal",
            reason,
            at: now(),
        };
        let nobodys = [no_letter()];
        let letters = if letters.is_empty() { &nobodys } else { letters };
        self.archive.note_desk_event(letters, &request).await
    }
}

/// Stands for all letters where something is noted.
fn no_letter() -> LetterId {
    LetterId {
        topic: "*".to_owned(),
        origin: Origin {
            generation: 0,
            partition: 0,
            offset: 0,
        },
    }
}

fn now() -> Timestamp {
    Timestamp::from_millis(now_millis())
}

/// The moment so long ago.
#[must_use]
pub fn ago(age: Duration) -> Timestamp {
    let millis = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now_millis().saturating_sub(millis))
}
