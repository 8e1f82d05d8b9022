//! The topic of dead letters alone, for people who run no desk.

use std::num::NonZeroU32;

use scoresync_archive::{Letter, LetterBody, LetterId};
use scoresync_desk::{
    DecisionError, Resender,
    office::{Selection, TopicLetter, read_topic_letters},
};
use scoresync_domain::LetterState;
use scoresync_kafka::{Topic, dead_letter::DirectoryPosition};
use tokio::runtime::Handle;

use super::Context;
use crate::{failure::Failure, office::rules, surroundings::Surroundings};

/// The letters that are meant, those first that failed first.
pub(super) async fn read(context: &Context, selection: &Selection, state: Option<LetterState>) -> Result<Vec<TopicLetter>, Failure> {
    let surroundings = Surroundings::find(&context.configuration, &[Topic::DeadLetters]).await?;
    let (kafka, topics) = (context.configuration.kafka.clone(), context.configuration.topics.clone());
    let rules = rules(&context.configuration, &context.checked);
    let filter = rules.filter(selection, state);
    let around = (surroundings.registry, Handle::current());
    let reading = tokio::task::spawn_blocking(move || read_topic_letters((&kafka, &topics), around, &rules));
    let mut letters = reading.await?.map_err(anyhow::Error::new)?;
    letters.retain(|letter| letter.is_meant(&filter));
    Ok(letters)
}

/// One letter.
pub(super) async fn letter(context: &Context, id: &LetterId) -> Result<Option<(Letter, LetterBody)>, Failure> {
    let letters = read(context, &Selection::default(), None).await?.into_iter();
    Ok(letters.map(|found| (found.letter, found.body)).find(|(letter, _)| letter.id == *id))
}

/// Sends letters to `scores.raw`, byte for byte; says how many the broker has.
pub(super) async fn send(context: &Context, letters: Vec<TopicLetter>, per_second: NonZeroU32) -> Result<u64, Failure> {
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
                (past, found.body.key.as_deref(), found.body.value.as_deref())
            });
            sent += resender.send(copies, DirectoryPosition::default())?;
        }
        Ok::<u64, DecisionError>(sent)
    });
    Ok(sending.await??)
}
