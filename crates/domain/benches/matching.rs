//! What it costs to take in employees and to find them, in directories of which the processor's caches hold little.

#[path = "../tests/shared/staff.rs"]
mod staff;

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput};
use scoresync_domain::Directory;

const SIZES: [u32; 2] = [100_000, 1_000_000];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for employees in SIZES {
        matching(&mut criterion, employees);
        taking_in(&mut criterion, employees);
    }
    criterion.final_summary();
}

fn matching(criterion: &mut Criterion, employees: u32) {
    let directory = staff::directory(employees);
    let mut group = criterion.benchmark_group(format!("match among {employees}"));
    group.throughput(Throughput::Elements(1));
    let numbers = Presented::scattered(employees, staff::employee_no);
    let mut places = (0..employees as usize).cycle();
    group.bench_function("by employee number", |bencher| {
        bencher.iter(|| {
            let employee_no = places.next().map(|place| numbers.get(place));
            find(&directory, employee_no, None);
        });
    });
    let phones = Presented::scattered(employees, staff::phone);
    group.bench_function("by phone", |bencher| {
        bencher.iter(|| {
            let phone = places.next().map(|place| phones.get(place));
            find(&directory, None, phone);
        });
    });
    group.bench_function("by employee number, with the phone beside it", |bencher| {
        bencher.iter(|| {
            let place = places.next().unwrap_or(0);
            let (employee_no, phone) = (Some(numbers.get(place)), Some(phones.get(place)));
            find(&directory, employee_no, phone);
        });
    });
    group.finish();
}

fn taking_in(criterion: &mut Criterion, employees: u32) {
    let mut group = criterion.benchmark_group(format!("take in {employees}"));
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    group.throughput(Throughput::Elements(u64::from(employees)));
    group.bench_function("all, made meanwhile", |bencher| {
        bencher.iter_with_large_drop(|| staff::directory(employees));
    });
    group.bench_function("none, only made", |bencher| {
        bencher.iter(|| (0..employees).for_each(|number| drop(black_box(staff::employee(number)))));
    });
    group.finish();
}

/// What reports present, one after the other in one text, so that reading it costs next to nothing.
struct Presented {
    texts: String,
    bytes_each: usize,
}

impl Presented {
    /// Of all employees once, far from one neighbour to the next.
    fn scattered(employees: u32, text: fn(u32) -> String) -> Self {
        Self {
            texts: (0..employees).map(|place| text(staff::scattered(place, employees))).collect(),
            bytes_each: text(0).len(),
        }
    }

    fn get(&self, place: usize) -> &str {
        &self.texts[place * self.bytes_each..][..self.bytes_each]
    }
}

/// All that is in the employee's row goes into the enriched score.
fn find(directory: &Directory, employee_no: Option<&str>, phone: Option<&str>) {
    let employee = staff::find(directory, employee_no, phone).map(|found| found.employee);
    let texts = employee.map(|employee| (employee.employee_no(), employee.name(), employee.department(), employee.position()));
    assert!(black_box(texts).is_ok());
}
