//! Employees: successors, erasure, order.

use std::{collections::BTreeMap, ops::ControlFlow};

use scoresync_archive::{Archive, EmployeeChange, Surveyed};
use scoresync_domain::Fate;

use super::builders::{apply, apply_employees, count_of, employee, naming, score};

async fn results_of(archive: &Archive, employee_no: &str) -> usize {
    archive.records_of(employee_no).await.unwrap().len()
}

pub(crate) async fn a_successor_settles_refusals_and_takes_the_records(archive: &Archive) {
    apply(
        archive,
        [score("a", 1, 80), naming(score("a", 2, 90), "E9"), naming(score("b", 3, 70), "E9")],
    )
    .await;
    assert_eq!(count_of(archive, Fate::Refused).await, 1);
    let applied = apply_employees(archive, &[employee("E1", Some("E5"), 1), employee("E5", Some("E9"), 1)]).await;
    assert_eq!(applied.judged_again, BTreeMap::from([(Fate::Filed, 1)]));
    assert_eq!(archive.records_of("E1").await.unwrap()[0].head.origin.offset, 2);
    assert_eq!(
        [
            results_of(archive, "E1").await,
            results_of(archive, "E5").await,
            results_of(archive, "E9").await
        ],
        [1, 1, 2]
    );
    assert_eq!(
        [count_of(archive, Fate::Filed).await, count_of(archive, Fate::Refused).await],
        [3, 0]
    );
    assert_eq!(apply(archive, [naming(score("a", 4, 95), "E9")]).await.fates, [Fate::Filed]);
}

pub(crate) async fn a_successor_of_the_owner_settles_refusals_too(archive: &Archive) {
    apply(archive, [naming(score("a", 1, 80), "E9"), score("a", 2, 80)]).await;
    let applied = apply_employees(archive, &[employee("E1", Some("E9"), 1)]).await;
    assert_eq!(applied.judged_again, BTreeMap::from([(Fate::Duplicate, 1)]));
    assert_eq!(count_of(archive, Fate::Refused).await, 0);
}

pub(crate) async fn an_older_statement_never_overwrites_a_newer_one(archive: &Archive) {
    apply(archive, [score("a", 1, 80)]).await;
    apply_employees(archive, &[employee("E1", Some("E9"), 20)]).await;
    apply_employees(archive, &[employee("E1", None, 10)]).await;
    assert_eq!(results_of(archive, "E9").await, 1);
    apply_employees(archive, &[employee("E1", None, 20)]).await;
    assert_eq!(results_of(archive, "E9").await, 0);
}

pub(crate) async fn all_spellings_of_a_number_are_found_by_any_of_them(archive: &Archive) {
    apply_employees(archive, &["e1", "E1 ", "E11", "\u{ff25}2"].map(|number| employee(number, None, 1))).await;
    for (asked, expected) in [("E1", &["E1 ", "e1"][..]), ("e2", &["\u{ff25}2"]), ("E3", &[])] {
        let mut spellings = archive.spellings_of(asked).await.unwrap();
        spellings.sort();
        assert_eq!(spellings, expected, "{asked}");
    }
}

pub(crate) async fn an_erased_employee_leaves_the_records(archive: &Archive) {
    apply(archive, [score("a", 1, 80)]).await;
    apply_employees(archive, &[employee("E1", Some("E9"), 20), employee("E9", None, 20)]).await;
    let erase = EmployeeChange::Erase {
        employee_no: "E1".to_owned(),
    };
    let unusable = employee("E\0", None, 1);
    assert_eq!(
        apply_employees(archive, &[erase, unusable, employee("E8", None, 1)]).await.unusable,
        1
    );
    assert_eq!([results_of(archive, "E1").await, results_of(archive, "E9").await], [1, 0]);
    // What was known of an erased employee does not stand against an older statement.
    apply_employees(archive, &[employee("E1", Some("E9"), 10)]).await;
    assert_eq!(results_of(archive, "E9").await, 1);
}

pub(crate) async fn a_circle_of_successors_ends(archive: &Archive) {
    apply(archive, [naming(score("a", 1, 80), "E2"), naming(score("a", 2, 90), "E1")]).await;
    let circle = [
        employee("E1", Some("E2"), 1),
        employee("E2", Some("E3"), 1),
        employee("E3", Some("E1"), 1),
    ];
    let applied = apply_employees(archive, &circle).await;
    assert_eq!(applied.judged_again, BTreeMap::from([(Fate::Filed, 1)]));
    assert_eq!([results_of(archive, "E1").await, results_of(archive, "E3").await], [1, 1]);
}

