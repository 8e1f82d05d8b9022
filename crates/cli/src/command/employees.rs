//! `scoresync employees import FILE`.

use std::{fs::File, io::BufReader, time::Duration};

use anyhow::{Context as _, anyhow};
use indicatif::ProgressBar;
use scoresync_domain::Timestamp;
use scoresync_kafka::Topic;
use scoresync_producer::{
    BadRows, Format, ImportRosterOptions, ImportRosterRun, ImportRosterSummary, LeaversLimit, RosterExtent, RosterProgress,
    RosterSurroundings, Statements, import_roster, read_roster,
};
use scoresync_service::{Exit, Shutdown, now_millis, start_telemetry};
use tokio::runtime::Handle;

use super::Context;
use crate::{
    arguments::{Employees, EmployeesImport},
    failure::Failure,
    progress::spinner,
    surroundings::Surroundings,
};

/// How long the broker may be away during an import.
const BROKER_PATIENCE: Duration = Duration::from_secs(120);

pub(super) async fn run(arguments: Employees, context: &Context) -> Result<Exit, Failure> {
    let Employees::Import(arguments) = arguments;
    start_telemetry(&context.configuration.log)?;
    let checked = &context.checked;
    let statements = read(&arguments, &checked.roster)?;
    let options = options(&arguments, checked.roster.max_leavers_share());
    let surroundings = Surroundings::find(&context.configuration, &[Topic::Employees]).await?;
    let employee_schema_id = surroundings.schema_id(Topic::Employees)?;
    let (kafka, topics) = (context.configuration.kafka.clone(), context.configuration.topics.clone());
    let shutdown = Shutdown::of_process(&context.configuration.shutdown)?;
    let (runtime, region) = (Handle::current(), checked.roster.region());
    let working = tokio::task::spawn_blocking(move || {
        let bar = spinner("employees");
        let around = RosterSurroundings {
            kafka: &kafka,
            topics: &topics,
            registry: &surroundings.registry,
            runtime: &runtime,
            employee_schema_id,
            region,
        };
        let mut observer = |progress: RosterProgress| show(&bar, progress);
        let summary = import_roster(
            &around,
            statements,
            &options,
            &mut ImportRosterRun {
                observer: &mut observer,
                shutdown: &shutdown,
            },
        );
        bar.finish_and_clear();
        summary
    });
    let summary = working.await.context("the import stopped unexpectedly")??;
    context.output.print(&summary, lines)?;
    Ok(Exit::Ok)
}

fn read(arguments: &EmployeesImport, rules: &scoresync_producer::RosterRules) -> anyhow::Result<Statements> {
    let format = Format::of_file(&arguments.file)?;
    let file = File::open(&arguments.file).with_context(|| format!("open {}", arguments.file.display()))?;
    let read = read_roster(format, rules, BufReader::new(file))?;
    let bad_rows = if arguments.skip_bad_rows { BadRows::Skip } else { BadRows::Refuse };
    read.accept(bad_rows, rules).map_err(|refused| {
        let problems = refused
            .problems
            .iter()
            .map(|problem| format!("\n  line {}: {}", problem.line, problem.problem));
        anyhow!("{refused}{}", problems.collect::<String>())
    })
}

fn options(arguments: &EmployeesImport, max_leavers_share: f64) -> ImportRosterOptions {
    let limit = if arguments.force {
        LeaversLimit::None
    } else {
        LeaversLimit::Share(max_leavers_share)
    };
    let extent = if arguments.full {
        RosterExtent::All(limit)
    } else {
        RosterExtent::Some
    };
    ImportRosterOptions {
        extent,
        as_of: arguments.as_of.unwrap_or_else(|| Timestamp::from_millis(now_millis())),
        dry_run: arguments.dry_run,
        broker_patience: BROKER_PATIENCE,
    }
}

fn show(bar: &ProgressBar, progress: RosterProgress) {
    bar.set_message(match progress {
        RosterProgress::Locking => "making sure that no other import is going on".to_owned(),
        RosterProgress::Reading { employees } => format!("reading the employees that are known: {employees}"),
        RosterProgress::Writing { done, total } => format!("writing {done} of {total}"),
        RosterProgress::WaitingForBroker { waited } => format!("waiting for the broker for {} s", waited.as_secs()),
    });
    bar.tick();
}

fn lines(summary: &ImportRosterSummary) -> Vec<String> {
    let what = if summary.dry_run {
        "nothing was written; there would be"
    } else {
        "employees as of"
    };
    let mut lines = vec![format!(
        "{what} {}: {} new, {} changed, {} marked as having left, {} unchanged, {} known of a later moment ({:.1} s)",
        summary.as_of, summary.new, summary.changed, summary.left, summary.unchanged, summary.stale, summary.seconds
    )];
    lines.extend(
        summary
            .skipped_rows
            .iter()
            .map(|row| format!("  passed over line {}: {}", row.line, row.problem)),
    );
    lines
}
