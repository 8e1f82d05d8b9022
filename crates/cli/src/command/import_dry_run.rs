//! `scoresync import --dry-run`: maps and matches each row against the live directory, and sends nothing.

use std::{collections::BTreeMap, path::Path, time::Duration};

use scoresync_domain::{Origin, Region};
use scoresync_kafka::{Registry, Topic};
use scoresync_mapper::{LiveDirectory, decide};
use scoresync_service::Exit;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::Context;
use crate::{
    arguments::Import,
    failure::Failure,
    output::table,
    score_files::{find_source, format_of, open_rows, report_of},
    surroundings::Surroundings,
};

const DIRECTORY_LIMIT: Duration = Duration::from_secs(300);
/// A report that is not sent has no place in the log.
const NOWHERE: Origin = Origin {
    generation: 0,
    partition: 0,
    offset: 0,
};

pub(super) async fn run(arguments: &Import, context: &Context) -> Result<Exit, Failure> {
    let checked = context.configuration.check()?;
    let source = find_source(&checked.sources, &arguments.source)?;
    let surroundings = Surroundings::find(&context.configuration, &[Topic::Employees, Topic::Aliases]).await?;
    let live = read_directory(context, surroundings.registry, checked.roster.region()).await?;
    let (mut rows, mut counts) = (Vec::new(), BTreeMap::<String, u64>::new());
    for file in &arguments.files {
        let format = format_of(file, arguments.format.as_deref())?;
        for row in open_rows(source, format, file)? {
            let row = row?;
            let number = row.number;
            let (outcome, explanation) = match decide(&report_of(source, row, format), NOWHERE, &checked.sources, live.directory()) {
                Ok(score) => (
                    "would be filed or counted".to_owned(),
                    score.matched_by.map(|by| format!("found by {by}")).unwrap_or_default(),
                ),
                Err(rejection) => (rejection.reason.to_string(), rejection.message),
            };
            *counts.entry(outcome.clone()).or_default() += 1;
            rows.push(document(file, number, &outcome, &explanation));
        }
    }
    context
        .output
        .print(&json!({ "rows": rows, "counts": counts }), |_| lines(&rows, &counts))?;
    Ok(Exit::Ok)
}

/// Reading waits for broker and registry, so it has a thread of its own.
async fn read_directory(context: &Context, registry: Registry, region: Region) -> anyhow::Result<LiveDirectory> {
    let (kafka, topics) = (context.configuration.kafka.clone(), context.configuration.topics.clone());
    let runtime = Handle::current();
    let reading = tokio::task::spawn_blocking(move || {
        let mut live = LiveDirectory::open(&kafka, &topics, region, (&registry, &runtime))?;
        live.read_to_end(DIRECTORY_LIMIT)?;
        anyhow::Ok(live)
    });
    reading.await?
}

fn document(file: &Path, row: u64, outcome: &str, explanation: &str) -> Value {
    json!({ "file": file, "row": row, "outcome": outcome, "explanation": explanation })
}

fn lines(rows: &[Value], counts: &BTreeMap<String, u64>) -> Vec<String> {
    let columns = ["file", "row", "outcome", "explanation"];
    let cell = |row: &Value, column: &str| row[column].as_str().map_or_else(|| row[column].to_string(), str::to_owned);
    let heading = columns.map(str::to_owned).to_vec();
    let body = rows.iter().map(|row| columns.map(|column| cell(row, column)).to_vec());
    let summary = counts
        .iter()
        .map(|(outcome, count)| format!("{count} {outcome}"))
        .collect::<Vec<_>>()
        .join(", ");
    let table_rows: Vec<Vec<String>> = std::iter::once(heading).chain(body).collect();
    table(&table_rows)
        .into_iter()
        .chain([String::new(), format!("nothing was sent: {summary}")])
        .collect()
}
