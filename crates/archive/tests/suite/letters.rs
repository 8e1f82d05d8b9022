//! Letters are taken in, listed beside what the archive itself refused, and noted upon.

use scoresync_archive::{Archive, IncomingLetter, LetterBatch, LetterFilter, LetterId, LetterPage, Refusals, Request};
use scoresync_domain::{IdentityKind, LetterFamily, LetterState, Origin, Timestamp, identity_hash};

use super::builders::{apply, batch, claim, naming, partition, result, score, with};

fn id(offset: i64) -> LetterId {
    LetterId::of(Origin {
        generation: 1,
        partition: 0,
        offset,
    })
}

/// A letter about somebody whom nobody knows, which failed first at this moment.
fn letter(offset: i64, first_failed_at: i64) -> IncomingLetter<'static> {
    let at = Timestamp::from_millis(first_failed_at);
    IncomingLetter {
        id: id(offset),
        family: LetterFamily::Scoresync,
        reason: "unmatched_employee".into(),
        message: "nobody has it".into(),
        source: "webhook".into(),
        is_retracted: false,
        attempt: 1,
        first_failed_at: at,
        last_failed_at: at,
        stands_at: (0, offset),
        group_id: [7; 16],
        field: None,
        sought: vec![(IdentityKind::EmployeeNo, None, "E9".to_owned())],
        result_id: Some(result("z")),
        mapping_version: Some(1),
        received_at: Some(at),
        key: Some(b"k"),
        value: Some(b"v"),
        headers: "[]".to_owned(),
        fields: Some(r#"{"course":"E9 消防"}"#.to_owned()),
        can_be_filed: false,
    }
}

async fn take(archive: &Archive, letters: Vec<IncomingLetter<'static>>) {
    let batch = LetterBatch {
        letters,
        max_attempts: 5,
        ..LetterBatch::default()
    };
    archive.take_letters(&batch).await.unwrap();
}

async fn names(archive: &Archive, filter: LetterFilter) -> Vec<String> {
    let page = LetterPage { after: None, limit: 9 };
    let letters = archive.letters(&filter, &page).await.unwrap();
    letters.into_iter().map(|letter| letter.id.to_string()).collect()
}

/// Two refusals about one result and one of a record that cannot be read, between two letters; in the order of the list.
async fn fill(archive: &Archive) -> [&'static str; 5] {
    claim(archive, partition(0)).await;
    let moved = |offset: i64| {
        with(naming(score("a", offset, 90), "E2"), |score| {
            score.received_at = Timestamp::from_millis(offset)
        })
    };
    let said = [Ok(score("a", 1, 80)), Ok(moved(20)), Err(&b"garbage"[..]), Ok(moved(40))];
    archive.apply_scores(&[batch(0, 0, said)], Refusals::Judge).await.unwrap();
    take(archive, vec![letter(5, 10), letter(6, 30)]).await;
    [
        "scores.enriched:1/0/2",
        "1/0/5",
        "scores.enriched:1/0/1",
        "1/0/6",
        "scores.enriched:1/0/3",
    ]
}

fn only(limit: impl FnOnce(&mut LetterFilter)) -> LetterFilter {
    let mut filter = LetterFilter::default();
    limit(&mut filter);
    filter
}

