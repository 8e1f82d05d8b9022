//! `scoresync mapping try SOURCE FILE`: what each row would become, without Kafka.

use std::io::{self, BufWriter, stdout};

use scoresync_domain::{MappedScore, Score, ScoreReport, Source};
use scoresync_service::Exit;
use serde_json::{Value, json};

use super::Context;
use crate::{
    arguments::Mapping,
    failure::Failure,
    row_listing::{Judged, Listed, RowListing, exit_of},
    score_files::{ScoreFiles, find_source},
};

const MAPPED: &str = "mapped";

pub(super) fn run(arguments: &Mapping, context: &Context) -> Result<Exit, Failure> {
    let Mapping::Try { source, file, format } = arguments;
    let checked = &context.checked;
    let files = ScoreFiles {
        source: find_source(&checked.sources, source)?,
        format: *format,
        limits: context.configuration.door.row_limits(),
    };
    let list = || -> io::Result<Listed> {
        let columns = &["row", "outcome", "identity", "course", "score", "finished"];
        let mut listing = RowListing::begin(context.output, columns, BufWriter::new(stdout().lock()))?;
        listing.read(file, files.open(file), |row, report| judge(files.source, row, report))?;
        listing.end("")
    };
    exit_of(list(), |listed| {
        listed.is_whole && listed.counts.keys().all(|outcome| outcome == MAPPED)
    })
}

fn judge(source: &Source, row: u64, report: &ScoreReport<'_>) -> Judged {
    match source.map(report) {
        Ok(mapped) => Judged {
            outcome: MAPPED.to_owned(),
            document: mapped_document(row, &mapped),
        },
        Err(error) => {
            let outcome = error.reason.as_str().to_owned();
            let document = json!({ "row": row, "outcome": format!("{outcome}: {error}") });
            Judged { outcome, document }
        }
    }
}

fn mapped_document(row: u64, mapped: &MappedScore<'_>) -> Value {
    let identities = mapped.identities;
    let identity = [identities.employee_no, identities.phone, identities.email, identities.account]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    let score = |score: Option<Score>| score.map(|score| score.to_string());
    json!({
        "row": row,
        "outcome": MAPPED,
        "identity": identity,
        "course": mapped.course_id,
        "score": score(mapped.marks.exam_score),
        "finished": mapped.finished.map(|period| period.first().to_string()),
        "result_id": mapped.result_id.to_string(),
        "status": mapped.status.as_str(),
        "exam": mapped.exam_id,
        "attempt": mapped.attempt,
        "min_score": score(mapped.marks.min_score),
        "max_score": score(mapped.marks.max_score),
        "grade": mapped.marks.grade,
        "passed": mapped.marks.passed,
        "revision": mapped.revision,
    })
}
