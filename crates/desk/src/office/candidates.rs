//! Whom a letter might be about: suggested, and never applied by itself.

use scoresync_archive::{Letter, LetterBody};
use scoresync_domain::{Candidate, Candidates, Fields, ScoreReport, Timestamp};
use serde_json::{Map, Value};

use super::{
    Rules,
    documents::CandidateDocument,
    masking::mask,
    reach::{Reach, ReachError},
};

/// More of them nobody reads.
const SHOWN: usize = 5;

impl Rules {
    /// The best candidates; none where the report cannot be read by its source's mapping. Reads all employees.
    ///
    /// # Errors
    /// Kafka or the registry does not answer.
    pub async fn candidates(
        &self,
        (letter, body): &(Letter, LetterBody),
        reach: &Reach,
        is_revealed: bool,
    ) -> Result<Vec<CandidateDocument>, ReachError> {
        let (Some(report), Some(source)) = (report(letter, body), self.sources.get(&letter.source)) else {
            return Ok(Vec::new());
        };
        let Ok(mapped) = source.map(&report) else { return Ok(Vec::new()) };
        let mut candidates = Candidates::new(&mapped.identities, source.region, SHOWN);
        let best = reach.read_employees(move |employees| {
            employees.for_each(|employee| candidates.offer(employee));
            candidates.into_best()
        });
        Ok(best.await?.iter().map(|candidate| document(candidate, is_revealed)).collect())
    }
}

fn document(candidate: &Candidate, is_revealed: bool) -> CandidateDocument {
    let shown = |name: &str| if is_revealed { name.to_owned() } else { mask(name) };
    CandidateDocument {
        employee_no: candidate.employee_no.clone(),
        name: candidate.name.as_deref().map(shown),
        department: candidate.department.clone(),
        because: candidate.resemblances.iter().map(ToString::to_string).collect(),
    }
}

/// The report as the letter's fields tell it.
fn report(letter: &Letter, body: &LetterBody) -> Option<ScoreReport<'static>> {
    let fields: Map<String, Value> = serde_json::from_str(body.fields.as_deref()?).ok()?;
    let fields = fields
        .into_iter()
        .map(|(name, value)| (name.into(), value.as_str().map(|value| value.to_owned().into())));
    Some(ScoreReport {
        source: letter.source.clone().into(),
        received_at: letter.received_at.unwrap_or(Timestamp::from_millis(0)),
        content_type: "".into(),
        fields: Fields::from_unique(fields.collect()),
        unparsed: None,
    })
}
