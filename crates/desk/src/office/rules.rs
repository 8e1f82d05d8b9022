//! What is configured about sources, as far as letters are found and told by it.

use scoresync_archive::{DeskEvent, Letter, LetterBody, LetterFilter};
use scoresync_domain::{IdentityKind, LetterFamily, LetterState, Region, Sources, SourcesSettings, identity_hash, normalise_identity};
use serde_json::{Map, Value};

use super::{
    Selection, advice, ago,
    documents::{EventDocument, LetterDetail, LetterDocument, OfferDocument, RecordDocument},
    masking::{self, mask},
};

/// What is configured.
#[derive(Clone)]
pub struct Rules {
    /// The sources.
    pub sources: Sources,
    /// Their settings: which field is what.
    pub mappings: SourcesSettings,
    /// Where phone numbers without a country are from.
    pub region: Region,
    /// So many tries a report is worth.
    pub max_attempts: u32,
}

impl Rules {
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
    #[must_use]
    pub fn detail(&self, (letter, body): (&Letter, &LetterBody), events: &[DeskEvent], is_revealed: bool) -> LetterDetail {
        let mut document = LetterDocument::of(letter);
        if is_revealed {
            document.message = Some(letter.message.clone());
        }
        LetterDetail {
            letter: document,
            explanation: advice::explanation(letter),
            advice: advice::advice(letter, self.max_attempts),
            fields: self.fields((letter, body), is_revealed),
            value_bytes: body.value.as_ref().map(Vec::len),
            record: is_revealed.then(|| RecordDocument::of(body)),
            history: events.iter().map(EventDocument::of).collect(),
        }
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

    /// Letters that a newer mapping may be able to read, by source.
    pub(super) fn offered(&self, unread: &[(String, i32, u64)]) -> Vec<OfferDocument> {
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
}
