//! What is filed, and what the record shows.

use scoresync_archive::{Archive, TrainingRecord};
use scoresync_domain::{EnrichedScore, Fate, Retraction, Score, Status, Timestamp};

use super::builders::{apply, result, score, with, withdrawal};

async fn only_record(archive: &Archive) -> TrainingRecord {
    let mut records = archive.records_of("E1").await.unwrap();
    assert_eq!(records.len(), 1);
    records.remove(0)
}

fn shown_points(record: &TrainingRecord) -> Option<String> {
    let shown = record.shown.as_ref()?;
    shown.content.exam_score.map(|score| score.to_string())
}

pub(crate) async fn a_new_result_reads_back_exactly_as_it_was_said(archive: &Archive) {
    let said = with(score("a", 5, 85), |score| {
        score.exam_score = Score::from_millionths(85_500_001);
        score.grade = Some("优 \\ \"A\"".into());
        score.position = Some(String::new().into());
        score.revision = Some(i64::MAX);
        score.rounded = true;
        score.decision = 1_790_000_000_000;
    });
    assert_eq!(apply(archive, [said.clone()]).await.fates, [Fate::Filed]);
    let record = only_record(archive).await;
    assert_eq!(record.result_id, said.result_id);
    assert_eq!(
        (record.owner_employee_no.as_deref(), record.owner_decision),
        (Some("E1"), said.decision)
    );
    let (head, shown) = (record.head, record.shown.unwrap());
    let content = shown.content;
    let read = EnrichedScore {
        result_id: record.result_id,
        source: content.source,
        system: content.system,
        status: shown.status,
        employee_no: head.employee_no,
        employee_name: content.employee_name,
        department: content.department,
        position: content.position,
        course_id: content.course_id,
        course_title: content.course_title,
        exam_id: content.exam_id,
        exam_title: content.exam_title,
        attempt: content.attempt,
        exam_score: content.exam_score,
        min_score: content.min_score,
        max_score: content.max_score,
        grade: content.grade,
        passed: content.passed,
        finish_timestamp: content.finish_timestamp,
        revision: head.revision,
        revision_scheme: head.revision_scheme,
        mapping_version: head.mapping_version,
        repeat: head.repeat,
        decision: head.decision,
        matched_by: head.matched_by,
        rounded: content.rounded,
        received_at: head.received_at,
        origin: head.origin,
        content_hash: shown.content_hash,
    };
    assert_eq!(read, said);
}

pub(crate) async fn a_score_of_zero_is_filed_as_zero(archive: &Archive) {
    apply(archive, [score("a", 1, 0)]).await;
    assert_eq!(shown_points(&only_record(archive).await).as_deref(), Some("0"));
}

pub(crate) async fn saying_the_same_again_is_a_duplicate_and_adds_no_row(archive: &Archive) {
    let said = score("a", 1, 80);
    assert_eq!(
        apply(archive, [said.clone(), said.clone()]).await.fates,
        [Fate::Filed, Fate::Duplicate]
    );
    assert_eq!(apply(archive, [said]).await.fates, [Fate::Duplicate]);
    assert_eq!(only_record(archive).await.history, []);
    assert_eq!(apply(archive, [score("a", 2, 80)]).await.fates, [Fate::Duplicate]);
    assert_eq!(only_record(archive).await.history.len(), 1);
}

pub(crate) async fn an_older_version_that_comes_late_is_history(archive: &Archive) {
    let revised = |offset, points, revision| with(score("a", offset, points), |score| score.revision = Some(revision));
    assert_eq!(apply(archive, [revised(2, 90, 7)]).await.fates, [Fate::Filed]);
    assert_eq!(apply(archive, [revised(1, 40, 6)]).await.fates, [Fate::Superseded]);
    let record = only_record(archive).await;
    assert_eq!(shown_points(&record).as_deref(), Some("90"));
    assert_eq!(record.history[0].content.exam_score, Score::from_millionths(40_000_000));
}

pub(crate) async fn a_withdrawn_record_shows_what_it_showed_and_comes_back_with_a_greater_revision(archive: &Archive) {
    let revised = |said: EnrichedScore<'static>, revision| with(said, |score| score.revision = Some(revision));
    apply(archive, [revised(score("a", 1, 70), 1)]).await;
    assert_eq!(apply(archive, [revised(withdrawal("a", 2), 2)]).await.fates, [Fate::Filed]);
    let record = only_record(archive).await;
    assert_eq!(record.head.status, Status::Withdrawn);
    assert_eq!(record.shown.as_ref().map(|shown| shown.status), Some(Status::Final));
    assert_eq!(shown_points(&record).as_deref(), Some("70"));
    assert_eq!(record.history.len(), 1, "the score that is shown is history as well");
    assert_eq!(apply(archive, [revised(score("a", 3, 75), 3)]).await.fates, [Fate::Filed]);
    let record = only_record(archive).await;
    assert_eq!((record.head.status, shown_points(&record).as_deref()), (Status::Final, Some("75")));
    assert_eq!(record.history.len(), 2);
}

