//! Which schema each id of a subject meant, over restarts: kept as a note beside the positions of those who read.
//!
//! A registry that was emptied and filled anew gives other ids. Whoever remembers what the ids of the log meant neither reads records by the
//! wrong schema nor takes good ones for foreign.

use std::{
    collections::BTreeMap,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    decoder::SchemaLookupError,
    registry::{Registry, SubjectVersion},
};

/// How many ids a note says at most: with the greatest possible ids below 900 bytes, so that four notes fit beside one position.
const NOTED_IDS: usize = 32;

/// What the ids of one subject meant that were met in records. Clones share what they remember.
#[derive(Clone, Debug)]
pub struct SchemaMemory {
    subject: Arc<str>,
    known: Arc<Mutex<BTreeMap<u32, Fingerprint>>>,
}

impl SchemaMemory {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(subject: &str) -> Self {
        Self {
            subject: subject.into(),
            known: Arc::default(),
        }
    }

    /// Remembers what an id means.
    ///
    /// # Errors
    /// [`SchemaLookupError::IdChanged`] where it meant another schema; what was remembered stays.
    pub fn remember(&self, schema_id: u32, schema: &str) -> Result<(), SchemaLookupError> {
        self.merge(&[(schema_id, Fingerprint::of(schema))])
    }

    /// Whether it is remembered what the id meant.
    #[must_use]
    pub fn knows(&self, schema_id: u32) -> bool {
        self.known().contains_key(&schema_id)
    }

    /// Takes in what a [`Self::note`] says; an empty one says nothing.
    ///
    /// A note that cannot be read is an error and no empty one: going on without it could misread the log, and stopping loses nothing.
    ///
    /// # Errors
    /// [`SchemaLookupError::IdChanged`] where it contradicts what is remembered, [`SchemaLookupError::NoteUnreadable`]; nothing of the note
    /// is taken in then.
    pub fn recall(&self, note: &str) -> Result<(), SchemaLookupError> {
        let read = |entry: &str| {
            let (schema_id, fingerprint) = entry.split_once(':')?;
            Some((schema_id.parse().ok()?, fingerprint.parse().ok()?))
        };
        let entries: Option<Vec<_>> = note.split_terminator(',').map(read).collect();
        let entries = entries.ok_or_else(|| SchemaLookupError::NoteUnreadable {
            note: note.to_owned(),
            subject: self.subject.to_string(),
        })?;
        self.merge(&entries)
    }

    /// What is remembered, as `<id>:<fingerprint>,…`: of the 32 greatest ids, so that it stays below 900 bytes.
    #[must_use]
    pub fn note(&self) -> String {
        let known = self.known();
        let entries = known.iter().skip(known.len().saturating_sub(NOTED_IDS));
        let entries: Vec<String> = entries
            .map(|(schema_id, fingerprint)| format!("{schema_id}:{fingerprint}"))
            .collect();
        entries.join(",")
    }

    /// Compares what is remembered with what the registry says now, if anything is.
    ///
    /// # Errors
    /// See [`SchemaLookupError`].
    pub async fn verify(&self, registry: &Registry) -> Result<(), SchemaLookupError> {
        if self.known().is_empty() {
            return Ok(());
        }
        let versions = registry.versions(&self.subject).await?;
        self.compare(&versions)
    }

    /// Every remembered id has to be one of the subject's versions, with the schema that it meant.
    pub(crate) fn compare(&self, versions: &[SubjectVersion]) -> Result<(), SchemaLookupError> {
        if versions.is_empty() {
            return Err(SchemaLookupError::SubjectLost {
                subject: self.subject.to_string(),
            });
        }
        for (&schema_id, fingerprint) in &*self.known() {
            let subject = || self.subject.to_string();
            match versions.iter().find(|version| version.schema_id == schema_id) {
                Some(version) if Fingerprint::of(&version.schema) == *fingerprint => {}
                Some(_) => {
                    return Err(SchemaLookupError::IdChanged {
                        schema_id,
                        subject: subject(),
                    });
                }
                None => {
                    return Err(SchemaLookupError::IdLost {
                        schema_id,
                        subject: subject(),
                    });
                }
            }
        }
        Ok(())
    }

