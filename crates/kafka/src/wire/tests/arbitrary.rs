//! Records with arbitrary contents.

use std::borrow::Cow;

use proptest::{collection::vec, option, prelude::*, sample::select};
use scoresync_domain::{
    AliasSubject, ContentHash, Employee, EnrichedScore, Fields, Identity, IdentityAlias, IdentityKind, Origin, Repeat, ResultId,
    Revocation, Score, ScoreReport, Status, Timestamp,
};
use uuid::Uuid;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z#2]{1,3}",
        "分数|完成时间|\\PC{0,20}",
        "[\\x00-\\x1f]{1,2}"
    ]
}

fn cow() -> impl Strategy<Value = Cow<'static, str>> {
    text().prop_map(Cow::Owned)
}

fn maybe() -> impl Strategy<Value = Option<Cow<'static, str>>> {
    option::of(cow())
}

fn maybe_string() -> impl Strategy<Value = Option<String>> {
    option::of(text())
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn score() -> impl Strategy<Value = Option<Score>> {
    let limit = 999_999_999_999_999_999_i64;
    let millionths = prop_oneof![
        Just(0),
        Just(limit),
        Just(-limit),
        select(vec![-129, -128, -1, 127, 128, 32_767, -32_769]),
        -limit..=limit,
        -100_000_000..=100_000_000_i64
    ];
    option::of(millionths.prop_map(|millionths| Score::from_millionths(millionths).unwrap()))
}

pub(super) fn report() -> impl Strategy<Value = ScoreReport<'static>> {
    let fields = vec((cow(), maybe()), 0..40).prop_map(|entries| {
        let mut fields = Fields::default();
        entries.into_iter().for_each(|(name, value)| fields.push(name, value));
        fields
    });
    let unparsed = option::of(vec(any::<u8>(), 0..50).prop_map(Cow::Owned));
    (cow(), time(), cow(), fields, unparsed).prop_map(|(source, received_at, content_type, fields, unparsed)| ScoreReport {
        source,
        received_at,
        content_type,
        fields,
        unparsed,
    })
}

pub(super) fn enriched_score() -> impl Strategy<Value = EnrichedScore<'static>> {
    let about = (any::<u128>(), cow(), cow(), select(Status::ALL), vec(maybe(), 10));
    let marks = (
        option::of(any::<i64>()),
        score(),
        score(),
        score(),
        option::of(any::<bool>()),
        option::of(time()),
    );
    let order = (
        option::of(any::<i64>()),
        any::<i32>(),
        any::<i32>(),
        select(Repeat::ALL),
        any::<i64>(),
        any::<bool>(),
    );
    let place = (time(), any::<i32>(), any::<i32>(), any::<i64>(), any::<[u8; 16]>());
    (about, marks, order, place).prop_map(|(about, marks, order, place)| {
        let (id, source, system, status, mut texts) = about;
        let mut next = || texts.pop().unwrap();
        EnrichedScore {
            result_id: ResultId::from_uuid(Uuid::from_u128(id)),
            source,
            system,
            status,
            employee_no: next(),
            employee_name: next(),
            department: next(),
            position: next(),
            course_id: next(),
            course_title: next(),
            exam_id: next(),
            exam_title: next(),
            attempt: marks.0,
            exam_score: marks.1,
            min_score: marks.2,
            max_score: marks.3,
            grade: next(),
            passed: marks.4,
            finish_timestamp: marks.5,
            revision: order.0,
            revision_scheme: order.1,
            mapping_version: order.2,
            repeat: order.3,
            decision: order.4,
            matched_by: next(),
            rounded: order.5,
            received_at: place.0,
            origin: Origin {
                generation: place.1,
                partition: place.2,
                offset: place.3,
            },
            content_hash: ContentHash(place.4),
        }
    })
}

pub(super) fn employee() -> impl Strategy<Value = Employee> {
    let identity = (
        select(IdentityKind::ALL),
        maybe_string(),
        text(),
        option::of(time()),
        option::of(time()),
    )
        .prop_map(|(kind, system, value, valid_from, valid_to)| Identity {
            kind,
            system,
            value,
            valid_from,
            valid_to,
        });
    let person = ("\\PC{1,10}", maybe_string(), maybe_string(), maybe_string());
    (person, vec(identity, 0..5), option::of(time()), maybe_string(), time()).prop_map(
        |(person, identities, left_at, replaced_by, as_of)| {
            let (employee_no, name, department, position) = person;
            Employee {
                employee_no,
                name,
                department,
                position,
                identities,
                left_at,
                replaced_by,
                as_of,
            }
        },
    )
}

pub(super) fn identity_alias() -> impl Strategy<Value = IdentityAlias> {
    let identity = (maybe_string(), select(IdentityKind::ALL), text()).prop_map(|(source, kind, value)| AliasSubject::Identity {
        source,
        kind,
        value,
    });
    let result = any::<u128>().prop_map(|id| AliasSubject::Result(ResultId::from_uuid(Uuid::from_u128(id))));
    let revocation = (text(), time(), text()).prop_map(|(revoked_by, revoked_at, reason)| Revocation {
        revoked_by,
        revoked_at,
        reason,
    });
    let subject = prop_oneof![identity, result];
    (subject, maybe_string(), text(), time(), text(), option::of(revocation)).prop_map(
        |(subject, employee_no, decided_by, decided_at, reason, revocation)| IdentityAlias {
            subject,
            employee_no,
            decided_by,
            decided_at,
            reason,
            revocation,
        },
    )
}