pub(crate) async fn a_lone_withdrawal_shows_nothing_until_a_score_is_known(archive: &Archive) {
    assert_eq!(apply(archive, [withdrawal("a", 2)]).await.fates, [Fate::Filed]);
    assert_eq!(archive.records_of("E1").await.unwrap(), []);
    assert_eq!(apply(archive, [score("a", 1, 70)]).await.fates, [Fate::Filed]);
    let record = only_record(archive).await;
    assert_eq!(
        (record.head.status, shown_points(&record).as_deref()),
        (Status::Withdrawn, Some("70"))
    );
}

pub(crate) async fn a_corrected_title_reaches_the_record_without_a_new_version(archive: &Archive) {
    let wrong = with(score("a", 1, 70), |score| score.course_title = Some("Frie safety".into()));
    let mended = with(score("a", 1, 70), |score| {
        score.course_title = Some("Fire safety".into());
        score.mapping_version = 2;
    });
    apply(archive, [wrong]).await;
    assert_eq!(apply(archive, [mended]).await.fates, [Fate::Duplicate]);
    let record = only_record(archive).await;
    assert_eq!(record.shown.unwrap().content.course_title.as_deref(), Some("Fire safety"));
    assert_eq!(record.history[0].content.course_title.as_deref(), Some("Frie safety"));
}

pub(crate) async fn a_first_revision_lets_a_withdrawal_without_one_outrank_the_score(archive: &Archive) {
    apply(archive, [withdrawal("a", 0), score("a", 1, 70)]).await;
    assert_eq!(only_record(archive).await.head.status, Status::Final);
    let numbered = with(score("a", 2, 70), |score| score.revision = Some(0));
    assert_eq!(apply(archive, [numbered]).await.fates, [Fate::Filed]);
    assert_eq!(only_record(archive).await.head.status, Status::Withdrawn);
}

pub(crate) async fn records_without_a_finish_time_come_last(archive: &Archive) {
    let finished = |key, finished: Option<i64>| {
        with(score(key, 1, 70), |score| {
            score.finish_timestamp = finished.map(Timestamp::from_millis)
        })
    };
    apply(archive, [finished("a", None), finished("b", Some(2)), finished("c", Some(1))]).await;
    let records = archive.records_of("E1").await.unwrap();
    let results: Vec<_> = records.iter().map(|record| record.result_id).collect();
    assert_eq!(results, [result("c"), result("b"), result("a")]);
}

pub(crate) async fn records_are_found_by_their_results(archive: &Archive) {
    let keys: Vec<String> = (0..250).map(|number| number.to_string()).collect();
    let said: Vec<_> = (0..).zip(&keys).map(|(offset, key)| score(key, offset, offset % 100)).collect();
    apply(archive, said).await;
    let asked: Vec<_> = keys[..230].iter().map(|key| result(key)).chain([result("unknown")]).collect();
    let mut found: Vec<_> = archive
        .records_of_results(&asked)
        .await
        .unwrap()
        .iter()
        .map(|record| record.result_id)
        .collect();
    let mut expected = asked[..230].to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(archive.records_of_results(&[]).await.unwrap().is_empty());
}

pub(crate) async fn a_retracted_report_leaves_what_others_said(archive: &Archive) {
    let retraction = |offset| {
        let said = score("a", offset, 0);
        let retraction = Retraction {
            result_id: said.result_id,
            source: "webhook",
            system: "academy",
            mapping_version: 2,
            received_at: said.received_at,
            origin: said.origin,
        };
        retraction.score()
    };
    let provisional = with(score("a", 1, 70), |score| {
        score.status = Status::Provisional;
        score.content_hash = score.hash_content();
    });
    apply(archive, [provisional, score("a", 2, 90)]).await;
    assert_eq!(apply(archive, [retraction(2)]).await.fates, [Fate::Filed]);
    let record = only_record(archive).await;
    assert_eq!(shown_points(&record).as_deref(), Some("70"));
    assert_eq!(record.history.len(), 2);
    assert_eq!(apply(archive, [retraction(1)]).await.fates, [Fate::Filed]);
    let record = only_record(archive).await;
    assert_eq!((record.head.status, &record.shown), (Status::Withdrawn, &None));
    assert_eq!(record.owner_employee_no.as_deref(), Some("E1"));
    // A later mapping that can read the report files it again.
    let anew = with(score("a", 2, 95), |score| score.mapping_version = 3);
    assert_eq!(apply(archive, [anew]).await.fates, [Fate::Filed]);
    assert_eq!(shown_points(&only_record(archive).await).as_deref(), Some("95"));
}
