//! The topics that are read: which generations there are, from where to where, and how their records are decoded.

use std::{collections::BTreeMap, ops::Range};

use scoresync_archive::Position;
use scoresync_domain::EnrichedScore;
use scoresync_kafka::{Bounds, Decoder, Topic, TopicNames, TopicSettings, describe_topic, generation_bounds};

use crate::{
    books::Books,
    counts::Partition,
    run::{Audit, AuditError},
};

/// Of each generation of a topic, from where to where its log goes.
pub(crate) type Logs = BTreeMap<i32, Bounds>;

impl Audit<'_> {
    /// Reads scores as the sink would: a schema id that means something else than it did to the sink is an error of the registry, not of the
    /// records.
    pub(crate) fn scores_decoder(&self, positions: &[Position]) -> Result<Decoder<EnrichedScore<'static>>, AuditError> {
        let subject = self.names(self.topics.generation).subject(Topic::Enriched);
        let decoder = Decoder::new(subject.clone(), self.registry.clone(), self.runtime.clone());
        let names: Vec<String> = (1..=self.topics.generation)
            .map(|generation| self.names(generation).name(Topic::Enriched))
            .collect();
        for position in positions.iter().filter(|position| names.contains(&position.partition.topic)) {
            decoder.memory().recall(&position.schemas)?;
        }
        Ok(decoder)
    }

    /// Whether the sink's positions were recorded for the topic that there is, of a generation.
    pub(crate) fn is_as_recorded(&self, generation: i32, positions: &[Position]) -> Result<bool, AuditError> {
        let topics = TopicSettings {
            generation,
            ..self.topics.clone()
        };
        let present = describe_topic(Topic::Enriched, self.kafka, &topics)?;
        let name = TopicNames::new(&topics).name(Topic::Enriched);
        let recorded = |position: &&Position| position.partition.topic == name && position.partition.generation == generation;
        Ok(positions
            .iter()
            .filter(recorded)
            .all(|position| position.topic_id == present.topic_id))
    }

    /// The generations of a topic that are still there.
    pub(crate) fn existing(&self, topic: Topic) -> Result<Vec<i32>, AuditError> {
        Ok(self.logs(topic, &mut Books::default())?.into_keys().collect())
    }

    pub(crate) fn names(&self, generation: i32) -> TopicNames {
        TopicNames::of_generation(self.topics, generation)
    }

    /// All generations of a topic that are still there; of the others nothing can be looked at.
    pub(crate) fn logs(&self, topic: Topic, books: &mut Books) -> Result<Logs, AuditError> {
        let mut logs = Logs::new();
        for (generation, bounds) in generation_bounds(self.kafka, self.topics, topic)? {
            if let Some(bounds) = bounds {
                logs.insert(generation, bounds);
            } else {
                let name = self.names(generation).name(topic);
                books.notes.push(format!("{name} is gone: what was read of it cannot be looked at"));
            }
        }
        Ok(logs)
    }
}

/// How many records there are, or a little more.
pub(crate) fn count(logs: &Logs) -> i64 {
    logs.values().flat_map(BTreeMap::values).map(|(first, end)| end - first).sum()
}

/// What was read of each partition.
pub(crate) fn read(logs: &Logs) -> BTreeMap<Partition, Range<i64>> {
    let of_generation = |(generation, bounds): (&i32, &Bounds)| {
        let generation = *generation;
        let read = bounds
            .iter()
            .map(move |(partition, (first, end))| ((generation, *partition), *first..*end));
        read.collect::<Vec<_>>()
    };
    logs.iter().flat_map(of_generation).collect()
}

pub(crate) fn firsts(logs: &Logs) -> BTreeMap<Partition, i64> {
    let of_generation = |(generation, bounds): (&i32, &Bounds)| {
        let generation = *generation;
        let firsts: Vec<_> = bounds
            .iter()
            .map(|(partition, (first, _))| ((generation, *partition), *first))
            .collect();
        firsts
    };
    logs.iter().flat_map(of_generation).collect()
}
