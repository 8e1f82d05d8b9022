//! What becomes of a report, as a pure function of the report, the sources and the directory.

use std::borrow::Cow;

use crate::{
    ContentHash, Directory, EnrichedScore, Found, MappedScore, MatchPolicy, Origin, Period, Reason, ScoreReport, Source, Sources, Status,
    Subject, find_employee,
};

/// Why a report becomes a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The reason, from the closed list.
    pub reason: Reason,
    /// A sentence for people, without personal values.
    pub message: String,
}

/// Maps and matches a report that first appeared at `origin`.
///
/// A withdrawal is not matched: it speaks of the result, whoever owns it, and names nobody.
///
/// # Errors
/// The reason why it cannot be filed.
pub fn decide<'a>(
    report: &'a ScoreReport<'_>,
    origin: Origin,
    sources: &'a Sources,
    directory: &'a Directory,
) -> Result<EnrichedScore<'a>, Rejection> {
    let source = sources.get(&report.source).ok_or_else(|| Rejection {
        reason: Reason::UnknownSource,
        message: "no source of this name is configured; add it to the configuration or correct the sender".to_owned(),
    })?;
    let mapped = source.map(report).map_err(|error| Rejection {
        reason: error.reason,
        message: error.to_string(),
    })?;
    let found = match mapped.status {
        Status::Withdrawn => None,
        Status::Final | Status::Provisional => Some(owner(source, &mapped, directory)?),
    };
    Ok(enrich(mapped, found.as_ref(), origin))
}

fn owner<'d>(source: &Source, mapped: &MappedScore<'_>, directory: &'d Directory) -> Result<Found<'d>, Rejection> {
    let subject = Subject {
        result_id: mapped.result_id,
        // The mapping refuses a report without it; the time of receipt stands in only to keep this function total.
        finished: mapped.finished.unwrap_or_else(|| mapped.received_at.into()),
        identities: mapped.identities,
    };
    find_employee(directory, &MatchPolicy::from(source), &subject).map_err(|error| Rejection {
        reason: error.reason(),
        message: error.to_string(),
    })
}

fn enrich<'a>(mapped: MappedScore<'a>, found: Option<&Found<'a>>, origin: Origin) -> EnrichedScore<'a> {
    let employee = found.map(|found| found.employee);
    let text = |text: Option<&'a str>| text.map(Cow::Borrowed);
    let mut score = EnrichedScore {
        result_id: mapped.result_id,
        source: Cow::Borrowed(mapped.source),
        system: Cow::Borrowed(mapped.system),
        status: mapped.status,
        employee_no: text(employee.map(|employee| employee.employee_no())),
        employee_name: text(employee.and_then(|employee| employee.name())),
        department: text(employee.and_then(|employee| employee.department())),
        position: text(employee.and_then(|employee| employee.position())),
        course_id: mapped.course_id,
        course_title: text(mapped.course_title),
        exam_id: mapped.exam_id,
        exam_title: text(mapped.exam_title),
        attempt: mapped.attempt,
        exam_score: mapped.marks.exam_score,
        min_score: mapped.marks.min_score,
        max_score: mapped.marks.max_score,
        grade: text(mapped.marks.grade),
        passed: mapped.marks.passed,
        finish_timestamp: mapped.finished.map(Period::first),
        revision: mapped.revision,
        revision_scheme: mapped.revision_scheme,
        mapping_version: mapped.mapping_version,
        repeat: mapped.repeat,
        decision: found.map_or(0, |found| found.decision),
        matched_by: text(found.map(|found| found.matched_by.as_str())),
        rounded: mapped.marks.rounded,
        received_at: mapped.received_at,
        origin,
        content_hash: ContentHash([0; 16]),
    };
    score.content_hash = score.hash_content();
    score
}
