//! The decoder asks a registry, here one that says what a test wants it to: whose schema an id is, and what has changed since.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use scoresync_domain::{Employee, Timestamp};
use scoresync_kafka::{DatumError, DecodeError, Decoder, Encoder, Record, Registry, RegistrySettings, SchemaLookupError};
use serde_json::json;
use tokio::runtime::Runtime;

const SUBJECT: &str = "employees-value";

/// Versions of the one subject: schema id and text. Counts what it was asked.
#[derive(Default)]
struct State {
    versions: BTreeMap<u32, (u32, String)>,
    /// What it answers to everything.
    broken: Option<&'static str>,
    requests: usize,
}

struct FakeRegistry {
    url: String,
    state: Arc<Mutex<State>>,
}

impl FakeRegistry {
    fn start(versions: &[(u32, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let registry = Self {
            url,
            state: Arc::default(),
        };
        registry.set(versions);
        let state = Arc::clone(&registry.state);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let mut lines = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
                let request = lines.next().unwrap_or_default();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let (status, body) = answer(&mut state.lock().unwrap(), &request);
                let length = body.len();
                write!(
                    connection,
                    "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                )
                .unwrap();
            }
        });
        registry
    }

    fn set(&self, versions: &[(u32, &str)]) {
        let numbered = versions
            .iter()
            .zip(1..)
            .map(|((id, schema), version)| (version, (*id, (*schema).to_owned())));
        self.state.lock().unwrap().versions = numbered.collect();
    }

    fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }

    fn registry(&self) -> Registry {
        let settings = RegistrySettings {
            url: self.url.clone(),
            ..RegistrySettings::default()
        };
        Registry::new(&settings).unwrap()
    }

    fn decoder(&self, runtime: &Runtime) -> Decoder<Employee> {
        Decoder::new(SUBJECT.to_owned(), self.registry(), runtime.handle().clone())
    }
}

fn answer(state: &mut State, request: &str) -> (&'static str, String) {
    state.requests += 1;
    let path = request.split(' ').nth(1).unwrap_or_default();
    let version = path.strip_prefix(&format!("/subjects/{SUBJECT}/versions"));
    let found = version.and_then(|version| match version.strip_prefix('/') {
        None if state.versions.is_empty() => None,
        None => Some(json!(state.versions.keys().collect::<Vec<_>>())),
        Some(number) => state
            .versions
            .get(&number.parse().ok()?)
            .map(|(id, schema)| json!({ "subject": SUBJECT, "id": id, "version": number.parse::<u32>().unwrap(), "schema": schema })),
    });
    if let Some(status) = state.broken {
        return (status, "{}".to_owned());
    }
    match found {
        Some(body) => ("200 OK", body.to_string()),
        None => (
            "404 Not Found",
            json!({ "error_code": 40401, "message": "Subject not found." }).to_string(),
        ),
    }
}

fn employee() -> Employee {
    Employee {
        employee_no: "E1001".to_owned(),
        name: None,
        department: None,
        position: None,
        identities: Vec::new(),
        left_at: None,
        replaced_by: None,
        as_of: Timestamp::from_millis(0),
    }
}

fn value(schema_id: u32) -> Vec<u8> {
    let mut value = Vec::new();
    Encoder::<Employee>::new(schema_id).encode(&employee(), &mut value).unwrap();
    value
}

fn other_schema() -> String {
    Employee::SCHEMA.replace("left_at", "gone_at")
}

#[test]
fn a_schema_is_asked_for_once() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA)]);
    let mut decoder = registry.decoder(&runtime);
    for _ in 0..3 {
        assert_eq!(decoder.decode(Some(&value(7))).unwrap(), employee());
    }
    assert_eq!(registry.requests(), 2);
    registry.state.lock().unwrap().broken = Some("500 Internal Server Error");
    assert_eq!(decoder.decode(Some(&value(7))).unwrap(), employee());
}

#[test]
fn an_id_of_another_subject_is_not_believed_and_not_asked_for_again_and_again() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA)]);
    let mut decoder = registry.decoder(&runtime);
    for _ in 0..3 {
        let refused = decoder.decode(Some(&value(8)));
        assert!(
            matches!(refused, Err(DecodeError::UnknownSchema { schema_id: 8, .. })),
            "{refused:?}"
        );
    }
    assert_eq!(registry.requests(), 2);
}

#[test]
fn a_schema_that_was_registered_meanwhile_is_found() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA)]);
    let mut decoder = registry.decoder(&runtime);
    decoder.refresh().unwrap();
    registry.set(&[(7, Employee::SCHEMA), (9, Employee::SCHEMA)]);
    assert_eq!(decoder.decode(Some(&value(9))).unwrap(), employee());
}

