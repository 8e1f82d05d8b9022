//! `scoresync replay`.

use std::path::PathBuf;

use clap::Args;
use scoresync_domain::Timestamp;

use super::moment_or_day;

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Name of the source, as the configuration has it.
    #[arg(long, value_name = "NAME")]
    pub(crate) source: String,
    /// Reports that were received at this moment or later (RFC 3339, or a day in UTC); from the first, where not given.
    #[arg(long, value_name = "TIME", value_parser = moment_or_day)]
    pub(crate) from: Option<Timestamp>,
    /// Reports that were received before this moment (RFC 3339, or a day in UTC); to the last, where not given.
    #[arg(long, value_name = "TIME", value_parser = moment_or_day)]
    pub(crate) to: Option<Timestamp>,
    /// Send what differs, and wait until the sink has filed it. Asks before; says what remains, and exits with 1 where anything does.
    #[arg(long)]
    pub(crate) apply: bool,
    /// Do not ask.
    #[arg(long, requires = "apply")]
    pub(crate) yes: bool,
    /// Refuse where more results than this are affected.
    #[arg(long, requires = "apply", value_name = "RESULTS", default_value_t = 1_000)]
    pub(crate) at_most: u64,
    /// The folder for files that are needed meanwhile (docs/replay.md says how much); /var/tmp, where not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
}
