//! What the sink remembers of the schemas of the topics that it reads: recorded with the positions, recalled before anything is read.

use scoresync_archive::Archive;
use scoresync_kafka::{Registry, SchemaLookupError, SchemaMemory};
use tokio::runtime::Handle;

use crate::partitions::{StartError, wait_for};

/// One memory for each topic; it is its decoder's.
#[derive(Clone)]
pub(crate) struct SchemaMemories {
    pub(crate) scores: TopicMemory,
    pub(crate) employees: TopicMemory,
}

/// What the schema ids of a topic's records meant.
#[derive(Clone)]
pub(crate) struct TopicMemory {
    pub(crate) topic: String,
    pub(crate) generation: i32,
    pub(crate) schemas: SchemaMemory,
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

    /// Takes in what the archive has recorded, whoever reads those partitions now.
    pub(crate) fn recall(&self, archive: &Archive, runtime: &Handle) -> Result<(), StartError> {
        for memory in [&self.scores, &self.employees] {
            for position in wait_for(runtime, archive.positions(&memory.topic, memory.generation))? {
                memory.schemas.recall(&position.schemas)?;
            }
        }
        Ok(())
    }

    /// Compares what is remembered with what the registry says now.
    pub(crate) fn verify(&self, registry: &Registry, runtime: &Handle) -> Result<(), SchemaLookupError> {
        for memory in [&self.scores, &self.employees] {
            runtime.block_on(memory.schemas.verify(registry))?;
        }
        Ok(())
    }
}
