//! What the mapper remembers of the schemas of the topics that it reads and writes: part of the note beside each position.

use scoresync_domain::EnrichedScore;
use scoresync_kafka::{Error, GroupConsumer, Record, Registry, SchemaLookupError, SchemaMemory, TopicPartition};
use tokio::runtime::Handle;

/// One memory for each subject. That of enriched scores knows what the mapper writes; the others belong to decoders.
#[derive(Clone)]
pub(crate) struct SchemaMemories {
    pub(crate) raw: SchemaMemory,
    pub(crate) enriched: SchemaMemory,
    pub(crate) employees: SchemaMemory,
    pub(crate) aliases: SchemaMemory,
}

/// Why something cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Kafka(#[from] Error),
    #[error(transparent)]
    Schemas(#[from] SchemaLookupError),
}

impl SchemaMemories {
    /// Takes in what the group has recorded with all positions, whoever reads those partitions now.
    pub(crate) fn recall_all(&self, consumer: &GroupConsumer, topic: &str) -> Result<(), StartError> {
        for partition in 0..consumer.describe(topic)?.partitions {
            let topic = topic.to_owned();
            if let Some(committed) = consumer.committed(&TopicPartition { topic, partition })? {
                self.recall(&committed.note)?;
            }
        }
        Ok(())
    }

    /// Compares what is remembered with what the registry says now, and that it gives the id for enriched scores that it gave before.
    ///
    /// Without that, reports could be mapped with half a directory, and enriched scores be written that nobody can read later.
    pub(crate) fn verify(&self, registry: &Registry, runtime: &Handle, enriched_schema_id: u32) -> Result<(), SchemaLookupError> {
        self.enriched.remember(enriched_schema_id, EnrichedScore::SCHEMA)?;
        for (_, memory) in self.by_word() {
            runtime.block_on(memory.verify(registry))?;
        }
        Ok(())
    }

    /// `schemas.<topic>=<id>:<fingerprint>,…` for each topic of which anything is remembered, with a space in front of each.
    pub(crate) fn note(&self) -> String {
        let word = |(word, memory): (&str, &SchemaMemory)| match memory.note() {
            nothing if nothing.is_empty() => nothing,
            note => format!(" {word}={note}"),
        };
        self.by_word().map(word).concat()
    }

    /// Takes in what a position's note says. Other words are other people's.
    pub(crate) fn recall(&self, note: &str) -> Result<(), SchemaLookupError> {
        for (name, said) in note.split(' ').filter_map(|word| word.split_once('=')) {
            if let Some((_, memory)) = self.by_word().iter().find(|(word, _)| *word == name) {
                memory.recall(said)?;
            }
        }
        Ok(())
    }

    const fn by_word(&self) -> [(&'static str, &SchemaMemory); 4] {
        [
            ("schemas.raw", &self.raw),
            ("schemas.enriched", &self.enriched),
            ("schemas.employees", &self.employees),
            ("schemas.aliases", &self.aliases),
        ]
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn nothing() -> SchemaMemories {
        SchemaMemories {
            raw: SchemaMemory::new("scores.raw-value"),
            enriched: SchemaMemory::new("scores.enriched-value"),
            employees: SchemaMemory::new("employees-value"),
            aliases: SchemaMemory::new("employees.aliases-value"),
        }
    }

    #[test]
    fn each_topic_recalls_its_own_schemas() {
        let memories = nothing();
        memories.raw.remember(5, "\"string\"").unwrap();
        memories.employees.remember(6, "\"long\"").unwrap();
        let note = memories.note();
        assert!(
            note.starts_with(" schemas.raw=5:") && note.contains(" schemas.employees=6:"),
            "{note}"
        );
        let recalled = nothing();
        recalled.recall(&format!("topic=a partitions=8{note} shape=round")).unwrap();
        assert_eq!(recalled.note(), note);
        assert!(!recalled.raw.knows(6) && !recalled.enriched.knows(5));
    }

    #[test]
    fn a_note_that_contradicts_what_is_known_or_cannot_be_read_stops_the_start() {
        let memories = nothing();
        memories.raw.remember(5, "\"string\"").unwrap();
        let contradiction = memories.recall("topic=a partitions=8 schemas.raw=5:0123456789abcdef");
        assert!(matches!(contradiction, Err(SchemaLookupError::IdChanged { schema_id: 5, .. })));
        let unreadable = memories.recall("topic=a partitions=8 schemas.aliases=5");
        assert!(matches!(unreadable, Err(SchemaLookupError::NoteUnreadable { .. })));
    }

    /// The broker takes 4096 bytes.
    #[test]
    fn the_longest_note_fits_beside_a_position() {
        let memories = nothing();
        for (_, memory) in memories.by_word() {
            for number in 0..100 {
                memory.remember(u32::MAX - number, "\"string\"").unwrap();
            }
        }
        let note = memories.note();
        assert!(note.len() < 3900, "{}", note.len());
    }
}
