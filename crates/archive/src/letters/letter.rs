//! What is known of dead letters, and what is asked about them.

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

use scoresync_domain::{IdentityKey, LetterFamily, LetterState, Origin, ResultId, Timestamp};

use crate::TopicPartition;

/// Which report a letter is about: where it first appeared. There is one letter for each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterId {
    /// Empty where the report is in `scores.raw` of this installation; the topic of a foreign letter otherwise.
    pub topic: String,
    /// Its place there.
    pub origin: Origin,
}

impl LetterId {
    /// Of a report of ours.
    #[must_use]
    pub const fn of(origin: Origin) -> Self {
        Self {
            topic: String::new(),
            origin,
        }
    }
}

impl fmt::Display for LetterId {
    /// `generation/partition/offset`, with `topic:` before it where the letter is a foreign one.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.topic.is_empty() {
            write!(formatter, "{}:", self.topic)?;
        }
        self.origin.fmt(formatter)
    }
}

/// The text is no letter's id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a letter is named by its origin, generation/partition/offset; a foreign one as topic:generation/partition/offset")]
pub struct ParseLetterIdError;

impl FromStr for LetterId {
    type Err = ParseLetterIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (topic, origin) = text.rsplit_once(':').unwrap_or(("", text));
        Ok(Self {
            topic: topic.to_owned(),
            origin: origin.parse().map_err(|_| ParseLetterIdError)?,
        })
    }
}

/// A letter as it was read from `scores.dlq`.
#[derive(Clone, Debug)]
pub struct IncomingLetter<'a> {
    /// Which report it is about.
    pub id: LetterId,
    /// Who wrote it.
    pub family: LetterFamily,
    /// The reason, or the class of a foreign exception.
    pub reason: Cow<'a, str>,
    /// A sentence for people.
    pub message: Cow<'a, str>,
    /// The report's source; empty where it is not known.
    pub source: Cow<'a, str>,
    /// The try that failed, from 1.
    pub attempt: u32,
    /// Whether its report was filed before, and what it said is taken back.
    pub is_retracted: bool,
    /// When the first try failed.
    pub first_failed_at: Timestamp,
    /// When this one did.
    pub last_failed_at: Timestamp,
    /// Where the letter stands in `scores.dlq`: partition and offset.
    pub stands_at: (i32, i64),
    /// Letters that are one problem.
    pub group_id: [u8; 16],
    /// Our name of the field that the problem is in.
    pub field: Option<&'static str>,
    /// By whose appearance it can be filed.
    pub sought: Vec<IdentityKey>,
    /// The result that the report speaks of.
    pub result_id: Option<ResultId>,
    /// Version of the field mapping that read it.
    pub mapping_version: Option<i32>,
    /// When the producer received the report.
    pub received_at: Option<Timestamp>,
    /// Key of the record, untouched.
    pub key: Option<&'a [u8]>,
    /// Value of the record, untouched.
    pub value: Option<&'a [u8]>,
    /// All headers, as a JSON array.
    pub headers: String,
    /// The report's fields as a JSON object, where it could be read.
    pub fields: Option<String>,
    /// Whether it can be filed by now: then it is redriven at once.
    pub can_be_filed: bool,
}

/// A report of ours that was enriched after it had been redriven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FiledReport {
    /// Where it first appeared.
    pub origin: Origin,
    /// How often it had been tried before.
    pub attempts: u32,
    /// The result that it speaks of.
    pub result_id: ResultId,
    /// When it was enriched.
    pub at: Timestamp,
}

/// How far one partition is with a batch.
#[derive(Clone, Debug)]
pub struct LetterPosition {
    /// The partition.
    pub partition: TopicPartition,
    /// Where the desk must be for the batch to apply.
    pub expected_offset: i64,
    /// Where it is afterwards.
    pub next_offset: i64,
    /// What is known of the topic's schemas by then.
    pub schemas: String,
}

/// What was read of the partitions of `scores.dlq` and `scores.enriched`: taken in whole, or not at all.
#[derive(Clone, Debug, Default)]
pub struct LetterBatch<'a> {
    /// The partitions.
    pub positions: Vec<LetterPosition>,
    /// The letters, in the order in which they were read.
    pub letters: Vec<IncomingLetter<'a>>,
    /// What was filed after all.
    pub filed: Vec<FiledReport>,
    /// What is now.
    pub now: Timestamp,
    /// So many tries a letter is worth: what can be filed by now is redriven only below.
    pub max_attempts: u32,
}

/// What came of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LettersTaken {
    /// Letters that were not known, or failed once more.
    pub opened: u64,
    /// How many of them had been redriven.
    pub failed_again: u64,
    /// Letters that were closed because their report is filed.
    pub filed: u64,
}

