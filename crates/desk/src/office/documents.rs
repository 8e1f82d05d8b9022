//! What people and programs are told of letters, as documents.

use std::collections::BTreeMap;

use scoresync_archive::{DeskEvent, Letter, LetterBody, LetterGroup, OpenLetters};
use scoresync_domain::{AliasSubject, LetterFamily, ResultId, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::{acts::Act, masking::mask};

/// A problem's name: 32 hexadecimal digits.
#[must_use]
pub fn group_name(group_id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(group_id))
}

/// The problem of a name.
#[must_use]
pub fn group_id(name: &str) -> Option<[u8; 16]> {
    let is_name = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(name, 16).ok().filter(|_| is_name).map(u128::to_be_bytes)
}

/// The result of a name: a UUID in lower case with hyphens.
#[must_use]
pub fn result_id(name: &str) -> Option<ResultId> {
    // The key of a decision about it has the same form.
    match format!("result/{name}").parse() {
        Ok(AliasSubject::Result(result_id)) => Some(result_id),
        Ok(AliasSubject::Identity { .. }) | Err(_) => None,
    }
}

/// A letter, without what it holds of people. Moments are in UTC, as RFC 3339 writes them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LetterDocument {
    /// Its name: where its report first appeared, generation/partition/offset; with `topic:` before it where it did so in another topic.
    pub letter: String,
    /// Who wrote it: `scoresync`, `connect`, `streams`, `spring` or `unknown`; `archive` where the archive refused to file the score.
    pub family: String,
    /// `open`, `redriven`, `filed` or `discarded`.
    pub state: String,
    /// Why it could not be filed; a foreign letter has the class of the exception.
    pub reason: String,
    /// What the mapper said. Left out of foreign letters, whose messages can hold values.
    pub message: Option<String>,
    /// The source of the report; empty where it is not known.
    pub source: String,
    /// The last try that failed, from 1.
    pub attempt: u32,
    /// When the first try failed; of a refusal, when the report was received.
    pub first_failed_at: String,
    /// When the last one did.
    pub last_failed_at: String,
    /// Letters that are one problem have one name of it.
    pub problem: String,
    /// The result that the report speaks of, where it could be read.
    pub result_id: Option<String>,
    /// The version of the field mapping that read it last.
    pub mapping_version: Option<i32>,
    /// When the producer received the report.
    pub received_at: Option<String>,
    /// Who asked for the last redrive.
    pub requested_by: Option<String>,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// By whom, where a person discarded it.
    pub closed_by: Option<String>,
    /// Why.
    pub closing_reason: Option<String>,
}

impl LetterDocument {
    /// Of a letter.
    #[must_use]
    pub fn of(letter: &Letter) -> Self {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            letter: letter.id.to_string(),
            family: letter.family.to_string(),
            state: letter.state.to_string(),
            reason: letter.reason.clone(),
            message: (letter.family == LetterFamily::Scoresync).then(|| letter.message.clone()),
            source: letter.source.clone(),
            attempt: letter.attempt,
            first_failed_at: letter.first_failed_at.to_string(),
            last_failed_at: letter.last_failed_at.to_string(),
            problem: group_name(letter.group_id),
            result_id: letter.result_id.map(|id| id.to_string()),
            mapping_version: letter.mapping_version,
            received_at: time(letter.received_at),
            requested_by: letter.requested_by.clone(),
            closed_at: time(letter.closed_at),
            closed_by: letter.closed_by.clone(),
            closing_reason: letter.closing_reason.clone(),
        }
    }
}

/// One letter in words, with what arrived.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LetterDetail {
    /// The letter.
    #[serde(flatten)]
    pub letter: LetterDocument,
    /// Why its report could not be filed.
    pub explanation: String,
    /// What to do.
    pub advice: String,
    /// The report's fields in their order. Values that can say who somebody is are masked unless they are revealed.
    #[serde(serialize_with = "as_object")]
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    pub fields: Vec<(String, Option<String>)>,
    /// How many bytes the record has; `null` for a tombstone.
    pub value_bytes: Option<usize>,
    /// The record as it is; left out unless it is revealed.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordDocument>,
    /// What people did to it, and that they looked at its personal values, the last 100 times, the last first.
    pub history: Vec<EventDocument>,
}

/// A record of the topic, byte by byte.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RecordDocument {
    /// All headers, an array of name and value (text, or hexadecimal digits where it is none).
    #[schema(value_type = Vec<Vec<String>>)]
    pub headers: serde_json::Value,
    /// The key in hexadecimal digits.
    pub key_hex: Option<String>,
    /// The value in hexadecimal digits; `null` for a tombstone.
    pub value_hex: Option<String>,
}

impl RecordDocument {
    /// Of what a letter holds.
    #[must_use]
    pub fn of(body: &LetterBody) -> Self {
        let hex = |bytes: &Option<Vec<u8>>| {
            let bytes = bytes.as_ref()?;
            Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
        };
        Self {
            headers: serde_json::from_str(&body.headers).unwrap_or_default(),
            key_hex: hex(&body.key),
            value_hex: hex(&body.value),
        }
    }
}

