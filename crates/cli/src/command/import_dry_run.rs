//! `scoresync import --dry-run`: maps and matches each row against the live directory, and sends nothing.

use std::{
    io::{self, BufWriter, stdout},
    path::Path,
    time::Duration,
};

use scoresync_domain::{Directory, Origin, Region, ScoreReport, Sources, decide};
use scoresync_kafka::{LiveDirectory, Registry, Topic};
use scoresync_service::Exit;
use serde_json::json;
use tokio::runtime::Handle;

use super::Context;
use crate::{
    arguments::Import,
    failure::Failure,
    row_listing::{Judged, Listed, RowListing, exit_of},
    score_files::{ScoreFiles, find_source},
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
    let checked = &context.checked;
    let files = ScoreFiles {
        source: find_source(&checked.sources, &arguments.source)?,
        format: arguments.format,
        limits: context.configuration.door.row_limits(),
    };
    let surroundings = Surroundings::find(&context.configuration, &[Topic::Employees, Topic::Aliases]).await?;
    let live = read_directory(context, surroundings.registry, checked.roster.region()).await?;
    let list = || -> io::Result<Listed> {
        let columns = &["file", "row", "outcome", "explanation"];
        let mut listing = RowListing::begin(context.output, columns, BufWriter::new(stdout().lock()))?;
        for file in &arguments.files {
            listing.read(file, files.open(file), |row, report| {
                judge((file, row), report, (&checked.sources, live.directory()))
            })?;
        }
        listing.end("nothing was sent: ")
    };
    exit_of(list(), |listed| listed.is_whole)
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

fn judge((file, row): (&Path, u64), report: &ScoreReport<'_>, (sources, directory): (&Sources, &Directory)) -> Judged {
    let (outcome, explanation) = match decide(report, NOWHERE, sources, directory) {
        Ok(score) => (
            "would be filed or counted".to_owned(),
            score.matched_by.map(|by| format!("found by {by}")).unwrap_or_default(),
        ),
        Err(rejection) => (rejection.reason.to_string(), rejection.message),
    };
    Judged {
        document: json!({ "file": file.display().to_string(), "row": row, "outcome": outcome, "explanation": explanation }),
        outcome,
    }
}
