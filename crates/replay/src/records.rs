//! One record beside another: what stands in a file, and what would.

use scoresync_archive::{Successors, SurveyedRecord};
use scoresync_domain::{Score, Status};

use crate::difference::{Change, Row, RowKind};

/// A result before and after.
pub(crate) struct Pair<'a> {
    pub(crate) before: Option<&'a SurveyedRecord>,
    pub(crate) after: Option<&'a SurveyedRecord>,
    /// Something that is said of it now was refused.
    pub(crate) is_refused: bool,
}

/// What becomes of the result; `None` where it stands as it stood.
pub(crate) fn compare(result_id: String, pair: &Pair<'_>, successors: &Successors) -> Option<Row> {
    let (before, after) = (facts(pair.before, successors), facts(pair.after, successors));
    let both = before.iter().zip(&after);
    let changes: Vec<Change> = both.filter(|(before, after)| before.value != after.value).map(change).collect();
    let differs = changes.iter().any(|change| !FOLLOWS_DIRECTORY.contains(&change.field));
    let kind = match (stands(pair.before), stands(pair.after)) {
        _ if !differs && pair.is_refused => RowKind::Refused,
        _ if !differs => return None,
        (false, true) => RowKind::NewlyFiled,
        (true, false) => RowKind::NoLongerFiled,
        (true, true) | (false, false) if changes.iter().any(|change| change.field == OWNER) => RowKind::Moved,
        (true, true) | (false, false) => RowKind::Changed,
    };
    let of = |name: &[&str]| {
        let shown = |facts: &[Fact]| {
            let named = name.iter().filter_map(|name| facts.iter().find(|fact| fact.field == *name));
            named.filter_map(|fact| fact.value.clone()).next()
        };
        shown(&after).or_else(|| shown(&before))
    };
    Some(Row {
        result_id,
        kind,
        employee_no: of(&[OWNER]),
        course: of(&["course_title", "course_id"]),
        exam: of(&["exam_title", "exam_id"]),
        changes: if differs { changes } else { Vec::new() },
        because: None,
    })
}

/// In whose file it is.
const OWNER: &str = "employee_no";
/// What does not make a record another one: it is as the directory had it whenever the report was mapped.
const FOLLOWS_DIRECTORY: [&str; 3] = ["employee_name", "department", "position"];

struct Fact {
    field: &'static str,
    value: Option<String>,
}

fn change((before, after): (&Fact, &Fact)) -> Change {
    Change {
        field: before.field,
        before: before.value.clone(),
        after: after.value.clone(),
    }
}

fn stands(record: Option<&SurveyedRecord>) -> bool {
    record.is_some_and(|record| record.head.status != Status::Withdrawn)
}

