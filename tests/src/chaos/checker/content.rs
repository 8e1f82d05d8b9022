//! What a statement says beside whose it is: as its author meant it, as an enriched score has it, and as the archive keeps it.

use scoresync_archive::Content as Kept;
use scoresync_domain::{EnrichedScore, Score, Status, Timestamp};

use crate::chaos::stream::{Said, Source};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    source: String,
    course_id: Option<String>,
    exam_score: Option<String>,
    finished_at: Option<String>,
}

impl Content {
    /// A withdrawal names the result alone, except in a file, which has all columns.
    pub(super) fn meant(source: Source, said: &Said) -> Self {
        let is_full = said.status != Status::Withdrawn || source == Source::Export;
        Self {
            source: source.name().to_owned(),
            course_id: is_full.then(|| source.course_id().to_owned()),
            exam_score: said.exam_score.clone(),
            finished_at: is_full.then(|| said.finished_at()),
        }
    }

    pub(super) fn enriched(score: &EnrichedScore<'_>) -> Self {
        Self::of(
            (&score.source, score.course_id.as_deref()),
            score.exam_score,
            score.finish_timestamp,
        )
    }

    pub(super) fn kept(content: &Kept<'_>) -> Self {
        Self::of(
            (&content.source, content.course_id.as_deref()),
            content.exam_score,
            content.finish_timestamp,
        )
    }

    fn of((source, course_id): (&str, Option<&str>), exam_score: Option<Score>, finished: Option<Timestamp>) -> Self {
        Self {
            source: source.to_owned(),
            course_id: course_id.map(str::to_owned),
            exam_score: exam_score.map(|score| score.to_string()),
            finished_at: finished.map(|time| time.to_string()),
        }
    }

    /// For the history of a result.
    pub(super) fn exam_score(&self) -> Option<&str> {
        self.exam_score.as_deref()
    }
}
