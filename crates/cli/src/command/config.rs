//! `scoresync config check [--online]`.

use scoresync_archive::{Access, Archive};
use scoresync_kafka::Topic;
use scoresync_service::Exit;
use serde_json::json;

use super::Context;
use crate::{arguments::Config, failure::Failure, surroundings::Surroundings};

pub(super) async fn run(arguments: &Config, context: &Context) -> Result<Exit, Failure> {
    let Config::Check { online } = arguments;
    let checked = context.configuration.check()?;
    let mut problems = Vec::new();
    if *online {
        if let Err(error) = Surroundings::find(&context.configuration, &Topic::ALL).await {
            problems.push(error.to_string());
        }
        if let Err(error) = reach_archive(context).await {
            problems.push(format!("{error:#}"));
        }
    }
    let sources: Vec<_> = checked.sources.iter().map(|source| source.name.clone()).collect();
    let document = json!({ "sources": sources, "problems": problems });
    context.output.print(&document, |_| {
        let summary = format!("the configuration makes sense; {} source(s): {}", sources.len(), sources.join(", "));
        std::iter::once(summary).chain(problems.clone()).collect()
    })?;
    Ok(if problems.is_empty() { Exit::Ok } else { Exit::Failed })
}

/// A database that no sink has made yet is no problem of SQLite's, whose file the first start makes.
async fn reach_archive(context: &Context) -> anyhow::Result<()> {
    let settings = &context.configuration.archive;
    if settings.postgres.is_none() && !settings.sqlite.path.exists() {
        return Ok(());
    }
    Ok(Archive::open(settings, Access::Reader).await?.ping().await?)
}
