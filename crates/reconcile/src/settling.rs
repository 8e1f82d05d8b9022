//! Waiting until whatever was sent has come to its end: filed, refused or a dead letter.

use std::{
    collections::BTreeMap,
    thread::sleep,
    time::{Duration, Instant},
};

use scoresync_archive::{Archive, Position};
use scoresync_kafka::{Bounds, KafkaSettings, Topic, TopicNames, TopicSettings, recorded_positions, topic_bounds};
use tokio::runtime::Handle;

use crate::run::ReconcileError;

const PAUSE: Duration = Duration::from_millis(200);

/// What is waited for, and how it is reached.
pub struct Settling<'a> {
    /// `[kafka]`.
    pub kafka: &'a KafkaSettings,
    /// `[topics]`.
    pub topics: &'a TopicSettings,
    /// Runs what waits.
    pub runtime: &'a Handle,
    /// The archive.
    pub archive: &'a Archive,
    /// How long it may take.
    pub patience: Duration,
}

impl Settling<'_> {
    /// Waits until mapper, sink and desk have passed everything that their topics hold now, which must all be acknowledged by then; says whether
    /// they have. `goes_on` is asked again and again. Blocks its thread.
    ///
    /// # Errors
    /// Whatever cannot be asked.
    pub fn wait(&self, goes_on: &mut dyn FnMut() -> bool) -> Result<bool, ReconcileError> {
        let deadline = Instant::now() + self.patience;
        let names = TopicNames::new(self.topics);
        let group = format!("{}.mapper", self.kafka.group_prefix);
        let raw = names.name(Topic::Raw);
        let reports = topic_bounds(self.kafka, &raw)?;
        let mut until = |is_past: &mut dyn FnMut() -> Result<bool, ReconcileError>| -> Result<bool, ReconcileError> {
            loop {
                if is_past()? {
                    return Ok(true);
                }
                if Instant::now() > deadline || !goes_on() {
                    return Ok(false);
                }
                sleep(PAUSE);
            }
        };
        if !until(&mut || Ok(is_past(&reports, &recorded_positions(self.kafka, &group, &raw)?)))? {
            return Ok(false);
        }
        let generation = self.topics.generation;
        let (enriched, letters) = (names.name(Topic::Enriched), names.name(Topic::DeadLetters));
        let scores = topic_bounds(self.kafka, &enriched)?;
        let failures = topic_bounds(self.kafka, &letters)?;
        let sink = || self.runtime.block_on(self.archive.positions(&enriched, generation));
        let desk = || self.runtime.block_on(self.archive.desk_positions(&letters, generation));
        Ok(until(&mut || Ok(is_past(&scores, &offsets(sink()?))))? && until(&mut || Ok(is_past(&failures, &offsets(desk()?))))?)
    }
}

fn offsets(positions: Vec<Position>) -> BTreeMap<i32, i64> {
    let offset = |position: Position| (position.partition.partition, position.next_offset);
    positions.into_iter().map(offset).collect()
}

/// A partition that has nothing needs nobody to have passed it.
fn is_past(bounds: &Bounds, next: &BTreeMap<i32, i64>) -> bool {
    bounds
        .iter()
        .all(|(partition, (first, end))| first == end || next.get(partition).is_some_and(|next| next >= end))
}
