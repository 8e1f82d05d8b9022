//! `scoresync dlq …`: the dead letters, and what people do about them.

mod act;
mod export;
mod listing;
mod resolve;
mod show;
mod topic;

use anyhow::Context as _;
use scoresync_archive::{Access, Archive};
use scoresync_desk::office::{Office, Reach, Selection};
use scoresync_kafka::Topic;
use scoresync_service::Exit;

use super::Context;
use crate::{
    arguments::{Dlq, DlqFilter},
    failure::Failure,
    surroundings::Surroundings,
};

pub(super) async fn run(arguments: Dlq, context: &Context) -> Result<Exit, Failure> {
    match arguments {
        Dlq::List(list) => listing::list(&list, context).await,
        Dlq::Show(show) => show::run(&show, context).await,
        Dlq::Groups(groups) => listing::groups(&groups, context).await,
        Dlq::Stats { from_topic } => listing::stats(from_topic, context).await,
        Dlq::Redrive(act) => act::redrive(&act, context).await,
        Dlq::Discard(discard) => act::discard(&discard, context).await,
        Dlq::Export(export) => export::run(&export, context).await,
        Dlq::Purge { older_than, dry_run } => export::purge((older_than, dry_run), context).await,
        Dlq::Resolve(resolve) => resolve::run(&resolve, context).await,
    }
}

/// The office, for somebody who changes or reveals something, or only looks.
pub(super) async fn office(context: &Context, changes: bool) -> Result<Office, Failure> {
    // A command makes no archive, least of all at a wrong place.
    if !Archive::is_prepared(&context.configuration.archive).await? {
        return Err(anyhow::anyhow!("there is no archive yet; has a desk run?").into());
    }
    let access = if changes { Access::Desk } else { Access::Reader };
    let archive = Archive::open(&context.configuration.archive, access).await;
    let archive = archive.context("open the archive; has a desk run yet?")?;
    Ok(crate::office::office(archive, &context.configuration, &context.checked))
}

/// The office, unless the topic alone is looked at and nobody is revealed, which would be noted.
async fn office_unless(from_topic: bool, is_revealed: bool, context: &Context) -> Result<Option<Office>, Failure> {
    if from_topic && !is_revealed {
        return Ok(None);
    }
    office(context, is_revealed).await.map(Some)
}

/// The way to Kafka and the registry, for whoever needs these topics.
pub(super) async fn reach(context: &Context, needed: &[Topic]) -> Result<Reach, Failure> {
    let surroundings = Surroundings::find(&context.configuration, needed).await?;
    Ok(crate::office::reach(surroundings, &context.configuration, &context.checked)?)
}

/// Who sits at the command line.
pub(super) fn actor() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(variable);
    named.unwrap_or_else(|| "command line".to_owned())
}

/// What the arguments select.
fn selection(arguments: &DlqFilter) -> Selection {
    Selection {
        reason: arguments.reason.clone(),
        source: arguments.source.clone(),
        field: arguments.field.clone(),
        group: arguments.group,
        employee: arguments.employee.clone(),
        text: arguments.text.clone(),
        older_mapping: arguments.older_mapping,
        older_than: arguments.older_than,
        newer_than: arguments.newer_than,
    }
}
