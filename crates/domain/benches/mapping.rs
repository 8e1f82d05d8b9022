//! What mapping one report costs, as a whole and in its parts.
#![expect(clippy::expect_used, reason = "what cannot be set up cannot be measured")]

#[path = "../tests/shared/bench_source.rs"]
mod bench_source;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use scoresync_domain::{Fields, ResultId, Score, ScoreReport, Source, Sources, SourcesSettings, Timestamp};

/// A source with names in two languages, and a key of several parts.
const BY_LEARNER: &str = r#"
mapping_version = 1
repeat = "correction"
time_zone = "Asia/Shanghai"
region = "CN"
employees_match = ["employee_no", "phone"]
key = ["learner", "course_id", "exam_id"]
attempt = "none"
fields = { employee_no = ["工号", "employee_no"], employee_name = ["姓名", "employee_name"], phone = ["手机号", "phone"],
    course_id = ["课程编号", "course_id"], course_title = ["课程名称", "course_title"], exam_id = ["考试编号", "exam_id"],
    exam_score = ["分数", "score"], max_score = ["满分", "max_score"], passed = "及格",
    finish_timestamp = { from = ["完成时间", "finished_at"], formats = ["%Y-%m-%d %H:%M:%S"] } }
"#;

/// The least that a report can say, so that what reads its time, or its number, can be told from the rest.
const LEAST: &str = r#"
mapping_version = 1
repeat = "redelivery"
employees_match = ["employee_no"]
key = ["result"]
"#;

fn source(settings: &str) -> Source {
    let settings: SourcesSettings = toml::from_str(&format!("[bench]\n{settings}")).expect("the settings can be read");
    bench(&Sources::compile(&settings).expect("the settings are right"))
}

fn bench(sources: &Sources) -> Source {
    sources.get("bench").expect("the source is there").clone()
}

fn report(fields: &[(&'static str, &'static str)]) -> ScoreReport<'static> {
    let fields = fields.iter().map(|(name, value)| ((*name).into(), Some((*value).into())));
    ScoreReport {
        source: "bench".into(),
        received_at: Timestamp::from_millis(1_794_000_000_000),
        content_type: "application/json".into(),
        fields: Fields::from_unique(fields.collect()),
        unparsed: None,
    }
}

/// What a training system sends.
fn usual() -> ScoreReport<'static> {
    report(&[
        ("成绩编号", "CJ00012345"),
        ("工号", "E0001234"),
        ("手机号", "19900001234"),
        ("姓名", "李秀英"),
        ("课程编号", "AQ-0345"),
        ("课程名称", "安全生产管理与应急处置培训（第345期）"),
        ("考试编号", "KS-000012"),
        ("分数", "85.5"),
        ("满分", "100"),
        ("及格", "是"),
        ("完成时间", "2026-10-06 09:45:00"),
        ("版本", "1"),
    ])
}

fn whole(criterion: &mut Criterion) {
    let report = usual();
    let (by_result, by_learner) = (bench(&bench_source::sources()), source(BY_LEARNER));
    let mut group = criterion.benchmark_group("map");
    group.bench_function("by result", |bencher| bencher.iter(|| by_result.map(black_box(&report)).is_ok()));
    group.bench_function("by learner", |bencher| bencher.iter(|| by_learner.map(black_box(&report)).is_ok()));
    group.bench_function("key by result", |bencher| {
        bencher.iter(|| by_result.result_key(black_box(&report.fields)))
    });
}

fn hashes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hash");
    group.bench_function("result id of one part", |bencher| {
        bencher.iter(|| ResultId::from_key(black_box("bench"), [black_box("CJ00012345")]))
    });
    group.bench_function("result id of four parts", |bencher| {
        bencher.iter(|| ResultId::from_key(black_box("bench"), black_box(["E0001234", "AQ-0345", "KS-000012", "1"])))
    });
}

fn values(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("values");
    for (name, written) in [("85.5", "85.5"), ("with an exponent", "8.55e1")] {
        group.bench_function(format!("score {name}"), |bencher| bencher.iter(|| Score::parse(black_box(written))));
    }
    for (name, formats, zone, written) in [
        ("unix_seconds", "['unix_seconds']", "UTC", "1791251100"),
        ("rfc3339", "['rfc3339']", "UTC", "2026-10-06T09:45:00+08:00"),
        ("pattern", "['%Y-%m-%d %H:%M:%S']", "Asia/Shanghai", "2026-10-06 09:45:00"),
        ("pattern, short", "['%Y/%m/%d %H:%M']", "Asia/Shanghai", "2026/10/06 09:45"),
        ("pattern, rare", "['%d.%m.%Y %H:%M']", "Asia/Shanghai", "06.10.2026 09:45"),
        (
            "pattern, New York",
            "['%Y-%m-%d %H:%M:%S']",
            "America/New_York",
            "2026-10-05 21:45:00",
        ),
    ] {
        let finished = format!("finish_timestamp = {{ from = '完成时间', formats = {formats}, zone = '{zone}' }}");
        let fields = "result = '成绩编号', employee_no = '工号', course_id = '课程编号', grade = '等级'";
        let source = source(&format!("{LEAST}\nfields = {{ {fields}, {finished} }}"));
        let least = [
            ("成绩编号", "CJ00012345"),
            ("工号", "E0001234"),
            ("课程编号", "AQ-0345"),
            ("等级", "A"),
        ];
        let report = report(&[&least[..], &[("完成时间", written)]].concat());
        group.bench_function(format!("least report, time as {name}"), |bencher| {
            bencher.iter(|| source.map(black_box(&report)).is_ok())
        });
    }
}

criterion_group!(benches, whole, hashes, values);
criterion_main!(benches);
