//! `scoresync import SOURCE FILE…`.

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use indicatif::ProgressBar;
use prometheus::Registry;
use scoresync_kafka::Topic;
use scoresync_producer::{
    FileOutcome, FileSummary, ImportOptions, ImportProgress, ImportRequest, ImportRun, ImportState, Intake, Notice, ProducerMetrics,
    Resume, RowReport, import,
};
use scoresync_service::{Exit, Shutdown, StageMetrics, start_telemetry};

use super::{Context, import_dry_run};
use crate::{
    arguments::Import,
    failure::{Failure, causes},
    progress::bytes_bar,
    score_files::find_source,
    surroundings::Surroundings,
};

pub(super) async fn run(arguments: &Import, context: &Context) -> Result<Exit, Failure> {
    if arguments.dry_run {
        return import_dry_run::run(arguments, context).await;
    }
    start_telemetry(&context.configuration.log)?;
    let checked = &context.checked;
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
    let mut options = ImportOptions::new(state_dir(arguments)?);
    options.format = arguments.format;
    options.limits = context.configuration.door.row_limits();
    options.resume = if arguments.restart { Resume::Never } else { Resume::WherePossible };
    let (kafka, topics) = (context.configuration.kafka.clone(), context.configuration.topics.clone());
    let files = arguments.files.clone();
    let working = tokio::task::spawn_blocking(move || {
        let request = ImportRequest {
            intake: &intake,
            kafka: &kafka,
            topics: &topics,
            source: &source,
            files: &files,
            options: &options,
        };
        let mut bars = FileBars::default();
        import(
            &request,
            &mut ImportRun {
                observer: &mut |progress| bars.show(progress),
                shutdown: &shutdown,
            },
        )
    });
    let summary = working.await.context("the import stopped unexpectedly")?;
    context
        .output
        .print(&summary, |summary| summary.files.iter().flat_map(lines).collect())?;
    Ok(if summary.is_complete() { Exit::Ok } else { Exit::Failed })
}

/// A progress bar for the file in hand.
#[derive(Default)]
struct FileBars {
    current: Option<(usize, ProgressBar)>,
}

impl FileBars {
    fn show(&mut self, progress: &ImportProgress<'_>) {
        let is_shown = self.current.as_ref().is_some_and(|(number, _)| *number == progress.file_number);
        if !is_shown {
            self.finish();
            self.current = Some((
                progress.file_number,
                bytes_bar(&progress.file.display().to_string(), progress.bytes_total),
            ));
        }
        let Some((_, bar)) = &self.current else { return };
        bar.set_position(progress.bytes_read);
        let rows = format!(
            "{} rows, {} acknowledged, {} unreadable",
            progress.rows_read, progress.rows_acknowledged, progress.rows_unreadable
        );
        bar.set_message(match progress.state {
            ImportState::Skipping => format!("{rows}; passing over what was sent before"),
            ImportState::Sending | ImportState::Settling => rows,
            ImportState::WaitingForBroker { waited } => format!("{rows}; the broker has not answered for {} s", waited.as_secs()),
        });
    }

    fn finish(&mut self) {
        if let Some((_, bar)) = self.current.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for FileBars {
    fn drop(&mut self) {
        self.finish();
    }
}

fn lines(file: &FileSummary) -> Vec<String> {
    let ending = match &file.outcome {
        FileOutcome::Complete => "complete".to_owned(),
        FileOutcome::AlreadyImported => "imported completely before; nothing was sent (--restart sends it again)".to_owned(),
        FileOutcome::NotBegun => "not begun".to_owned(),
        FileOutcome::Failed(error) => format!("not complete: {}", causes(error)),
    };
    let mut lines = vec![
        format!("{}: {ending}", file.file.display()),
        format!(
            "  {} rows read, {} sent, {} acknowledged, {} unreadable, {} passed over as sent before; {:.1} s, {:.0} rows/s",
            file.rows_read,
            file.rows_sent,
            file.rows_acknowledged,
            file.rows_unreadable,
            file.rows_skipped,
            file.seconds,
            file.rows_per_second()
        ),
    ];
    lines.extend(file.notices.iter().map(|notice| format!("  {}", sentence(*notice))));
    let reported = |row: &RowReport| format!("  unreadable row {} (line {}): {}", row.row, row.line, row.problem);
    lines.extend(file.unreadable.iter().map(reported));
    if file.rows_unreadable > 0 {
        lines.push("  unreadable rows were sent as they are; each becomes a dead letter".to_owned());
    }
    lines
}

const fn sentence(notice: Notice) -> &'static str {
    match notice {
        Notice::Resumed => "went on where the last import of it stopped",
        Notice::Restarted => "began anew, as was asked",
        Notice::FileChanged => "began anew: the file is another one than when its import stopped",
        Notice::SettingsChanged => "began anew: the file is read in another way than when its import stopped",
        Notice::TopicChanged => "began anew: the topic is another one than when its import stopped",
        Notice::ImportedBefore => "it was imported completely before; sending it again changes nothing",
        Notice::ChangedMeanwhile => "the file changed while it was imported: import it again",
        Notice::NotKept => "how far the import is could not be kept on disk (see the log): stopped, it would begin anew",
    }
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