    fn merge(&self, entries: &[(u32, Fingerprint)]) -> Result<(), SchemaLookupError> {
        let mut known = self.known();
        let mut merged = known.clone();
        for &(schema_id, fingerprint) in entries {
            if *merged.entry(schema_id).or_insert(fingerprint) != fingerprint {
                return Err(SchemaLookupError::IdChanged {
                    schema_id,
                    subject: self.subject.to_string(),
                });
            }
        }
        *known = merged;
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<u32, Fingerprint>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first 8 bytes of the SHA-256 of a schema's JSON, written without spaces and with sorted keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fingerprint(u64);

impl Fingerprint {
    /// A text that is no JSON stands for itself.
    fn of(schema: &str) -> Self {
        let normalised = serde_json::from_str(schema).map_or_else(|_| schema.to_owned(), |value| normalised(&value));
        let digest = Sha256::digest(normalised.as_bytes());
        Self(digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            return Err(());
        }
        u64::from_str_radix(text, 16).map(Self).map_err(drop)
    }
}

/// Whether a JSON library sorts keys depends on how it was built, and fingerprints outlive a build.
fn normalised(value: &Value) -> String {
    let mut text = String::new();
    append(&mut text, value);
    text
}

fn append(text: &mut String, value: &Value) {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<_, _> = fields.iter().collect();
            for (index, (name, value)) in sorted.into_iter().enumerate() {
                text.push(if index == 0 { '{' } else { ',' });
                append(text, &Value::String(name.clone()));
                text.push(':');
                append(text, value);
            }
            text.push_str(if fields.is_empty() { "{}" } else { "}" });
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                text.push(if index == 0 { '[' } else { ',' });
                append(text, item);
            }
            text.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::is_same_schema;

    const FIVE: &str = r#"{"type":"record","name":"Five","fields":[]}"#;
    const SEVEN: &str = r#"{"type":"record","name":"Seven","fields":[]}"#;

    fn memory(entries: &[(u32, &str)]) -> SchemaMemory {
        let memory = SchemaMemory::new("scores.raw-value");
        for (schema_id, schema) in entries {
            memory.remember(*schema_id, schema).unwrap();
        }
        memory
    }

    #[test]
    fn a_fingerprint_is_the_same_exactly_where_the_schema_is() {
        let check = |one: &str, other: &str, is_same: bool| {
            assert_eq!(Fingerprint::of(one) == Fingerprint::of(other), is_same, "{one} {other}");
            assert_eq!(is_same_schema(one, other), is_same, "{one} {other}");
        };
        check(FIVE, FIVE, true);
        check(FIVE, SEVEN, false);
        check(FIVE, r#"{ "fields": [], "name": "Five", "type": "record" }"#, true);
        check(r#"{"a":{"b":1,"c":[{"d":2,"e":3}]}}"#, r#"{"a":{"c":[{"e":3,"d":2}],"b":1}}"#, true);
        check(r#"["a","b"]"#, r#"["b","a"]"#, false);
        check(r#"["a","b"]"#, r#"["a,b"]"#, false);
        check(r#""a""#, r#" "a""#, true);
        check("{}", "[]", false);
        check("no JSON", "no JSON", true);
        check("no JSON", "no  JSON", false);
    }

    /// Fingerprints are compared with those that earlier builds wrote.
    #[test]
    fn a_fingerprint_is_the_beginning_of_the_sha_256_of_sorted_compact_json() {
        let spaced = r#"{ "b": [1, {"d": null, "c": "é\n"}], "a": {} }"#;
        let sorted = r#"{"a":{},"b":[1,{"c":"é\n","d":null}]}"#;
        assert_eq!(normalised(&serde_json::from_str(spaced).unwrap()), sorted);
        assert_eq!(Fingerprint::of(r#""string""#).to_string(), "e9e5c1c9e4f62773");
        assert_eq!(Fingerprint(0x0a).to_string(), "000000000000000a");
    }

    #[test]
    fn what_agrees_is_remembered_and_what_contradicts_is_not() {
        let memory = memory(&[(5, FIVE), (7, SEVEN), (5, FIVE)]);
        let contradiction = memory.remember(7, FIVE);
        assert!(matches!(contradiction, Err(SchemaLookupError::IdChanged { schema_id: 7, .. })));
        memory.remember(7, SEVEN).unwrap();
        assert!(memory.knows(5) && !memory.knows(6));
    }

    #[test]
    fn a_note_is_recalled_by_another_process_whole_or_not_at_all() {
        let note = memory(&[(7, SEVEN), (5, FIVE)]).note();
        assert!(note.starts_with("5:") && note.contains(",7:"), "{note}");
        let same = memory(&[(7, SEVEN)]);
        same.recall(&note).unwrap();
        assert_eq!(same.note(), note);
        let other = memory(&[(7, FIVE)]);
        assert!(matches!(
            other.recall(&note),
            Err(SchemaLookupError::IdChanged { schema_id: 7, .. })
        ));
        assert!(!other.knows(5));
        other.recall("").unwrap();
    }

    #[test]
    fn a_note_that_cannot_be_read_is_no_empty_one() {
        for note in [
            "5",
            "5:",
            "5:1a2b",
            "x:0123456789abcdef",
            "5:0123456789abcdeg",
            "5:+123456789abcdef",
            ",",
            "5:0123456789abcdef,8",
        ] {
            let memory = memory(&[]);
            let refused = memory.recall(note);
            assert!(
                matches!(refused, Err(SchemaLookupError::NoteUnreadable { .. })),
                "{note}: {refused:?}"
            );
            assert_eq!(memory.note(), "", "{note}");
        }
    }

    #[test]
    fn a_note_says_the_greatest_ids_and_stays_small() {
        let memory = memory(&[]);
        for schema_id in (0..500).map(|number| u32::MAX - number) {
            memory.remember(schema_id, FIVE).unwrap();
        }
        let note = memory.note();
        assert!(note.len() < 900, "{}", note.len());
        assert!(note.ends_with(&format!("{}:{}", u32::MAX, Fingerprint::of(FIVE))));
        let recalled = SchemaMemory::new("scores.raw-value");
        recalled.recall(&note).unwrap();
        assert!(recalled.knows(u32::MAX - 31) && !recalled.knows(u32::MAX - 32));
    }
}
