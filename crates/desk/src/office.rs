//! What people do at the desk, whether they sit at the command line or behind the HTTP interface.

mod acts;
mod advice;
mod candidates;
mod documents;
mod masking;
mod reach;
mod resolve;

use std::{sync::Arc, time::Duration};

use scoresync_archive::{Archive, ArchiveError, Letter, LetterBody, LetterFilter, LetterId, Request};
use scoresync_domain::{
    IdentityKind, LetterFamily, LetterState, Origin, Region, Sources, SourcesSettings, Timestamp, identity_hash, normalise_identity,
};
use scoresync_service::now_millis;
use serde_json::{Map, Value};

pub use self::{
    acts::{Act, Meant, NothingSaid},
    documents::{
        CandidateDocument, EventDocument, GroupDocument, IdentityDocument, LetterDetail, LetterDocument, OfferDocument, OpenDocument,
        RefusedDocument, StatsDocument, Tally, group_id, group_name,
    },
    masking::mask,
    reach::{Reach, ReachError},
    resolve::{About, Resolution, Resolved, Unresolved, after},
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
    /// The sources.
    pub sources: Sources,
    /// Their settings: which field is what.
    pub mappings: SourcesSettings,
    /// Where phone numbers without a country are from.
    pub region: Region,
    /// So many tries a report is worth.
    pub max_attempts: u32,
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
    /// What a selection means to the archive, of letters in this state.
    #[must_use]
    pub fn filter(&self, selection: &Selection, state: Option<LetterState>) -> LetterFilter {
        let source = selection.source.as_deref().and_then(|name| self.sources.get(name));
        // Of a source that is not configured, nothing was read by any mapping.
        let present_mapping = source.map_or(0, |source| source.mapping_version);
        let employee = selection.employee.as_deref().map(|number| {
            let value = normalise_identity(IdentityKind::EmployeeNo, number, self.region).into_owned();
            (value.clone(), identity_hash(&(IdentityKind::EmployeeNo, None, value)))
        });
        LetterFilter {
            state,
            reason: selection.reason.clone(),
            source: selection.source.clone(),
            field: selection.field.clone(),
            group_id: selection.group,
            employee,
            text: selection.text.clone(),
            mapping_below: selection.older_mapping.then_some(present_mapping),
            before: selection.older_than.map(ago),
            since: selection.newer_than.map(ago),
        }
    }

    /// A letter in words, with what was done to it.
    ///
    /// # Errors
    /// As for any question to the archive.
    pub async fn detail(&self, (letter, body): &(Letter, LetterBody), is_revealed: bool) -> Result<LetterDetail, ArchiveError> {
        let events = self.archive.desk_events(&letter.id, HISTORY).await?;
        let mut document = LetterDocument::of(letter);
        if is_revealed {
            document.message = Some(letter.message.clone());
        }
        Ok(LetterDetail {
            letter: document,
            explanation: advice::explanation(letter),
            advice: advice::advice(letter, self.max_attempts),
            fields: self.fields((letter, body), is_revealed),
            value_bytes: body.value.as_ref().map(Vec::len),
            history: events.iter().map(EventDocument::of).collect(),
        })
    }

    /// The fields of a letter's report, those masked that can say who somebody is, unless they are revealed.
    #[must_use]
    pub fn fields(&self, (letter, body): (&Letter, &LetterBody), is_revealed: bool) -> Vec<(String, Option<String>)> {
        let all: Option<Map<String, Value>> = body.fields.as_deref().and_then(|json| serde_json::from_str(json).ok());
        let source = self.mappings.get(&letter.source);
        let shown = |(name, value): (String, Value)| {
            let is_personal = match letter.family {
                // The names are ours.
                LetterFamily::Archive => masking::is_personal_by_our_name(&name),
                LetterFamily::Scoresync | LetterFamily::Connect | LetterFamily::Streams | LetterFamily::Spring | LetterFamily::Unknown => {
                    masking::is_personal(source, &name)
                }
            };
            let is_masked = !is_revealed && is_personal;
            let value = value.as_str().map(|value| if is_masked { mask(value) } else { value.to_owned() });
            (name, value)
        };
        all.into_iter().flatten().map(shown).collect()
    }

    /// How many letters there are, and what can be done about many at once.
    ///
    /// # Errors
    /// As for any question to the archive.
    pub async fn stats(&self) -> Result<StatsDocument, ArchiveError> {
        let open = self.archive.open_letters().await?.into_iter();
        let refused = self.archive.refused_counts().await?.into_iter();
        let unread = self.archive.letters_unread_by_mapping().await?;
        Ok(StatsDocument {
            states: self.archive.letter_states().await?.into_iter().collect(),
            open: open
                .map(|((source, reason), (letters, oldest))| OpenDocument {
                    source,
                    reason,
                    letters,
                    oldest: oldest.to_string(),
                })
                .collect(),
            refused_by_the_archive: refused
                .map(|(reason, scores)| RefusedDocument {
                    reason: reason.to_string(),
                    scores,
                })
                .collect(),
            offered: self.offered(&unread),
        })
    }

    /// Letters that a newer mapping may be able to read, by source.
    fn offered(&self, unread: &[(String, i32, u64)]) -> Vec<OfferDocument> {
        let offers = self.sources.iter().filter_map(|source| {
            let older = unread
                .iter()
                .filter(|(name, version, _)| *name == source.name && *version < source.mapping_version);
            let letters: u64 = older.map(|(_, _, count)| count).sum();
            (letters > 0).then(|| OfferDocument {
                source: source.name.clone(),
                mapping_version: source.mapping_version,
                letters,
            })
        });
        offers.collect()
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
        let everything = [LetterId {
            topic: "*".to_owned(),
            origin: Origin {
                generation: 0,
                partition: 0,
                offset: 0,
            },
        }];
        let letters = if letters.is_empty() { &everything } else { letters };
        self.archive.note_desk_event(letters, &request).await
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