/// One registry of several can be behind the one that a writer has registered its schema with.
#[test]
fn whoever_is_patient_waits_for_a_schema_that_another_registry_has_already() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA)]);
    let mut decoder = registry.decoder(&runtime).patient();
    let new = surroundings(decoder.decode(Some(&value(9))));
    assert!(matches!(new, SchemaLookupError::TooNew { schema_id: 9, .. }), "{new:?}");
    registry.set(&[(7, Employee::SCHEMA), (9, Employee::SCHEMA)]);
    assert_eq!(decoder.decode(Some(&value(9))).unwrap(), employee());
}

#[test]
fn whoever_is_patient_does_not_wait_for_ever_for_a_foreign_id() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA)]);
    let mut decoder = registry.decoder(&runtime).patient();
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(DecodeError::Surroundings(SchemaLookupError::TooNew { .. })) = decoder.decode(Some(&value(8))) {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(100));
    }
    let foreign = decoder.decode(Some(&value(8)));
    assert!(
        matches!(foreign, Err(DecodeError::UnknownSchema { schema_id: 8, .. })),
        "{foreign:?}"
    );
}

#[test]
fn a_value_that_is_not_framed_asks_nobody() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[]);
    let mut decoder = registry.decoder(&runtime);
    for bytes in [None, Some(&b""[..]), Some(b"{}"), Some(&[0, 0, 0, 7])] {
        assert!(matches!(decoder.decode(bytes), Err(DecodeError::Frame(_))), "{bytes:?}");
    }
    assert_eq!(registry.requests(), 0);
}

#[test]
fn a_schema_of_another_unit_is_the_fault_of_its_records_alone() {
    let runtime = Runtime::new().unwrap();
    let foreign = Employee::SCHEMA.replace("timestamp-millis", "timestamp-micros");
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA), (8, &foreign)]);
    let mut decoder = registry.decoder(&runtime);
    let refused = decoder.decode(Some(&value(8)));
    assert!(matches!(refused, Err(DecodeError::Datum(DatumError::Schema(_)))), "{refused:?}");
    assert_eq!(decoder.decode(Some(&value(7))).unwrap(), employee());
}

/// The same bytes are another employee under a schema whose fields stand in another order.
#[test]
fn a_schema_that_is_not_quite_ours_is_followed() {
    let runtime = Runtime::new().unwrap();
    let swapped = Employee::SCHEMA
        .replace(r#""department""#, r#""""#)
        .replace(r#""position""#, r#""department""#)
        .replace(r#""""#, r#""position""#);
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA), (8, &swapped)]);
    let mut decoder = registry.decoder(&runtime);
    let mut clerk = employee();
    clerk.department = Some("clerk".to_owned());
    clerk.position = Some("books".to_owned());
    let mut value = Vec::new();
    Encoder::<Employee>::new(8).encode(&clerk, &mut value).unwrap();
    std::mem::swap(&mut clerk.department, &mut clerk.position);
    assert_eq!(decoder.decode(Some(&value)).unwrap(), clerk);
}

#[test]
fn a_registry_that_does_not_answer_is_never_the_records_fault() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[]);
    let mut decoder = registry.decoder(&runtime);
    let lost = decoder.decode(Some(&value(7)));
    assert!(
        matches!(lost, Err(DecodeError::Surroundings(SchemaLookupError::SubjectLost { .. }))),
        "{lost:?}"
    );
    for status in [
        "401 Unauthorized",
        "404 Not Found",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "503 Service Unavailable",
        "200 OK",
    ] {
        registry.state.lock().unwrap().broken = Some(status);
        let broken = decoder.decode(Some(&value(7)));
        assert!(matches!(broken, Err(DecodeError::Surroundings(_))), "{status}: {broken:?}");
    }
    registry.state.lock().unwrap().broken = None;
    registry.set(&[(7, Employee::SCHEMA)]);
    assert_eq!(decoder.decode(Some(&value(7))).unwrap(), employee());
}

#[test]
fn an_id_that_changes_its_meaning_stops_everything() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA)]);
    let mut decoder = registry.decoder(&runtime);
    decoder.decode(Some(&value(7))).unwrap();
    registry.set(&[(7, &other_schema())]);
    assert!(matches!(decoder.refresh(), Err(SchemaLookupError::IdChanged { schema_id: 7, .. })));
    registry.set(&[(6, Employee::SCHEMA)]);
    assert!(matches!(decoder.refresh(), Err(SchemaLookupError::IdLost { schema_id: 7, .. })));
    registry.set(&[]);
    assert!(matches!(decoder.refresh(), Err(SchemaLookupError::SubjectLost { .. })));
    assert_eq!(decoder.decode(Some(&value(7))).unwrap(), employee());
}

