//! Results that agree, and that differ in every way.

use std::borrow::Cow;

use scoresync_archive::{Content, EnrichedPosition, Head, SurveyedRecord};
use scoresync_domain::{ContentHash, EnrichedScore, Origin, Repeat, Score, Status, Timestamp};

use super::*;

fn result_id() -> ResultId {
    ResultId::from_key("academy", ["a"])
}

/// What a row or a report says: an employee, points and a revision.
fn score(employee_no: &'static str, points: i64, revision: Option<i64>) -> EnrichedScore<'static> {
    let mut score = EnrichedScore {
        result_id: result_id(),
        source: Cow::Borrowed("academy"),
        system: Cow::Borrowed("academy"),
        status: Status::Final,
        employee_no: Some(Cow::Borrowed(employee_no)),
        employee_name: None,
        department: None,
        position: None,
        course_id: Some(Cow::Borrowed("C-1")),
        course_title: None,
        exam_id: None,
        exam_title: None,
        attempt: None,
        exam_score: Score::from_millionths(points * 1_000_000),
        min_score: None,
        max_score: None,
        grade: None,
        passed: None,
        finish_timestamp: Some(Timestamp::from_millis(1)),
        revision,
        revision_scheme: 1,
        mapping_version: 1,
        repeat: Repeat::Correction,
        decision: 0,
        matched_by: None,
        rounded: false,
        received_at: Timestamp::from_millis(2),
        origin: Origin {
            generation: 1,
            partition: 0,
            offset: 7,
        },
        content_hash: ContentHash([0; 16]),
    };
    score.content_hash = score.hash_content();
    score
}

fn row(number: u64, score: &EnrichedScore<'_>) -> Item {
    let place = RowPlace { file: 0, row: number };
    Item::Listed(Box::new(Listed::of(score, place, true)))
}

fn record(score: &EnrichedScore<'static>) -> Item {
    let arrived = EnrichedPosition {
        generation: 1,
        partition: 0,
        offset: 1,
    };
    // A record outlives the score that it came from.
    let score: &'static EnrichedScore<'static> = Box::leak(Box::new(score.clone()));
    let record = SurveyedRecord {
        result_id: score.result_id,
        head: Head::of(score, arrived),
        owner_employee_no: score.employee_no.as_deref().map(str::to_owned),
        owner_decision: 0,
        shown_instead: None,
        shown: Some((0, Content::of(score))),
    };
    Item::Archived(Box::new(Archived::of(&record, true)))
}

fn compare(items: Vec<Item>) -> Option<Difference> {
    let mut successors = Successors::default();
    successors.add("E1".to_owned(), "E1-new".to_owned());
    let comparer = Comparer {
        source: "academy",
        successors: &successors,
        as_of: Timestamp::from_millis(1_000),
        received_since: Cell::default(),
    };
    comparer.compare(result_id(), items)
}

/// The class, the fields that differ, and whether a report would mend it.
fn check(items: Vec<Item>, expected: Option<(Class, &[&str], bool)>) {
    let found = compare(items.clone());
    let told = found.as_ref().map(|found| {
        (
            found.class,
            found.fields.iter().map(|field| field.field).collect::<Vec<_>>(),
            found.is_behind,
        )
    });
    let expected = expected.map(|(class, fields, is_behind)| (class, fields.to_vec(), is_behind));
    assert_eq!(told, expected, "{items:?}");
}

#[test]
fn what_both_sides_have_alike_agrees() {
    check(vec![row(1, &score("E1", 80, None)), record(&score("E1", 80, None))], None);
    // Whoever took somebody's place is the same person, and an equal score of an older revision is the same score.
    check(vec![row(1, &score("E1-new", 80, Some(1))), record(&score("E1", 80, Some(2)))], None);
}

#[test]
fn what_only_one_side_has_is_missing_or_extra() {
    check(vec![row(1, &score("E1", 80, None))], Some((Class::Missing, &[], true)));
    check(vec![record(&score("E1", 80, None))], Some((Class::Extra, &[], false)));
    let unfit = Item::Unfit {
        file: 0,
        row: 1,
        why: "unknown_employee: nobody".to_owned(),
        is_in_scope: true,
    };
    check(vec![unfit], Some((Class::Missing, &[], true)));
}

#[test]
fn what_another_source_of_the_system_reported_is_not_too_much() {
    let mut of_another = score("E1", 80, None);
    of_another.source = Cow::Borrowed("academy-webhook");
    check(vec![record(&of_another)], None);
}

#[test]
fn fields_people_and_revisions_are_told_apart() {
    let listed = |points, revision| row(1, &score("E1", points, revision));
    let archived = |points, revision| record(&score("E1", points, revision));
    check(
        vec![listed(81, None), archived(80, None)],
        Some((Class::Different, &["exam_score"], true)),
    );
    check(
        vec![listed(81, Some(2)), archived(80, Some(2))],
        Some((Class::Different, &["exam_score"], true)),
    );
    let stale = Some((Class::StaleRevision, &["exam_score", "revision"][..], true));
    check(vec![listed(81, Some(3)), archived(80, Some(2))], stale);
    let ahead = Some((Class::StaleRevision, &["exam_score", "revision"][..], false));
    check(vec![listed(81, Some(1)), archived(80, Some(2))], ahead);
    check(
        vec![listed(80, Some(3)), archived(80, Some(2))],
        Some((Class::StaleRevision, &["revision"], true)),
    );
    let of_another = vec![row(1, &score("E2", 80, None)), archived(80, None)];
    check(of_another, Some((Class::DifferentPerson, &["employee_no"], false)));
}

#[test]
fn what_is_on_its_way_or_waits_is_told_as_that() {
    let listed = || row(1, &score("E1", 80, None));
    check(vec![listed(), Item::Waiting], Some((Class::Waiting, &[], false)));
    check(vec![listed(), Item::Waiting, Item::InFlight], Some((Class::InFlight, &[], false)));
    check(
        vec![record(&score("E1", 80, None)), Item::InFlight],
        Some((Class::InFlight, &[], false)),
    );
    // What may be the same report is not called too much.
    check(
        vec![record(&score("E1", 80, None)), Item::Waiting],
        Some((Class::Waiting, &[], false)),
    );
    check(vec![listed(), record(&score("E1", 80, None)), Item::Waiting, Item::InFlight], None);
    check(vec![Item::Waiting, Item::InFlight], None);
}

#[test]
fn of_several_rows_the_one_counts_that_would_stand_in_the_file() {
    let rows = |revisions: [Option<i64>; 2]| {
        let [first, second] = revisions;
        vec![
            row(1, &score("E1", 60, first)),
            row(2, &score("E1", 90, second)),
            record(&score("E1", 90, second)),
        ]
    };
    check(rows([None, None]), None);
    check(rows([Some(1), Some(2)]), None);
    check(
        rows([Some(2), Some(1)]),
        Some((Class::StaleRevision, &["exam_score", "revision"], true)),
    );
}

#[test]
fn a_withdrawal_agrees_with_what_is_withdrawn_or_was_never_there() {
    let withdrawn = |mut score: EnrichedScore<'static>| {
        score.status = Status::Withdrawn;
        score.employee_no = None;
        score.content_hash = score.hash_content();
        score
    };
    let filed = || score("E1", 80, None);
    check(vec![row(1, &withdrawn(filed()))], None);
    check(vec![row(1, &withdrawn(filed())), record(&withdrawn(filed()))], None);
    check(vec![record(&withdrawn(filed()))], None);
    check(
        vec![row(1, &withdrawn(filed())), record(&filed())],
        Some((Class::Different, &["status"], true)),
    );
}

