//! What is compared of a result: what would stand, or stands, in a file, as text.

use scoresync_archive::{Content, SurveyedRecord};
use scoresync_domain::{EnrichedScore, Score, Status, Timestamp};
use serde::{Deserialize, Serialize};

use crate::difference::FieldDifference;

/// The fields that are compared, by their names. Titles and names of people are not: they may have been corrected since, and are no results.
const COMPARED: [&str; 10] = [
    "status",
    "course_id",
    "exam_id",
    "attempt",
    "exam_score",
    "min_score",
    "max_score",
    "grade",
    "passed",
    "finish_timestamp",
];

/// What a result is, by one side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct View {
    /// In whose file.
    pub(crate) employee_no: Option<String>,
    pub(crate) is_withdrawn: bool,
    pub(crate) revision_scheme: i32,
    pub(crate) revision: Option<i64>,
    pub(crate) course_id: Option<String>,
    pub(crate) finished: Option<i64>,
    fields: [Option<String>; COMPARED.len()],
}

impl View {
    /// What a row of the list would put into a file.
    pub(crate) fn of_row(score: &EnrichedScore<'_>) -> Self {
        let mut view = Self::of(score.status, Some(&Content::of(score)));
        view.employee_no = score.employee_no.as_deref().map(str::to_owned);
        (view.revision_scheme, view.revision) = (score.revision_scheme, score.revision);
        view
    }

    /// What stands in a file.
    pub(crate) fn of_record(record: &SurveyedRecord) -> Self {
        let mut view = Self::of(record.head.status, record.shown.as_ref().map(|(_, content)| content));
        view.employee_no.clone_from(&record.owner_employee_no);
        (view.revision_scheme, view.revision) = (record.head.revision_scheme, record.head.revision);
        view
    }

    fn of(status: Status, content: Option<&Content<'_>>) -> Self {
        let text = |field: fn(&'_ Content<'_>) -> Option<String>| content.and_then(field);
        let score = |field: fn(&Content<'_>) -> Option<Score>| content.and_then(field).map(|score| score.to_string());
        let finished = content.and_then(|content| content.finish_timestamp);
        let course_id = text(|content| content.course_id.as_deref().map(str::to_owned));
        Self {
            employee_no: None,
            is_withdrawn: status == Status::Withdrawn,
            revision_scheme: 0,
            revision: None,
            course_id: course_id.clone(),
            finished: finished.map(Timestamp::as_millis),
            fields: [
                Some(status.to_string()),
                course_id,
                text(|content| content.exam_id.as_deref().map(str::to_owned)),
                text(|content| content.attempt.map(|attempt| attempt.to_string())),
                score(|content| content.exam_score),
                score(|content| content.min_score),
                score(|content| content.max_score),
                text(|content| content.grade.as_deref().map(str::to_owned)),
                text(|content| content.passed.map(|passed| passed.to_string())),
                finished.map(|time| time.to_string()),
            ],
        }
    }

    /// Where the archive's view differs from this, the list's.
    pub(crate) fn differences(&self, archive: &Self) -> Vec<FieldDifference> {
        let both = COMPARED.iter().zip(self.fields.iter().zip(&archive.fields));
        let differing = both.filter(|(_, (list, archive))| list != archive);
        differing
            .map(|(field, (list, archive))| FieldDifference {
                field,
                list: list.clone(),
                archive: archive.clone(),
            })
            .collect()
    }
}
