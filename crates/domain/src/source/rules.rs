//! What the settings of one source must be to each other.

use super::{SourceSettings, key, problem::Problems};
use crate::field_mapping::{Decimal, Field, FieldMapping};

/// Checks what fields and settings ask of each other.
pub(super) fn check(settings: &SourceSettings, problems: &mut Problems) {
    let is_mapped = |field| settings.fields.is_mapped(field);
    for field in [Field::CourseId, Field::FinishTimestamp] {
        if !is_mapped(field) {
            problems.add(format_args!("fields.{field}"), "is required");
        }
    }
    if ![Field::ExamScore, Field::Grade, Field::Passed].into_iter().any(is_mapped) {
        problems.add("fields", "one of exam_score, grade and passed is required");
    }
    if settings.name_must_agree && !is_mapped(Field::EmployeeName) {
        problems.add("name_must_agree", "needs `employee_name` to be mapped");
    }
    if settings.score_above_maximum.as_deref() == Some("refuse") && !(is_mapped(Field::ExamScore) && is_mapped(Field::MaxScore)) {
        problems.add("score_above_maximum", "\"refuse\" needs `exam_score` and `max_score` to be mapped");
    }
    check_key(settings, problems);
}

fn check_key(settings: &SourceSettings, problems: &mut Problems) {
    if settings.key.is_empty() {
        let explanation = "is required: [\"result\"] if the system has an id for each result, otherwise learner, course_id and, if they exist, exam_id and attempt";
        problems.add("key", explanation);
        return;
    }
    check_parts(settings, problems);
    let has = |field: Field| settings.key.iter().any(|part| part == field.as_str());
    if has(Field::Result) {
        if settings.key.len() > 1 {
            problems.add("key", "`result` identifies a result by itself: leave out the other parts");
        }
    } else {
        for field in [Field::Learner, Field::CourseId] {
            if !has(field) {
                problems.add("key", format!("lacks `{field}`; a key without `result` needs it"));
            }
        }
    }
    check_attempt(settings, has(Field::Attempt), problems);
}

fn check_parts(settings: &SourceSettings, problems: &mut Problems) {
    for (place, part) in settings.key.iter().enumerate() {
        match key::key_field(part) {
            None => problems.add(
                "key",
                format!("`{part}` is none of result, learner, course_id, exam_id and attempt"),
            ),
            Some(_) if settings.key[..place].contains(part) => problems.add("key", format!("lists `{part}` twice")),
            // Without `learner`, the first kind of `employees_match` is meant, which says itself what it lacks.
            Some(Field::Learner) => {}
            Some(field) if !settings.fields.is_mapped(field) => {
                problems.add("key", format!("lists `{field}`, which `fields` does not map"))
            }
            Some(_) => {}
        }
    }
}

fn check_attempt(settings: &SourceSettings, in_key: bool, problems: &mut Problems) {
    let by_result = settings.key.iter().any(|part| part == Field::Result.as_str());
    match settings.attempt.as_deref() {
        Some("field") if !settings.fields.is_mapped(Field::Attempt) => {
            problems.add("attempt", "\"field\" needs `attempt` to be mapped in `fields`");
        }
        Some("field") if !by_result && !in_key => {
            problems.add("key", "lacks `attempt`: one attempt would replace the other in the file");
        }
        Some("none") if in_key || settings.fields.is_mapped(Field::Attempt) => {
            problems.add(
                "attempt",
                "\"none\" says that there is one attempt per exam, but `key` or `fields` have `attempt`",
            );
        }
        Some("field" | "none") => {}
        Some(_) => problems.add("attempt", "is \"field\" or \"none\""),
        None if by_result => {}
        None => problems.add(
            "attempt",
            "is required: \"field\" if a learner can take an exam again (and `attempt` says which time it was), \"none\" if not",
        ),
    }
}

/// Checks bounds that are the same for all records.
pub(super) fn check_bounds(mapping: &FieldMapping, problems: &mut Problems) {
    if let (Some(Decimal::Constant(min)), Some(Decimal::Constant(max))) = (&mapping.min_score, &mapping.max_score)
        && min > max
    {
        problems.add("fields.min_score", "is greater than `max_score`");
    }
}
