//! The command line of the desk: letters, and people's decisions.

use std::{num::NonZeroU32, time::Duration};

use clap::{Args, Subcommand};
use scoresync_archive::{LetterId, ParseLetterIdError};
use scoresync_desk::office::{group_id, result_id};
use scoresync_domain::{AliasSubject, IdentityKind, ParseAliasSubjectError, ResultId};

/// Letters are kept by the desk (`scoresync run desk`, part of `scoresync up`). A letter is named by where its report first appeared:
/// generation/partition/offset in `scores.raw`.
#[derive(Debug, Subcommand)]
pub(crate) enum Dlq {
    /// List letters, those first that failed first.
    List(DlqList),
    /// Explain one letter: what arrived, what is wrong with it, what to do.
    Show(DlqShow),
    /// List the problems behind the open letters: those of one person, or of one field, are one.
    Groups(DlqGroups),
    /// Count letters by state, and the open ones by source and reason.
    Stats {
        /// Read the topic instead of the archive, where no desk runs: every report that ever failed counts as open.
        #[arg(long)]
        from_topic: bool,
    },
    /// Send open letters through the pipeline again, byte for byte. A running desk sends them.
    Redrive(DlqAct),
    /// Close open letters that are nothing. They stay listed as discarded.
    Discard(DlqDiscard),
    /// Decide whose an identity or a result is. What waits for that is filed by itself.
    Resolve(DlqResolve),
    /// Write letters with all that they hold to standard output, a JSON object on each line.
    Export(DlqExport),
    /// Forget letters that were filed or discarded long ago, and the people whom no letter is about any more.
    Purge {
        /// Those that were closed so long ago or longer: 400d.
        #[arg(long, value_name = "AGE", value_parser = age)]
        older_than: Duration,
        /// Say how many there are; forget nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DlqExport {
    #[command(flatten)]
    pub(crate) filter: DlqFilter,
    /// In this state; open ones, where not given.
    #[arg(long, value_name = "open|redriven|filed|discarded|all", default_value = "open")]
    pub(crate) state: String,
    /// Write personal values and the records' bytes as they are; otherwise values are masked and bytes left out. Says why; that is noted.
    #[arg(long, value_name = "REASON", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) reveal: Option<String>,
}

/// What is decided about is one of: a letter or a problem (one of its person's identities), or a result.
#[derive(Debug, Args)]
pub(crate) struct DlqResolve {
    #[command(flatten)]
    pub(crate) about: ResolvedAbout,
    #[command(flatten)]
    pub(crate) whose: Whose,
    /// The identity that is decided about, where the report has several.
    #[arg(long, value_name = "employee_no|phone|email|account", conflicts_with = "result")]
    pub(crate) kind: Option<IdentityKind>,
    /// The decision holds for the reports of all sources, not only for those of the letter's.
    #[arg(long, conflicts_with = "result")]
    pub(crate) all_sources: bool,
    /// Why it is so.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) because: String,
    /// Say what would be decided; change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ResolvedAbout {
    /// The letter: generation/partition/offset.
    #[arg(value_parser = letter)]
    pub(crate) letter: Option<LetterId>,
    /// The problem, as `dlq groups` names it.
    #[arg(long, value_name = "PROBLEM", value_parser = group)]
    pub(crate) group: Option<[u8; 16]>,
    /// The result, as `records --json` and `dlq show` name it: all its versions become the employee's, filed and refused ones.
    #[arg(long, value_name = "RESULT_ID", value_parser = result)]
    pub(crate) result: Option<ResultId>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Whose {
    /// It is this employee's.
    #[arg(long, value_name = "EMPLOYEE_NO")]
    pub(crate) employee: Option<String>,
    /// The identity is no employee's: the problem's open letters are discarded. Later ones stay unmatched.
    #[arg(long, conflicts_with = "result")]
    pub(crate) nobody: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Aliases {
    /// List all decisions.
    List {
        /// Show identities as they are. Says why; that is noted.
        #[arg(long, value_name = "REASON", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        reveal: Option<String>,
    },
    /// Take a decision back: from now on the directory answers again. What was filed stays; `records --matched-by` lists it.
    Revoke {
        /// What was decided about: identity/SOURCE/KIND/VALUE or result/RESULT_ID, as `aliases list --reveal` shows it.
        #[arg(value_parser = subject)]
        subject: AliasSubject,
        /// Why.
        #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        because: String,
    },
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
    /// With this text in any field, names of fields included.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) text: Option<String>,
    /// That were read by an older version of their source's field mapping than the configuration has now.
    #[arg(long, requires = "source")]
    pub(crate) older_mapping: bool,
    /// That first failed so long ago or longer: 30m, 12h, 7d.
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) older_than: Option<Duration>,
    /// That first failed less long ago.
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub(crate) newer_than: Option<Duration>,
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
    /// Read the topic instead of the archive, where no desk runs: every report that ever failed is listed as open.
    #[arg(long)]
    pub(crate) from_topic: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DlqGroups {
    /// At most so many, those with the most letters first.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: u32,
    /// Show the identities of people as they are. Says why; that is noted.
    #[arg(long, value_name = "REASON", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) reveal: Option<String>,
    /// Read the topic instead of the archive, where no desk runs: every report that ever failed counts as open.
    #[arg(long)]
    pub(crate) from_topic: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DlqShow {
    /// The letter: generation/partition/offset.
    #[arg(value_parser = letter)]
    pub(crate) letter: LetterId,
    /// Show the values of its fields as they are. Says why; that is noted.
    #[arg(long, value_name = "REASON", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) reveal: Option<String>,
    /// Suggest employees whom it might be about, with reasons. Reads all employees; needs Kafka and the registry.
    #[arg(long)]
    pub(crate) candidates: bool,
    /// Read the topic instead of the archive, where no desk runs.
    #[arg(long)]
    pub(crate) from_topic: bool,
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
    /// Read the topic instead of the archive, where no desk runs, and send what is meant from here.
    #[arg(long)]
    pub(crate) from_topic: bool,
    /// Ask for so many in a second at most; the desk sends no more than desk.redrives_per_second.
    #[arg(long, value_name = "PER_SECOND")]
    pub(crate) rate: Option<NonZeroU32>,
}

#[derive(Debug, Args)]
pub(crate) struct DlqDiscard {
    #[command(flatten)]
    pub(crate) act: DlqAct,
    /// Why they are nothing.
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) because: String,
}

fn letter(text: &str) -> Result<LetterId, String> {
    text.parse().map_err(|error: ParseLetterIdError| error.to_string())
}

fn result(text: &str) -> Result<ResultId, &'static str> {
    result_id(text).ok_or("a result is named by a UUID in lower case with hyphens")
}

fn subject(text: &str) -> Result<AliasSubject, String> {
    text.parse().map_err(|error: ParseAliasSubjectError| error.to_string())
}

/// 16 bytes as hexadecimal digits.
fn group(text: &str) -> Result<[u8; 16], &'static str> {
    group_id(text).ok_or("a problem is named by 32 hexadecimal digits, as `scoresync dlq groups` shows them")
}

fn age(text: &str) -> Result<Duration, &'static str> {
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
    count.checked_mul(seconds).map(Duration::from_secs).ok_or(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_problems_are_read_as_they_are_shown() {
        assert_eq!(age("90m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(age("7d"), Ok(Duration::from_secs(604_800)));
        for wrong in ["", "d", "7", "7w", "-1d", "1.5h", "999999999999999999d", "日"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
        assert_eq!(group("000000000000000000000000000000ff").map(|id| id[15]), Ok(255));
        assert!(group("ff").is_err() && group(&"x".repeat(32)).is_err());
    }

    #[test]
    fn results_and_subjects_have_the_form_of_keys() {
        assert!(result("3f2504e0-4f89-51d3-9a0c-0305e82c3301").is_ok());
        assert!(result("3F2504E0-4F89-51D3-9A0C-0305E82C3301").is_err());
        assert!(subject("identity/*/phone/+8613800000001").is_ok());
        assert!(subject("phone").is_err());
    }
}
