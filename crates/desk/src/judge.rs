//! Whether a report that could not be filed can be filed by now, by the mapper's own rules and the desk's own directory.

use scoresync_domain::{Concern, Directory, Origin, ScoreReport, Sources, decide};
use scoresync_kafka::{DecodeError, Decoder, SchemaLookupError};

/// Reads and judges reports.
pub(crate) struct Judge {
    pub(crate) reports: Decoder<ScoreReport<'static>>,
    pub(crate) sources: Sources,
}

/// What is found of one.
pub(crate) struct Judgement {
    pub(crate) concern: Concern,
    pub(crate) can_be_filed: bool,
    /// When the producer received it, and its fields as a JSON object.
    pub(crate) content: Option<(scoresync_domain::Timestamp, String)>,
}

impl Judgement {
    /// Of what is no report that can be read.
    pub(crate) const fn unreadable() -> Self {
        Self {
            concern: Concern::unreadable(),
            can_be_filed: false,
            content: None,
        }
    }
}

impl Judge {
    /// Judges the value of a record of `scores.raw` that first appeared at `origin`.
    ///
    /// # Errors
    /// The registry's, and then the letter has to wait. What cannot be read is judged as that.
    pub(crate) fn judge(&mut self, value: Option<&[u8]>, origin: Origin, directory: &Directory) -> Result<Judgement, SchemaLookupError> {
        let Some(report) = read(&mut self.reports, value)? else {
            return Ok(Judgement::unreadable());
        };
        let fields = report.fields.iter().map(|(name, value)| (name.to_owned(), value.into()));
        let fields = serde_json::Value::Object(fields.collect()).to_string();
        Ok(Judgement {
            concern: Concern::of(&report, &self.sources),
            can_be_filed: decide(&report, origin, &self.sources, directory).is_ok(),
            content: Some((report.received_at, fields)),
        })
    }

    /// Whether it can be filed.
    ///
    /// # Errors
    /// As for [`Self::judge`].
    pub(crate) fn can_be_filed(&mut self, value: Option<&[u8]>, origin: Origin, directory: &Directory) -> Result<bool, SchemaLookupError> {
        let report = read(&mut self.reports, value)?;
        Ok(report.is_some_and(|report| decide(&report, origin, &self.sources, directory).is_ok()))
    }
}

/// `None` where the value is at fault.
fn read<'a>(reports: &mut Decoder<ScoreReport<'static>>, value: Option<&'a [u8]>) -> Result<Option<ScoreReport<'a>>, SchemaLookupError> {
    match reports.decode(value) {
        Ok(report) => Ok(Some(report)),
        Err(DecodeError::Surroundings(error)) => Err(error),
        Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => Ok(None),
    }
}
