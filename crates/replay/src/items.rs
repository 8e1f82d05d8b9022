//! What is known of a report, small enough to be written to disk: what it comes to now, and what was said by it.

use scoresync_domain::{EnrichedScore, Rejection, ResultId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something about a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Item {
    Report(Report),
    Said(Said),
}

/// A report, as the present field mapping reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// In milliseconds since 1970.
    pub(crate) received_ms: i64,
    pub(crate) traceparent: Option<String>,
    pub(crate) verdict: Verdict,
}

/// What a report comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Verdict {
    /// An enriched score, as it would be written.
    Score { meaning: Meaning, value: Vec<u8> },
    /// A dead letter.
    Rejected {
        reason: String,
        message: String,
        depends_on_directory: bool,
    },
}

/// An enriched score that was written about a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) meaning: Meaning,
    pub(crate) mapping_version: i32,
    pub(crate) is_retraction: bool,
}

/// What an enriched score says, as far as a field mapping decides it.
///
/// Name, department and position of the employee are not in it, nor is how somebody was found: they follow the directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Meaning {
    result: [u8; 16],
    pub(crate) employee_no: Option<String>,
    pub(crate) decision: i64,
    /// BLAKE3 over everything else, cut to 16 bytes.
    content: [u8; 16],
}

impl Verdict {
    pub(crate) fn rejected(rejection: Rejection) -> Self {
        Self::Rejected {
            reason: rejection.reason.as_str().to_owned(),
            message: rejection.message,
            depends_on_directory: rejection.reason.depends_on_directory(),
        }
    }
}

impl Said {
    pub(crate) fn of(score: &EnrichedScore<'_>) -> Self {
        Self {
            meaning: Meaning::of(score),
            mapping_version: score.mapping_version,
            is_retraction: score.is_retraction(),
        }
    }

    /// Of what one report said of a result the greatest counts, and of equals the first, as in [`scoresync_domain::rule`].
    pub(crate) const fn precedence(&self) -> (i32, i64, bool) {
        (self.mapping_version, self.meaning.decision, self.meaning.employee_no.is_some())
    }
}

impl Meaning {
    pub(crate) fn of(score: &EnrichedScore<'_>) -> Self {
        Self {
            result: *score.result_id.as_uuid().as_bytes(),
            employee_no: score.employee_no.as_deref().map(str::to_owned),
            decision: score.decision,
            content: hash_content(score),
        }
    }

    pub(crate) const fn result_id(&self) -> ResultId {
        ResultId::from_uuid(Uuid::from_bytes(self.result))
    }

    /// Whether both say the same of one result, but for whose it is.
    pub(crate) fn says_as(&self, other: &Self) -> bool {
        (self.result, self.content) == (other.result, other.content)
    }
}

fn hash_content(score: &EnrichedScore<'_>) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&score.content_hash.0);
    for text in [
        Some(score.system.as_ref()),
        score.course_title.as_deref(),
        score.exam_title.as_deref(),
    ] {
        let length = text.map_or(u64::MAX, |text| text.len() as u64);
        hasher.update(&length.to_le_bytes()).update(text.unwrap_or_default().as_bytes());
    }
    let revision = score.revision;
    hasher
        .update(&[u8::from(revision.is_some()), u8::from(score.rounded)])
        .update(&revision.unwrap_or_default().to_le_bytes())
        .update(&score.revision_scheme.to_le_bytes())
        .update(score.repeat.as_str().as_bytes());
    let mut hash = [0; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}
