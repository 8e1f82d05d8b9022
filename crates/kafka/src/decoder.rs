//! Reading the values of one topic: only schemas that belong to its subject are believed.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde_avro_fast::Schema;
use tokio::runtime::Handle;

use crate::{
    registry::{Registry, RegistryError, SubjectVersion},
    schema_memory::SchemaMemory,
    wire::{DatumError, FrameError, Record, SchemaError, parse_schema, read_datum, read_own, split},
};

/// How long an id that the subject does not have is believed to be foreign without asking again.
const FOREIGN_FOR: Duration = Duration::from_secs(10);

/// Whoever writes more unknown ids than this has them waited for again.
const MOST_DOUBTFUL: usize = 100_000;
/// How long a registry may be behind another one.
const TOO_NEW_FOR: Duration = Duration::from_secs(2);

/// Reads records of one kind. Belongs to a thread of its own, never to an async task: it waits for the registry.
pub struct Decoder<R> {
    subject: String,
    registry: Registry,
    runtime: Handle,
    memory: SchemaMemory,
    known: HashMap<u32, KnownSchema>,
    foreign: HashMap<u32, Instant>,
    /// Since when ids are unknown that may be too new for the registry that was asked: each is waited for once.
    doubtful: HashMap<u32, Instant>,
    is_patient: bool,
    record: std::marker::PhantomData<fn() -> R>,
}

struct KnownSchema {
    /// A schema that cannot be used is the fault of the records that it wrote.
    writer: Result<Writer, SchemaError>,
    text: String,
    is_remembered: bool,
}

/// Whose schema wrote a value.
enum Writer {
    Ourselves,
    Other(Schema),
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
    /// The registry forgot our subject.
    #[error("the schema registry does not know {subject} (any more); restore the registry, or run `scoresync schemas register`")]
    SubjectLost {
        /// The topic's subject.
        subject: String,
    },
    /// An id that records carry is none of the subject's any more: they may be unreadable only because the registry's data is another.
    #[error("{subject} does not have schema id {schema_id} any more, which records carry; restore the schema registry's data")]
    IdLost {
        /// The id.
        schema_id: u32,
        /// The topic's subject.
        subject: String,
    },
    /// An id means another schema than it did: data may be read wrongly, so a person must act.
    #[error("schema id {schema_id} of {subject} means another schema than before; restore the schema registry's data")]
    IdChanged {
        /// The id.
        schema_id: u32,
        /// The topic's subject.
        subject: String,
    },
    /// An id that the registry may learn in a moment.
    #[error("the schema registry does not know schema id {schema_id} of {subject} (yet)")]
    TooNew {
        /// The id.
        schema_id: u32,
        /// The topic's subject.
        subject: String,
    },
    /// Beside a position stands a text about schema ids that is not this release's.
    #[error("what is recorded about the schema ids of {subject} cannot be read: {note:?}; use the release that wrote it, or clear it")]
    NoteUnreadable {
        /// The text.
        note: String,
        /// The topic's subject.
        subject: String,
    },
}

impl<R: Record> Decoder<R> {
    /// For the values of the topic whose subject this is.
    #[must_use]
    pub fn new(subject: String, registry: Registry, runtime: Handle) -> Self {
        Self {
            memory: SchemaMemory::new(&subject),
            subject,
            registry,
            runtime,
            known: HashMap::new(),
            foreign: HashMap::new(),
            doubtful: HashMap::new(),
            is_patient: false,
            record: std::marker::PhantomData,
        }
    }

    /// Waits with an id that the registry does not know: one of several registries can be behind the one that a writer has just registered
    /// a schema with. For topics that only our own people write to; elsewhere anybody's bytes would hold up everybody's.
    #[must_use]
    pub fn patient(mut self) -> Self {
        self.is_patient = true;
        self
    }

    /// What the ids meant that values carried. Whoever recalls what was noted about them does so before the first value is read.
    #[must_use]
    pub const fn memory(&self) -> &SchemaMemory {
        &self.memory
    }

