//! The comparison finds every kind of difference.

use std::borrow::Cow;

use scoresync_archive::{Content, EnrichedPosition, Head, Shown, TrainingRecord};
use scoresync_domain::{ContentHash, Fate, Fields, Origin, Reason, Refusal, Repeat, ResultId, Score, ScoreReport, Status, Timestamp};
use scoresync_kafka::dead_letter;

use super::*;
use crate::{company::TrueRecord, topics::Record};

/// Three reports that scoresync treated as it must: one is filed, one was refused, one is a dead letter.
fn found() -> Found {
    let letter = Record {
        headers: vec![
            (dead_letter::ORIGIN.to_owned(), origin(2).to_string()),
            (dead_letter::REASON.to_owned(), "unparsed".to_owned()),
        ],
        ..raw(0, "A000003")
    };
    Found {
        raw: vec![raw(0, "A000001"), raw(1, "A000002"), raw(2, "A000003")],
        dead_letters: vec![letter],
        enriched: [(origin(0), 0), (origin(1), 0)].into(),
        refused: [(origin(1), Refusal::OwnerChanged)].into(),
        fates: [((0, Fate::Filed), 1), ((0, Fate::Refused), 1)].into(),
        files: [("E1".to_owned(), vec![record("85.5")]), ("E2".to_owned(), Vec::new())].into(),
    }
}

fn origin(offset: i64) -> Origin {
    Origin {
        generation: 1,
        partition: 0,
        offset,
    }
}

fn result_id() -> ResultId {
    ResultId::from_key("academy", ["one"])
}

fn raw(offset: i64, serial: &str) -> Record<ScoreReport<'static>> {
    let mut fields = Fields::default();
    fields.push("流水号", Some(serial.to_owned()));
    let report = ScoreReport {
        source: Cow::Borrowed("academy"),
        received_at: Timestamp::default(),
        content_type: Cow::Borrowed("application/json"),
        fields,
        unparsed: None,
    };
    Record {
        is_null: false,
        partition: 0,
        offset,
        key: Some(result_id().to_string()),
        headers: Vec::new(),
        value: Some(report),
        bytes: Vec::new(),
    }
}

fn record(exam_score: &str) -> TrainingRecord {
    let head = Head {
        origin: origin(0),
        mapping_version: 1,
        decision: 0,
        employee_no: Some(Cow::Borrowed("E1")),
        matched_by: None,
        status: Status::Final,
        revision_scheme: 1,
        revision: None,
        content_hash: ContentHash([1; 16]),
        repeat: Repeat::Redelivery,
        received_at: Timestamp::default(),
        arrived: EnrichedPosition {
            generation: 1,
            partition: 0,
            offset: 0,
        },
    };
    let content = Content {
        source: Cow::Borrowed("academy"),
        system: Cow::Borrowed("academy"),
        employee_name: None,
        department: None,
        position: None,
        course_id: None,
        course_title: None,
        exam_id: None,
        exam_title: None,
        attempt: None,
        exam_score: Some(Score::parse(exam_score).unwrap().0),
        min_score: None,
        max_score: None,
        grade: None,
        passed: None,
        finish_timestamp: None,
        rounded: false,
    };
    TrainingRecord {
        result_id: result_id(),
        owner_employee_no: Some("E1".to_owned()),
        owner_decision: 0,
        shown: Some(Shown {
            status: Status::Final,
            content_hash: head.content_hash,
            content,
        }),
        head,
        history: Vec::new(),
    }
}

fn verdict(found: &Found) -> Verdict {
    let report = |serial: &str, truth, result| Report {
        serial: serial.to_owned(),
        case: "a case",
        result,
        truth,
    };
    let reports = [
        report("A000001", Truth::Filed, 0),
        report("A000002", Truth::Refused(Refusal::OwnerChanged), 0),
        report("A000003", Truth::DeadLettered(Reason::Unparsed), 1),
    ];
    let truth = TrueRecord {
        employee_no: "E1".to_owned(),
        exam_score: Some("85.5".to_owned()),
        withdrawn: false,
    };
    let results = [
        TrueResult {
            case: "a case",
            record: Some(truth),
            statements: 1,
            versions: 1,
        },
        TrueResult {
            case: "a case",
            record: None,
            statements: 0,
            versions: 0,
        },
    ];
    Verdict::reach(
        Expected {
            reports: &reports,
            results: &results,
        },
        found,
    )
}

/// A difference must be noticed, in these words among others.
fn check(change: impl FnOnce(&mut Found), expected: &str) {
    let mut found = found();
    change(&mut found);
    let mismatches = verdict(&found).mismatches;
    assert!(
        mismatches.iter().any(|mismatch| mismatch.contains(expected)),
        "{expected}: {mismatches:#?}"
    );
}

#[test]
fn what_is_as_it_must_be_is_true() {
    let verdict = verdict(&found());
    assert_eq!(verdict.mismatches, Vec::<String>::new());
    assert_eq!(verdict.counts["filed"], Count { truth: 1, found: 1 });
    assert_eq!(verdict.counts["dead_lettered: unparsed"], Count { truth: 1, found: 1 });
}

#[test]
fn a_report_that_is_lost_invented_or_in_the_wrong_place_is_noticed() {
    check(
        |found| drop(found.raw.remove(0)),
        "report A000001 (a case) must be in the archive, and is nowhere",
    );
    check(
        |found| {
            found.enriched.remove(&origin(0));
        },
        "report A000001 (a case) must be in the archive, and is nowhere",
    );
    check(|found| found.raw.push(raw(3, "A000001")), "more often than they were sent");
    check(
        |found| found.refused.clear(),
        "report A000002 (a case) must be refused: owner_changed, and is in the archive",
    );
    check(
        |found| found.dead_letters.clear(),
        "report A000003 (a case) must be dead_lettered: unparsed, and is nowhere",
    );
    check(
        |found| found.dead_letters[0].headers[1].1 = "missing_field".to_owned(),
        "and is dead_lettered: missing_field",
    );
}

#[test]
fn a_fate_that_the_archive_counted_otherwise_is_noticed() {
    check(
        |found| {
            found.fates.insert((0, Fate::Duplicate), 1);
        },
        "0 must be duplicate, and 1 are",
    );
    check(
        |found| found.fates = [((1, Fate::Filed), 1), ((0, Fate::Refused), 1)].into(),
        "in partition 0 of scores.enriched 1 must be filed",
    );
}

#[test]
fn a_file_that_says_something_else_is_noticed() {
    check(
        |found| found.files.insert("E1".to_owned(), vec![record("85")]).map_or((), drop),
        "Some(\"85\")",
    );
    check(
        |found| drop(found.files.remove("E1")),
        "must be in the file of E1 alone, and is in 0 files",
    );
    check(
        |found| drop(found.files.insert("E2".to_owned(), vec![record("85.5")])),
        "and is in 2 files",
    );
    let withdrawn = TrainingRecord {
        head: Head {
            status: Status::Withdrawn,
            ..record("85.5").head
        },
        ..record("85.5")
    };
    check(
        |found| drop(found.files.insert("E1".to_owned(), vec![withdrawn])),
        "Some(\"85.5\"), true",
    );
    let elsewhere = TrainingRecord {
        result_id: ResultId::from_key("academy", ["other"]),
        ..record("85.5")
    };
    check(
        |found| found.files.entry("E2".to_owned()).or_default().push(elsewhere),
        "is in a file, and nobody sent it",
    );
}