#[test]
fn what_is_outside_of_the_scope_is_not_compared_unless_either_side_is_in_it() {
    let outside = |item: Item| match item {
        Item::Listed(mut listed) => {
            listed.is_in_scope = false;
            Item::Listed(listed)
        }
        Item::Archived(mut archived) => {
            archived.is_in_scope = false;
            Item::Archived(archived)
        }
        other @ (Item::Unfit { .. } | Item::Former(_) | Item::Waiting | Item::Discarded | Item::Refused | Item::InFlight) => other,
    };
    let (listed, archived) = (|| row(1, &score("E1", 80, None)), || record(&score("E1", 70, None)));
    check(vec![outside(listed())], None);
    check(vec![outside(archived())], None);
    check(vec![outside(listed()), archived()], Some((Class::Different, &["exam_score"], true)));
}

#[test]
fn what_was_received_since_the_list_was_made_is_not_too_much() {
    let mut later = score("E1", 80, None);
    later.received_at = Timestamp::from_millis(1_000);
    check(vec![record(&later)], None);
}

#[test]
fn only_what_would_win_is_behind() {
    let with = |status, repeat, mut score: EnrichedScore<'static>| {
        (score.status, score.repeat) = (status, repeat);
        score.content_hash = score.hash_content();
        score
    };
    let of = |status, revision, points| with(status, Repeat::Correction, score("E1", points, revision));
    let (provisional, last) = (Status::Provisional, Status::Final);
    // A greater revision that is provisional never wins over what is final, and what is final wins over it.
    let stale = |is_behind| Some((Class::StaleRevision, &["status", "exam_score", "revision"][..], is_behind));
    check(
        vec![row(1, &of(provisional, Some(9), 70)), record(&of(last, Some(1), 80))],
        stale(false),
    );
    check(
        vec![row(1, &of(last, Some(1), 80)), record(&of(provisional, Some(9), 70))],
        stale(true),
    );
    // Where saying something again means nothing, what the history has does not come back by it.
    let told = |points| with(last, Repeat::Redelivery, score("E1", points, None));
    let former = |score: &EnrichedScore<'static>| {
        let Item::Archived(archived) = record(score) else { panic!() };
        Item::Former(Box::new(archived.stated))
    };
    let mut before = told(70);
    before.origin.offset = 3;
    check(
        vec![row(1, &told(70)), record(&told(80))],
        Some((Class::Different, &["exam_score"], true)),
    );
    check(
        vec![row(1, &told(70)), record(&told(80)), former(&before)],
        Some((Class::Different, &["exam_score"], false)),
    );
}

#[test]
fn what_people_closed_or_the_archive_refused_is_not_sent_again() {
    let unfit = || Item::Unfit {
        file: 0,
        row: 1,
        why: "unmatched_employee: nobody".to_owned(),
        is_in_scope: true,
    };
    check(vec![unfit(), Item::Discarded], Some((Class::Missing, &[], false)));
    let listed = || row(1, &score("E1", 80, None));
    // What can be filed by now is another matter.
    check(vec![listed(), Item::Discarded], Some((Class::Missing, &[], true)));
    check(vec![listed(), Item::Refused], Some((Class::Missing, &[], false)));
}