/// What a person sees of a record, field by field, always in one order.
fn facts(record: Option<&SurveyedRecord>, successors: &Successors) -> Vec<Fact> {
    let owner = record.and_then(|record| record.owner_employee_no.as_deref());
    let content = record.and_then(|record| record.shown.as_ref()).map(|(_, content)| content);
    let score = |score: Option<Score>| score.map(|score| score.to_string());
    let yes_or_no = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    macro_rules! text {
        ($field:ident) => {
            content.and_then(|content| content.$field.as_deref()).map(str::to_owned)
        };
    }
    let values = [
        ("state", record.map(|record| record.head.status.as_str().to_owned())),
        (OWNER, owner.map(|number| successors.last(number).to_owned())),
        ("employee_name", text!(employee_name)),
        ("department", text!(department)),
        ("position", text!(position)),
        ("course_id", text!(course_id)),
        ("course_title", text!(course_title)),
        ("exam_id", text!(exam_id)),
        ("exam_title", text!(exam_title)),
        (
            "attempt",
            content.and_then(|content| content.attempt).map(|attempt| attempt.to_string()),
        ),
        ("exam_score", score(content.and_then(|content| content.exam_score))),
        ("min_score", score(content.and_then(|content| content.min_score))),
        ("max_score", score(content.and_then(|content| content.max_score))),
        ("grade", text!(grade)),
        ("passed", content.and_then(|content| content.passed).map(yes_or_no)),
        (
            "finish_timestamp",
            content.and_then(|content| content.finish_timestamp).map(|time| time.to_string()),
        ),
        (
            "revision",
            record.and_then(|record| record.head.revision).map(|revision| revision.to_string()),
        ),
        ("rounded", content.map(|content| yes_or_no(content.rounded))),
    ];
    values.into_iter().map(|(field, value)| Fact { field, value }).collect()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use scoresync_archive::{Content, EnrichedPosition, Head};
    use scoresync_domain::{ContentHash, Origin, Repeat, ResultId, Timestamp};

    use super::*;

    fn record(owner: &str, points: i64, status: Status) -> SurveyedRecord {
        let place = EnrichedPosition {
            generation: 1,
            partition: 0,
            offset: points,
        };
        SurveyedRecord {
            result_id: ResultId::from_key("academy", ["a"]),
            head: Head {
                origin: Origin {
                    generation: 1,
                    partition: 0,
                    offset: points,
                },
                mapping_version: 1,
                decision: 0,
                employee_no: None,
                matched_by: None,
                status,
                revision_scheme: 1,
                revision: None,
                content_hash: ContentHash([0; 16]),
                repeat: Repeat::Correction,
                received_at: Timestamp::from_millis(0),
                arrived: place,
            },
            owner_employee_no: Some(owner.to_owned()),
            owner_decision: 0,
            shown_instead: None,
            shown: Some((1, content(points))),
        }
    }

    fn content(points: i64) -> Content<'static> {
        Content {
            source: "academy".into(),
            system: "academy".into(),
            employee_name: None,
            department: None,
            position: None,
            course_id: Some("C-1".into()),
            course_title: None,
            exam_id: None,
            exam_title: None,
            attempt: None,
            exam_score: Score::from_millionths(points * 1_000_000),
            min_score: None,
            max_score: None,
            grade: None,
            passed: None,
            finish_timestamp: None,
            rounded: false,
        }
    }

    /// The kind of row, and the fields that differ. E1 was replaced by E2.
    fn check(before: Option<&SurveyedRecord>, after: Option<&SurveyedRecord>, expected: Option<(RowKind, &[&str])>) {
        let mut successors = Successors::default();
        successors.add("E1".to_owned(), "E2".to_owned());
        let pair = Pair {
            before,
            after,
            is_refused: false,
        };
        let row = compare(String::new(), &pair, &successors);
        let fields: Vec<&str> = row.iter().flat_map(|row| &row.changes).map(|change| change.field).collect();
        assert_eq!(
            row.as_ref().map(|row| (row.kind, fields.as_slice())),
            expected,
            "{before:?} {after:?}"
        );
    }

    #[test]
    fn what_stands_as_it_stood_is_no_row() {
        check(None, None, None);
        check(Some(&record("E1", 80, Status::Final)), Some(&record("E2", 80, Status::Final)), None);
        let mut elsewhere = record("E1", 80, Status::Final);
        if let Some((_, content)) = &mut elsewhere.shown {
            content.department = Some(Cow::Borrowed("质量部"));
        }
        check(Some(&record("E1", 80, Status::Final)), Some(&elsewhere), None);
    }

    #[test]
    fn every_field_that_differs_is_named() {
        let before = record("E1", 80, Status::Final);
        let after = record("E1", 90, Status::Provisional);
        check(Some(&before), Some(&after), Some((RowKind::Changed, &["state", "exam_score"])));
        let moved = record("E3", 80, Status::Final);
        check(Some(&before), Some(&moved), Some((RowKind::Moved, &["employee_no"])));
    }

    #[test]
    fn what_comes_into_a_file_and_what_leaves_it_is_told_apart() {
        let (stands, withdrawn) = (record("E1", 80, Status::Final), record("E1", 80, Status::Withdrawn));
        check(Some(&stands), Some(&withdrawn), Some((RowKind::NoLongerFiled, &["state"])));
        check(Some(&withdrawn), Some(&stands), Some((RowKind::NewlyFiled, &["state"])));
        let fields = ["state", "employee_no", "course_id", "exam_score", "rounded"];
        check(None, Some(&stands), Some((RowKind::NewlyFiled, &fields)));
    }

    #[test]
    fn what_is_refused_is_a_row_although_nothing_differs() {
        let stands = record("E1", 80, Status::Final);
        let pair = Pair {
            before: Some(&stands),
            after: Some(&stands),
            is_refused: true,
        };
        let row = compare(String::new(), &pair, &Successors::default()).unwrap();
        assert_eq!((row.kind, row.course.as_deref()), (RowKind::Refused, Some("C-1")));
    }
}
