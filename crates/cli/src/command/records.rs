//! `scoresync records EMPLOYEE_NO`: an employee's file with its corrections.

use std::collections::HashSet;

use anyhow::Context as _;
use scoresync_archive::{Access, Archive, ArchiveError, Content, Head, TrainingRecord};
use scoresync_domain::{Score, Status, Timestamp, normalise_employee_no};
use scoresync_service::Exit;
use serde_json::{Value, json};

use super::Context;
use crate::{arguments::Records, failure::Failure, output::table};

pub(super) async fn run(arguments: &Records, context: &Context) -> Result<Exit, Failure> {
    let archive = Archive::open(&context.configuration.archive, Access::Reader)
        .await
        .context("open the archive; has a sink run yet?")?;
    let records = records_of(&archive, arguments).await?;
    let documents: Vec<Value> = records.iter().map(document).collect();
    context.output.print(&documents, |_| {
        if records.is_empty() {
            return vec![nothing(arguments)];
        }
        let rows: Vec<Vec<String>> = std::iter::once(heading()).chain(records.iter().flat_map(lines)).collect();
        if arguments.matched_by.is_none() {
            return table(&rows);
        }
        let each = records
            .iter()
            .flat_map(|record| [owned_by(record), format!("  result {}", record.result_id)]);
        let moved =
            "`scoresync dlq resolve --result RESULT_ID --employee EMPLOYEE_NO --because TEXT` moves one to somebody else".to_owned();
        table(&rows).into_iter().chain([String::new()]).chain(each).chain([moved]).collect()
    })?;
    Ok(Exit::Ok)
}

/// The records in one file or, of those that were filed by a decision, in all.
async fn records_of(archive: &Archive, arguments: &Records) -> Result<Vec<TrainingRecord>, ArchiveError> {
    let owners = match (&arguments.employee_no, &arguments.matched_by) {
        (Some(employee_no), None) => return file_of(archive, employee_no).await,
        (Some(employee_no), Some(_)) => vec![employee_no.clone()],
        (None, matched_by) => archive.owners_matched_by(matched_by.as_deref().unwrap_or_default()).await?,
    };
    let mut records = Vec::new();
    for owner in owners {
        for record in file_of(archive, &owner).await? {
            let is_meant = record.head.matched_by.as_deref() == arguments.matched_by.as_deref();
            // A file has the records of all whose place the number took, who are owners themselves.
            let is_new = records.iter().all(|known: &TrainingRecord| known.result_id != record.result_id);
            if is_meant && is_new {
                records.push(record);
            }
        }
    }
    Ok(records)
}

fn owned_by(record: &TrainingRecord) -> String {
    format!("of {}:", record.owner_employee_no.as_deref().unwrap_or("nobody"))
}

fn nothing(arguments: &Records) -> String {
    let whom = arguments.employee_no.as_deref().unwrap_or("anybody");
    match &arguments.matched_by {
        Some(matched_by) => format!("nothing is filed for {whom} by {matched_by}"),
        None => format!("nothing is filed for {whom}"),
    }
}

/// The file of the number as it is written; where that is empty, of its normal form: the order in which numbers are understood everywhere.
/// Where that is empty, too, of the number as the HR system spells it.
async fn file_of(archive: &Archive, written: &str) -> Result<Vec<TrainingRecord>, ArchiveError> {
    let records = archive.records_of(written).await?;
    if !records.is_empty() {
        return Ok(records);
    }
    let mut records = archive.records_of(&normalise_employee_no(written)).await?;
    if records.is_empty() {
        for spelling in archive.spellings_of(written).await? {
            records.extend(archive.records_of(&spelling).await?);
        }
    }
    Ok(records)
}

