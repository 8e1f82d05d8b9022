//! Reading the values of one topic: only schemas that belong to its subject are believed.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde_avro_fast::Schema;
use tokio::runtime::Handle;

use crate::{
    registry::{Registry, RegistryError},
    wire::{DatumError, FrameError, Record, SchemaError, parse_schema, read_datum, split},
};

/// How long an id that the subject does not have is believed to be foreign without asking again.
const FOREIGN_FOR: Duration = Duration::from_secs(10);

/// Reads records of one kind. Belongs to a thread of its own, never to an async task: it waits for the registry.
pub struct Decoder<R> {
    subject: String,
    registry: Registry,
    runtime: Handle,
    known: HashMap<u32, KnownSchema>,
    foreign: HashMap<u32, Instant>,
    record: std::marker::PhantomData<fn() -> R>,
}

struct KnownSchema {
    /// A schema that cannot be used is the fault of the records that it wrote.
    schema: Result<Schema, SchemaError>,
    text: String,
}

/// Why a value could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The value is at fault: not framed.
    #[error("the value is not in Confluent's wire format")]
    Frame(#[from] FrameError),
    /// The value is at fault: not what its schema says.
    #[error("the value cannot be read")]
    Datum(#[from] DatumError),
    /// The value is at fault: its schema is not one of the subject's.
    #[error("schema id {schema_id} does not belong to {subject}")]
    UnknownSchema {
        /// The id that the value carries.
        schema_id: u32,
        /// The topic's subject.
        subject: String,
    },
    /// The surroundings are at fault; the value has to wait.
    #[error("the schemas of the topic cannot be had")]
    Surroundings(#[from] SchemaLookupError),
}

/// Why the subject's schemas cannot be had. Never a reason to set a record aside.
#[derive(Debug, thiserror::Error)]
pub enum SchemaLookupError {
    /// The registry does not answer.
    #[error("the schema registry does not answer")]
    Registry(#[from] RegistryError),
    /// The registry forgot our subject: register the schemas anew only after making sure that ids do not change their meaning.
    #[error("the schema registry does not know {subject} (any more); restore the registry, or run `scoresync schemas register`")]
    SubjectLost {
        /// The topic's subject.
        subject: String,
    },
    /// An id means another schema than it did: data may be read wrongly, so a person must act.
    #[error("schema id {schema_id} of {subject} means another schema than before; restore the registry's data")]
    IdChanged {
        /// The id.
        schema_id: u32,
        /// The topic's subject.
        subject: String,
    },
}

impl<R: Record> Decoder<R> {
    /// For the values of the topic whose subject this is.
    #[must_use]
    pub fn new(subject: String, registry: Registry, runtime: Handle) -> Self {
        Self {
            subject,
            registry,
            runtime,
            known: HashMap::new(),
            foreign: HashMap::new(),
            record: std::marker::PhantomData,
        }
    }

    /// Reads a value, asking the registry when its schema is new here.
    ///
    /// # Errors
    /// The value's fault, or that of the surroundings: see [`DecodeError`].
    pub fn decode<'a>(&mut self, value: Option<&'a [u8]>) -> Result<R::Borrowed<'a>, DecodeError> {
        let (schema_id, datum) = split(value)?;
        if !self.known.contains_key(&schema_id) {
            self.learn(schema_id)?;
        }
        let Some(known) = self.known.get(&schema_id) else {
            return Err(DecodeError::UnknownSchema {
                schema_id,
                subject: self.subject.clone(),
            });
        };
        let schema = known.schema.as_ref().map_err(|error| DatumError::from(error.clone()))?;
        Ok(read_datum::<R>(schema, datum)?)
    }

    /// Reads all versions of the subject now, so that a start without the registry is noticed at the start.
    ///
    /// # Errors
    /// See [`SchemaLookupError`].
    pub fn refresh(&mut self) -> Result<(), SchemaLookupError> {
        let versions = self.runtime.block_on(self.registry.versions(&self.subject))?;
        if versions.is_empty() || self.known.keys().any(|id| versions.iter().all(|version| version.schema_id != *id)) {
            return Err(SchemaLookupError::SubjectLost {
                subject: self.subject.clone(),
            });
        }
        for version in versions {
            let known = KnownSchema {
                schema: parse_schema::<R>(&version.schema),
                text: version.schema,
            };
            match self.known.get(&version.schema_id) {
                Some(before) if !is_same_schema(&before.text, &known.text) => {
                    return Err(SchemaLookupError::IdChanged {
                        schema_id: version.schema_id,
                        subject: self.subject.clone(),
                    });
                }
                Some(_) => {}
                None => drop(self.known.insert(version.schema_id, known)),
            }
        }
        Ok(())
    }

    fn learn(&mut self, schema_id: u32) -> Result<(), SchemaLookupError> {
        self.foreign.retain(|_, asked| asked.elapsed() < FOREIGN_FOR);
        if self.foreign.contains_key(&schema_id) {
            return Ok(());
        }
        self.refresh()?;
        if !self.known.contains_key(&schema_id) {
            self.foreign.insert(schema_id, Instant::now());
        }
        Ok(())
    }
}

/// Whether two texts are the same schema, however they are spaced.
#[must_use]
pub fn is_same_schema(one: &str, other: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || parse(one).is_some_and(|one| Some(one) == parse(other))
}
