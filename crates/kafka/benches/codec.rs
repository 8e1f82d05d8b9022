//! What reading and writing one record costs, straight on and by the library, side by side: `cargo bench -p scoresync-kafka --bench codec`.

#![expect(clippy::unwrap_used, reason = "nothing can be measured where something is wrong")]

#[path = "../src/wire/tests/library.rs"]
mod library;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use scoresync_domain::{
    AliasSubject, ContentHash, Employee, EnrichedScore, Fields, Identity, IdentityAlias, IdentityKind, Origin, Repeat, ResultId, Score,
    ScoreReport, Status, Timestamp,
};
use scoresync_kafka::{Encoder, HEADER_BYTES, Record, parse_schema, read_datum, read_own};

use library::LibraryRecord;

const NOW: Timestamp = Timestamp::from_millis(1_795_330_800_123);

fn codec(criterion: &mut Criterion) {
    compare::<ScoreReport<'static>>(criterion, "RawScore", &report());
    compare::<EnrichedScore<'static>>(criterion, "EnrichedScore", &score());
    compare::<Employee>(criterion, "Employee", &employee());
    compare::<IdentityAlias>(criterion, "IdentityAlias", &alias());
}

fn compare<R: LibraryRecord>(criterion: &mut Criterion, name: &str, record: &R::Borrowed<'_>) {
    let schema = parse_schema::<R>(R::SCHEMA).unwrap();
    let encoder = Encoder::<R>::new(1);
    let mut buffer = Vec::new();
    encoder.encode(record, &mut buffer).unwrap();
    let datum = buffer.split_off(HEADER_BYTES);

    let mut reading = criterion.benchmark_group(format!("read {name} of {} bytes", datum.len()));
    reading.bench_function("straight", |bencher| bencher.iter(|| read_own::<R>(black_box(&datum))));
    reading.bench_function("library", |bencher| {
        bencher.iter(|| read_datum::<R>(&schema, black_box(&datum)));
    });
    reading.finish();

    let mut writing = criterion.benchmark_group(format!("write {name} of {} bytes", datum.len()));
    writing.bench_function("straight", |bencher| {
        bencher.iter(|| encoder.encode(black_box(record), &mut buffer));
    });
    writing.bench_function("library", |bencher| {
        bencher.iter(|| {
            buffer.clear();
            R::write(black_box(record), &schema, &mut buffer);
        });
    });
    writing.finish();
}

fn report() -> ScoreReport<'static> {
    let mut fields = Fields::default();
    for (name, value) in [
        ("工号", "E10086"),
        ("手机号", "13800138000"),
        ("姓名", "欧阳小明"),
        ("课程编号", "C-2026-017"),
        ("课程名称", "安全生产与应急处置"),
        ("考试编号", "X-20261122-01"),
        ("分数", "85.5"),
        ("满分", "100"),
        ("及格", "是"),
        ("完成时间", "2026-11-22 15:00:00"),
        ("流水号", "S202611220001234"),
    ] {
        fields.push(name, Some(value));
    }
    ScoreReport {
        source: "academy".into(),
        received_at: NOW,
        content_type: "application/x-ndjson".into(),
        fields,
        unparsed: None,
    }
}

fn score() -> EnrichedScore<'static> {
    let mut score = EnrichedScore {
        result_id: ResultId::from_key("academy", ["E10086", "C-2026-017", "X-20261122-01", "1"]),
        source: "academy".into(),
        system: "academy".into(),
        status: Status::Final,
        employee_no: Some("E10086".into()),
        employee_name: Some("欧阳小明".into()),
        department: Some("生产技术部".into()),
        position: Some("工程师".into()),
        course_id: Some("C-2026-017".into()),
        course_title: Some("安全生产与应急处置".into()),
        exam_id: Some("X-20261122-01".into()),
        exam_title: None,
        attempt: None,
        exam_score: Score::from_millionths(85_500_000),
        min_score: None,
        max_score: Score::from_millionths(100_000_000),
        grade: None,
        passed: Some(true),
        finish_timestamp: Some(NOW),
        revision: Some(NOW.as_millis()),
        revision_scheme: 1,
        mapping_version: 1,
        repeat: Repeat::Redelivery,
        decision: 0,
        matched_by: Some("employee_no".into()),
        rounded: false,
        received_at: NOW,
        origin: Origin {
            generation: 1,
            partition: 5,
            offset: 1_234_567,
        },
        content_hash: ContentHash([0; 16]),
    };
    score.content_hash = score.hash_content();
    score
}

fn employee() -> Employee {
    let identity = |kind, system: Option<&str>, value: &str| Identity {
        kind,
        system: system.map(str::to_owned),
        value: value.to_owned(),
        valid_from: Some(NOW),
        valid_to: None,
    };
    Employee {
        employee_no: "E10086".to_owned(),
        name: Some("欧阳小明".to_owned()),
        department: Some("生产技术部".to_owned()),
        position: Some("工程师".to_owned()),
        identities: vec![
            identity(IdentityKind::Phone, None, "13800138000"),
            identity(IdentityKind::Email, None, "ouyang.xiaoming@example.com"),
            identity(IdentityKind::Account, Some("academy"), "ouyangxm"),
        ],
        left_at: None,
        replaced_by: None,
        as_of: NOW,
    }
}

fn alias() -> IdentityAlias {
    IdentityAlias {
        subject: AliasSubject::Identity {
            source: Some("academy".to_owned()),
            kind: IdentityKind::Account,
            value: "ouyangxm".to_owned(),
        },
        employee_no: Some("E10086".to_owned()),
        decided_by: "wang.fang".to_owned(),
        decided_at: NOW,
        reason: "换了手机号".to_owned(),
        revocation: None,
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
