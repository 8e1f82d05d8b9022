//! What the sink remembers of the schemas of the topics that it reads: recorded with the positions, recalled before anything is read.

use scoresync_archive::Archive;
use scoresync_kafka::Registry;
use scoresync_positions::{Reader, StartError, TopicMemory};
use tokio::runtime::Handle;

/// One memory for each topic; it is its decoder's.
#[derive(Clone)]
pub(crate) struct SchemaMemories {
    pub(crate) scores: TopicMemory,
    pub(crate) employees: TopicMemory,
}

impl SchemaMemories {
    /// Those of a topic by its name.
    pub(crate) fn of(&self, topic: &str) -> &TopicMemory {
        if topic == self.employees.topic {
            &self.employees
        } else {
            &self.scores
        }
    }

    /// Takes in what the archive has recorded, whoever reads those partitions now, and compares it with what the registry says.
    pub(crate) fn recall(&self, (archive, registry): (&Archive, &Registry), runtime: &Handle) -> Result<(), StartError> {
        for memory in [&self.scores, &self.employees] {
            memory.recall(Reader::Sink, archive, runtime)?;
        }
        [&self.scores, &self.employees]
            .into_iter()
            .try_for_each(|memory| memory.verify(registry, runtime))
    }
}
