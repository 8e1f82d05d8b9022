//! What the schema ids of a topic's records meant: recorded with the positions, recalled before anything is read.

use scoresync_archive::Archive;
use scoresync_kafka::{Registry, SchemaMemory};
use tokio::runtime::Handle;

use crate::{Reader, StartError, wait_for};

/// The memory of one topic; it is its decoder's.
#[derive(Clone)]
pub struct TopicMemory {
    /// The topic.
    pub topic: String,
    /// Its generation.
    pub generation: i32,
    /// The memory.
    pub schemas: SchemaMemory,
}

impl TopicMemory {
    /// Takes in what the archive has recorded, whoever reads those partitions now.
    ///
    /// # Errors
    /// What is recorded cannot be read, or no answer.
    pub fn recall(&self, reader: Reader, archive: &Archive, runtime: &Handle) -> Result<(), StartError> {
        for position in wait_for(runtime, reader.positions(archive, &self.topic, self.generation))? {
            self.schemas.recall(&position.schemas)?;
        }
        Ok(())
    }

    /// Compares what is remembered with what the registry says now.
    ///
    /// # Errors
    /// Another schema than was remembered, or no answer.
    pub fn verify(&self, registry: &Registry, runtime: &Handle) -> Result<(), StartError> {
        Ok(runtime.block_on(self.schemas.verify(registry))?)
    }
}
