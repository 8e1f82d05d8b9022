//! Results that were told rightly, and wrongly in every way.

use std::borrow::Cow;

use scoresync_archive::{Content, EnrichedPosition, Head, SurveyedHistory, SurveyedRecord};
use scoresync_domain::{ContentHash, EnrichedScore, Repeat, Score, Status, Timestamp};

use super::*;

fn place_of(offset: i64) -> EnrichedPosition {
    EnrichedPosition {
        generation: 1,
        partition: 0,
        offset,
    }
}

fn result_id() -> ResultId {
    ResultId::from_key("academy", ["a"])
}

/// What the report at this offset says of the result: an employee and a score.
fn score(offset: i64, employee_no: &'static str, points: i64) -> EnrichedScore<'static> {
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
        exam_score: Score::from_millionths(points),
        min_score: None,
        max_score: None,
        grade: None,
        passed: None,
        finish_timestamp: Some(Timestamp::from_millis(1)),
        revision: None,
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
            offset,
        },
        content_hash: ContentHash([0; 16]),
    };
    score.content_hash = score.hash_content();
    score
}

fn record(score: &'static EnrichedScore<'static>) -> Record {
    Record::of(&SurveyedRecord {
        result_id: score.result_id,
        head: Head::of(score, place_of(score.origin.offset)),
        owner_employee_no: Some("E1".to_owned()),
        owner_decision: 0,
        shown_instead: None,
        shown: Some((0, Content::of(score))),
    })
}

fn history(score: &'static EnrichedScore<'static>, number: i32) -> History {
    History::of(&SurveyedHistory {
        result_id: score.result_id,
        head: Head::of(score, place_of(score.origin.offset)),
        content_number: number,
        content: Some(Content::of(score)),
    })
}

/// Judges what was said beside what the archive has, and says what is found.
fn findings(said: &[&'static EnrichedScore<'static>], archived: Vec<Item>, first: i64) -> (Vec<FindingKind>, Books) {
    findings_among(&People::default(), said, (archived, first))
}

fn findings_among(
    people: &People,
    said: &[&'static EnrichedScore<'static>],
    (archived, first): (Vec<Item>, i64),
) -> (Vec<FindingKind>, Books) {
    let (mut ledger, mut books, mut counts) = (Ledger::default(), Books::default(), Counts::default());
    let read = BTreeMap::from([((1, 0), first..1_000)]);
    let mut results = Results {
        ledger: &mut ledger,
        books: &mut books,
        people,
        read: &read,
        counts: &mut counts,
        courses: BTreeMap::new(),
    };
    let mut items: Vec<Item> = said
        .iter()
        .map(|score| Item::Said(Said::of(score, place_of(score.origin.offset))))
        .collect();
    items.extend(archived);
    results.judge(result_id(), items);
    let kinds = books.findings.iter().map(|finding| finding.kind).collect();
    (kinds, books)
}

fn leak(score: EnrichedScore<'static>) -> &'static EnrichedScore<'static> {
    Box::leak(Box::new(score))
}

