//! Copies of decoded records that outlive the messages they were read from.

use std::borrow::Cow;

use scoresync_domain::{EnrichedScore, Fields, ScoreReport};

type Text<'a> = Cow<'a, str>;

fn text(text: Text<'_>) -> Text<'static> {
    Cow::Owned(text.into_owned())
}

pub(crate) fn report(report: ScoreReport<'_>) -> ScoreReport<'static> {
    let fields = report
        .fields
        .iter()
        .map(|(name, value)| (Cow::Owned(name.to_owned()), value.map(|value| Cow::Owned(value.to_owned()))));
    ScoreReport {
        source: text(report.source),
        received_at: report.received_at,
        content_type: text(report.content_type),
        fields: Fields::from_unique(fields.collect()),
        unparsed: report.unparsed.map(|bytes| Cow::Owned(bytes.into_owned())),
    }
}

pub(crate) fn score(score: EnrichedScore<'_>) -> EnrichedScore<'static> {
    EnrichedScore {
        source: text(score.source),
        system: text(score.system),
        employee_no: score.employee_no.map(text),
        employee_name: score.employee_name.map(text),
        department: score.department.map(text),
        position: score.position.map(text),
        course_id: score.course_id.map(text),
        course_title: score.course_title.map(text),
        exam_id: score.exam_id.map(text),
        exam_title: score.exam_title.map(text),
        grade: score.grade.map(text),
        matched_by: score.matched_by.map(text),
        result_id: score.result_id,
        status: score.status,
        attempt: score.attempt,
        exam_score: score.exam_score,
        min_score: score.min_score,
        max_score: score.max_score,
        passed: score.passed,
        finish_timestamp: score.finish_timestamp,
        revision: score.revision,
        revision_scheme: score.revision_scheme,
        mapping_version: score.mapping_version,
        repeat: score.repeat,
        decision: score.decision,
        rounded: score.rounded,
        received_at: score.received_at,
        origin: score.origin,
        content_hash: score.content_hash,
    }
}
