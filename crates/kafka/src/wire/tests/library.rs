//! How the library writes our records: it looks up each field by its name in the schema, and shares no code with ours.

use scoresync_domain::{AliasSubject, Employee, EnrichedScore, Fields, Identity, IdentityAlias, Score, ScoreReport, Timestamp};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_avro_fast::{Schema, ser::SerializerConfig};

use super::Record;

/// A record that the library can write.
pub(super) trait LibraryRecord: Record {
    /// Appends what `schema`, which is ours, makes of the record.
    fn write(record: &Self::Borrowed<'_>, schema: &Schema, buffer: &mut Vec<u8>);
}

fn write(fields: &impl Serialize, schema: &Schema, buffer: &mut Vec<u8>) {
    serde_avro_fast::to_datum(fields, buffer, &mut SerializerConfig::new(schema)).unwrap();
}

struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

struct Decimal(Score);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = self.0.as_millionths().to_be_bytes();
        let is_spare = |at: &usize| matches!((bytes[*at], bytes[*at + 1]), (0, ..0x80) | (0xff, 0x80..));
        serializer.serialize_bytes(&bytes[(0..7).take_while(is_spare).count()..])
    }
}

struct FieldMap<'a>(&'a Fields<'a>);

impl Serialize for FieldMap<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct RawScoreFields<'a> {
    source: &'a str,
    received_at: i64,
    content_type: &'a str,
    fields: FieldMap<'a>,
    unparsed: Option<Bytes<'a>>,
}

impl LibraryRecord for ScoreReport<'static> {
    fn write(report: &ScoreReport<'_>, schema: &Schema, buffer: &mut Vec<u8>) {
        let fields = RawScoreFields {
            source: &report.source,
            received_at: report.received_at.as_millis(),
            content_type: &report.content_type,
            fields: FieldMap(&report.fields),
            unparsed: report.unparsed.as_deref().map(Bytes),
        };
        write(&fields, schema, buffer);
    }
}

#[derive(Serialize)]
struct EnrichedScoreFields<'a> {
    result_id: &'a uuid::Uuid,
    source: &'a str,
    system: &'a str,
    status: &'a str,
    employee_no: Option<&'a str>,
    employee_name: Option<&'a str>,
    department: Option<&'a str>,
    position: Option<&'a str>,
    course_id: Option<&'a str>,
    course_title: Option<&'a str>,
    exam_id: Option<&'a str>,
    exam_title: Option<&'a str>,
    attempt: Option<i64>,
    exam_score: Option<Decimal>,
    min_score: Option<Decimal>,
    max_score: Option<Decimal>,
    grade: Option<&'a str>,
    passed: Option<bool>,
    finish_timestamp: Option<i64>,
    revision: Option<i64>,
    revision_scheme: i32,
    mapping_version: i32,
    repeat: &'a str,
    decision: i64,
    matched_by: Option<&'a str>,
    rounded: bool,
    received_at: i64,
    origin: OriginFields,
    content_hash: Bytes<'a>,
}

#[derive(Serialize)]
struct OriginFields {
    generation: i32,
    partition: i32,
    offset: i64,
}

impl LibraryRecord for EnrichedScore<'static> {
    fn write(score: &EnrichedScore<'_>, schema: &Schema, buffer: &mut Vec<u8>) {
        let fields = EnrichedScoreFields {
            result_id: score.result_id.as_uuid(),
            source: &score.source,
            system: &score.system,
            status: score.status.as_str(),
            employee_no: score.employee_no.as_deref(),
            employee_name: score.employee_name.as_deref(),
            department: score.department.as_deref(),
            position: score.position.as_deref(),
            course_id: score.course_id.as_deref(),
            course_title: score.course_title.as_deref(),
            exam_id: score.exam_id.as_deref(),
            exam_title: score.exam_title.as_deref(),
            attempt: score.attempt,
            exam_score: score.exam_score.map(Decimal),
            min_score: score.min_score.map(Decimal),
            max_score: score.max_score.map(Decimal),
            grade: score.grade.as_deref(),
            passed: score.passed,
            finish_timestamp: score.finish_timestamp.map(Timestamp::as_millis),
            revision: score.revision,
            revision_scheme: score.revision_scheme,
            mapping_version: score.mapping_version,
            repeat: score.repeat.as_str(),
            decision: score.decision,
            matched_by: score.matched_by.as_deref(),
            rounded: score.rounded,
            received_at: score.received_at.as_millis(),
            origin: OriginFields {
                generation: score.origin.generation,
                partition: score.origin.partition,
                offset: score.origin.offset,
            },
            content_hash: Bytes(&score.content_hash.0),
        };
        write(&fields, schema, buffer);
    }
}

#[derive(Serialize)]
struct EmployeeFields<'a> {
    employee_no: &'a str,
    name: Option<&'a str>,
    department: Option<&'a str>,
    position: Option<&'a str>,
    identities: Vec<IdentityFields<'a>>,
    left_at: Option<i64>,
    replaced_by: Option<&'a str>,
    as_of: i64,
}

#[derive(Serialize)]
struct IdentityFields<'a> {
    kind: &'a str,
    system: Option<&'a str>,
    value: &'a str,
    valid_from: Option<i64>,
    valid_to: Option<i64>,
}

impl<'a> From<&'a Identity> for IdentityFields<'a> {
    fn from(identity: &'a Identity) -> Self {
        Self {
            kind: identity.kind.as_str(),
            system: identity.system.as_deref(),
            value: &identity.value,
            valid_from: identity.valid_from.map(Timestamp::as_millis),
            valid_to: identity.valid_to.map(Timestamp::as_millis),
        }
    }
}

impl LibraryRecord for Employee {
    fn write(employee: &Employee, schema: &Schema, buffer: &mut Vec<u8>) {
        let fields = EmployeeFields {
            employee_no: &employee.employee_no,
            name: employee.name.as_deref(),
            department: employee.department.as_deref(),
            position: employee.position.as_deref(),
            identities: employee.identities.iter().map(IdentityFields::from).collect(),
            left_at: employee.left_at.map(Timestamp::as_millis),
            replaced_by: employee.replaced_by.as_deref(),
            as_of: employee.as_of.as_millis(),
        };
        write(&fields, schema, buffer);
    }
}

#[derive(Serialize)]
struct IdentityAliasFields<'a> {
    kind: &'a str,
    source: Option<&'a str>,
    value: String,
    employee_no: Option<&'a str>,
    decided_by: &'a str,
    decided_at: i64,
    reason: &'a str,
    revoked_by: Option<&'a str>,
    revoked_at: Option<i64>,
    revoke_reason: Option<&'a str>,
}

impl LibraryRecord for IdentityAlias {
    fn write(alias: &IdentityAlias, schema: &Schema, buffer: &mut Vec<u8>) {
        let (kind, source, value) = match &alias.subject {
            AliasSubject::Identity { source, kind, value } => (kind.as_str(), source.as_deref(), value.clone()),
            AliasSubject::Result(result_id) => ("result", None, result_id.to_string()),
        };
        let revocation = alias.revocation.as_ref();
        let fields = IdentityAliasFields {
            kind,
            source,
            value,
            employee_no: alias.employee_no.as_deref(),
            decided_by: &alias.decided_by,
            decided_at: alias.decided_at.as_millis(),
            reason: &alias.reason,
            revoked_by: revocation.map(|revocation| revocation.revoked_by.as_str()),
            revoked_at: revocation.map(|revocation| revocation.revoked_at.as_millis()),
            revoke_reason: revocation.map(|revocation| revocation.reason.as_str()),
        };
        write(&fields, schema, buffer);
    }
}