#[test]
fn what_the_rule_makes_of_it_balances_and_everything_else_is_named() {
    let (first, second, other) = (leak(score(1, "E1", 60)), leak(score(2, "E1", 70)), leak(score(3, "E2", 80)));
    let said = [first, second, other];
    let refusal = Refused {
        place: (1, 0, 3),
        is_by_owner: true,
        head: Said::of(other, place_of(3)).head,
        content: Said::of(other, place_of(3)).content,
    };
    let refused = Item::Refused(refusal.clone());
    let right = || vec![Item::Record(record(second)), Item::History(history(first, 1)), refused.clone()];
    let check = |archived: Vec<Item>, expected: &[FindingKind]| {
        let (kinds, _) = findings(&said, archived, 0);
        assert_eq!(kinds, expected);
    };
    check(right(), &[]);
    check(right()[1..].to_vec(), &[FindingKind::MissingRecord]);
    check(vec![right()[0].clone(), refused.clone()], &[FindingKind::MissingHistory]);
    check(right()[..2].to_vec(), &[FindingKind::MissingRefusal]);
    let mut elsewhere = record(second);
    elsewhere.standing.owner = Some("E2".to_owned());
    check(
        vec![Item::Record(elsewhere), right()[1].clone(), refused.clone()],
        &[FindingKind::AlteredRecord],
    );
    let mut altered = record(second);
    altered.standing.shown = Some(Said::of(first, place_of(1)).shown());
    check(
        vec![Item::Record(altered), right()[1].clone(), refused.clone()],
        &[FindingKind::AlteredRecord],
    );
    let reworded = Refused {
        content: [0; 16],
        ..refusal.clone()
    };
    check([&right()[..2], &[Item::Refused(reworded)]].concat(), &[FindingKind::ExtraRefusal]);
    let of_nothing = Refused {
        place: (1, 0, 4),
        is_by_owner: false,
        ..refusal
    };
    check([right(), vec![Item::Refused(of_nothing)]].concat(), &[FindingKind::ExtraRefusal]);
    let stale = vec![Item::Record(record(first)), Item::History(history(second, 1)), right()[2].clone()];
    check(stale, &[FindingKind::AlteredRecord, FindingKind::MissingHistory]);
    let mut reworded = history(first, 1);
    reworded.head = record(second).standing.head;
    check([right(), vec![Item::History(reworded)]].concat(), &[FindingKind::ExtraHistory]);
    let (kinds, _) = findings(&[], right(), 0);
    let expected = [
        FindingKind::ExtraRefusal,
        FindingKind::ExtraRecord,
        FindingKind::ExtraHistory,
        FindingKind::ExtraRefusal,
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn what_the_log_does_not_hold_any_more_is_not_judged() {
    let only = leak(score(1, "E1", 60));
    let (kinds, books) = findings(&[], vec![Item::Record(record(only))], 2);
    assert_eq!((kinds, books.unverifiable_results), (Vec::new(), 1));
    // Nor is what a log does not hold that was made anew, or lost its end; nor what is gone with the beginning of its log.
    let beyond = leak(score(1_001, "E1", 60));
    let (kinds, books) = findings(&[], vec![Item::Record(record(beyond))], 0);
    assert_eq!((kinds, books.unverifiable_results), (Vec::new(), 1));
    let (kinds, books) = findings(&[leak(score(3, "E1", 60))], Vec::new(), 2);
    assert_eq!((kinds, books.unverifiable_results), (Vec::new(), 1));
}

#[test]
fn who_was_another_once_is_undecided_and_nobody_else() {
    let (first, second, third) = (leak(score(1, "E1", 60)), leak(score(2, "E2", 70)), leak(score(3, "E2", 80)));
    let mut people = People::default();
    people.formerly_replaced("E1".to_owned(), "E2".to_owned());
    people.close();
    let refused = |score| {
        let said = Said::of(score, place_of(3));
        Item::Refused(Refused {
            place: said.place,
            is_by_owner: true,
            head: said.head,
            content: said.content,
        })
    };
    // The second came while the one led to the other, the third when that was over.
    let right = || vec![Item::Record(record(second)), Item::History(history(first, 1)), refused(third)];
    let check = |people: &People, said: &[&'static EnrichedScore<'static>], archived: Vec<Item>, expected: &[FindingKind]| {
        let (kinds, _) = findings_among(people, said, (archived, 0));
        assert_eq!(kinds, expected);
    };
    let said = [first, second, third];
    check(&people, &said, right(), &[]);
    let (alone, _) = findings(&said, right(), 0);
    assert_eq!(alone, [FindingKind::AlteredRecord, FindingKind::MissingRefusal]);
    let gone = right()[..2].to_vec();
    check(&people, &said, gone, &[FindingKind::AlteredRecord, FindingKind::MissingHistory]);
    let mut elsewhere = record(second);
    elsewhere.standing.owner = Some("E7".to_owned());
    check(
        &people,
        &said[..2],
        vec![Item::Record(elsewhere), right()[1].clone()],
        &[FindingKind::AlteredRecord],
    );
    let of_another = leak(score(3, "E7", 80));
    check(
        &people,
        &[first, second, of_another],
        right()[..2].to_vec(),
        &[FindingKind::MissingRefusal],
    );
}

/// The fate of each, one after the other.
fn check_fates(said: &[EnrichedScore<'static>], expected: &[Fate]) {
    let said: Vec<Said> = (0..).zip(said).map(|(offset, score)| Said::of(score, place_of(offset))).collect();
    let statements: Vec<Statement> = said.iter().map(|said| said.stated.clone()).collect();
    assert_eq!(fates(&said, &statements), expected);
}

#[test]
fn each_statement_has_one_fate() {
    let (first, second) = (score(1, "E1", 60), score(2, "E1", 70));
    check_fates(std::slice::from_ref(&first), &[Fate::Filed]);
    check_fates(&[first.clone(), second.clone()], &[Fate::Filed, Fate::Filed]);
    check_fates(&[second.clone(), first.clone()], &[Fate::Filed, Fate::Superseded]);
    check_fates(&[first.clone(), first.clone()], &[Fate::Filed, Fate::Duplicate]);
    check_fates(&[first.clone(), score(3, "E1", 60)], &[Fate::Filed, Fate::Duplicate]);
    // A full export in which the score returns to what it was.
    check_fates(
        &[first.clone(), second, score(3, "E1", 60)],
        &[Fate::Filed, Fate::Filed, Fate::Filed],
    );
    check_fates(&[first.clone(), score(3, "E2", 60)], &[Fate::Filed, Fate::Refused]);
    // A letter that is redriven last moves the place of what was said again before.
    let redelivered = |offset, points| EnrichedScore {
        repeat: Repeat::Redelivery,
        ..score(offset, "E1", points)
    };
    let late = [redelivered(3, 70), redelivered(5, 60), redelivered(1, 60)];
    check_fates(&late, &[Fate::Filed, Fate::Filed, Fate::Filed]);
    let decided = EnrichedScore {
        decision: 9,
        ..score(3, "E2", 60)
    };
    check_fates(&[first, score(3, "E2", 60), decided], &[Fate::Filed, Fate::Superseded, Fate::Filed]);
}