fn heading() -> Vec<String> {
    [
        "finished (UTC)",
        "course",
        "exam",
        "attempt",
        "score",
        "of",
        "grade",
        "passed",
        "state",
        "revision",
        "source",
        "found by",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// The record, then each other version below it, as it was said last.
fn lines(record: &TrainingRecord) -> Vec<Vec<String>> {
    let state = record.head.status.as_str();
    let first = match &record.shown {
        Some(shown) => line(&shown.content, &record.head, state),
        None => heading()
            .iter()
            .map(|column| if column == "state" { state.to_owned() } else { String::new() })
            .collect(),
    };
    let mut listed = HashSet::from([record.head.version()]);
    let latest_first = record.history.iter().rev();
    let mut others: Vec<Vec<String>> = latest_first
        .filter(|other| listed.insert(other.head.version()))
        .map(|other| {
            let mut cells = line(&other.content, &other.head, &format!("was {}", other.head.status));
            cells[0] = format!("  {}", cells[0]);
            cells
        })
        .collect();
    others.reverse();
    std::iter::once(first).chain(others).collect()
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

/// Date and time to the minute, in UTC, as the heading says.
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

#[cfg(test)]
mod tests {
    use scoresync_archive::{
        ArchiveSettings, Batch, EmployeeBatch, EmployeeChange, EnrichedPosition, Entry, HistoricStatement, Position, Refusals, Shown,
        SqliteSettings, TopicPartition,
    };
    use scoresync_domain::{ContentHash, Employee, EnrichedScore, Origin, Repeat, ResultId};

    use super::*;

    fn head(offset: i64, content: u8, revision: Option<i64>) -> Head<'static> {
        Head {
            origin: Origin {
                generation: 1,
                partition: 0,
                offset,
            },
            mapping_version: 1,
            decision: 0,
            employee_no: Some("E1".into()),
            matched_by: None,
            status: Status::Final,
            revision_scheme: 1,
            revision,
            content_hash: ContentHash([content; 16]),
            repeat: Repeat::Correction,
            received_at: Timestamp::from_millis(0),
            arrived: EnrichedPosition {
                generation: 1,
                partition: 0,
                offset,
            },
        }
    }

    fn content(course_title: &'static str) -> Content<'static> {
        Content {
            source: "webhook".into(),
            system: "academy".into(),
            employee_name: None,
            department: None,
            position: None,
            course_id: None,
            course_title: Some(course_title.into()),
            exam_id: None,
            exam_title: None,
            attempt: None,
            exam_score: None,
            min_score: None,
            max_score: None,
            grade: None,
            passed: None,
            finish_timestamp: None,
            rounded: false,
        }
    }

    /// Titles and states of the lines of a record with this history.
    fn check(record: Head<'static>, history: &[(Head<'static>, &'static str)], expected: &[(&str, &str)]) {
        let shown = Shown {
            status: record.status,
            content_hash: record.content_hash,
            content: content("now"),
        };
        let record = TrainingRecord {
            result_id: ResultId::from_key("academy", ["a"]),
            owner_employee_no: Some("E1".to_owned()),
            owner_decision: 0,
            head: record,
            shown: Some(shown),
            history: history
                .iter()
                .map(|(head, title)| HistoricStatement {
                    head: head.clone(),
                    content: content(title),
                })
                .collect(),
        };
        let lines = lines(&record);
        let shown: Vec<(&str, &str)> = lines.iter().map(|cells| (cells[1].as_str(), cells[8].as_str())).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_version_has_one_line_however_often_it_was_said() {
        let nights = [(head(1, 7, None), "typo"), (head(2, 7, None), "mended"), (head(3, 9, None), "now")];
        check(head(4, 9, None), &nights, &[("now", "final"), ("mended", "was final")]);
    }

    #[test]
    fn a_version_with_the_content_of_the_record_and_another_revision_has_a_line() {
        let history = [(head(1, 9, Some(1)), "first"), (head(2, 7, Some(2)), "second")];
        let expected = [("now", "final"), ("first", "was final"), ("second", "was final")];
        check(head(3, 9, Some(3)), &history, &expected);
    }

    fn score(employee_no: &'static str) -> EnrichedScore<'static> {
        EnrichedScore {
            result_id: ResultId::from_key("academy", [employee_no]),
            source: "webhook".into(),
            system: "academy".into(),
            status: Status::Final,
            employee_no: Some(employee_no.into()),
            employee_name: None,
            department: None,
            position: None,
            course_id: None,
            course_title: None,
            exam_id: None,
            exam_title: None,
            attempt: None,
            exam_score: None,
            min_score: None,
            max_score: None,
            grade: None,
            passed: Some(true),
            finish_timestamp: None,
            revision: None,
            revision_scheme: 1,
            mapping_version: 1,
            repeat: Repeat::Redelivery,
            decision: 0,
            matched_by: None,
            rounded: false,
            received_at: Timestamp::from_millis(0),
            origin: head(1, 1, None).origin,
            content_hash: ContentHash([1; 16]),
        }
    }

    fn start_of(topic: &str) -> Position {
        Position {
            partition: TopicPartition {
                topic: topic.to_owned(),
                generation: 1,
                partition: 0,
            },
            topic_id: String::new(),
            next_offset: 0,
            partition_count: 1,
            schemas: String::new(),
        }
    }

    /// Records of these scores, and an employee whose number is spelt in this way.
    async fn archive_of(folder: &std::path::Path, scores: Vec<EnrichedScore<'static>>, employee_no: &str) -> Archive {
        let sqlite = SqliteSettings {
            path: folder.join("records.db"),
        };
        let settings = ArchiveSettings { sqlite, postgres: None };
        let archive = Archive::open(&settings, Access::Writer).await.unwrap();
        let [of_scores, of_employees] = ["scores.enriched", "employees"].map(start_of);
        archive.claim_position(&of_scores).await.unwrap();
        archive.claim_position(&of_employees).await.unwrap();
        let entries = (0..).zip(scores).map(|(offset, score)| Entry { offset, score: Ok(score) });
        let batch = Batch {
            partition: of_scores.partition,
            expected_offset: 0,
            next_offset: 9,
            schemas: String::new(),
            entries: entries.collect(),
        };
        archive.apply_scores(&[batch], Refusals::Judge).await.unwrap();
        let employee = EmployeeChange::Upsert(Employee {
            employee_no: employee_no.to_owned(),
            name: None,
            department: None,
            position: None,
            identities: Vec::new(),
            left_at: None,
            replaced_by: None,
            as_of: Timestamp::from_millis(0),
        });
        let batch = EmployeeBatch {
            partition: of_employees.partition,
            expected_offset: 0,
            next_offset: 1,
            schemas: String::new(),
            changes: &[employee],
        };
        archive.apply_employees(&batch).await.unwrap();
        archive
    }

    #[tokio::test]
    async fn a_number_is_understood_as_it_is_written_then_in_its_normal_form_then_as_the_hr_system_spells_it() {
        let folder = tempfile::tempdir().unwrap();
        let scores = vec![score("E1"), score("e2"), score("E2"), score("e1001")];
        let archive = archive_of(folder.path(), scores, "e1001").await;
        for (written, expected) in [
            ("e1", Some("E1")),
            ("\u{ff25}1", Some("E1")),
            ("e2", Some("e2")),
            ("E3", None),
            ("E1001", Some("e1001")),
            ("\u{ff45}1001", Some("e1001")),
        ] {
            let file = file_of(&archive, written).await.unwrap();
            let owners: Vec<_> = file.iter().map(|record| record.owner_employee_no.as_deref()).collect();
            assert_eq!(owners, expected.map(Some).into_iter().collect::<Vec<_>>(), "{written}");
        }
    }
}
