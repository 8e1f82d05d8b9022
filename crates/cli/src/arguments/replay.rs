//! `scoresync replay`.

use std::path::PathBuf;

use clap::Args;
use scoresync_domain::Timestamp;

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

fn moment_or_day(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse_rfc3339(text)
        .or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")))
        .ok_or("a time is written like 2026-11-01T00:00:00+08:00, or as a day, 2026-11-01, which begins at midnight in UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        let moment = |text: &str| moment_or_day(text).map(|time| time.to_string());
        assert_eq!(moment("2026-11-01"), Ok("2026-11-01T00:00:00.000Z".to_owned()));
        assert_eq!(moment("2026-11-01T08:00:00+08:00"), Ok("2026-11-01T00:00:00.000Z".to_owned()));
        for text in ["2026-11", "2026-11-31", "yesterday", ""] {
            assert!(moment(text).is_err(), "{text}");
        }
    }
}