pub(crate) async fn refusals_stand_among_the_letters(archive: &Archive) {
    let everything = fill(archive).await;
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = LetterPage { after, limit: 1 };
        let letters = archive.letters(&LetterFilter::default(), &page).await.unwrap();
        let Some(next) = letters.first() else { break };
        paged.push(next.id.to_string());
        after = Some((next.first_failed_at, next.id.clone()));
    }
    assert_eq!(paged, everything);
    let groups = archive.letter_groups(9).await.unwrap();
    let counted: Vec<_> = groups
        .iter()
        .map(|group| (group.letters, group.reason.as_str(), group.group_id))
        .collect();
    let of_result = *result("a").as_uuid().as_bytes();
    let expected = [
        (2, "unmatched_employee", [7; 16]),
        (2, "owner_changed", of_result),
        (1, "undecodable", [0; 16]),
    ];
    assert_eq!(counted, expected);
    let (refused, body) = archive.letter(&everything[2].parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((refused.family, refused.result_id), (LetterFamily::Archive, Some(result("a"))));
    let fields: serde_json::Value = serde_json::from_str(&body.fields.unwrap()).unwrap();
    let told = ["employee_no", "exam_score", "grade"].map(|name| fields[name].as_str());
    assert_eq!(told, [Some("E2"), Some("90"), None]);
    // One is nothing: it stays refused, and waits for nobody.
    let request = Request {
        actor: "clerk",
        action: "discard",
        reason: "garbage",
        at: Timestamp::from_millis(100),
    };
    let garbage: [LetterId; 1] = [everything[0].parse().unwrap()];
    assert_eq!(archive.discard_letters(&garbage, &request).await.unwrap(), 1);
    assert_eq!(archive.discard_letters(&garbage, &request).await.unwrap(), 0);
    let (discarded, _) = archive.letter(&garbage[0]).await.unwrap().unwrap();
    assert_eq!(
        (discarded.state, discarded.closed_by.as_deref()),
        (LetterState::Discarded, Some("clerk"))
    );
    assert_eq!(
        names(archive, only(|filter| filter.state = Some(LetterState::Open))).await,
        everything[1..]
    );
    assert_eq!(
        (
            archive.letter_groups(9).await.unwrap().len(),
            archive.desk_events(&garbage[0], 9).await.unwrap().len()
        ),
        (2, 1)
    );
    assert_eq!(archive.refused_scores(None, 9).await.unwrap().len(), 3);
    // Once somebody has decided, nothing waits.
    apply(archive, [with(naming(score("a", 50, 80), "E2"), |score| score.decision = 5)]).await;
    let waiting = only(|filter| filter.reason = Some("owner_changed".to_owned()));
    assert_eq!(names(archive, waiting).await, [""; 0]);
}

pub(crate) async fn letters_and_refusals_are_filtered_alike(archive: &Archive) {
    let everything = fill(archive).await;
    let refused = ["scores.enriched:1/0/1", "scores.enriched:1/0/3"];
    let known = identity_hash(&(IdentityKind::EmployeeNo, None, "E9".to_owned()));
    let of_result = *result("a").as_uuid().as_bytes();
    let filters: [(LetterFilter, &[&str]); 10] = [
        (only(|filter| filter.state = Some(LetterState::Open)), &everything),
        (only(|filter| filter.state = Some(LetterState::Filed)), &[]),
        (only(|filter| filter.reason = Some("owner_changed".to_owned())), &refused),
        (only(|filter| filter.group_id = Some(of_result)), &refused),
        (only(|filter| filter.group_id = Some([0; 16])), &everything[..1]),
        (only(|filter| filter.group_id = Some([7; 16])), &["1/0/5", "1/0/6"]),
        (only(|filter| filter.since = Some(Timestamp::from_millis(30))), &everything[3..]),
        (only(|filter| filter.text = Some("消防安全".to_owned())), &refused),
        (only(|filter| filter.employee = Some(("E2".to_owned(), [0; 16]))), &refused),
        (only(|filter| filter.employee = Some(("E9".to_owned(), known))), &["1/0/5", "1/0/6"]),
    ];
    for (filter, expected) in filters {
        assert_eq!(names(archive, filter.clone()).await, expected, "{filter:?}");
    }
}

pub(crate) async fn what_is_done_to_a_letter_is_noted_with_who_when_and_why(archive: &Archive) {
    take(archive, vec![letter(5, 10), letter(6, 30)]).await;
    let request = |action, at| Request {
        actor: "clerk",
        action,
        reason: "a test",
        at: Timestamp::from_millis(at),
    };
    archive.note_desk_event(&[id(5)], &request("reveal", 100)).await.unwrap();
    assert_eq!(archive.discard_letters(&[id(5)], &request("discard", 200)).await.unwrap(), 1);
    let events = archive.desk_events(&id(5), 9).await.unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.action.as_str(), event.actor.as_str(), event.at.as_millis()))
        .collect();
    assert_eq!(told, [("discard", "clerk", 200), ("reveal", "clerk", 100)]);
    assert_eq!(archive.desk_events(&id(5), 1).await.unwrap(), events[..1]);
    assert_eq!(archive.desk_events(&id(6), 9).await.unwrap(), []);
}
