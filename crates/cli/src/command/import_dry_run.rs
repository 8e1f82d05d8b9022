//! `scoresync import --dry-run`: maps and matches each row against the live directory, and sends nothing.

use std::{
    io::{self, BufWriter, stdout},
    path::Path,
};

use scoresync_domain::{Directory, Origin, ScoreReport, Sources, decide};
use scoresync_kafka::Topic;
use scoresync_service::Exit;
use serde_json::json;

use super::Context;
use crate::{
    arguments::Import,
    directory::read_directory,
    failure::Failure,
    row_listing::{Judged, Listed, RowListing, exit_of},
    score_files::{ScoreFiles, find_source},
    surroundings::Surroundings,
};

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
    let live = read_directory(context, &surroundings.registry).await?;
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
