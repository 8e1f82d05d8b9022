//! Walks every example message of `schemas/examples` through the real decoder, mapping and matching, and the rule of the archive.
//!
//! The bytes are written by the `apache-avro` crate, which shares no code with the decoder. What the files mean: `docs/schemas.md`.
#![expect(clippy::unwrap_used, reason = "a test may panic; the lint knows only functions marked as tests")]

#[path = "examples/mapped.rs"]
mod mapped;
#[path = "examples/ranking.rs"]
mod ranking;
#[path = "examples/readable.rs"]
mod readable;
#[path = "examples/registry.rs"]
mod registry;

use std::{fs, path::PathBuf};

use scoresync_domain::{Employee, EnrichedScore, IdentityAlias};
use scoresync_kafka::{DatumError, DecodeError, Encoder, Record};
use serde_json::{Value as Json, json};

use registry::{ExampleDecoder, SCHEMA_ID};

/// One file.
struct Example {
    name: String,
    json: Json,
}

/// All examples of a kind, each with its file's name. Fewer than `at_least` means that some were not found.
fn examples(kind: &str, at_least: usize) -> Vec<Example> {
    let folder = project().join("schemas/examples").join(kind);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= at_least, "only {} examples in {}", files.len(), folder.display());
    files
        .into_iter()
        .map(|file| Example {
            name: format!("{kind}/{}", file.file_name().unwrap().to_string_lossy()),
            json: serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", file.display())),
        })
        .collect()
}

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

impl Example {
    /// The whole Kafka value: the record framed under the id 1, or the bytes as they stand.
    fn value(&self, schema: &str) -> Vec<u8> {
        match (&self.json["record"], &self.json["bytes"]) {
            (Json::Object(_), Json::Null) => {
                let frame = [&[0][..], &SCHEMA_ID.to_be_bytes()].concat();
                [frame, readable::write(schema, &self.json["record"])].concat()
            }
            (Json::Null, Json::String(hex)) => readable::from_hex(hex),
            _ => panic!("{}: an example has either a record or bytes", self.name),
        }
    }

    fn expect(&self) -> &Json {
        assert!(
            self.json["description"].as_str().is_some_and(|text| text.ends_with('.')),
            "{}: say what it shows",
            self.name
        );
        &self.json["expect"]
    }

    fn check(&self, outcome: &Json) {
        assert_eq!(outcome, self.expect(), "{}", self.name);
    }
}

/// What a reader makes of a value: its key, or what is wrong with it.
fn outcome<B>(read: &Result<B, DecodeError>, key: impl Fn(&B) -> String) -> Json {
    match read {
        Ok(record) => json!({"outcome": "read", "key": key(record)}),
        Err(error) => json!({"outcome": "unreadable", "problem": innermost(error)}),
    }
}

fn innermost(error: &DecodeError) -> String {
    match error {
        DecodeError::Frame(cause) => cause.to_string(),
        DecodeError::Datum(cause) => cause.to_string(),
        DecodeError::UnknownSchema { .. } => error.to_string(),
        DecodeError::Surroundings(cause) => panic!("the example's registry failed: {cause}"),
    }
}

/// Writing what was read gives the bytes back that somebody else wrote.
fn check_written_back<R: Record>(example: &Example, record: &R::Borrowed<'_>) {
    let mut buffer = Vec::new();
    let written: Result<(), DatumError> = Encoder::<R>::new(SCHEMA_ID).encode(record, &mut buffer);
    written.unwrap();
    assert_eq!(
        readable::to_hex(&buffer),
        readable::to_hex(&example.value(R::SCHEMA)),
        "{}",
        example.name
    );
}

fn employees() -> Vec<(Example, Vec<u8>)> {
    with_values::<Employee>("employee", 5)
}

fn aliases() -> Vec<(Example, Vec<u8>)> {
    with_values::<IdentityAlias>("identity_alias", 4)
}

fn with_values<R: Record>(kind: &str, at_least: usize) -> Vec<(Example, Vec<u8>)> {
    let with_value = |example: Example| {
        let value = example.value(R::SCHEMA);
        (example, value)
    };
    examples(kind, at_least).into_iter().map(with_value).collect()
}

#[test]
fn employees_are_read_as_their_examples_say() {
    let mut decoder = ExampleDecoder::<Employee>::start();
    for (example, value) in employees() {
        let read = decoder.decode(&value);
        example.check(&outcome(&read, |employee| employee.employee_no.clone()));
        if let Ok(employee) = read {
            check_written_back::<Employee>(&example, &employee);
        }
    }
}

#[test]
fn aliases_are_read_as_their_examples_say() {
    let mut decoder = ExampleDecoder::<IdentityAlias>::start();
    for (example, value) in aliases() {
        let read = decoder.decode(&value);
        example.check(&outcome(&read, |alias| alias.subject.to_string()));
        if let Ok(alias) = read {
            check_written_back::<IdentityAlias>(&example, &alias);
            assert_eq!(
                alias.subject.to_string().parse().as_ref(),
                Ok(&alias.subject),
                "{}: its key reads back",
                example.name
            );
        }
    }
}

#[test]
fn enriched_scores_are_read_as_their_examples_say() {
    let mut decoder = ExampleDecoder::<EnrichedScore<'static>>::start();
    for (example, value) in with_values::<EnrichedScore<'static>>("enriched_score", 5) {
        let read = decoder.decode(&value);
        example.check(&outcome(&read, |score| score.result_id.to_string()));
        if let Ok(score) = read {
            check_written_back::<EnrichedScore<'static>>(&example, &score);
            assert_eq!(
                score.content_hash,
                score.hash_content(),
                "{}: the hash is that of its content",
                example.name
            );
        }
    }
}
