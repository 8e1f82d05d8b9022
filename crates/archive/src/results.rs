//! Reading the records of given results, many at once.

use scoresync_domain::ResultId;

use crate::{
    SurveyedRecord,
    error::Failure,
    letters::Session,
    table::{Value, read_record, record_columns},
};

/// Results of one question. It always has so many, the last repeated, so that a database prepares it once.
const TOGETHER: usize = 100;

pub(crate) async fn records_of(session: &impl Session, results: &[ResultId]) -> Result<Vec<SurveyedRecord>, Failure> {
    let places: Vec<String> = (1..=TOGETHER).map(|number| format!("${number}")).collect();
    let sql = format!(
        "SELECT {} FROM training_record WHERE result_id IN ({})",
        record_columns(),
        places.join(", ")
    );
    let mut records = Vec::with_capacity(results.len());
    for some in results.chunks(TOGETHER) {
        let repeated = some.iter().chain(some.last().into_iter().cycle());
        let values: Vec<_> = repeated
            .take(TOGETHER)
            .map(|result_id| Value::Id(Some(*result_id.as_uuid())))
            .collect();
        for mut row in session.ask(&sql, &values).await? {
            records.push(read_record(&mut row)?.into());
        }
    }
    Ok(records)
}