/// What a process notes that has read values with these ids.
fn note_after(registry: &FakeRegistry, runtime: &Runtime, schema_ids: &[u32]) -> String {
    let mut decoder = registry.decoder(runtime);
    for schema_id in schema_ids {
        decoder.decode(Some(&value(*schema_id))).unwrap();
    }
    decoder.memory().note()
}

fn surroundings<T: std::fmt::Debug>(decoded: Result<T, DecodeError>) -> SchemaLookupError {
    match decoded {
        Err(DecodeError::Surroundings(cause)) => cause,
        Ok(_) | Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => panic!("{decoded:?}"),
    }
}

#[test]
fn only_ids_of_values_are_noted() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA), (9, Employee::SCHEMA)]);
    assert_eq!(note_after(&registry, &runtime, &[]), "");
    let note = note_after(&registry, &runtime, &[9]);
    assert!(note.starts_with("9:") && !note.contains("7:"), "{note}");
    // Nobody misses a version that no value was written with.
    let mut restarted = registry.decoder(&runtime);
    restarted.memory().recall(&note).unwrap();
    registry.set(&[(9, Employee::SCHEMA)]);
    assert_eq!(restarted.decode(Some(&value(9))).unwrap(), employee());
}

#[test]
fn after_a_restart_an_id_that_changed_or_is_gone_stops_everything_until_it_is_back() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA)]);
    let note = note_after(&registry, &runtime, &[7]);
    let mut restarted = registry.decoder(&runtime);
    restarted.memory().recall(&note).unwrap();
    registry.set(&[(7, &other_schema())]);
    let changed = surroundings(restarted.decode(Some(&value(7))));
    assert!(matches!(changed, SchemaLookupError::IdChanged { schema_id: 7, .. }), "{changed:?}");
    registry.set(&[(8, Employee::SCHEMA)]);
    // Neither a record of before nor one of now is read while the registry is another.
    for schema_id in [7, 8] {
        let lost = surroundings(restarted.decode(Some(&value(schema_id))));
        assert!(matches!(lost, SchemaLookupError::IdLost { schema_id: 7, .. }), "{lost:?}");
    }
    let verified = runtime.block_on(restarted.memory().verify(&registry.registry()));
    assert!(
        matches!(verified, Err(SchemaLookupError::IdLost { schema_id: 7, .. })),
        "{verified:?}"
    );
    registry.set(&[(7, Employee::SCHEMA)]);
    assert_eq!(restarted.decode(Some(&value(7))).unwrap(), employee());
    assert_eq!(restarted.memory().note(), note);
}

/// A partition can come later, with a note of what another process has read.
#[test]
fn what_is_recalled_counts_for_ids_that_the_registry_was_asked_for_before() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA), (8, Employee::SCHEMA)]);
    let note = note_after(&registry, &runtime, &[8]);
    registry.set(&[(7, Employee::SCHEMA), (8, &other_schema())]);
    let mut decoder = registry.decoder(&runtime);
    decoder.decode(Some(&value(7))).unwrap();
    decoder.memory().recall(&note).unwrap();
    for _ in 0..2 {
        let changed = surroundings(decoder.decode(Some(&value(8))));
        assert!(matches!(changed, SchemaLookupError::IdChanged { schema_id: 8, .. }), "{changed:?}");
    }
    registry.set(&[(7, Employee::SCHEMA), (8, Employee::SCHEMA)]);
    assert_eq!(decoder.decode(Some(&value(8))).unwrap(), employee());
}

#[test]
fn an_id_that_was_foreign_is_asked_for_again_once_it_is_recalled() {
    let runtime = Runtime::new().unwrap();
    let registry = FakeRegistry::start(&[(7, Employee::SCHEMA), (8, Employee::SCHEMA)]);
    let note = note_after(&registry, &runtime, &[8]);
    registry.set(&[(7, Employee::SCHEMA)]);
    let mut decoder = registry.decoder(&runtime);
    assert!(matches!(
        decoder.decode(Some(&value(8))),
        Err(DecodeError::UnknownSchema { schema_id: 8, .. })
    ));
    decoder.memory().recall(&note).unwrap();
    let lost = surroundings(decoder.decode(Some(&value(8))));
    assert!(matches!(lost, SchemaLookupError::IdLost { schema_id: 8, .. }), "{lost:?}");
}