    /// Reads a value, asking the registry when its schema is new here.
    ///
    /// # Errors
    /// The value's fault, or that of the surroundings: see [`DecodeError`].
    pub fn decode<'a>(&mut self, value: Option<&'a [u8]>) -> Result<R::Borrowed<'a>, DecodeError> {
        let (schema_id, datum) = split(value)?;
        if !self.known.get(&schema_id).is_some_and(|known| known.is_remembered) {
            self.meet(schema_id)?;
        }
        let Some(known) = self.known.get(&schema_id) else {
            return Err(DecodeError::UnknownSchema {
                schema_id,
                subject: self.subject.clone(),
            });
        };
        match &known.writer {
            Ok(Writer::Ourselves) => Ok(read_own::<R>(datum)?),
            Ok(Writer::Other(schema)) => Ok(read_datum::<R>(schema, datum)?),
            Err(error) => Err(DatumError::from(error.clone()).into()),
        }
    }

    /// Reads all versions of the subject now, so that a start without the registry is noticed at the start.
    ///
    /// # Errors
    /// See [`SchemaLookupError`]; what was known stays as it was then.
    pub fn refresh(&mut self) -> Result<(), SchemaLookupError> {
        let versions = self.runtime.block_on(self.registry.versions(&self.subject))?;
        self.memory.compare(&versions)?;
        self.known = versions.into_iter().map(KnownSchema::of::<R>).collect();
        Ok(())
    }

    /// The first value with this id since the registry was asked.
    fn meet(&mut self, schema_id: u32) -> Result<(), SchemaLookupError> {
        if !self.known.contains_key(&schema_id) {
            self.learn(schema_id)?;
        }
        if let Some(known) = self.known.get_mut(&schema_id) {
            let agreed = self.memory.remember(schema_id, &known.text);
            known.is_remembered = agreed.is_ok();
            if agreed.is_err() {
                // The registry may be put right: it has to be asked again.
                self.known.remove(&schema_id);
            }
            agreed?;
        }
        Ok(())
    }

    fn learn(&mut self, schema_id: u32) -> Result<(), SchemaLookupError> {
        self.foreign.retain(|_, asked| asked.elapsed() < FOREIGN_FOR);
        if self.foreign.contains_key(&schema_id) && !self.memory.knows(schema_id) {
            return Ok(());
        }
        self.refresh()?;
        if self.known.contains_key(&schema_id) {
            self.doubtful.remove(&schema_id);
            return Ok(());
        }
        if self.doubtful.len() >= MOST_DOUBTFUL {
            self.doubtful.clear();
        }
        if self.is_patient && self.doubtful.entry(schema_id).or_insert_with(Instant::now).elapsed() < TOO_NEW_FOR {
            let subject = self.subject.clone();
            return Err(SchemaLookupError::TooNew { schema_id, subject });
        }
        self.foreign.insert(schema_id, Instant::now());
        Ok(())
    }
}

impl KnownSchema {
    fn of<R: Record>(version: SubjectVersion) -> (u32, Self) {
        let known = Self {
            writer: Writer::of::<R>(&version.schema),
            text: version.schema,
            is_remembered: false,
        };
        (version.schema_id, known)
    }
}

impl Writer {
    fn of<R: Record>(schema: &str) -> Result<Self, SchemaError> {
        if is_same_schema(schema, R::SCHEMA) {
            return Ok(Self::Ourselves);
        }
        parse_schema::<R>(schema).map(Self::Other)
    }
}

/// Whether two texts are the same schema, however they are spaced.
#[must_use]
pub fn is_same_schema(one: &str, other: &str) -> bool {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || parse(one).is_some_and(|one| Some(one) == parse(other))
}

#[cfg(test)]
mod tests {
    use scoresync_domain::Employee;
    use serde_json::Value;

    use super::*;

    #[test]
    fn only_our_own_schema_is_read_straight_on() {
        let check = |schema: &str, is_ours: bool| {
            let writer = Writer::of::<Employee>(schema).unwrap();
            assert_eq!(matches!(writer, Writer::Ourselves), is_ours, "{schema}");
        };
        let respaced = serde_json::from_str::<Value>(Employee::SCHEMA).unwrap().to_string();
        assert_ne!(respaced, Employee::SCHEMA);
        check(Employee::SCHEMA, true);
        check(&respaced, true);
        for (ours, theirs) in [
            (r#""replaced_by""#, r#""followed_by""#),
            (r#"["null", "string"]"#, r#"["string", "null"]"#),
            (r#""default": []"#, r#""doc": "All that are known.""#),
        ] {
            assert!(Employee::SCHEMA.contains(ours));
            check(&Employee::SCHEMA.replace(ours, theirs), false);
        }
    }
}
