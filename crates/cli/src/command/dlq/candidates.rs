//! Whom a letter might be about: suggested, and never applied by itself.

use std::{sync::Arc, time::Duration};

use scoresync_archive::{Letter, LetterBody};
use scoresync_domain::{Candidate, Candidates, Employee, Fields, ScoreReport, Timestamp};
use scoresync_kafka::{TableEnds, TableReader, Topic};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::Context;
use crate::{failure::Failure, output::visible, surroundings::Surroundings};

const LIMIT: Duration = Duration::from_secs(300);
/// More of them nobody reads.
const SHOWN: usize = 5;

/// The best candidates; none where the report cannot be read by its source's mapping.
pub(super) async fn suggest((letter, body): (&Letter, &LetterBody), context: &Context) -> Result<Vec<Candidate>, Failure> {
    let Some(report) = report(letter, body) else {
        return Ok(Vec::new());
    };
    let Some(source) = context.checked.sources.get(&letter.source) else {
        return Ok(Vec::new());
    };
    let Ok(mapped) = source.map(&report) else { return Ok(Vec::new()) };
    let mut candidates = Candidates::new(&mapped.identities, source.region, SHOWN);
    let surroundings = Surroundings::find(&context.configuration, &[Topic::Employees]).await?;
    let (kafka, topics) = (context.configuration.kafka.clone(), context.configuration.topics.clone());
    let runtime = Handle::current();
    let reading = tokio::task::spawn_blocking(move || {
        let ends = Arc::new(TableEnds::open(&kafka)?);
        let mut employees = TableReader::<Employee>::open(Topic::Employees, (&kafka, &topics), (&surroundings.registry, &runtime), ends)?;
        // Of an employee who has several records, the last one stands.
        let mut latest = std::collections::HashMap::new();
        employees.read_to_end(LIMIT, |change| match change.row {
            Some(employee) => drop(latest.insert(change.key, employee)),
            None => drop(latest.remove(&change.key)),
        })?;
        latest.values().for_each(|employee| candidates.offer(employee));
        anyhow::Ok(candidates.into_best())
    });
    Ok(reading.await??)
}

/// The report as the letter's fields tell it.
fn report(letter: &Letter, body: &LetterBody) -> Option<ScoreReport<'static>> {
    let fields: serde_json::Map<String, Value> = serde_json::from_str(body.fields.as_deref()?).ok()?;
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

pub(super) fn document(candidate: &Candidate, shown: impl Fn(&str) -> String) -> Value {
    json!({
        "employee_no": candidate.employee_no,
        "name": candidate.name.as_deref().map(shown),
        "department": candidate.department,
        "because": candidate.resemblances.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

pub(super) fn lines(candidates: &[Candidate], shown: impl Fn(&str) -> String) -> Vec<String> {
    if candidates.is_empty() {
        return vec![String::new(), "nobody resembles the person in the report".to_owned()];
    }
    let line = |candidate: &Candidate| {
        let because: Vec<String> = candidate.resemblances.iter().map(ToString::to_string).collect();
        let name = candidate.name.as_deref().map(&shown).unwrap_or_default();
        let department = candidate.department.as_deref().unwrap_or_default();
        let line = format!("  {}  {name}  {department}  {}", candidate.employee_no, because.join("; "));
        visible(&line).into_owned()
    };
    let heading = [String::new(), "it might be about:".to_owned()];
    let how = "`scoresync dlq resolve LETTER --employee EMPLOYEE_NO --because TEXT` decides it".to_owned();
    heading.into_iter().chain(candidates.iter().map(line)).chain([how]).collect()
}
