//! The company is what its documentation says: every dirty case is there.

use std::collections::{BTreeMap, HashSet};

use super::*;

fn cases_of(dirty: &[Kind]) -> impl Iterator<Item = &'static str> {
    dirty.iter().map(|(case, _)| *case)
}

#[test]
fn a_company_is_as_large_as_it_is_asked_to_be() {
    for size in [
        Size::default(),
        Size {
            employees: 150,
            reports: 1_200,
        },
        Size {
            employees: 300,
            reports: 5_001,
        },
    ] {
        let company = Company::generate(1, size);
        assert_eq!(company.report_count(), size.reports);
        assert_eq!(company.employee_nos.len(), size.employees);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_gives_others() {
    let bodies = |seed| Company::generate(seed, Size::default()).deliveries;
    assert_eq!(bodies(7), bodies(7));
    assert_ne!(bodies(7), bodies(8));
}

#[test]
fn every_dirty_case_occurs_at_least_five_times() {
    let company = Company::generate(
        3,
        Size {
            employees: 150,
            reports: 1_200,
        },
    );
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for result in &company.results {
        *counts.entry(result.case).or_default() += 1;
    }
    let all = cases_of(academy::DIRTY)
        .chain(cases_of(skills::DIRTY))
        .chain(cases_of(centre::DIRTY));
    for case in all {
        assert!(counts.get(case).is_some_and(|count| *count >= AT_LEAST), "{case}: {counts:?}");
    }
}

#[test]
fn every_report_can_be_told_by_its_serial_in_the_bytes() {
    let company = Company::generate(5, Size::default());
    for delivery in &company.deliveries {
        let body = String::from_utf8_lossy(&delivery.body);
        let places: Vec<_> = delivery.reports.iter().map(|report| body.find(&report.serial)).collect();
        assert!(places.iter().all(Option::is_some), "{} {:?}", delivery.origin, places);
        assert!(places.is_sorted(), "rows are in the order of their reports");
    }
    let serials: HashSet<_> = company
        .deliveries
        .iter()
        .flat_map(|delivery| &delivery.reports)
        .map(|report| &report.serial)
        .collect();
    let redelivered: usize = 2 * REDELIVERED.iter().sum::<usize>();
    assert_eq!(serials.len() + redelivered, company.report_count());
}

#[test]
fn what_is_sent_twice_is_a_duplicate_the_second_time() {
    let company = Company::generate(5, Size::default());
    let mut seen: HashSet<&str> = HashSet::new();
    for report in company.deliveries.iter().flat_map(|delivery| &delivery.reports) {
        if !seen.insert(&report.serial) {
            assert!(!matches!(report.truth, Truth::Filed | Truth::Superseded), "{report:?}");
        }
    }
}

#[test]
fn who_left_is_missing_in_the_later_roster_and_who_was_renumbered_is_in_it_twice() {
    let company = Company::generate(1, Size::default());
    let lines = |roster: &Roster| roster.csv.lines().count() - 1;
    let (left, renumbered) = (12, 6);
    assert_eq!(
        (lines(&company.roster), lines(&company.later_roster)),
        (200, 200 - left + renumbered)
    );
}