/// What a person did, or looked at.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct EventDocument {
    /// When.
    pub at: String,
    /// Who: a person of the operating system, or `token` and the token's name.
    pub actor: String,
    /// `redrive`, `discard` or `reveal`. That somebody forgot closed letters (`purge`), or saw many, stands in the database alone.
    pub action: String,
    /// Why.
    pub reason: String,
}

impl EventDocument {
    /// Of an event.
    #[must_use]
    pub fn of(event: &DeskEvent) -> Self {
        Self {
            at: event.at.to_string(),
            actor: event.actor.clone(),
            action: event.action.clone(),
            reason: event.reason.clone(),
        }
    }
}

fn as_object<S: Serializer>(fields: &[(String, Option<String>)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, value)| (name, value)))
}

/// Letters that are one problem: those of one person, or of one field.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GroupDocument {
    /// Its name.
    pub problem: String,
    /// The source.
    pub source: String,
    /// The reason of the first letter.
    pub reason: String,
    /// Our name of the field that the problem is in.
    pub field: Option<String>,
    /// The person's identities; values are masked unless they are revealed.
    pub identities: Vec<IdentityDocument>,
    /// How many letters are open.
    pub letters: u64,
    /// When the oldest of them failed first.
    pub oldest: String,
}

/// One identity of a person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IdentityDocument {
    /// `employee_no`, `phone`, `email` or `account`.
    pub kind: String,
    /// The system in which it is one, where it is an account.
    pub system: Option<String>,
    /// Its value.
    pub value: String,
}

impl GroupDocument {
    /// Of a problem.
    #[must_use]
    pub fn of(group: &LetterGroup, is_revealed: bool) -> Self {
        let identities = group.identities.iter().map(|(kind, system, value)| IdentityDocument {
            kind: kind.to_string(),
            system: system.clone(),
            value: if is_revealed { value.clone() } else { mask(value) },
        });
        Self {
            problem: group_name(group.group_id),
            source: group.source.clone(),
            reason: group.reason.clone(),
            field: group.field.clone(),
            identities: identities.collect(),
            letters: group.letters,
            oldest: group.oldest.to_string(),
        }
    }
}

/// Somebody whom a letter might be about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CandidateDocument {
    /// The employee number.
    pub employee_no: String,
    /// The name; masked unless it is revealed.
    pub name: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// What resembles the report, field by field.
    pub because: Vec<String>,
}

/// How many letters there are.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatsDocument {
    /// By state.
    pub states: BTreeMap<String, u64>,
    /// The open ones, by source and reason.
    pub open: Vec<OpenDocument>,
    /// Scores that the archive refused to file.
    pub refused_by_the_archive: Vec<RefusedDocument>,
    /// Letters that a newer field mapping may be able to read.
    pub offered: Vec<OfferDocument>,
}

/// Open letters of one source and reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OpenDocument {
    /// The source.
    pub source: String,
    /// The reason.
    pub reason: String,
    /// How many.
    pub letters: u64,
    /// When the oldest of them failed first.
    pub oldest: String,
}

impl OpenDocument {
    pub(super) fn all(open: OpenLetters) -> Vec<Self> {
        let document = |((source, reason), (letters, oldest)): ((String, String), (u64, Timestamp))| Self {
            source,
            reason,
            letters,
            oldest: oldest.to_string(),
        };
        open.into_iter().map(document).collect()
    }
}

/// Scores that the archive refused for one reason.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefusedDocument {
    /// The reason.
    pub reason: String,
    /// How many.
    pub scores: u64,
}

/// Letters of one source that were read by an older mapping than it has now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OfferDocument {
    /// The source.
    pub source: String,
    /// The version that it has now.
    pub mapping_version: i32,
    /// How many.
    pub letters: u64,
}

/// What was done with many letters, and what could not be.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct Tally {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// How many open letters are meant.
    pub meant: u64,
    /// With how many it was done, or would be.
    pub done: u64,
    /// Letters that were tried as often as `desk.max_attempts` allows.
    pub tried_too_often: u64,
    /// Letters of other systems, which are mended there.
    pub of_other_systems: u64,
    /// Scores that the archive refused, which are not sent again: a decision about their results files them, or they are discarded.
    pub refused_by_the_archive: u64,
}

impl Tally {
    pub(super) fn of(act: &Act<'_>) -> Self {
        Self {
            dry_run: act.dry_run,
            ..Self::default()
        }
    }

    /// Whether a letter can be sent again. Why it cannot is counted.
    pub fn admits(&mut self, letter: &Letter, max_attempts: u32) -> bool {
        match letter.family {
            LetterFamily::Scoresync if letter.attempt < max_attempts => return true,
            LetterFamily::Scoresync => self.tried_too_often += 1,
            LetterFamily::Archive => self.refused_by_the_archive += 1,
            LetterFamily::Connect | LetterFamily::Streams | LetterFamily::Spring | LetterFamily::Unknown => self.of_other_systems += 1,
        }
        false
    }
}
