//! Records under older and newer schemas, written by the `apache-avro` crate.

use apache_avro::types::Value;
use scoresync_domain::{
    ContentHash, Employee, EnrichedScore, Fields, IdentityAlias, Origin, Repeat, ResultId, ScoreReport, Status, Timestamp,
};
use serde_json::json;
use uuid::Uuid;

use super::oracle::{of_report, of_score, write};
use crate::wire::{DatumError, Record, SchemaError, parse_schema, read_datum};

type Json = serde_json::Value;

fn score() -> EnrichedScore<'static> {
    EnrichedScore {
        result_id: ResultId::from_uuid(Uuid::from_u128(7)),
        source: "academy".into(),
        system: "academy".into(),
        status: Status::Final,
        employee_no: None,
        employee_name: None,
        department: None,
        position: None,
        course_id: None,
        course_title: None,
        exam_id: None,
        exam_title: None,
        attempt: None,
        exam_score: None,
        min_score: None,
        max_score: None,
        grade: None,
        passed: None,
        finish_timestamp: None,
        revision: None,
        revision_scheme: 1,
        mapping_version: 1,
        repeat: Repeat::Redelivery,
        decision: 0,
        matched_by: None,
        rounded: false,
        received_at: Timestamp::from_millis(1),
        origin: Origin {
            generation: 1,
            partition: 2,
            offset: 3,
        },
        content_hash: ContentHash([9; 16]),
    }
}

fn report() -> ScoreReport<'static> {
    ScoreReport {
        source: "academy".into(),
        received_at: Timestamp::from_millis(1),
        content_type: "".into(),
        fields: Fields::default(),
        unparsed: None,
    }
}

/// The schema's fields, changed.
fn schema(of: &str, change: impl FnOnce(&mut Vec<Json>)) -> String {
    let mut schema: Json = serde_json::from_str(of).unwrap();
    change(schema["fields"].as_array_mut().unwrap());
    schema.to_string()
}

/// The record without some of its fields.
fn without(value: Value, is_left_out: impl Fn(&str) -> bool) -> Value {
    let Value::Record(mut fields) = value else { panic!("no record") };
    fields.retain(|(name, _)| !is_left_out(name));
    Value::Record(fields)
}

fn with(value: Value, name: &str, added: Value) -> Value {
    let Value::Record(mut fields) = value else { panic!("no record") };
    fields.retain(|(known, _)| known != name);
    fields.insert(1, (name.to_owned(), added));
    Value::Record(fields)
}

fn has_default(schema: &Json, name: &str) -> bool {
    let mut fields = schema["fields"].as_array().unwrap().iter();
    fields.any(|field| field["name"] == name && field.get("default").is_some())
}

#[test]
fn fields_that_have_a_default_may_be_missing() {
    let ours: Json = serde_json::from_str(EnrichedScore::SCHEMA).unwrap();
    let older = schema(EnrichedScore::SCHEMA, |fields| {
        fields.retain(|field| field.get("default").is_none())
    });
    let datum = write(&older, without(of_score(&score()), |name| has_default(&ours, name)));
    let read = read_datum::<EnrichedScore<'static>>(&parse_schema::<EnrichedScore<'static>>(&older).unwrap(), &datum);
    assert_eq!(read.unwrap(), score());

    let ours: Json = serde_json::from_str(ScoreReport::SCHEMA).unwrap();
    let older = schema(ScoreReport::SCHEMA, |fields| fields.retain(|field| field.get("default").is_none()));
    let datum = write(&older, without(of_report(&report()), |name| has_default(&ours, name)));
    let read = read_datum::<ScoreReport<'static>>(&parse_schema::<ScoreReport<'static>>(&older).unwrap(), &datum);
    assert_eq!(read.unwrap(), report());
}

/// What a missing field becomes here has to be what the schema promises to everybody.
#[test]
fn defaults_are_those_of_the_schema() {
    for (text, value) in [
        (EnrichedScore::SCHEMA, of_score(&score())),
        (ScoreReport::SCHEMA, of_report(&report())),
    ] {
        let older = schema(text, |fields| fields.retain(|field| field.get("default").is_none()));
        let ours: Json = serde_json::from_str(text).unwrap();
        let datum = write(&older, without(value.clone(), |name| has_default(&ours, name)));
        let (writer, reader) = (
            apache_avro::Schema::parse_str(&older).unwrap(),
            apache_avro::Schema::parse_str(text).unwrap(),
        );
        let builder = apache_avro::reader::datum::GenericDatumReader::builder(&writer).reader_schema(&reader);
        assert_eq!(builder.build().unwrap().read_value(&mut &datum[..]).unwrap(), value);
    }
}

#[test]
fn a_field_that_must_be_there_is_missed() {
    for name in ["result_id", "source", "system", "status", "received_at", "origin", "content_hash"] {
        let older = schema(EnrichedScore::SCHEMA, |fields| fields.retain(|field| field["name"] != name));
        let datum = write(&older, without(of_score(&score()), |known| known == name));
        let read = read_datum::<EnrichedScore<'static>>(&parse_schema::<EnrichedScore<'static>>(&older).unwrap(), &datum);
        assert!(matches!(read, Err(DatumError::Malformed)), "{name}");
    }
}

