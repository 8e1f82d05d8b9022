//! `scoresync config check [--online]`.

use scoresync_archive::{Access, Archive};
use scoresync_kafka::Topic;
use scoresync_service::Exit;
use serde_json::json;

use super::Context;
use crate::{arguments::Config, failure::Failure, surroundings::Surroundings};

pub(super) async fn run(arguments: &Config, context: &Context) -> Result<Exit, Failure> {
    let Config::Check { online } = arguments;
    let checked = &context.checked;
    let (mut problems, mut notes) = (Vec::new(), Vec::new());
    if *online {
        if let Err(error) = Surroundings::find(&context.configuration, &Topic::ALL).await {
            problems.push(error.to_string());
        }
        match reach_archive(context).await {
            Ok(Reached::Prepared) => {}
            Ok(Reached::Unprepared) => notes.push("the archive: no sink has prepared it yet; the first start of one does".to_owned()),
            Err(error) => problems.push(format!("{error:#}")),
        }
    }
    let sources: Vec<_> = checked.sources.iter().map(|source| source.name.clone()).collect();
    let document = json!({ "sources": sources, "problems": problems, "notes": notes });
    context.output.print(&document, |_| {
        let summary = format!("the configuration makes sense; {} source(s): {}", sources.len(), sources.join(", "));
        std::iter::once(summary).chain(problems.clone()).chain(notes).collect()
    })?;
    Ok(if problems.is_empty() { Exit::Ok } else { Exit::Failed })
}

/// What there is where the archive is to be.
enum Reached {
    Prepared,
    /// An empty database, or no file yet: the first start of the sink makes what is missing.
    Unprepared,
}

async fn reach_archive(context: &Context) -> anyhow::Result<Reached> {
    let settings = &context.configuration.archive;
    if !Archive::is_prepared(settings).await? {
        return Ok(Reached::Unprepared);
    }
    Archive::open(settings, Access::Reader).await?.ping().await?;
    Ok(Reached::Prepared)
}
