//! The command line.

mod dlq;
mod reconcile;
mod replay;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use scoresync_domain::Timestamp;
use scoresync_producer::Format;

pub(crate) use self::dlq::{Aliases, Dlq, DlqAct, DlqDiscard, DlqExport, DlqFilter, DlqGroups, DlqList, DlqResolve, DlqShow};
pub(crate) use self::reconcile::{Compare, History, Reconcile, ReconcileAction};
pub(crate) use self::replay::Replay;

/// Carries every exam result from any training system into the right employee's file, through Kafka.
///
/// Settings come from one TOML file and from the environment: kafka.brokers is SCORESYNC_KAFKA__BROKERS. Exit codes: 0 done, 1 failed,
/// 2 wrong command line, 78 wrong configuration.
#[derive(Debug, Parser)]
#[command(name = "scoresync", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// The configuration file.
    #[arg(long, short, global = true, env = "SCORESYNC_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON for machines instead of text for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process: producer, mapper, sink, desk, and the reconciler where `[reconcile]` says so.
    Up,
    /// Run one stage; more processes of one stage share its work.
    Run {
        /// The stage.
        stage: Stage,
    },
    /// Send score files of a source into the pipeline.
    Import(Import),
    /// The employees and what identifies them.
    #[command(subcommand)]
    Employees(Employees),
    /// Show an employee's file with its corrections.
    Records(Records),
    /// The dead letters: reports that could not be filed, why, and how to mend that.
    #[command(subcommand)]
    Dlq(Dlq),
    /// People's decisions about whose an identity or a result is.
    #[command(subcommand)]
    Aliases(Aliases),
    /// Prove that the books balance: that every report came to one fate, and that the archive is what its rule makes of them.
    ///
    /// Reads scores.raw, scores.enriched, scores.dlq and the archive, changes nothing, and may run beside live traffic: what is not done by
    /// the moment at which it looks is in flight. Names each item that does not balance, and then exits with 1. With --repair it makes anew what
    /// is missing or altered, after showing what it would do.
    Audit(Audit),
    /// Compare a source's own list with the archive, and bring the archive up to date.
    ///
    /// Takes the source's own full list, maps and matches it as the mapper does, and names each result about which list and archive differ:
    /// missing, extra, different, different_person, stale_revision, waiting (a dead letter) or in_flight. Changes nothing unless it is asked to,
    /// and then through the pipeline like any report. Exits with 0 where both agree in the end, with 1 where they differ.
    Reconcile(Reconcile),
    /// Map a source's reports anew, and show what differs from what stands in the files; --apply corrects it.
    ///
    /// Reads scores.raw, scores.enriched, the employees and the archive, and may run beside live traffic. Shows each result that the present
    /// field mapping would change, file or withdraw; without --apply it changes nothing. Exits with 0 where nothing differs, with 1 where
    /// something does (with --apply: where something still does afterwards).
    Replay(Replay),
    /// The topics in Kafka.
    #[command(subcommand)]
    Topics(Topics),
    /// The schemas in the registry.
    #[command(subcommand)]
    Schemas(Schemas),
    /// The configuration.
    #[command(subcommand)]
    Config(Config),
    /// Field mappings.
    #[command(subcommand)]
    Mapping(Mapping),
    /// Tokens for the HTTP door.
    #[command(subcommand)]
    Token(Token),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Stage {
    /// HTTP door: reports into `scores.raw`, employees into `employees`.
    Producer,
    /// `scores.raw` into `scores.enriched` or `scores.dlq`.
    Mapper,
    /// `scores.enriched` into the archive.
    Sink,
    /// `scores.dlq` into the archive; sends letters again when they can be filed.
    Desk,
    /// Compares lists of sources with the archive at the times of `[reconcile]`.
    Reconciler,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Name of the source, as the configuration has it.
    pub(crate) source: String,
    /// JSON, NDJSON, XML or CSV files, told by their names; `-` is standard input.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// What the files are, where their names do not say it.
    #[arg(long, value_name = "json|ndjson|xml|csv")]
    pub(crate) format: Option<Format>,
    /// Map and match against the live directory and print what would become of each row. Sends nothing; fails where a file cannot be read
    /// to its end.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Begin at the first row, even where an earlier import of the file was interrupted.
    #[arg(long)]
    pub(crate) restart: bool,
    /// Where interrupted imports keep how far they came.
    #[arg(long, env = "SCORESYNC_STATE_DIR", value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Employees {
    /// Take over a file of the HR system (CSV, JSON, NDJSON).
    Import(EmployeesImport),
}

