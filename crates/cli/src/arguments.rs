//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use scoresync_archive::{LetterId, ParseLetterIdError};
use scoresync_domain::Timestamp;
use scoresync_producer::Format;

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
    /// Run everything in one process: producer, mapper, sink and desk.
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
pub(crate) struct Records {
    /// The employee number.
    pub(crate) employee_no: String,
}

/// Letters are kept by the desk (`scoresync run desk`, part of `scoresync up`). A letter is named by where its report first appeared:
/// generation/partition/offset in `scores.raw`.
#[derive(Debug, Subcommand)]
pub(crate) enum Dlq {
    /// List letters, those first that failed first.
    List(DlqList),
    /// Explain one letter: what arrived, what is wrong with it, what to do.
    Show(DlqShow),
    /// List the problems behind the open letters: those of one person, or of one field, are one.
    Groups {
        /// At most so many, those with the most letters first.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Show the identities of people as they are. Says why; that is noted.
        #[arg(long, value_name = "REASON")]
        reveal: Option<String>,
    },
    /// Count letters by state, and the open ones by source and reason.
    Stats,
    /// Send open letters through the pipeline again, byte for byte. A running desk sends them.
    Redrive(DlqAct),
    /// Close open letters that are nothing. They stay listed as discarded.
    Discard(DlqDiscard),
}

/// Which letters are meant.
#[derive(Debug, Default, Args)]
pub(crate) struct DlqFilter {
    /// With this reason, as `dlq stats` shows it.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Of this source.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// With the problem in this field, by our name: exam_score, finish_timestamp …
    #[arg(long)]
    pub(crate) field: Option<String>,
    /// Of this problem, as `dlq groups` names it.
    #[arg(long, value_name = "PROBLEM", value_parser = group)]
    pub(crate) group: Option<[u8; 16]>,
    /// That name this employee number.
    #[arg(long, value_name = "EMPLOYEE_NO")]
    pub(crate) employee: Option<String>,
    /// With this text in any field.
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// That first failed so long ago or longer: 30m, 12h, 7d.
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) older_than: Option<std::time::Duration>,
    /// That first failed less long ago.
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) newer_than: Option<std::time::Duration>,
}

#[derive(Debug, Args)]
pub(crate) struct DlqList {
    #[command(flatten)]
    pub(crate) filter: DlqFilter,
    /// In this state; open ones, where not given.
    #[arg(long, value_name = "open|redriven|filed|discarded|all", default_value = "open")]
    pub(crate) state: String,
    /// At most so many.
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct DlqShow {
    /// The letter: generation/partition/offset.
    #[arg(value_parser = letter)]
    pub(crate) letter: LetterId,
    /// Show the values of its fields as they are. Says why; that is noted.
    #[arg(long, value_name = "REASON")]
    pub(crate) reveal: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DlqAct {
    /// These letters.
    #[arg(value_parser = letter)]
    pub(crate) letters: Vec<LetterId>,
    #[command(flatten)]
    pub(crate) filter: DlqFilter,
    /// All open letters; otherwise letters or a filter must be given.
    #[arg(long)]
    pub(crate) all: bool,
    /// Say which letters it would be; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Ask for so many in a second at most; the desk sends no more than desk.redrives_per_second.
    #[arg(long, value_name = "PER_SECOND")]
    pub(crate) rate: Option<std::num::NonZeroU32>,
}

#[derive(Debug, Args)]
pub(crate) struct DlqDiscard {
    #[command(flatten)]
    pub(crate) act: DlqAct,
    /// Why they are nothing.
    #[arg(long, value_name = "TEXT")]
    pub(crate) because: String,
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

fn letter(text: &str) -> Result<LetterId, String> {
    text.parse().map_err(|error: ParseLetterIdError| error.to_string())
}

/// 16 bytes as hexadecimal digits.
fn group(text: &str) -> Result<[u8; 16], &'static str> {
    u128::from_str_radix(text, 16)
        .ok()
        .filter(|_| text.len() == 32)
        .map(u128::to_be_bytes)
        .ok_or("a problem is named by 32 hexadecimal digits, as `scoresync dlq groups` shows them")
}

fn age(text: &str) -> Result<std::time::Duration, &'static str> {
    let wrong = "an age is written like 30m, 12h or 7d";
    let unit = text.chars().next_back().ok_or(wrong)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| wrong)?;
    count.checked_mul(seconds).map(std::time::Duration::from_secs).ok_or(wrong)
}

fn moment(text: &str) -> Result<Timestamp, &'static str> {
    Timestamp::parse_rfc3339(text).ok_or("a time is written like 2026-11-01T00:00:00+08:00")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
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
    }
}
