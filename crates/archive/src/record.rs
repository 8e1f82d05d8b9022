//! A training record as it is read, and the two halves of every statement: its head, which the rule judges, and its content.

use std::{borrow::Cow, cmp::Reverse};

use scoresync_domain::{
    ContentHash, EnrichedScore, Fate, Origin, Refusal, Repeat, ResultId, Score, Status, Timestamp,
    rule::{Statement, VersionKey},
};

use crate::EnrichedPosition;

/// One result in one employee's file.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingRecord {
    /// The result.
    pub result_id: ResultId,
    /// In whose file it stands, as the deciding statement named them; `replaced_by` may lead on.
    pub owner_employee_no: Option<String>,
    /// The decision that named the owner, or 0.
    pub owner_decision: i64,
    /// The statement that is the record.
    pub head: Head<'static>,
    /// What the record shows; `None` where nothing but withdrawals is known.
    pub shown: Option<Shown>,
    /// Every other statement that counts or counted, in order of arrival.
    pub history: Vec<HistoricStatement>,
}

/// What a record shows: its own content or, withdrawn, that of the greatest version that is no withdrawal.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Status of the version that is shown.
    pub status: Status,
    /// Hash of the version that is shown.
    pub content_hash: ContentHash,
    /// Its content.
    pub content: Content<'static>,
}

/// A statement that is not the record.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoricStatement {
    /// What the rule looks at.
    pub head: Head<'static>,
    /// What it said.
    pub content: Content<'static>,
}

/// Something that was not let count.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedScore {
    /// Where it stood in `scores.enriched`.
    pub position: EnrichedPosition,
    /// Why it does not count.
    pub reason: Refusal,
    /// What it was; `Err` holds the bytes of what could not be decoded.
    pub score: Result<RefusedStatement, Vec<u8>>,
}

/// A readable statement that was not let count.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedStatement {
    /// The result that it speaks of.
    pub result_id: ResultId,
    /// What the rule looks at.
    pub head: Head<'static>,
    /// What it said.
    pub content: Content<'static>,
}

/// How many positions of one partition of `scores.enriched` came to one fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FateCount {
    /// Generation of the topic.
    pub generation: i32,
    /// Partition of the topic.
    pub partition: i32,
    /// The fate.
    pub fate: Fate,
    /// How many.
    pub count: i64,
}

/// What the rule looks at in a statement, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// Where the report first appeared.
    pub origin: Origin,
    /// Version of the field mapping that read it.
    pub mapping_version: i32,
    /// When a person decided the owner, or 0.
    pub decision: i64,
    /// The employee that it names; an empty number names nobody.
    pub employee_no: Option<Cow<'a, str>>,
    /// What the employee was found by.
    pub matched_by: Option<Cow<'a, str>>,
    /// What the source says of the result.
    pub status: Status,
    /// Numbering that `revision` belongs to.
    pub revision_scheme: i32,
    /// The source's own number of the version.
    pub revision: Option<i64>,
    /// Sums up what it would put into the file.
    pub content_hash: ContentHash,
    /// What saying it again means.
    pub repeat: Repeat,
    /// When the producer received the report.
    pub received_at: Timestamp,
    /// Where it stood in `scores.enriched`.
    pub arrived: EnrichedPosition,
}

/// What a statement puts into the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content<'a> {
    /// Name of the source.
    pub source: Cow<'a, str>,
    /// The training system.
    pub system: Cow<'a, str>,
    /// The employee's name, as the directory had it.
    pub employee_name: Option<Cow<'a, str>>,
    /// The employee's department, as the directory had it.
    pub department: Option<Cow<'a, str>>,
    /// The employee's position, as the directory had it.
    pub position: Option<Cow<'a, str>>,
    /// The course's id in its system.
    pub course_id: Option<Cow<'a, str>>,
    /// The course's title.
    pub course_title: Option<Cow<'a, str>>,
    /// The exam's id in its system.
    pub exam_id: Option<Cow<'a, str>>,
    /// The exam's title.
    pub exam_title: Option<Cow<'a, str>>,
    /// Which attempt it was.
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
    /// When the learner finished.
    pub finish_timestamp: Option<Timestamp>,
    /// Whether a score was rounded to six places.
    pub rounded: bool,
}

