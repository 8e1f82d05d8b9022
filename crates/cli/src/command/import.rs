//! `scoresync import SOURCE FILE…`.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use prometheus::Registry;
use scoresync_kafka::Topic;
use scoresync_producer::{ImportProgress, ImportRequest, ImportSummary, Intake, ProducerMetrics, import_file};
use scoresync_service::{Exit, Shutdown, StageMetrics, start_telemetry};
use serde_json::json;

use super::{Context, import_dry_run};
use crate::{
    arguments::Import,
    failure::Failure,
    progress::bytes_bar,
    score_files::{find_source, format_of},
    surroundings::Surroundings,
};

pub(super) async fn run(arguments: &Import, context: &Context) -> Result<Exit, Failure> {
    if arguments.dry_run {
        return import_dry_run::run(arguments, context).await;
    }
    start_telemetry(&context.configuration.log)?;
    let checked = context.configuration.check()?;
    let source = find_source(&checked.sources, &arguments.source)?.clone();
    let surroundings = Surroundings::find(&context.configuration, &[Topic::Raw]).await?;
    let registry = Registry::new();
    let metrics = ProducerMetrics::register(&registry, StageMetrics::register(&registry)?)?;
    let schema_id = surroundings.schema_id(Topic::Raw)?;
    let intake = Arc::new(Intake::new(
        &context.configuration.kafka,
        &context.configuration.topics,
        schema_id,
        metrics,
    )?);
    let shutdown = Shutdown::of_process(&context.configuration.shutdown)?;
    let state_dir = state_dir(arguments)?;
    let mut summaries = Vec::new();
    for file in &arguments.files {
        let format = format_of(file, arguments.format.as_deref())?;
        let (file, source, state_dir) = (file.clone(), source.clone(), state_dir.clone());
        let (intake, shutdown, restart) = (Arc::clone(&intake), shutdown.clone(), arguments.restart);
        let working = tokio::task::spawn_blocking(move || {
            let bar = bytes_bar(
                &file.display().to_string(),
                std::fs::metadata(&file).ok().map(|metadata| metadata.len()),
            );
            let request = ImportRequest {
                source: &source,
                file: &file,
                format,
                state_dir: &state_dir,
                restart,
            };
            let summary = import_file(&intake, request, &shutdown, &mut |progress: ImportProgress| {
                bar.set_position(progress.bytes_read);
                bar.set_message(format!(
                    "{} rows, {} unreadable, {} on their way",
                    progress.rows, progress.unreadable, progress.in_flight
                ));
            });
            bar.finish_and_clear();
            summary.map(|summary| (file, summary))
        });
        summaries.push(working.await.context("the import stopped unexpectedly")??);
    }
    print(&summaries, context)
}

fn print(summaries: &[(PathBuf, ImportSummary)], context: &Context) -> Result<Exit, Failure> {
    let documents: Vec<_> = summaries
        .iter()
        .map(|(file, summary)| json!({ "file": file, "summary": summary }))
        .collect();
    context.output.print(&documents, |_| {
        summaries
            .iter()
            .flat_map(|(file, summary)| lines(&file.display().to_string(), summary))
            .collect()
    })?;
    let is_whole = summaries
        .iter()
        .all(|(_, summary)| summary.broken.is_none() && !summary.interrupted);
    Ok(if is_whole { Exit::Ok } else { Exit::Failed })
}

fn lines(file: &str, summary: &ImportSummary) -> Vec<String> {
    let rate = summary.acknowledged as f64 / summary.seconds.max(0.001);
    let mut lines = vec![format!(
        "{file}: {} rows, {} acknowledged by the broker in {:.1} s ({rate:.0} rows/s), {} unreadable, {} sent by an earlier import",
        summary.rows, summary.acknowledged, summary.seconds, summary.unreadable, summary.skipped
    )];
    lines.extend(
        summary
            .unreadable_rows
            .iter()
            .map(|row| format!("  row {} (line {}): {}", row.row, row.line, row.problem)),
    );
    if summary.unreadable > 0 {
        lines.push("  unreadable rows were sent as they are; each becomes a dead letter".to_owned());
    }
    lines.extend(
        summary
            .broken
            .iter()
            .map(|broken| format!("  the file cannot be read on: {broken}")),
    );
    if summary.interrupted {
        lines.push("  interrupted: import the same file again to go on where it stopped".to_owned());
    }
    lines
}

/// Where the user's programs keep their state (XDG Base Directory Specification).
fn state_dir(arguments: &Import) -> anyhow::Result<PathBuf> {
    let from_environment = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let default = || {
        let base = from_environment("XDG_STATE_HOME").or_else(|| from_environment("HOME").map(|home| home.join(".local/state")));
        base.map(|base| base.join("scoresync"))
    };
    arguments
        .state_dir
        .clone()
        .or_else(default)
        .context("there is no home folder to remember the import in; name a folder with --state-dir")
}
