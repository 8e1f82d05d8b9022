//! `scoresync records EMPLOYEE_NO`: an employee's file with its corrections.

use anyhow::Context as _;
use scoresync_archive::{Access, Archive, Content, Head, TrainingRecord};
use scoresync_domain::{Score, Status, Timestamp};
use scoresync_service::Exit;
use serde_json::{Value, json};

use super::Context;
use crate::{arguments::Records, failure::Failure, output::table};

pub(super) async fn run(arguments: &Records, context: &Context) -> Result<Exit, Failure> {
    let archive = Archive::open(&context.configuration.archive, Access::Reader)
        .await
        .context("open the archive; has a sink run yet?")?;
    let records = archive.records_of(&arguments.employee_no).await?;
    let documents: Vec<Value> = records.iter().map(document).collect();
    context.output.print(&documents, |_| {
        if records.is_empty() {
            return vec![format!("nothing is filed for {}", arguments.employee_no)];
        }
        let rows: Vec<Vec<String>> = std::iter::once(heading()).chain(records.iter().flat_map(lines)).collect();
        table(&rows)
    })?;
    Ok(Exit::Ok)
}

fn heading() -> Vec<String> {
    [
        "finished", "course", "exam", "attempt", "score", "of", "grade", "passed", "state", "revision", "source", "found by",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// The record, then each other version below it.
fn lines(record: &TrainingRecord) -> Vec<Vec<String>> {
    let state = match record.head.status {
        Status::Withdrawn => "withdrawn",
        Status::Provisional => "provisional",
        Status::Final => "final",
    };
    let empty = vec![String::new(); heading().len()];
    let mut lines = vec![
        record
            .shown
            .as_ref()
            .map_or_else(|| with_state(empty, state), |shown| line(&shown.content, &record.head, state)),
    ];
    let others = record
        .history
        .iter()
        .filter(|other| other.head.content_hash != record.head.content_hash);
    lines.extend(others.map(|other| {
        let mut cells = line(&other.content, &other.head, &format!("was {}", other.head.status));
        cells[0] = format!("  {}", cells[0]);
        cells
    }));
    lines
}

fn with_state(mut cells: Vec<String>, state: &str) -> Vec<String> {
    cells[8] = state.to_owned();
    cells
}

fn line(content: &Content<'_>, head: &Head<'_>, state: &str) -> Vec<String> {
    let text = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let score = |score: Option<Score>| score.map_or_else(|| "-".to_owned(), |score| score.to_string());
    vec![
        content.finish_timestamp.map_or_else(|| "-".to_owned(), minute),
        text(content.course_title.as_deref().or(content.course_id.as_deref())),
        text(content.exam_title.as_deref().or(content.exam_id.as_deref())),
        content.attempt.map_or_else(|| "-".to_owned(), |attempt| attempt.to_string()),
        score(content.exam_score),
        score(content.max_score),
        text(content.grade.as_deref()),
        content.passed.map_or("-", |passed| if passed { "yes" } else { "no" }).to_owned(),
        state.to_owned(),
        head.revision.map_or_else(|| "-".to_owned(), |revision| revision.to_string()),
        content.source.to_string(),
        text(head.matched_by.as_deref()),
    ]
}

/// Date and time to the minute, UTC.
fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(..16).map_or(text.clone(), |minute| minute.replace('T', " "))
}

fn document(record: &TrainingRecord) -> Value {
    let history: Vec<Value> = record
        .history
        .iter()
        .map(|other| json!({ "head": head(&other.head), "content": content(&other.content) }))
        .collect();
    json!({
        "result_id": record.result_id.to_string(),
        "owner_employee_no": record.owner_employee_no,
        "owner_decision": record.owner_decision,
        "withdrawn": record.head.status == Status::Withdrawn,
        "head": head(&record.head),
        "content": record.shown.as_ref().map(|shown| content(&shown.content)),
        "history": history,
    })
}

fn head(head: &Head<'_>) -> Value {
    json!({
        "status": head.status.as_str(),
        "employee_no": head.employee_no,
        "matched_by": head.matched_by,
        "revision_scheme": head.revision_scheme,
        "revision": head.revision,
        "mapping_version": head.mapping_version,
        "decision": head.decision,
        "origin": head.origin.to_string(),
        "received_at": head.received_at.to_string(),
    })
}

fn content(content: &Content<'_>) -> Value {
    let score = |score: Option<Score>| score.map(|score| score.to_string());
    json!({
        "source": content.source,
        "system": content.system,
        "employee_name": content.employee_name,
        "department": content.department,
        "position": content.position,
        "course_id": content.course_id,
        "course_title": content.course_title,
        "exam_id": content.exam_id,
        "exam_title": content.exam_title,
        "attempt": content.attempt,
        "exam_score": score(content.exam_score),
        "min_score": score(content.min_score),
        "max_score": score(content.max_score),
        "grade": content.grade,
        "passed": content.passed,
        "finish_timestamp": content.finish_timestamp.map(|time| time.to_string()),
        "rounded": content.rounded,
    })
}
