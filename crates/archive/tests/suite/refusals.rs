//! What is not let count is kept with its reason, and can come to count.

use std::{collections::BTreeMap, ops::Range};

use scoresync_archive::{Archive, ArchiveError, Refusals};
use scoresync_domain::{Fate, Refusal};

use super::builders::{apply, batch, claim, count_of, naming, partition, result, score, try_apply, with};

pub(crate) async fn refusing_can_be_withheld_and_then_changes_nothing(archive: &Archive) {
    apply(archive, [score("a", 1, 80)]).await;
    let said = || [naming(score("a", 2, 90), "E2"), score("b", 3, 50)];
    let withheld = try_apply(archive, said(), Refusals::Withhold).await;
    assert!(matches!(withheld, Err(ArchiveError::WouldRefuse)), "{withheld:?}");
    assert_eq!(archive.records_of("E1").await.unwrap().len(), 1);
    assert_eq!(archive.positions("scores.enriched", 1).await.unwrap()[0].next_offset, 1);
    assert_eq!(
        try_apply(archive, said(), Refusals::Judge).await.unwrap().fates,
        [Fate::Refused, Fate::Filed]
    );
}

pub(crate) async fn a_score_for_another_employee_waits_until_somebody_decides(archive: &Archive) {
    apply(archive, [score("a", 1, 80)]).await;
    let refused = apply(archive, [naming(score("a", 2, 90), "E2"), naming(score("a", 2, 90), "E2")]).await;
    assert_eq!(refused.fates, [Fate::Refused, Fate::Refused]);
    assert_eq!(refused.refused, BTreeMap::from([(Refusal::OwnerChanged, 2)]));
    assert_eq!(
        archive.refused_counts().await.unwrap(),
        BTreeMap::from([(Refusal::OwnerChanged, 2)])
    );
    let decided = with(naming(score("a", 1, 80), "E2"), |score| score.decision = 5);
    let applied = apply(archive, [decided]).await;
    assert_eq!(applied.fates, [Fate::Filed]);
    assert_eq!(applied.judged_again, BTreeMap::from([(Fate::Filed, 1), (Fate::Duplicate, 1)]));
    assert_eq!(archive.records_of("E1").await.unwrap(), []);
    let record = archive.records_of("E2").await.unwrap().remove(0);
    assert_eq!((record.head.origin.offset, record.owner_decision), (2, 5));
    assert_eq!(archive.refused_scores(None, 9).await.unwrap(), []);
    assert_eq!(
        [count_of(archive, Fate::Filed).await, count_of(archive, Fate::Duplicate).await],
        [3, 1]
    );
    assert_eq!(count_of(archive, Fate::Refused).await, 0);
}

pub(crate) async fn a_refusal_that_is_settled_in_the_same_call_is_none(archive: &Archive) {
    let decided = with(naming(score("a", 3, 80), "E2"), |score| score.decision = 5);
    let applied = apply(archive, [score("a", 1, 80), naming(score("a", 2, 90), "E2"), decided]).await;
    assert!(!applied.fates.contains(&Fate::Refused), "{applied:?}");
    assert_eq!(applied.refused, BTreeMap::new());
    assert_eq!(archive.refused_scores(None, 9).await.unwrap(), []);
}

pub(crate) async fn what_cannot_be_decoded_is_kept_byte_by_byte(archive: &Archive) {
    claim(archive, partition(0)).await;
    let garbage: &[u8] = b"\0\0\xff\xfe not a score";
    let batches = [batch(0, 0, [Err(garbage), Ok(score("a", 1, 80)), Err(b"")])];
    let applied = archive.apply_scores(&batches, Refusals::Withhold).await.unwrap();
    assert_eq!(applied.fates, [Fate::Refused, Fate::Filed, Fate::Refused]);
    let kept = archive.refused_scores(None, 9).await.unwrap();
    let bytes: Vec<_> = kept.iter().map(|refused| refused.score.clone().unwrap_err()).collect();
    assert_eq!(bytes, [garbage, b""]);
    assert!(kept.iter().all(|refused| refused.reason == Refusal::Undecodable));
}

