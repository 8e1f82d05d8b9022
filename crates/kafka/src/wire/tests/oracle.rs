//! The `apache-avro` crate, which shares no code with ours, reads what we write and writes what we read.

use std::fmt::Debug;

use apache_avro::{Decimal, Schema, reader::datum::GenericDatumReader, types::Value, writer::datum::GenericDatumWriter};
use proptest::prelude::*;
use scoresync_domain::{AliasSubject, Employee, EnrichedScore, IdentityAlias, Score, ScoreReport, Timestamp};

use super::{LibraryRecord, arbitrary, datum, decode};

pub(super) fn write(schema: &str, value: Value) -> Vec<u8> {
    let schema = Schema::parse_str(schema).unwrap();
    GenericDatumWriter::builder(&schema)
        .build()
        .unwrap()
        .write_value_to_vec(value)
        .unwrap()
}

fn read(schema: &str, datum: &[u8]) -> Value {
    let schema = Schema::parse_str(schema).unwrap();
    let mut rest = datum;
    let value = GenericDatumReader::builder(&schema).build().unwrap().read_value(&mut rest).unwrap();
    assert!(rest.is_empty(), "{} bytes are left over", rest.len());
    value
}

fn check<R: LibraryRecord>(record: &R::Borrowed<'_>, value: Value, is_same: impl Fn(&R::Borrowed<'_>) -> bool) -> Result<(), TestCaseError>
where
    for<'a> R::Borrowed<'a>: Debug + PartialEq,
{
    prop_assert_eq!(&read(R::SCHEMA, &datum::<R>(record)), &value);
    let foreign = write(R::SCHEMA, value);
    let ours = decode::<R>(&foreign).unwrap();
    prop_assert!(is_same(&ours), "{ours:?}");
    Ok(())
}

