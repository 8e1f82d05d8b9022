//! What one report costs on its way through the mapper, from its bytes to those of its enriched score, without a broker:
//! `cargo bench -p scoresync-mapper --bench report`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "nothing can be measured where something is wrong"
)]

#[path = "../../domain/tests/shared/staff.rs"]
#[expect(dead_code, reason = "reports look for employees by themselves here")]
mod staff;

#[path = "../../domain/tests/shared/bench_source.rs"]
mod bench_source;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use scoresync_domain::{EnrichedScore, Fields, Origin, ScoreReport, Timestamp, decide};
use scoresync_kafka::{Encoder, HEADER_BYTES, read_own};

/// Of the reports in memory: their bytes do not fit into the processor's caches, as they would not on their way.
const REPORTS: u32 = 50_000;
const ORIGIN: Origin = Origin {
    generation: 1,
    partition: 3,
    offset: 1_234_567,
};

fn through_the_mapper(criterion: &mut Criterion) {
    let sources = bench_source::sources();
    let mut group = criterion.benchmark_group("report to enriched score");
    group.throughput(Throughput::Elements(1)).sample_size(50);
    for employees in [1_000, 100_000, 1_000_000] {
        let (directory, reports) = (staff::directory(employees), reports(employees));
        let mut places = (0..reports.len()).cycle();
        let encoder = Encoder::<EnrichedScore<'static>>::new(1);
        let (mut buffer, mut key) = (Vec::new(), String::new());
        group.bench_function(format!("{employees} employees"), |bencher| {
            bencher.iter(|| {
                let datum = &reports[places.next().unwrap()];
                let report = read_own::<ScoreReport<'static>>(datum).unwrap();
                let score = decide(&report, ORIGIN, &sources, &directory).unwrap();
                score.result_id.write_to(&mut key);
                encoder.encode(&score, &mut buffer).unwrap();
                black_box((&key, &buffer));
            });
        });
    }
    group.finish();
}

fn content_hash(criterion: &mut Criterion) {
    let (sources, directory) = (bench_source::sources(), staff::directory(10));
    let report = report(7);
    let score = decide(&report, ORIGIN, &sources, &directory).unwrap();
    criterion.bench_function("content hash", |bencher| bencher.iter(|| black_box(&score).hash_content()));
}

/// About employees far from one another.
fn reports(employees: u32) -> Vec<Vec<u8>> {
    let encoder = Encoder::<ScoreReport<'static>>::new(1);
    let about = |place: u32| {
        let mut bytes = Vec::new();
        encoder.encode(&report(staff::scattered(place, employees)), &mut bytes).unwrap();
        bytes.split_off(HEADER_BYTES)
    };
    (0..REPORTS).map(about).collect()
}

/// What a training system sends; two of five name nobody but by a phone.
fn report(number: u32) -> ScoreReport<'static> {
    // Every fiftieth has left before the exam.
    let number = if number.is_multiple_of(50) { number + 1 } else { number };
    let employee_no = (number % 5 < 3).then(|| staff::employee_no(number));
    let fields = [
        ("成绩编号", Some(format!("CJ{number:08}"))),
        ("工号", employee_no),
        ("手机号", Some(staff::phone(number))),
        ("姓名", staff::employee(number).name),
        ("课程编号", Some("AQ-0345".to_owned())),
        ("课程名称", Some("安全生产管理与应急处置培训（第345期）".to_owned())),
        ("考试编号", Some("KS-000012".to_owned())),
        ("分数", Some("85.5".to_owned())),
        ("满分", Some("100".to_owned())),
        ("完成时间", Some("2026-10-06 09:45:00".to_owned())),
        ("版本", Some("1".to_owned())),
    ];
    let given = fields.into_iter().filter(|(_, value)| value.is_some());
    ScoreReport {
        source: "bench".into(),
        received_at: Timestamp::from_millis(1_794_000_000_000),
        content_type: "application/json".into(),
        fields: Fields::from_unique(given.map(|(name, value)| (name.into(), value.map(Into::into))).collect()),
        unparsed: None,
    }
}

criterion_group!(benches, through_the_mapper, content_hash);
criterion_main!(benches);