pub(crate) async fn what_counted_goes_on_counting_when_a_successor_is_taken_back(archive: &Archive) {
    let other = |offset, points| naming(score("a", offset, points), "E2");
    apply_employees(archive, &[employee("E2", Some("E1"), 1)]).await;
    assert_eq!(
        apply(archive, [score("a", 1, 80), other(2, 90)]).await.fates,
        [Fate::Filed, Fate::Filed]
    );
    apply_employees(archive, &[employee("E2", None, 2)]).await;
    assert_eq!(
        apply(archive, [other(3, 95), score("a", 0, 60)]).await.fates,
        [Fate::Refused, Fate::Superseded]
    );
    let record = archive.records_of("E1").await.unwrap().remove(0);
    assert_eq!((record.head.origin.offset, record.history.len()), (2, 2));
}

pub(crate) async fn a_successor_is_meant_in_its_normal_form_where_nobody_has_the_number_as_it_is_written(archive: &Archive) {
    for (key, written) in [("E1", "e9"), ("E2", "\u{ff25}\u{ff19}"), ("E3", " E9 ")] {
        apply(archive, [naming(score(key, 1, 80), key)]).await;
        apply_employees(archive, &[employee(key, Some(written), 1), employee("E9", None, 1)]).await;
        assert_eq!(
            apply(archive, [naming(score(key, 2, 90), "E9")]).await.fates,
            [Fate::Filed],
            "{written}"
        );
    }
    assert_eq!(results_of(archive, "E9").await, 3);
}

pub(crate) async fn a_refusal_is_settled_when_the_successors_record_comes_or_goes(archive: &Archive) {
    apply(
        archive,
        [score("a", 1, 80), naming(score("a", 2, 90), "e9"), naming(score("a", 3, 95), "E9")],
    )
    .await;
    // Nobody is e9, so E9 is meant; then somebody is.
    let applied = apply_employees(archive, &[employee("E1", Some("e9"), 1)]).await;
    assert_eq!(applied.judged_again, BTreeMap::from([(Fate::Filed, 1)]));
    assert_eq!(archive.records_of("E9").await.unwrap()[0].head.origin.offset, 3);
    let applied = apply_employees(archive, &[employee("e9", None, 1)]).await;
    assert_eq!(applied.judged_again, BTreeMap::from([(Fate::Superseded, 1)]));
    assert_eq!([results_of(archive, "e9").await, results_of(archive, "E9").await], [1, 0]);
    let erase = EmployeeChange::Erase {
        employee_no: "e9".to_owned(),
    };
    apply_employees(archive, &[erase]).await;
    assert_eq!([results_of(archive, "e9").await, results_of(archive, "E9").await], [0, 1]);
}

/// Who took whose place: as it stands, and as it stood once.
async fn successors_of(archive: &Archive) -> [Vec<(String, String)>; 2] {
    let [mut present, mut former] = [Vec::new(), Vec::new()];
    let mut visit = |row: Surveyed| {
        if let Surveyed::Replaced { employee_no, successor } = row {
            present.push((employee_no, successor));
        } else if let Surveyed::FormerlyReplaced { employee_no, successor } = row {
            former.push((employee_no, successor));
        }
        ControlFlow::Continue(())
    };
    archive.survey(&mut visit).await.unwrap();
    [present, former]
}

pub(crate) async fn a_successor_that_changes_or_goes_is_remembered(archive: &Archive) {
    let check = async |changes: &[EmployeeChange], [present, former]: [&[(&str, &str)]; 2]| {
        apply_employees(archive, changes).await;
        let owned = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(one, other)| (one.to_string(), other.to_string()))
                .collect::<Vec<_>>()
        };
        assert_eq!(successors_of(archive).await, [owned(present), owned(former)], "{changes:?}");
    };
    check(&[employee("E1", Some("E9"), 1)], [&[("E1", "E9")], &[]]).await;
    check(&[employee("E1", Some("E9"), 2), employee("E2", None, 1)], [&[("E1", "E9")], &[]]).await;
    check(&[employee("E1", Some("E8"), 3)], [&[("E1", "E8")], &[("E1", "E9")]]).await;
    check(&[employee("E1", None, 4)], [&[], &[("E1", "E8"), ("E1", "E9")]]).await;
    let again = [("E1", "E9")];
    check(&[employee("E1", Some("E9"), 5)], [&again, &[("E1", "E8"), ("E1", "E9")]]).await;
    let erased = ["E1", "E2"].map(|number| EmployeeChange::Erase {
        employee_no: number.to_owned(),
    });
    check(&erased, [&[], &[("E1", "E8"), ("E1", "E9")]]).await;
}
