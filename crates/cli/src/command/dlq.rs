//! `scoresync dlq …`: the dead letters, and what people do about them.

mod act;
mod candidates;
mod export;
mod listing;
pub(super) mod masking;
mod resolve;
pub(super) mod show;
mod topic;

use anyhow::Context as _;
use scoresync_archive::{Access, Archive, LetterFilter};
use scoresync_domain::{IdentityKind, LetterState, Timestamp, identity_hash, normalise_identity};
use scoresync_service::{Exit, now_millis};

use super::Context;
use crate::{
    arguments::{Dlq, DlqFilter},
    failure::Failure,
};

pub(super) async fn run(arguments: Dlq, context: &Context) -> Result<Exit, Failure> {
    match arguments {
        Dlq::List(list) => listing::list(&list, context).await,
        Dlq::Show(show) => show::run(&show, context).await,
        Dlq::Groups { limit, reveal } => listing::groups((limit, reveal.as_deref()), context).await,
        Dlq::Stats => listing::stats(context).await,
        Dlq::Redrive(act) => act::redrive(&act, context).await,
        Dlq::Discard(discard) => act::discard(&discard, context).await,
        Dlq::Export(export) => export::run(&export, context).await,
        Dlq::Purge { older_than, dry_run } => export::purge((older_than, dry_run), context).await,
        Dlq::Resolve(resolve) => resolve::run(resolve, context).await,
    }
}

pub(super) async fn open(context: &Context, access: Access) -> Result<Archive, Failure> {
    // A command makes no archive, least of all at a wrong place.
    if !Archive::is_prepared(&context.configuration.archive).await? {
        return Err(anyhow::anyhow!("there is no archive yet; has a desk run?").into());
    }
    let archive = Archive::open(&context.configuration.archive, access).await;
    Ok(archive.context("open the archive; has a desk run yet?")?)
}

/// Who sits at the command line.
pub(super) fn actor() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(variable);
    named.unwrap_or_else(|| "command line".to_owned())
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_millis(now_millis())
}

fn ago(age: std::time::Duration) -> Timestamp {
    let millis = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now_millis().saturating_sub(millis))
}

/// What the arguments mean to the archive, of letters in this state.
fn filter_of(arguments: &DlqFilter, state: Option<LetterState>, context: &Context) -> LetterFilter {
    let region = context.checked.roster.region();
    let source = arguments.source.as_deref().and_then(|name| context.checked.sources.get(name));
    // Of a source that is not configured, nothing was read by any mapping.
    let present_mapping = source.map_or(0, |source| source.mapping_version);
    let employee = arguments.employee.as_deref().map(|number| {
        let value = normalise_identity(IdentityKind::EmployeeNo, number, region).into_owned();
        identity_hash(&(IdentityKind::EmployeeNo, None, value))
    });
    LetterFilter {
        state,
        reason: arguments.reason.clone(),
        source: arguments.source.clone(),
        field: arguments.field.clone(),
        group_id: arguments.group,
        identity: employee,
        text: arguments.text.clone(),
        mapping_below: arguments.older_mapping.then_some(present_mapping),
        before: arguments.older_than.map(ago),
        since: arguments.newer_than.map(ago),
    }
}

/// A problem's name.
fn group_name(group_id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(group_id))
}
