//! The command line of `scoresync reconcile`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use scoresync_domain::Timestamp;
use scoresync_producer::Format;

use super::moment_or_day;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Reconcile {
    #[command(subcommand)]
    pub(crate) action: Option<ReconcileAction>,
    #[command(flatten)]
    pub(crate) compare: Compare,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReconcileAction {
    /// Show what the comparisons came to that the reconciler ran by itself, the newest first.
    History(History),
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Only this source's.
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// So many at most.
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The source, by its name in the configuration.
    #[arg(required = true)]
    pub(crate) source: Option<String>,
    /// Its list: JSON, NDJSON, XML or CSV files, told by their names; the files of `[reconcile.SOURCE]`, where none is given.
    pub(crate) files: Vec<PathBuf>,
    /// What the files are, where their names do not say it.
    #[arg(long, value_name = "json|ndjson|xml|csv")]
    pub(crate) format: Option<Format>,
    /// Only this course; may be given again.
    #[arg(long, value_name = "ID")]
    pub(crate) course: Vec<String>,
    /// Only what was finished from this time on (RFC 3339, or a day in UTC).
    #[arg(long, value_name = "TIME", value_parser = moment_or_day)]
    pub(crate) from: Option<Timestamp>,
    /// Only what was finished before this time.
    #[arg(long, value_name = "TIME", value_parser = moment_or_day)]
    pub(crate) to: Option<Timestamp>,
    /// The moment that the list speaks of: what was received since is not called extra. When the file was changed last, where not given.
    #[arg(long, value_name = "TIME", value_parser = moment_or_day)]
    pub(crate) as_of: Option<Timestamp>,
    /// Write all differences to this file, too: a line for each field that differs.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Send what is missing, and of what the archive has an older revision; then wait until it is settled, and compare again.
    #[arg(long)]
    pub(crate) backfill: bool,
    /// Send also what differs at one revision, or where the source has none.
    #[arg(long, requires = "backfill")]
    pub(crate) correct: bool,
    /// Withdraw what the list does not have, after asking.
    #[arg(long)]
    pub(crate) withdraw_extra: bool,
    /// Withdraw nothing where it would be more than this.
    #[arg(long, value_name = "N", default_value_t = 100, requires = "withdraw_extra")]
    pub(crate) at_most: u64,
    /// Do not ask before withdrawing.
    #[arg(long, requires = "withdraw_extra")]
    pub(crate) yes: bool,
    /// The folder for files that are needed meanwhile, about 400 bytes for each row and record; /var/tmp, where not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
}
