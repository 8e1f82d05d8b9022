//! What is mapped anew, how everything is reached, and what can go wrong.

use std::{io, path::Path};

use scoresync_archive::{Archive, ArchiveError};
use scoresync_domain::{Region, Source, Sources, Timestamp};
use scoresync_kafka::{
    DirectoryError, Error, KafkaSettings, Registry, SchemaLookupError, ShipmentError, Topic, TopicNames, TopicSettings, generation_bounds,
};
use tokio::runtime::Handle;

use crate::spill::Logs;

/// A replay of one source's reports.
pub struct Replay<'a> {
    /// `[kafka]`.
    pub kafka: &'a KafkaSettings,
    /// `[topics]`.
    pub topics: &'a TopicSettings,
    /// The schema registry.
    pub registry: &'a Registry,
    /// The registry's id of the schema of enriched scores.
    pub enriched_schema_id: u32,
    /// Runs what waits.
    pub runtime: &'a Handle,
    /// The archive, which is read alone.
    pub archive: &'a Archive,
    /// All sources.
    pub sources: &'a Sources,
    /// The one whose reports are mapped anew.
    pub source: &'a Source,
    /// Where phone numbers of the directory belong that have no country code.
    pub region: Region,
    /// Which of its reports.
    pub span: Span,
    /// The folder for files that are needed meanwhile.
    pub scratch: &'a Path,
}

/// When the producer received a report: from (inclusive) to (exclusive).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
}

/// What a replay is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It reads the employees.
    Directory,
    /// It reads `scores.raw` and maps the source's reports.
    Reports,
    /// It reads `scores.enriched`.
    Scores,
    /// It compares reports with what was said of them.
    Comparing,
    /// It files what was said of affected results.
    Filing,
    /// It compares records.
    Records,
    /// It sends what differs.
    Sending,
    /// Records of `scores.enriched` that the sink has still to file.
    Waiting,
}

/// Is told of each record that was read, and each result that was compared; while the sink is waited for, of how many records are left.
pub type Progress<'p> = &'p mut (dyn FnMut(Step, u64) + Send);

/// Why a replay could not be done. What was sent until then is sent; the same replay, done again, sends what is left.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The registry.
    #[error(transparent)]
    Schemas(#[from] SchemaLookupError),
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The archive, or the one that is made meanwhile.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The files that are needed meanwhile.
    #[error("the scratch files cannot be written or read; docs/replay.md says how much room they take")]
    Scratch(#[from] io::Error),
    /// Employees, or people's decisions, have changed since the look.
    #[error("nothing was sent: employees or people's decisions have changed since the look; the same command looks again")]
    DirectoryMoved,
    /// The broker may not have all of it.
    #[error("not all of what differs may be sent; the same command sends what is left")]
    NotArrived(#[from] ShipmentError),
    /// The sink does not go on.
    #[error(
        "everything is sent, but the sink has filed nothing for {0} s, with {1} records to go; is one running? The same command looks again"
    )]
    SinkStands(u64, u64),
}

impl Span {
    pub(crate) fn contains(self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to)
    }
}

impl Replay<'_> {
    pub(crate) fn names(&self, generation: i32) -> TopicNames {
        TopicNames::of_generation(self.topics, generation)
    }

    /// All generations of a topic that are still there.
    pub(crate) fn logs(&self, topic: Topic) -> Result<Logs, ReplayError> {
        let bounds = generation_bounds(self.kafka, self.topics, topic)?.into_iter();
        Ok(bounds.filter_map(|(generation, bounds)| Some((generation, bounds?))).collect())
    }
}