fn borrow<'a>(text: &'a Option<Cow<'_, str>>) -> Option<Cow<'a, str>> {
    text.as_deref().map(Cow::Borrowed)
}

impl<'a> Head<'a> {
    /// Of an enriched score that stood there.
    #[must_use]
    pub fn of(score: &'a EnrichedScore<'_>, arrived: EnrichedPosition) -> Self {
        Self {
            origin: score.origin,
            mapping_version: score.mapping_version,
            decision: score.decision,
            employee_no: borrow(&score.employee_no).filter(|employee_no| !employee_no.is_empty()),
            matched_by: borrow(&score.matched_by),
            status: score.status,
            revision_scheme: score.revision_scheme,
            revision: score.revision,
            content_hash: score.content_hash,
            repeat: score.repeat,
            received_at: score.received_at,
            arrived,
        }
    }

    /// The statement as the rule sees it, with the employee that `replaced_by` leads to.
    #[must_use]
    pub fn statement(&self, employee_no: Option<String>) -> Statement {
        Statement {
            origin: self.origin,
            mapping_version: self.mapping_version,
            decision: self.decision,
            employee_no,
            status: self.status,
            revision_scheme: self.revision_scheme,
            revision: self.revision,
            content_hash: self.content_hash,
            repeat: self.repeat,
        }
    }

    /// The version that it states.
    #[must_use]
    pub fn version(&self) -> VersionKey {
        self.statement(None).version()
    }

    /// Of one origin the greatest counts: mapping version, decision, whether anybody is named, and of copies the first to arrive.
    pub(crate) fn precedence(&self) -> (i32, i64, bool, Reverse<EnrichedPosition>) {
        (
            self.mapping_version,
            self.decision,
            self.employee_no.is_some(),
            Reverse(self.arrived),
        )
    }

    /// Whether both are the same output of the mapper, written twice.
    pub(crate) fn is_copy_of(&self, other: &Head<'_>) -> bool {
        self.origin == other.origin
            && self.mapping_version == other.mapping_version
            && self.decision == other.decision
            && self.employee_no == other.employee_no
    }

    /// Every text of it, to be changed in place.
    pub(crate) fn texts_mut(&mut self) -> impl Iterator<Item = &mut Cow<'a, str>> {
        self.employee_no.iter_mut().chain(&mut self.matched_by)
    }
}

impl<'a> Content<'a> {
    /// Of an enriched score.
    #[must_use]
    pub fn of(score: &'a EnrichedScore<'_>) -> Self {
        Self {
            source: Cow::Borrowed(&score.source),
            system: Cow::Borrowed(&score.system),
            employee_name: borrow(&score.employee_name),
            department: borrow(&score.department),
            position: borrow(&score.position),
            course_id: borrow(&score.course_id),
            course_title: borrow(&score.course_title),
            exam_id: borrow(&score.exam_id),
            exam_title: borrow(&score.exam_title),
            attempt: score.attempt,
            exam_score: score.exam_score,
            min_score: score.min_score,
            max_score: score.max_score,
            grade: borrow(&score.grade),
            passed: score.passed,
            finish_timestamp: score.finish_timestamp,
            rounded: score.rounded,
        }
    }

    /// Every text of it, to be changed in place.
    pub(crate) fn texts_mut(&mut self) -> impl Iterator<Item = &mut Cow<'a, str>> {
        let optional = [
            &mut self.employee_name,
            &mut self.department,
            &mut self.position,
            &mut self.course_id,
            &mut self.course_title,
            &mut self.exam_id,
            &mut self.exam_title,
            &mut self.grade,
        ];
        [&mut self.source, &mut self.system]
            .into_iter()
            .chain(optional.into_iter().flatten())
    }
}