pub(crate) async fn a_row_that_no_archive_can_hold_is_set_aside_and_stops_nobody(archive: &Archive) {
    let long = "9".repeat(5_000);
    let said = (0..40).map(|number| match number {
        11 => naming(score("long", number, 80), &long),
        29 => with(score("nul", number, 80), |score| score.course_title = Some("a\\0b\0c".into())),
        _ => score(&number.to_string(), number, 80),
    });
    let applied = try_apply(archive, said, Refusals::Withhold).await.unwrap();
    let refused = applied.fates.iter().enumerate().filter(|(_, fate)| **fate != Fate::Filed);
    assert_eq!(refused.collect::<Vec<_>>(), [(11, &Fate::Refused), (29, &Fate::Refused)]);
    assert_eq!(applied.refused, BTreeMap::from([(Refusal::Constraint, 2)]));
    let kept = archive.refused_scores(None, 9).await.unwrap();
    let statements: Vec<_> = kept.into_iter().map(|refused| refused.score.unwrap()).collect();
    assert_eq!(statements[0].head.employee_no.as_deref(), Some(long.as_str()));
    assert_eq!(statements[1].content.course_title.as_deref(), Some("a\\0b\0c"));
    assert_eq!(statements[1].result_id, result("nul"));
    assert_eq!(
        [count_of(archive, Fate::Filed).await, count_of(archive, Fate::Refused).await],
        [38, 2]
    );
}

pub(crate) async fn refusals_are_read_page_by_page(archive: &Archive) {
    claim(archive, partition(0)).await;
    let said = (0..5).map(|_| Err(&b"?"[..]));
    archive.apply_scores(&[batch(0, 0, said)], Refusals::Judge).await.unwrap();
    let (mut after, mut offsets) = (None, Vec::new());
    loop {
        let page = archive.refused_scores(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.position);
        offsets.extend(page.iter().map(|refused| refused.position.offset));
    }
    assert_eq!(offsets, [0, 1, 2, 3, 4]);
}

pub(crate) async fn a_refusal_that_comes_to_count_stands_where_it_arrived(archive: &Archive) {
    let copy = |employee_no| naming(score("a", 2, 90), employee_no);
    apply(archive, [naming(score("a", 1, 80), "E2"), copy("E3"), copy("E2")]).await;
    let decided = with(score("a", 1, 80), |score| score.decision = 5);
    assert_eq!(apply(archive, [decided]).await.judged_again, BTreeMap::from([(Fate::Duplicate, 1)]));
    let record = archive.records_of("E1").await.unwrap().remove(0);
    assert_eq!(
        record.head.employee_no.as_deref(),
        Some("E3"),
        "the first copy speaks for its origin"
    );
    assert_eq!(record.history.len(), 3);
}

pub(crate) async fn an_employee_number_that_no_archive_can_hold_never_stands_against_a_decision(archive: &Archive) {
    let long = "9".repeat(201);
    let applied = apply(
        archive,
        [
            score("a", 1, 80),
            naming(score("a", 2, 70), &long),
            naming(score("a", 3, 71), &long),
        ],
    )
    .await;
    assert_eq!(applied.refused, BTreeMap::from([(Refusal::Constraint, 2)]));
    let decided = with(naming(score("a", 1, 80), "E2"), |score| score.decision = 5);
    assert_eq!(apply(archive, [decided]).await.fates, [Fate::Filed]);
    assert_eq!(archive.records_of("E2").await.unwrap().len(), 1);
}

/// Makes what was refused unreadable.
pub(crate) const SPOIL_REFUSALS: &str = "UPDATE refused_score SET status = 'spoilt'";

/// A key that forgot the learner: somebody else's score about one result, again and again.
pub(crate) async fn refuse(archive: &Archive, offsets: std::ops::RangeInclusive<i64>) {
    apply(archive, [score("a", 1, 80)]).await;
    for offset in offsets {
        let said = naming(score("a", offset, 70), &format!("E{offset}"));
        assert_eq!(apply(archive, [said]).await.fates, [Fate::Refused], "{offset}");
    }
}

/// Few and many first records are written in different ways.
pub(crate) async fn check_rejected(archive: &Archive, title: &'static str) {
    check_rejected_among(archive, title, 0..40).await;
    check_rejected_among(archive, title, 40..440).await;
}

/// Two courses are of a title that the database was told to refuse.
async fn check_rejected_among(archive: &Archive, title: &'static str, numbers: Range<i64>) {
    let (first, refused_before) = (numbers.start, archive.refused_scores(None, 9).await.unwrap().len());
    let said = numbers.map(|number| {
        with(score(&number.to_string(), number, 80), |score| match number - first {
            11 | 29 => score.course_title = Some(title.into()),
            _ => {}
        })
    });
    let applied = try_apply(archive, said, Refusals::Withhold).await.unwrap();
    let refused = applied.fates.iter().enumerate().filter(|(_, fate)| **fate != Fate::Filed);
    assert_eq!(refused.collect::<Vec<_>>(), [(11, &Fate::Refused), (29, &Fate::Refused)]);
    assert_eq!(applied.refused, BTreeMap::from([(Refusal::Constraint, 2)]));
    assert_eq!(archive.refused_scores(None, 9).await.unwrap().len(), refused_before + 2);
    let judged: i64 = archive.fate_counts().await.unwrap().iter().map(|fate| fate.count).sum();
    assert_eq!(judged, first + i64::try_from(applied.fates.len()).unwrap());
}