fn string(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

fn nullable(value: Option<Value>) -> Value {
    match value {
        None => Value::Union(0, Box::new(Value::Null)),
        Some(value) => Value::Union(1, Box::new(value)),
    }
}

fn maybe(text: &Option<impl AsRef<str>>) -> Value {
    nullable(text.as_ref().map(|text| string(text.as_ref())))
}

fn time(time: Timestamp) -> Value {
    Value::TimestampMillis(time.as_millis())
}

fn decimal(score: Option<Score>) -> Value {
    nullable(score.map(|score| Value::Decimal(Decimal::from(score.as_millionths().to_be_bytes()))))
}

fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Record(fields.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

pub(super) fn of_report(report: &ScoreReport<'_>) -> Value {
    let entry = |(name, value): (&str, Option<&str>)| (name.to_owned(), maybe(&value));
    record([
        ("source", string(report.source.as_ref())),
        ("received_at", time(report.received_at)),
        ("content_type", string(report.content_type.as_ref())),
        ("fields", Value::Map(report.fields.iter().map(entry).collect())),
        (
            "unparsed",
            nullable(report.unparsed.as_ref().map(|bytes| Value::Bytes(bytes.to_vec()))),
        ),
    ])
}

pub(super) fn of_score(score: &EnrichedScore<'_>) -> Value {
    let origin = record([
        ("generation", Value::Int(score.origin.generation)),
        ("partition", Value::Int(score.origin.partition)),
        ("offset", Value::Long(score.origin.offset)),
    ]);
    record([
        ("result_id", Value::Uuid(*score.result_id.as_uuid())),
        ("source", string(score.source.as_ref())),
        ("system", string(score.system.as_ref())),
        ("status", string(score.status.as_str())),
        ("employee_no", maybe(&score.employee_no)),
        ("employee_name", maybe(&score.employee_name)),
        ("department", maybe(&score.department)),
        ("position", maybe(&score.position)),
        ("course_id", maybe(&score.course_id)),
        ("course_title", maybe(&score.course_title)),
        ("exam_id", maybe(&score.exam_id)),
        ("exam_title", maybe(&score.exam_title)),
        ("attempt", nullable(score.attempt.map(Value::Long))),
        ("exam_score", decimal(score.exam_score)),
        ("min_score", decimal(score.min_score)),
        ("max_score", decimal(score.max_score)),
        ("grade", maybe(&score.grade)),
        ("passed", nullable(score.passed.map(Value::Boolean))),
        ("finish_timestamp", nullable(score.finish_timestamp.map(time))),
        ("revision", nullable(score.revision.map(Value::Long))),
        ("revision_scheme", Value::Int(score.revision_scheme)),
        ("mapping_version", Value::Int(score.mapping_version)),
        ("repeat", string(score.repeat.as_str())),
        ("decision", Value::Long(score.decision)),
        ("matched_by", maybe(&score.matched_by)),
        ("rounded", Value::Boolean(score.rounded)),
        ("received_at", time(score.received_at)),
        ("origin", origin),
        ("content_hash", Value::Fixed(16, score.content_hash.0.to_vec())),
    ])
}

pub(super) fn of_employee(employee: &Employee) -> Value {
    let identities = employee.identities.iter().map(|identity| {
        record([
            ("kind", string(identity.kind.as_str())),
            ("system", maybe(&identity.system)),
            ("value", string(&identity.value)),
            ("valid_from", nullable(identity.valid_from.map(time))),
            ("valid_to", nullable(identity.valid_to.map(time))),
        ])
    });
    record([
        ("employee_no", string(&employee.employee_no)),
        ("name", maybe(&employee.name)),
        ("department", maybe(&employee.department)),
        ("position", maybe(&employee.position)),
        ("identities", Value::Array(identities.collect())),
        ("left_at", nullable(employee.left_at.map(time))),
        ("replaced_by", maybe(&employee.replaced_by)),
        ("as_of", time(employee.as_of)),
    ])
}

pub(super) fn of_alias(alias: &IdentityAlias) -> Value {
    let (kind, source, value) = match &alias.subject {
        AliasSubject::Identity { source, kind, value } => (kind.as_str(), source.clone(), value.clone()),
        AliasSubject::Result(result_id) => ("result", None, result_id.to_string()),
    };
    let revocation = alias.revocation.as_ref();
    record([
        ("kind", string(kind)),
        ("source", maybe(&source)),
        ("value", string(value)),
        ("employee_no", maybe(&alias.employee_no)),
        ("decided_by", string(&alias.decided_by)),
        ("decided_at", time(alias.decided_at)),
        ("reason", string(&alias.reason)),
        ("revoked_by", maybe(&revocation.map(|revocation| &revocation.revoked_by))),
        ("revoked_at", nullable(revocation.map(|revocation| time(revocation.revoked_at)))),
        ("revoke_reason", maybe(&revocation.map(|revocation| &revocation.reason))),
    ])
}

/// The oracle's maps have no order.
fn in_order(report: &ScoreReport<'_>) -> Vec<(String, Option<String>)> {
    let mut fields: Vec<_> = report
        .fields
        .iter()
        .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
        .collect();
    fields.sort();
    fields
}

proptest! {
    #[test]
    fn score_reports_mean_the_same_to_both(report in arbitrary::report()) {
        check::<ScoreReport<'static>>(&report, of_report(&report), |read| {
            let same_rest = (&read.source, read.received_at, &read.content_type, &read.unparsed)
                == (&report.source, report.received_at, &report.content_type, &report.unparsed);
            same_rest && in_order(read) == in_order(&report)
        })?;
    }

    #[test]
    fn enriched_scores_mean_the_same_to_both(score in arbitrary::enriched_score()) {
        check::<EnrichedScore<'static>>(&score, of_score(&score), |read| *read == score)?;
    }

    #[test]
    fn employees_mean_the_same_to_both(employee in arbitrary::employee()) {
        check::<Employee>(&employee, of_employee(&employee), |read| *read == employee)?;
    }

    #[test]
    fn aliases_mean_the_same_to_both(alias in arbitrary::identity_alias()) {
        check::<IdentityAlias>(&alias, of_alias(&alias), |read| *read == alias)?;
    }
}
