//! Nothing that was ever said is lost, and hot results stay affordable.

use std::time::{Duration, Instant};

use scoresync_archive::Archive;
use scoresync_domain::{EnrichedScore, Fate, Repeat, Score};

use super::builders::{apply, score, with};

fn anew(said: EnrichedScore<'static>, mapping_version: i32) -> EnrichedScore<'static> {
    with(said, |score| score.mapping_version = mapping_version)
}

pub(crate) async fn a_content_that_only_the_record_held_survives_every_change_of_it(archive: &Archive) {
    let correction = |offset, points| with(score("a", offset, points), |score| score.repeat = Repeat::Correction);
    // 80 is said three times, so that its later rows are narrow; then the row that held it is overwritten.
    for said in [
        correction(1, 80),
        correction(2, 80),
        correction(3, 80),
        correction(4, 90),
        anew(correction(4, 70), 2),
        correction(5, 80),
    ] {
        apply(archive, [said]).await;
    }
    apply(archive, [correction(6, 60)]).await;
    let record = archive.records_of("E1").await.unwrap().remove(0);
    let points = |score: Option<Score>| score.unwrap().as_millionths() / 1_000_000;
    let history: Vec<_> = record
        .history
        .iter()
        .map(|said| (said.head.origin.offset, points(said.content.exam_score)))
        .collect();
    assert_eq!(history, [(1, 80), (2, 80), (3, 80), (4, 90), (4, 70), (5, 80)]);
    assert_eq!(points(record.shown.unwrap().content.exam_score), 60);
}

pub(crate) async fn thousands_of_redeliveries_of_one_result_are_judged_in_seconds(archive: &Archive) {
    let started = Instant::now();
    for round in 0..4 {
        let said = (0..2_000).map(|number| score("hot", round * 2_000 + number, 80));
        let applied = apply(archive, said).await;
        assert!(applied.fates.iter().skip(1).all(|fate| *fate == Fate::Duplicate));
    }
    assert_eq!(archive.records_of("E1").await.unwrap()[0].history.len(), 7_999);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

/// Revisions 0 to 4,999 of one result, none in its place.
pub(crate) fn shuffled_revisions(key: &str) -> impl Iterator<Item = EnrichedScore<'static>> {
    let offset_of = |number: i64| (number * 1_337) % 5_000;
    (0..5_000).map(move |number| {
        let revision = offset_of(number);
        with(score(key, revision, revision % 100), |score| score.revision = Some(revision))
    })
}

pub(crate) async fn thousands_of_distinct_versions_of_one_result_are_all_kept_and_the_greatest_wins(archive: &Archive) {
    let (first, second): (Vec<_>, Vec<_>) = shuffled_revisions("hot").enumerate().partition(|(number, _)| *number < 3_000);
    let mut greatest = -1;
    for said in [first, second] {
        let said: Vec<_> = said.into_iter().map(|(_, said)| said).collect();
        let expected: Vec<Fate> = said
            .iter()
            .map(|said| {
                let wins = said.revision > Some(greatest);
                greatest = greatest.max(said.revision.unwrap());
                if wins { Fate::Filed } else { Fate::Superseded }
            })
            .collect();
        assert!(apply(archive, said).await.fates == expected);
    }
    let record = archive.records_of("E1").await.unwrap().remove(0);
    assert_eq!((record.head.revision, record.history.len()), (Some(4_999), 4_999));
}

/// Makes what repeats the first and the last night unreadable.
pub(crate) const SPOIL_REPETITIONS: &str = "UPDATE score_history SET status = 'spoilt' WHERE origin_offset BETWEEN 2 AND 19";

/// A full export each night, in which the result is what it was.
pub(crate) async fn say_nightly(archive: &Archive, nights: std::ops::RangeInclusive<i64>) {
    for night in nights {
        let fate = if night == 1 { Fate::Filed } else { Fate::Duplicate };
        let said = with(score("a", night, 80), |score| score.repeat = Repeat::Correction);
        assert_eq!(apply(archive, [said]).await.fates, [fate], "{night}");
    }
}

pub(crate) async fn correct(archive: &Archive, night: i64) {
    let said = with(score("a", night, 90), |score| score.repeat = Repeat::Correction);
    assert_eq!(apply(archive, [said]).await.fates, [Fate::Filed]);
}
