//! What a report says in our words, before anybody knows whose it is.

use std::borrow::Cow;

use crate::{IdentityKind, Period, Repeat, ResultId, Score, Status, Timestamp};

/// A mapped report: all of an [`crate::EnrichedScore`] that the directory has no part in, and the identities to match.
///
/// Borrows from the report and from the source. Texts are trimmed; ids of courses and exams are normalised as the key's parts are, so that
/// one course is one id however its letters were typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedScore<'a> {
    /// The result that it speaks of.
    pub result_id: ResultId,
    /// Name of the source that reported it.
    pub source: &'a str,
    /// The training system behind the source.
    pub system: &'a str,
    /// What the source says of the result.
    pub status: Status,
    /// Whom the report points to, as the source wrote it.
    pub identities: PresentedIdentities<'a>,
    /// The course's id in its system.
    pub course_id: Option<Cow<'a, str>>,
    /// The course's title.
    pub course_title: Option<&'a str>,
    /// The exam's id in its system.
    pub exam_id: Option<Cow<'a, str>>,
    /// The exam's title.
    pub exam_title: Option<&'a str>,
    /// Which attempt of the learner it was.
    pub attempt: Option<i64>,
    /// Score, bounds, grade, and whether it was passed.
    pub marks: Marks<'a>,
    /// When the learner finished the exam: a point in time, or a day.
    pub finished: Option<Period>,
    /// The source's own statement of which version this is.
    pub revision: Option<i64>,
    /// The source's numbering that `revision` belongs to.
    pub revision_scheme: i32,
    /// Version of the field mapping that read it.
    pub mapping_version: i32,
    /// What a repetition means at this source.
    pub repeat: Repeat,
    /// When the producer received the report.
    pub received_at: Timestamp,
}

/// What the exam came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks<'a> {
    /// The score.
    pub exam_score: Option<Score>,
    /// The least score that the exam gives.
    pub min_score: Option<Score>,
    /// The greatest score that the exam gives.
    pub max_score: Option<Score>,
    /// Whether one of the three had more than six decimal places and was rounded half to even.
    pub rounded: bool,
    /// A grade in the source's words.
    pub grade: Option<&'a str>,
    /// Whether the learner passed.
    pub passed: Option<bool>,
}

/// The identities in a report, as the source wrote them: trimmed, not normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PresentedIdentities<'a> {
    /// The employee number.
    pub employee_no: Option<&'a str>,
    /// A telephone number.
    pub phone: Option<&'a str>,
    /// An e-mail address.
    pub email: Option<&'a str>,
    /// An account in the source's system.
    pub account: Option<&'a str>,
    /// The employee's name; confirms an identity, never is one.
    pub name: Option<&'a str>,
}

impl<'a> PresentedIdentities<'a> {
    /// The identity of a kind.
    #[must_use]
    pub fn get(&self, kind: IdentityKind) -> Option<&'a str> {
        match kind {
            IdentityKind::EmployeeNo => self.employee_no,
            IdentityKind::Phone => self.phone,
            IdentityKind::Email => self.email,
            IdentityKind::Account => self.account,
        }
    }
}
