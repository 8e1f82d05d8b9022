//! People's decisions about identities and results: read from `employees.aliases`, and written to it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use scoresync_archive::ArchiveError;
use scoresync_domain::{AliasSubject, IdentityAlias, Origin};
use scoresync_kafka::{
    DatumError, Encoder, Error, KafkaSettings, Outgoing, PublishError, Registry, StoredRecord, TableEnds, TableError, TableReader, Topic,
    TopicNames, TopicSettings, dead_letter::DirectoryPosition, record_at,
};
use tokio::runtime::Handle;

use crate::resender::{Past, Resender};

/// How long broker and registry may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// All decisions, standing and revoked. Blocks its thread while it reads and writes.
pub struct Decisions {
    kafka: KafkaSettings,
    topics: TopicSettings,
    table: TableReader<IdentityAlias>,
    encoder: Encoder<IdentityAlias>,
    resender: Resender,
    known: BTreeMap<String, IdentityAlias>,
}

/// Why a decision could not be read or written, or a report not be sent again.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The decision does not fit its schema.
    #[error("the decision cannot be written")]
    Encode(#[from] DatumError),
    /// It was not even queued.
    #[error("a record cannot be queued")]
    Publish(#[from] PublishError),
    /// The broker has not acknowledged it.
    #[error("the broker does not acknowledge a record{0}; run the command again")]
    NotAcknowledged(String),
    /// The letter of the report could not be read or changed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The log does not hold the report any more.
    #[error("the report {0} is not in scores.raw any more, so it cannot be sent again; have its source send it")]
    ReportGone(Origin),
}

impl Decisions {
    /// Connects. `schema_id` is the registry's id of our schema of decisions.
    ///
    /// # Errors
    /// Settings that the client refuses, or no answer.
    pub fn open(
        (kafka, topics): (&KafkaSettings, &TopicSettings),
        (registry, runtime): (&Registry, &Handle),
        schema_id: u32,
    ) -> Result<Self, DecisionError> {
        let ends = Arc::new(TableEnds::open(kafka)?);
        Ok(Self {
            table: TableReader::open(Topic::Aliases, (kafka, topics), (registry, runtime), ends)?,
            encoder: Encoder::new(schema_id),
            resender: Resender::new(kafka, topics)?,
            known: BTreeMap::new(),
            kafka: kafka.clone(),
            topics: topics.clone(),
        })
    }

    /// All of them, by their subjects, as they stand now.
    ///
    /// # Errors
    /// No answer.
    pub fn read(&mut self) -> Result<&BTreeMap<String, IdentityAlias>, DecisionError> {
        let known = &mut self.known;
        self.table.read_to_end(PATIENCE, |change| match change.row {
            Some(alias) => drop(known.insert(change.key, alias)),
            None => drop(known.remove(&change.key)),
        })?;
        Ok(&self.known)
    }

    /// What was decided about a subject, as it was read last.
    #[must_use]
    pub fn about(&self, subject: &AliasSubject) -> Option<&IdentityAlias> {
        self.known.get(&subject.to_string())
    }

    /// Writes a decision, or that it was revoked. It holds for whatever is mapped later.
    ///
    /// # Errors
    /// Unless the broker has acknowledged it.
    pub fn write(&mut self, alias: &IdentityAlias) -> Result<(), DecisionError> {
        let (key, mut value) = (alias.subject.to_string(), Vec::new());
        self.encoder.encode(alias, &mut value)?;
        let record = Outgoing {
            topic: &TopicNames::new(&self.topics).name(Topic::Aliases),
            key: Some(key.as_bytes()),
            value: Some(&value),
        };
        self.resender.deliver([(record, None)])?;
        Ok(())
    }

    /// The report that first appeared at `origin`, to be sent again; to be had before anything is decided about it.
    ///
    /// # Errors
    /// The log does not hold it any more.
    pub fn report(&self, origin: Origin) -> Result<StoredRecord, DecisionError> {
        let topics = TopicSettings {
            generation: origin.generation,
            ..self.topics.clone()
        };
        let topic = TopicNames::new(&topics).name(Topic::Raw);
        let record = record_at(&self.kafka, &topic, origin.partition, origin.offset)?;
        record.ok_or(DecisionError::ReportGone(origin))
    }

    /// Sends a report with its past through the pipeline again, by all decisions that are written by now.
    ///
    /// # Errors
    /// The broker has not acknowledged the copy.
    pub fn redrive(&mut self, record: &StoredRecord, past: Past) -> Result<(), DecisionError> {
        self.read()?;
        let directory = DirectoryPosition {
            employees: 0,
            aliases: self.table.position(0),
        };
        self.resender
            .send([(past, record.key.as_deref(), record.value.as_deref())], directory)?;
        Ok(())
    }
}
