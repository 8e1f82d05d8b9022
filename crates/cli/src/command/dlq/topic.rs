//! The topic of dead letters alone, for people who run no desk.

use std::{collections::BTreeMap, num::NonZeroU32};

use scoresync_archive::{Letter, LetterId};
use scoresync_desk::{
    DecisionError, Resender,
    office::{Selection, ago},
};
use scoresync_domain::{Concern, LetterState, Timestamp};
use scoresync_kafka::{
    BorrowedMessage, Message, Topic, TopicNames,
    dead_letter::{DirectoryPosition, ReceivedLetter},
    read_topic,
};

use super::Context;
use crate::failure::Failure;

/// A letter as the topic has it.
pub(super) struct Found {
    pub(super) letter: Letter,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
}

/// The last letter about each report, of those that are meant, those first that failed first.
pub(super) async fn read(context: &Context, selection: &Selection) -> Result<Vec<Found>, Failure> {
    if selection.field.is_some()
        || selection.group.is_some()
        || selection.employee.is_some()
        || selection.text.is_some()
        || selection.older_mapping
    {
        return Err(anyhow::anyhow!("fields, problems, people and texts are known to the desk alone: leave --from-topic out").into());
    }
    let kafka = context.configuration.kafka.clone();
    let topic = TopicNames::new(&context.configuration.topics).name(Topic::DeadLetters);
    let reading = tokio::task::spawn_blocking(move || {
        let mut latest: BTreeMap<LetterId, Found> = BTreeMap::new();
        read_topic(&kafka, &topic, |record| {
            let found = found(record);
            match latest.get(&found.letter.id) {
                Some(known) if known.letter.attempt > found.letter.attempt => {}
                Some(_) | None => drop(latest.insert(found.letter.id.clone(), found)),
            }
        })?;
        anyhow::Ok(latest)
    });
    let mut letters: Vec<Found> = reading.await??.into_values().collect();
    letters.retain(|found| is_meant(&found.letter, selection));
    letters.sort_by(|one, other| (one.letter.first_failed_at, &one.letter.id).cmp(&(other.letter.first_failed_at, &other.letter.id)));
    Ok(letters)
}

fn found(record: &BorrowedMessage<'_>) -> Found {
    let received = ReceivedLetter::read(record);
    let last_failed_at = Timestamp::from_millis(record.timestamp().to_millis().unwrap_or(0));
    let letter = Letter {
        id: LetterId {
            topic: received.topic.into_owned(),
            origin: received.origin,
        },
        family: received.family,
        state: LetterState::Open,
        group_id: Concern::unreadable().group_id(&received.source, &received.reason),
        reason: received.reason.into_owned(),
        message: received.message.into_owned(),
        source: received.source.into_owned(),
        attempt: received.attempt,
        first_failed_at: received.first_failed_at.unwrap_or(last_failed_at),
        last_failed_at,
        result_id: None,
        mapping_version: None,
        received_at: None,
        requested_by: None,
        closed_at: None,
        closed_by: None,
        closing_reason: None,
    };
    Found {
        letter,
        key: record.key().map(<[u8]>::to_vec),
        value: record.payload().map(<[u8]>::to_vec),
    }
}

fn is_meant(letter: &Letter, selection: &Selection) -> bool {
    selection.reason.as_ref().is_none_or(|reason| *reason == letter.reason)
        && selection.source.as_ref().is_none_or(|source| *source == letter.source)
        && selection.older_than.is_none_or(|age| letter.first_failed_at < ago(age))
        && selection.newer_than.is_none_or(|age| letter.first_failed_at >= ago(age))
}

/// Sends letters to `scores.raw`, byte for byte; says how many the broker has.
pub(super) async fn send(context: &Context, letters: Vec<Found>, per_second: NonZeroU32) -> Result<u64, Failure> {
    let (kafka, topics) = (context.configuration.kafka.clone(), context.configuration.topics.clone());
    let sending = tokio::task::spawn_blocking(move || {
        let resender = Resender::new(&kafka, &topics)?;
        let begun = std::time::Instant::now();
        let mut sent = 0;
        for some in letters.chunks(per_second.get().min(500) as usize) {
            let due = std::time::Duration::from_secs_f64(sent as f64 / f64::from(per_second.get()));
            std::thread::sleep(due.saturating_sub(begun.elapsed()));
            let copies = some.iter().map(|found| {
                let past = (found.letter.id.origin, found.letter.attempt, found.letter.first_failed_at);
                (past, found.key.as_deref(), found.value.as_deref())
            });
            sent += resender.send(copies, DirectoryPosition::default())?;
        }
        Ok::<u64, DecisionError>(sent)
    });
    Ok(sending.await??)
}