#[derive(Debug, Args)]
pub(crate) struct EmployeesImport {
    /// The file.
    pub(crate) file: PathBuf,
    /// The file lists everybody: who is missing has left.
    #[arg(long)]
    pub(crate) full: bool,
    /// The moment that the file speaks of (RFC 3339); now, where not given. Older statements never overwrite newer ones.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) as_of: Option<Timestamp>,
    /// Let more people leave than the configured share.
    #[arg(long, requires = "full")]
    pub(crate) force: bool,
    /// Pass over rows that cannot be read instead of refusing the file.
    #[arg(long)]
    pub(crate) skip_bad_rows: bool,
    /// Say what would change; write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Records {
    /// The employee number; everybody's with --matched-by, where not given.
    pub(crate) employee_no: Option<String>,
    /// Only what was filed by people's decisions of this kind: alias:phone, alias:employee_no, alias:email, alias:account, alias:result.
    #[arg(long, value_name = "alias:KIND")]
    pub(crate) matched_by: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// The folder for files that are needed meanwhile, about 300 bytes for each enriched score; /var/tmp, where not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,
    /// Put right what is missing or altered, by the rule by which sinks file: shows what it would do, asks, does it, and looks again.
    #[arg(long)]
    pub(crate) repair: bool,
    /// Do not ask before repairing.
    #[arg(long, requires = "repair")]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Topics {
    /// Make the topics that are missing.
    Create,
    /// Compare the topics with what they must be.
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Schemas {
    /// Register our schemas and what their subjects ask of new versions.
    Register,
    /// Compare the registry with our schemas.
    Check,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// List all problems of the configuration.
    Check {
        /// Also try Kafka, the registry and the archive.
        #[arg(long)]
        online: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mapping {
    /// Show what each row of a file would become, without Kafka.
    Try {
        /// Name of the source.
        source: String,
        /// The file.
        file: PathBuf,
        /// What the file is, where its name does not say it.
        #[arg(long, value_name = "json|ndjson|xml|csv")]
        format: Option<Format>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token for the HTTP door: the token for the sender, its hash for the configuration.
    New,
}

fn moment(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse_rfc3339(text).ok_or("a time is written like 2026-11-01T00:00:00+08:00")
}

/// A day is its beginning in UTC.
fn moment_or_day(text: &str) -> Result<Timestamp, &'static str> {
    moment(text)
        .or_else(|_| moment(&format!("{text}T00:00:00Z")))
        .map_err(|_| "a time is written like 2026-11-01T00:00:00+08:00, or 2026-11-01 for the beginning of that day in UTC")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        let moment = |text: &str| moment_or_day(text).map(|time| time.to_string());
        assert_eq!(moment("2026-11-01"), Ok("2026-11-01T00:00:00.000Z".to_owned()));
        assert_eq!(moment("2026-11-01T08:00:00+08:00"), Ok("2026-11-01T00:00:00.000Z".to_owned()));
        for text in ["2026-11", "2026-11-31", "yesterday", ""] {
            assert!(moment_or_day(text).is_err(), "{text}");
        }
    }

    fn check(line: &str, problem: Option<&str>) {
        let parsed = Arguments::try_parse_from(line.split(' '));
        match (parsed, problem) {
            (Ok(_), None) => {}
            (Err(error), Some(problem)) => {
                assert_eq!(error.exit_code(), 2, "{line}");
                assert!(error.to_string().contains(problem), "{error}");
            }
            (parsed, problem) => panic!("{line}: {problem:?}, {parsed:?}"),
        }
    }

    #[test]
    fn a_value_that_cannot_be_meant_is_a_wrong_command_line() {
        let (formats, time) = (Some("the formats are json, ndjson, xml and csv"), Some("2026-11-01T00:00:00+08:00"));
        check("scoresync import academy a --format ndjson", None);
        check("scoresync import academy a --format bogus", formats);
        check("scoresync mapping try academy a --format CSV.gz", formats);
        check("scoresync employees import a.csv --as-of 2026-11-01T00:00:00Z", None);
        check("scoresync employees import a.csv --as-of yesterday", time);
        check(
            "scoresync replay --source academy --from 2026-11-01 --to 2026-11-02T00:00:00Z --apply --yes",
            None,
        );
        check("scoresync replay --source academy --from yesterday", time);
        check("scoresync replay --source academy --yes", Some("--apply"));
    }
}
