//! An enriched score: a report that was mapped and matched.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Origin, ResultId, Score, Timestamp, fate::named, rule::Statement};

named! {
    /// What the source says of the result.
    Status {
        /// The result stands.
        Final = "final",
        /// The result may still change; any final version outranks it.
        Provisional = "provisional",
        /// The result is taken back.
        Withdrawn = "withdrawn",
    }
}

named! {
    /// What it means when a source says again what it said before.
    Repeat {
        /// Nothing: it retries until it is answered (webhooks).
        Redelivery = "redelivery",
        /// That this is what counts now (full exports, in which a score can return to what it was).
        Correction = "correction",
    }
}

/// A mapped and matched report (a value of `scores.enriched`).
///
/// Everything that a withdrawal may not know is optional. A score is `None` only where the source gave or cleared none; 0 is a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrichedScore<'a> {
    /// The result that it speaks of.
    pub result_id: ResultId,
    /// Name of the source that reported it.
    pub source: Cow<'a, str>,
    /// The training system behind the source.
    pub system: Cow<'a, str>,
    /// What the source says of the result.
    pub status: Status,
    /// The employee that the report was matched to.
    pub employee_no: Option<Cow<'a, str>>,
    /// The employee's name, as the directory has it.
    pub employee_name: Option<Cow<'a, str>>,
    /// The employee's department, as the directory has it.
    pub department: Option<Cow<'a, str>>,
    /// The employee's position, as the directory has it.
    pub position: Option<Cow<'a, str>>,
    /// The course's id in its system.
    pub course_id: Option<Cow<'a, str>>,
    /// The course's title.
    pub course_title: Option<Cow<'a, str>>,
    /// The exam's id in its system.
    pub exam_id: Option<Cow<'a, str>>,
    /// The exam's title.
    pub exam_title: Option<Cow<'a, str>>,
    /// Which attempt of the learner it was.
    pub attempt: Option<i64>,
    /// The score.
    pub exam_score: Option<Score>,
    /// The least score that the exam gives.
    pub min_score: Option<Score>,
    /// The greatest score that the exam gives.
    pub max_score: Option<Score>,
    /// A grade in the source's words.
    pub grade: Option<Cow<'a, str>>,
    /// Whether the learner passed.
    pub passed: Option<bool>,
    /// When the learner finished the exam.
    pub finish_timestamp: Option<Timestamp>,
    /// The source's own statement of which version this is.
    pub revision: Option<i64>,
    /// Numbers of different schemes are not comparable; a greater scheme outranks a smaller one.
    pub revision_scheme: i32,
    /// Version of the field mapping that read it.
    pub mapping_version: i32,
    /// What a repetition means at this source.
    pub repeat: Repeat,
    /// When a person decided the owner (milliseconds since the epoch), or 0.
    pub decision: i64,
    /// What the employee was found by.
    pub matched_by: Option<Cow<'a, str>>,
    /// Whether a score had more than six decimal places and was rounded half to even.
    pub rounded: bool,
    /// When the producer received the report.
    pub received_at: Timestamp,
    /// Where the report first appeared in `scores.raw`.
    pub origin: Origin,
    /// What the report would put into the file, as [`EnrichedScore::hash_content`] sums it up.
    pub content_hash: ContentHash,
}

/// 16 bytes that are equal when, and practically only when, two reports would put the same into the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentHash(pub [u8; 16]);

impl EnrichedScore<'_> {
    /// BLAKE3, cut to 16 bytes, over status, course, exam, attempt, scores, grade, passed and finish time; not over the employee or titles.
    ///
    /// Each optional part is a byte 0, or a byte 1 and its value: integers as 8 bytes little-endian, texts as length and UTF-8.
    #[must_use]
    pub fn hash_content(&self) -> ContentHash {
        let mut bytes = Vec::with_capacity(160);
        let mut text = |value: Option<&str>| match value {
            None => bytes.push(0),
            Some(value) => {
                bytes.push(1);
                bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
                bytes.extend_from_slice(value.as_bytes());
            }
        };
        text(Some(self.status.as_str()));
        text(self.course_id.as_deref());
        text(self.exam_id.as_deref());
        text(self.grade.as_deref());
        let score = |score: Option<Score>| score.map(Score::as_millionths);
        let integers = [
            self.attempt,
            score(self.exam_score),
            score(self.min_score),
            score(self.max_score),
            self.passed.map(i64::from),
            self.finish_timestamp.map(Timestamp::as_millis),
        ];
        for integer in integers {
            bytes.push(u8::from(integer.is_some()));
            bytes.extend_from_slice(&integer.unwrap_or_default().to_le_bytes());
        }
        let mut hash = [0; 16];
        hash.copy_from_slice(&blake3::hash(&bytes).as_bytes()[..16]);
        ContentHash(hash)
    }

    /// What the archive's rule looks at.
    #[must_use]
    pub fn statement(&self) -> Statement {
        Statement {
            origin: self.origin,
            mapping_version: self.mapping_version,
            decision: self.decision,
            employee_no: self.employee_no.as_deref().map(str::to_owned),
            status: self.status,
            revision_scheme: self.revision_scheme,
            revision: self.revision,
            content_hash: self.content_hash,
            repeat: self.repeat,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: EnrichedScore<'_> = EnrichedScore {
        result_id: ResultId::from_uuid(uuid::Uuid::nil()),
        source: Cow::Borrowed("academy"),
        system: Cow::Borrowed("academy"),
        status: Status::Final,
        employee_no: Some(Cow::Borrowed("E1001")),
        employee_name: None,
        department: None,
        position: None,
        course_id: Some(Cow::Borrowed("消防安全")),
        course_title: None,
        exam_id: Some(Cow::Borrowed("X-1")),
        exam_title: None,
        attempt: Some(2),
        exam_score: Score::from_millionths(85_500_000),
        min_score: None,
        max_score: Score::from_millionths(100_000_000),
        grade: Some(Cow::Borrowed("优秀")),
        passed: Some(true),
        finish_timestamp: Some(Timestamp::from_millis(1_793_996_130_000)),
        revision: None,
        revision_scheme: 1,
        mapping_version: 1,
        repeat: Repeat::Redelivery,
        decision: 0,
        matched_by: None,
        rounded: false,
        received_at: Timestamp::from_millis(1_794_000_000_000),
        origin: Origin {
            generation: 1,
            partition: 0,
            offset: 0,
        },
        content_hash: ContentHash([0; 16]),
    };

    fn check(score: &EnrichedScore<'_>, expected: u128) {
        assert_eq!(score.hash_content(), ContentHash(expected.to_be_bytes()), "{score:?}");
    }

    #[test]
    fn a_content_hash_never_changes_between_releases() {
        check(&FULL, 0x20be_1a04_b38d_58d8_93c2_eddd_3f17_84a5);
        let bare = EnrichedScore {
            status: Status::Withdrawn,
            course_id: None,
            exam_id: None,
            attempt: None,
            exam_score: None,
            max_score: None,
            grade: None,
            passed: None,
            finish_timestamp: None,
            ..FULL
        };
        check(&bare, 0x0b5a_1f4e_61ee_e865_767f_99cc_bdca_20d5);
        let long = EnrichedScore {
            course_id: Some("消防安全".repeat(250).into()),
            ..FULL
        };
        check(&long, 0xdb9a_ae6e_af20_b614_172f_e13f_0e17_2676);
    }
}
