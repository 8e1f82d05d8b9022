//! `scoresync reconcile`: a source's own list beside the archive.

mod findings;
mod history;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, bail};
use prometheus::Registry;
use scoresync_archive::Access;
use scoresync_kafka::Topic;
use scoresync_producer::{Intake, ProducerMetrics};
use scoresync_reconcile::{Class, Extra, RowPlace, Scope, Step};
use scoresync_service::{Exit, Shutdown, StageMetrics};
use scoresync_spill::scratch_folder;
use tokio::runtime::Handle;

use self::findings::{Done, Findings};
use super::Context;
use crate::{
    arguments::{Compare, Reconcile, ReconcileAction},
    confirmation::is_confirmed,
    failure::Failure,
    open_archive::open_archive,
    progress::Counted,
    reconciliation::{Ground, NEEDED, RowsToSend},
    score_files::find_source,
    surroundings::Surroundings,
};

pub(super) async fn run(arguments: Reconcile, context: Context) -> Result<Exit, Failure> {
    if let Some(ReconcileAction::History(history)) = &arguments.action {
        return history::run(history, &context).await;
    }
    let output = context.output;
    let shutdown = Shutdown::of_process(&context.configuration.shutdown)?;
    let surroundings = Surroundings::find(&context.configuration, &NEEDED).await?;
    let ground = ground(&arguments.compare, context, &surroundings).await?;
    let files = ground.files.clone();
    let working = tokio::task::spawn_blocking(move || {
        let command = Command {
            arguments: arguments.compare,
            ground,
            surroundings,
            shutdown,
        };
        command.run()
    });
    let (findings, done) = working.await??;
    output.print(&findings.document(&files, &done), |_| findings.lines(&files, &done))?;
    Ok(if findings.comparison.agrees() { Exit::Ok } else { Exit::Failed })
}

async fn ground(arguments: &Compare, context: Context, surroundings: &Surroundings) -> anyhow::Result<Ground> {
    let name = arguments.source.as_deref().unwrap_or_default();
    let source = find_source(&context.checked.sources, name)?.clone();
    let planned = || context.configuration.reconcile.get(name).map(|plan| plan.files.clone());
    let files = Some(arguments.files.clone()).filter(|files| !files.is_empty()).or_else(planned);
    let files = files.with_context(|| format!("name the files in which {name} lists its results, here or as reconcile.{name}.files"))?;
    if changes(arguments) && files.iter().any(|file| file.as_os_str() == "-") {
        bail!("a list that is sent from is read more than once: name a file instead of standard input");
    }
    let archive = open_archive(&context.configuration, Access::Reader).await?;
    Ok(Ground {
        source,
        files,
        format: arguments.format,
        scope: Scope::new(arguments.course.iter().map(String::as_str), arguments.from, arguments.to),
        as_of: arguments.as_of,
        scratch: arguments.scratch.clone().unwrap_or_else(scratch_folder),
        registry: surroundings.registry.clone(),
        archive: Arc::new(archive),
        runtime: Handle::current(),
        configuration: Arc::new(context.configuration),
        checked: Arc::new(context.checked),
    })
}

const fn changes(arguments: &Compare) -> bool {
    arguments.backfill || arguments.withdraw_extra
}

/// The command on a thread that may wait.
struct Command {
    arguments: Compare,
    ground: Ground,
    surroundings: Surroundings,
    shutdown: Shutdown,
}

impl Command {
    /// Compares, does what is asked, and compares again.
    fn run(&self) -> anyhow::Result<(Findings, Done)> {
        let found = self.compare()?;
        if !changes(&self.arguments) {
            return Ok((found, Done::default()));
        }
        let rows = self.rows_to_send(&found);
        let extras = if self.arguments.withdraw_extra {
            found.extras.as_slice()
        } else {
            &[]
        };
        self.admit(&found, extras)?;
        if rows.is_empty() && extras.is_empty() {
            return Ok((found, Done::default()));
        }
        let registry = Registry::new();
        let metrics = ProducerMetrics::register(&registry, StageMetrics::register(&registry)?)?;
        let configuration = &self.ground.configuration;
        let schema_id = self.surroundings.schema_id(Topic::Raw)?;
        let intake = Intake::new(&configuration.kafka, &configuration.topics, schema_id, metrics)?;
        let sent = self.ground.send(&rows, &intake)?;
        let not_withdrawn = self.ground.withdraw(extras, &intake)?;
        let done = Done {
            sent,
            withdrawn: (extras.len() - not_withdrawn.len()) as u64,
            not_withdrawn,
        };
        let waited = Counted::begin("reconcile");
        self.ground.settle(&mut || {
            waited.say("waiting until what was sent is filed");
            !self.shutdown.is_requested()
        })?;
        waited.end();
        Ok((self.compare()?, done))
    }

    /// Whether so much may be withdrawn, and the list can tell what is too much.
    fn admit(&self, found: &Findings, extras: &[Extra]) -> anyhow::Result<()> {
        if !self.arguments.withdraw_extra {
            return Ok(());
        }
        let (count, most, unkeyed) = (found.count(Class::Extra), self.arguments.at_most, found.comparison.unkeyed);
        if unkeyed > 0 {
            bail!(
                "nothing was done: {unkeyed} rows do not say which result they are about, so what is extra cannot be told; correct the list"
            );
        }
        if found.comparison.listed == 0 && count > 0 {
            bail!("nothing was done: the list is empty, and everything would be withdrawn");
        }
        if count > most {
            bail!("nothing was done: {count} results would be withdrawn, more than {most} (--at-most)");
        }
        let question = format!("Withdraw {count} results that the list does not have?");
        if !extras.is_empty() && !is_confirmed(self.arguments.yes, &question)? {
            bail!("nothing was done");
        }
        Ok(())
    }

    fn compare(&self) -> anyhow::Result<Findings> {
        let most = if self.arguments.withdraw_extra { self.arguments.at_most } else { 0 };
        let mut findings = Findings::begin(self.arguments.csv.as_deref(), most)?;
        let mut bar = Counted::begin("reconcile");
        let comparison = self.ground.compare(&mut |difference| findings.add(difference), &mut |step| {
            bar.count(match step {
                Step::List => "rows of the list",
                Step::Archive => "rows of the archive",
                Step::Topics => "records that are on their way",
                Step::Results => "results compared",
            });
            self.shutdown.flow()
        })?;
        bar.end();
        findings.end(comparison)
    }

    fn rows_to_send(&self, found: &Findings) -> RowsToSend {
        let mut rows = RowsToSend::new();
        if self.arguments.backfill {
            rows.extend(found.to_backfill.iter().copied());
        }
        if self.arguments.correct {
            rows.extend(found.to_correct.iter().copied());
        }
        rows
    }
}

/// The name of a row's file.
fn name(files: &[PathBuf], place: RowPlace) -> String {
    let file = files.get(place.file as usize);
    format!("{}:{}", file.map(|file| file.display().to_string()).unwrap_or_default(), place.row)
}
