//! Reports that withdraw what a source's list does not have any more.

use scoresync_domain::{Fields, Origin, ResultId, ScoreReport, Source};
use scoresync_kafka::{DecodeError, Decoder, Error, KafkaSettings, SchemaLookupError, Topic, TopicNames, TopicSettings, record_at};

/// A result that is to be withdrawn, and where the report first appeared that its record comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extra {
    /// The result.
    pub result_id: ResultId,
    /// The report.
    pub origin: Origin,
}

/// Why there is no report that withdraws a result.
#[derive(Debug, thiserror::Error)]
pub enum NotWithdrawable {
    /// The log does not hold the report any more.
    #[error("its report is not in scores.raw any more")]
    Gone,
    /// Something else stands in the file by now.
    #[error("something else stands in the file by now; compare again")]
    Changed,
    /// The report cannot be read, or is about another result by the present key of the source.
    #[error("its report does not say any more which result it is about")]
    OfAnother,
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The registry.
    #[error(transparent)]
    Schemas(#[from] SchemaLookupError),
}

/// The fields of the report that a record comes from: said again as a withdrawal, they withdraw it.
///
/// # Errors
/// There is none.
pub fn fields_of_withdrawal(
    extra: Extra,
    source: &Source,
    (kafka, topics): (&KafkaSettings, &TopicSettings),
    reports: &mut Decoder<ScoreReport<'static>>,
) -> Result<Fields<'static>, NotWithdrawable> {
    let Extra { result_id, origin } = extra;
    let names = TopicNames::of_generation(topics, origin.generation);
    let stored = record_at(kafka, &names.name(Topic::Raw), origin.partition, origin.offset)?.ok_or(NotWithdrawable::Gone)?;
    let report = match reports.decode(stored.value.as_deref()) {
        Ok(report) => report,
        Err(DecodeError::Surroundings(error)) => return Err(error.into()),
        Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => return Err(NotWithdrawable::OfAnother),
    };
    if source.result_key(&report.fields).ok() != Some(result_id) {
        return Err(NotWithdrawable::OfAnother);
    }
    Ok(report.fields.into_owned())
}