/// A letter, without what it holds of people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Which report it is about.
    pub id: LetterId,
    /// Who wrote it.
    pub family: LetterFamily,
    /// What has become of it.
    pub state: LetterState,
    /// The reason, or the class of a foreign exception; empty where it is known to be filed and was not read yet.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// The report's source; empty where it is not known.
    pub source: String,
    /// The last try that failed, from 1.
    pub attempt: u32,
    /// When the first try failed.
    pub first_failed_at: Timestamp,
    /// When the last one did.
    pub last_failed_at: Timestamp,
    /// Letters that are one problem.
    pub group_id: [u8; 16],
    /// The result that the report speaks of.
    pub result_id: Option<ResultId>,
    /// Version of the field mapping that read it last.
    pub mapping_version: Option<i32>,
    /// When the producer received the report.
    pub received_at: Option<Timestamp>,
    /// Who asked for the last redrive.
    pub requested_by: Option<String>,
    /// When it was closed, by whom and why; nobody is named where it was filed.
    pub closed_at: Option<Timestamp>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// Why.
    pub closing_reason: Option<String>,
}

impl Letter {
    /// Where it stands in a list: those first that failed first.
    #[must_use]
    pub fn place(&self) -> (Timestamp, LetterId) {
        (self.first_failed_at, self.id.clone())
    }
}

/// What a letter holds. Personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterBody {
    /// Key of the record.
    pub key: Option<Vec<u8>>,
    /// Value of the record.
    pub value: Option<Vec<u8>>,
    /// All headers, as a JSON array.
    pub headers: String,
    /// The report's fields as a JSON object, where it could be read.
    pub fields: Option<String>,
}

/// Which letters are meant; what is `None` limits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// Their state.
    pub state: Option<LetterState>,
    /// Their reason.
    pub reason: Option<String>,
    /// Their source.
    pub source: Option<String>,
    /// The field that the problem is in, by our name.
    pub field: Option<String>,
    /// The problem that they are a part of.
    pub group_id: Option<[u8; 16]>,
    /// That seek this employee number, which is told with the hash of it as an identity; of refusals those that name it.
    pub employee: Option<(String, [u8; 16])>,
    /// What occurs in a field, in any case of letters.
    pub text: Option<String>,
    /// Read last by a field mapping of a smaller version.
    pub mapping_below: Option<i32>,
    /// First failed before this moment.
    pub before: Option<Timestamp>,
    /// First failed at this moment or later.
    pub since: Option<Timestamp>,
}

/// A part of the letters, the oldest first.
#[derive(Clone, Debug)]
pub struct LetterPage {
    /// Those behind this one.
    pub after: Option<(Timestamp, LetterId)>,
    /// How many at most.
    pub limit: u32,
}

/// Letters that are one problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterGroup {
    /// Names the problem.
    pub group_id: [u8; 16],
    /// The source.
    pub source: String,
    /// The reason of the first of them.
    pub reason: String,
    /// Our name of the field that the problem is in.
    pub field: Option<String>,
    /// The person's identities. Personal.
    pub identities: Vec<IdentityKey>,
    /// How many letters are open.
    pub letters: u64,
    /// When the oldest of them failed first.
    pub oldest: Timestamp,
}

/// A group with open letters, and by whose appearance they can be filed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingGroup {
    /// Names the problem.
    pub group_id: [u8; 16],
    /// The source.
    pub source: String,
    /// The person's identities; empty where it is not about a person.
    pub identities: Vec<IdentityKey>,
}

/// What it takes to judge a letter again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterToJudge {
    /// Which report it is about.
    pub id: LetterId,
    /// Value of the record.
    pub value: Option<Vec<u8>>,
}

/// A letter that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueRedrive {
    /// Which report it is about.
    pub id: LetterId,
    /// How often it was tried.
    pub attempts: u32,
    /// When the first try failed.
    pub first_failed_at: Timestamp,
    /// Key of the record.
    pub key: Option<Vec<u8>>,
    /// Value of the record.
    pub value: Option<Vec<u8>>,
    /// All headers, as a JSON array.
    pub headers: String,
}

/// Who asks for what, when and why.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who.
    pub actor: &'a str,
    /// What, in one word.
    pub action: &'a str,
    /// Why.
    pub reason: &'a str,
    /// When.
    pub at: Timestamp,
}

/// What a person did, or looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskEvent {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What, in one word.
    pub action: String,
    /// Why.
    pub reason: String,
}

/// How many letters are open, by source and reason, and since when.
pub type OpenLetters = BTreeMap<(String, String), (u64, Timestamp)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_shows() {
        for text in ["1/3/41", "orders:0/3/41", "a:b:0/0/0"] {
            assert_eq!(text.parse::<LetterId>().unwrap().to_string(), text);
        }
        assert_eq!("1/3/41".parse::<LetterId>().unwrap().topic, "");
        for text in ["", "1/3", "orders", "orders:1", "1/3/41:orders"] {
            assert_eq!(text.parse::<LetterId>(), Err(ParseLetterIdError), "{text}");
        }
    }
}
