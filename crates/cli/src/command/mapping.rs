//! `scoresync mapping try SOURCE FILE`: what each row would become, without Kafka.

use std::collections::BTreeMap;

use scoresync_domain::{MappedScore, Score, Source};
use scoresync_producer::{Format, Row};
use scoresync_service::Exit;
use serde_json::{Value, json};

use super::Context;
use crate::{
    arguments::Mapping,
    failure::Failure,
    output::table,
    score_files::{find_source, format_of, open_rows, report_of},
};

pub(super) fn run(arguments: &Mapping, context: &Context) -> Result<Exit, Failure> {
    let Mapping::Try { source, file, format } = arguments;
    let checked = context.configuration.check()?;
    let source = find_source(&checked.sources, source)?;
    let format = format_of(file, format.as_deref())?;
    let (mut documents, mut counts) = (Vec::new(), BTreeMap::<String, u64>::new());
    for row in open_rows(source, format, file)? {
        let (outcome, document) = judge(source, row?, format);
        *counts.entry(outcome).or_default() += 1;
        documents.push(document);
    }
    context.output.print(&documents, |documents| {
        let heading = ["row", "outcome", "identity", "course", "score", "finished"]
            .map(str::to_owned)
            .to_vec();
        let cell = |document: &Value, name: &str| {
            document[name]
                .as_str()
                .map_or_else(|| document[name].to_string().replace("null", "-"), str::to_owned)
        };
        let lines = documents.iter().map(|document| {
            ["row", "outcome", "identity", "course", "score", "finished"]
                .map(|name| cell(document, name))
                .to_vec()
        });
        let rows: Vec<Vec<String>> = std::iter::once(heading).chain(lines).collect();
        let summary = counts
            .iter()
            .map(|(outcome, count)| format!("{count} {outcome}"))
            .collect::<Vec<_>>()
            .join(", ");
        table(&rows).into_iter().chain([String::new(), summary]).collect()
    })?;
    Ok(if counts.keys().all(|outcome| outcome == MAPPED) {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

const MAPPED: &str = "mapped";

fn judge(source: &Source, row: Row, format: Format) -> (String, Value) {
    let number = row.number;
    let report = report_of(source, row, format);
    match source.map(&report) {
        Ok(mapped) => (MAPPED.to_owned(), mapped_document(number, &mapped)),
        Err(error) => {
            let outcome = error.reason.as_str().to_owned();
            let document = json!({ "row": number, "outcome": format!("{outcome}: {error}") });
            (outcome, document)
        }
    }
}

fn mapped_document(row: u64, mapped: &MappedScore<'_>) -> Value {
    let identities = mapped.identities;
    let identity = [identities.employee_no, identities.phone, identities.email, identities.account]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    let score = |score: Option<Score>| score.map(|score| score.to_string());
    json!({
        "row": row,
        "outcome": MAPPED,
        "identity": identity,
        "course": mapped.course_id,
        "score": score(mapped.marks.exam_score),
        "finished": mapped.finished.map(|period| period.first().to_string()),
        "result_id": mapped.result_id.to_string(),
        "status": mapped.status.as_str(),
        "exam": mapped.exam_id,
        "attempt": mapped.attempt,
        "min_score": score(mapped.marks.min_score),
        "max_score": score(mapped.marks.max_score),
        "grade": mapped.marks.grade,
        "passed": mapped.marks.passed,
        "revision": mapped.revision,
    })
}
