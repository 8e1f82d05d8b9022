//! The letters of the topic alone, for people who run no desk: each as the desk would take it in, all in memory.

use std::collections::{BTreeMap, btree_map::Entry};

use scoresync_archive::{IncomingLetter, Letter, LetterBody, LetterFilter, LetterGroup, LetterId, OpenLetters};
use scoresync_domain::{Directory, IdentityKey, LetterState, Reason, identity_hash};
use scoresync_kafka::{Decoder, Error, KafkaSettings, Registry, SchemaLookupError, Topic, TopicNames, TopicSettings, read_topic};
use tokio::runtime::Handle;

use super::{
    Rules,
    documents::{OpenDocument, StatsDocument},
    now,
};
use crate::{incoming, judge::Judge};

/// A letter as the topic has it.
pub struct TopicLetter {
    /// The letter. Nobody knows what became of it: it is taken for open.
    pub letter: Letter,
    /// What it holds.
    pub body: LetterBody,
    field: Option<&'static str>,
    sought: Vec<IdentityKey>,
}

/// Why the topic cannot be read as letters.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] SchemaLookupError),
}

/// The last letter about each report, those first that failed first. Waits for Kafka and the registry.
///
/// # Errors
/// One of them does not answer.
pub fn read_topic_letters(
    (kafka, topics): (&KafkaSettings, &TopicSettings),
    (registry, runtime): (Registry, Handle),
    rules: &Rules,
) -> Result<Vec<TopicLetter>, TopicError> {
    let names = TopicNames::new(topics);
    let mut judge = Judge {
        reports: Decoder::new(names.subject(Topic::Raw), registry, runtime),
        sources: rules.sources.clone(),
    };
    let nobody = Directory::new(rules.region);
    let mut latest = BTreeMap::new();
    let mut failure = None;
    read_topic(kafka, &names.name(Topic::DeadLetters), |record| {
        if failure.is_some() {
            return;
        }
        match incoming::letter(record, (&mut judge, &nobody), now()) {
            Ok(incoming) => keep(&mut latest, TopicLetter::of(incoming)),
            Err(error) => failure = Some(error),
        }
    })?;
    if let Some(error) = failure {
        return Err(error.into());
    }
    let mut letters: Vec<TopicLetter> = latest.into_values().collect();
    letters.sort_by_cached_key(|found| found.letter.place());
    Ok(letters)
}

fn keep(latest: &mut BTreeMap<LetterId, TopicLetter>, found: TopicLetter) {
    match latest.entry(found.letter.id.clone()) {
        Entry::Vacant(place) => drop(place.insert(found)),
        Entry::Occupied(mut known) if known.get().letter.attempt <= found.letter.attempt => drop(known.insert(found)),
        Entry::Occupied(_) => {}
    }
}

impl TopicLetter {
    fn of(incoming: IncomingLetter<'_>) -> Self {
        Self {
            letter: Letter {
                id: incoming.id,
                family: incoming.family,
                state: LetterState::Open,
                reason: incoming.reason.into_owned(),
                message: incoming.message.into_owned(),
                source: incoming.source.into_owned(),
                attempt: incoming.attempt,
                first_failed_at: incoming.first_failed_at,
                last_failed_at: incoming.last_failed_at,
                group_id: incoming.group_id,
                result_id: incoming.result_id,
                mapping_version: incoming.mapping_version,
                received_at: incoming.received_at,
                requested_by: None,
                closed_at: None,
                closed_by: None,
                closing_reason: None,
            },
            body: LetterBody {
                key: incoming.key.map(<[u8]>::to_vec),
                value: incoming.value.map(<[u8]>::to_vec),
                headers: incoming.headers,
                fields: incoming.fields,
            },
            field: incoming.field,
            sought: incoming.sought,
        }
    }

    /// Whether a filter means it, as the archive would find it.
    #[must_use]
    pub fn is_meant(&self, filter: &LetterFilter) -> bool {
        let letter = &self.letter;
        let has_text = |text: &String| {
            let fields = self.body.fields.as_deref().unwrap_or_default();
            fields.to_lowercase().contains(&text.to_lowercase())
        };
        filter.state.as_ref().is_none_or(|state| *state == letter.state)
            && filter.reason.as_ref().is_none_or(|reason| *reason == letter.reason)
            && filter.source.as_ref().is_none_or(|source| *source == letter.source)
            && filter.field.as_deref().is_none_or(|field| self.field == Some(field))
            && filter.group_id.as_ref().is_none_or(|group_id| *group_id == letter.group_id)
            && filter
                .employee
                .as_ref()
                .is_none_or(|(_, hash)| self.sought.iter().any(|key| identity_hash(key) == *hash))
            && filter.text.as_ref().is_none_or(has_text)
            && filter
                .mapping_below
                .as_ref()
                .is_none_or(|version| letter.mapping_version.is_some_and(|known| known < *version))
            && filter.before.as_ref().is_none_or(|time| letter.first_failed_at < *time)
            && filter.since.as_ref().is_none_or(|time| letter.first_failed_at >= *time)
    }
}

/// The problems behind letters, those with the most letters first.
#[must_use]
pub fn groups_of(letters: &[TopicLetter]) -> Vec<LetterGroup> {
    let mut groups: BTreeMap<[u8; 16], LetterGroup> = BTreeMap::new();
    for found in letters {
        let letter = &found.letter;
        let group = groups.entry(letter.group_id).or_insert_with(|| LetterGroup {
            group_id: letter.group_id,
            source: letter.source.clone(),
            reason: letter.reason.clone(),
            field: found.field.map(str::to_owned),
            identities: found.sought.clone(),
            letters: 0,
            oldest: letter.first_failed_at,
        });
        group.letters += 1;
    }
    let mut groups: Vec<LetterGroup> = groups.into_values().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.letters));
    groups
}

/// How many letters there are. What became of them, and what the archive refused, is not in the topic.
#[must_use]
pub fn stats_of(letters: &[TopicLetter], rules: &Rules) -> StatsDocument {
    let mut open = OpenLetters::new();
    let mut unread: BTreeMap<(&str, i32), u64> = BTreeMap::new();
    for TopicLetter { letter, field, .. } in letters {
        let problem = (letter.source.clone(), letter.reason.clone());
        let (count, _) = open.entry(problem).or_insert((0, letter.first_failed_at));
        *count += 1;
        if let (Some(version), true) = (
            letter.mapping_version,
            field.is_some() || letter.reason == Reason::Unparsed.as_str(),
        ) {
            *unread.entry((&letter.source, version)).or_default() += 1;
        }
    }
    let unread: Vec<_> = unread
        .into_iter()
        .map(|((source, version), count)| (source.to_owned(), version, count))
        .collect();
    StatsDocument {
        states: BTreeMap::from([(LetterState::Open.to_string(), letters.len() as u64)]),
        open: OpenDocument::all(open),
        refused_by_the_archive: Vec::new(),
        offered: rules.offered(&unread),
    }
}