#[test]
fn fields_that_a_newer_schema_adds_are_passed_over() {
    let price = json!({"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2});
    let deep = json!({"type": "array", "items": {"type": "map", "values": ["null", {"type": "array", "items": "string"}]}});
    let time = json!({"type": "long", "logicalType": "timestamp-micros"});
    let kind = json!({"type": "enum", "name": "Kind", "symbols": ["A", "B"]});
    let inner = Value::Union(1, Box::new(Value::Array(vec![Value::String("x".to_owned())])));
    let cases = [
        (price, Value::Decimal(apache_avro::Decimal::from([1, 2]))),
        (deep, Value::Array(vec![Value::Map([("k".to_owned(), inner)].into())])),
        (time, Value::TimestampMicros(5)),
        (kind, Value::Enum(1, "B".to_owned())),
    ];
    for (added_type, added) in cases {
        let newer = schema(EnrichedScore::SCHEMA, |fields| {
            fields.insert(1, json!({"name": "added", "type": added_type}))
        });
        let datum = write(&newer, with(of_score(&score()), "added", added));
        let read = read_datum::<EnrichedScore<'static>>(&parse_schema::<EnrichedScore<'static>>(&newer).unwrap(), &datum);
        assert_eq!(read.unwrap(), score(), "{newer}");
    }
}

#[test]
fn a_narrower_type_than_ours_is_read() {
    let narrower = schema(EnrichedScore::SCHEMA, |fields| {
        for field in fields {
            match field["name"].as_str() {
                Some("attempt" | "decision") => field["type"] = json!("int"),
                Some("grade") => field["type"] = json!("string"),
                Some("course_id") => field["type"] = json!(["string", "null"]),
                _ => {}
            }
            field.as_object_mut().unwrap().remove("default");
        }
    });
    let place = |value, name: &str, other| {
        let Value::Record(mut fields) = value else { panic!("no record") };
        fields.iter_mut().find(|(known, _)| known == name).unwrap().1 = other;
        Value::Record(fields)
    };
    let value = place(of_score(&score()), "attempt", Value::Int(2));
    let value = place(value, "decision", Value::Int(5));
    let value = place(value, "grade", Value::String("良".to_owned()));
    let value = place(value, "course_id", Value::Union(0, Box::new(Value::String("C-7".to_owned()))));
    let datum = write(&narrower, value);
    let read = read_datum::<EnrichedScore<'static>>(&parse_schema::<EnrichedScore<'static>>(&narrower).unwrap(), &datum).unwrap();
    let seen = (read.attempt, read.decision, read.grade.as_deref(), read.course_id.as_deref());
    assert_eq!(seen, (Some(2), 5, Some("良"), Some("C-7")));
}

fn check_unit<R: Record>(from: &str, to: &str, expected: Result<(), (&str, &str)>) {
    assert!(R::SCHEMA.contains(from), "{from}");
    let outcome = parse_schema::<R>(&R::SCHEMA.replacen(from, to, 1)).map(drop);
    let expected = expected.map_err(|(field, unit)| SchemaError::ForeignUnit {
        field: field.to_owned(),
        unit: unit.to_owned(),
    });
    assert_eq!(outcome, expected, "{to}");
}

#[test]
fn a_schema_that_means_another_unit_is_refused() {
    let scale = |scale: &str| format!(r#""logicalType": "decimal", "precision": 18{scale}"#);
    let decimal =
        |text: &str, unit| check_unit::<EnrichedScore<'static>>(&scale(r#", "scale": 6"#), &scale(text), Err(("exam_score", unit)));
    decimal(r#", "scale": 2"#, "decimal of scale 2");
    decimal("", "decimal of scale 0");
    for unit in ["timestamp-micros", "timestamp-nanos", "local-timestamp-millis", "time-micros"] {
        check_unit::<ScoreReport<'static>>("timestamp-millis", unit, Err(("received_at", unit)));
        check_unit::<Employee>("timestamp-millis", unit, Err(("identities.valid_from", unit)));
        check_unit::<IdentityAlias>("timestamp-millis", unit, Err(("decided_at", unit)));
    }
    check_unit::<ScoreReport<'static>>(r#", "logicalType": "timestamp-millis""#, "", Ok(()));
    check_unit::<IdentityAlias>(
        r#""type": "string""#,
        r#""type": {"type": "string", "logicalType": "uuid"}"#,
        Ok(()),
    );
}

#[test]
fn a_unit_behind_a_name_is_seen() {
    let named = json!({"type": "fixed", "name": "scoresync.Points", "size": 8, "logicalType": "decimal", "precision": 18, "scale": 3});
    let schema = schema(EnrichedScore::SCHEMA, |fields| {
        fields.insert(0, json!({"name": "bonus", "type": named}));
        let exam_score = fields.iter_mut().find(|field| field["name"] == "exam_score").unwrap();
        exam_score["type"] = json!(["null", "Points"]);
    });
    let refused = parse_schema::<EnrichedScore<'static>>(&schema).unwrap_err();
    assert!(refused.to_string().contains("exam_score as decimal of scale 3"), "{refused}");
}

#[test]
fn what_is_no_schema_is_refused() {
    for text in ["", "{", "7", r#"{"type": "record"}"#, r#"{"type": "lost"}"#] {
        assert_eq!(parse_schema::<Employee>(text).map(drop), Err(SchemaError::NotAvro), "{text}");
    }
}
