//! Mapping one report, field by field in a fixed order, so that a report with several faults always shows the same one.

use super::{MappedScore, MappingError, Record, reading::Reading};
use crate::{ScoreReport, Status, normalise_key_part, source::Source};

impl Source {
    /// Says in our words what a report of this source says.
    ///
    /// A withdrawal needs its key alone. What else of it can be read is; what cannot is left out, identities together, so that none
    /// decides in the place of a damaged one. Its revision is the exception: without one a withdrawal outranks all others, so an unreadable
    /// one is an error.
    ///
    /// # Errors
    /// The first fault in this order: unparsed; key; status; revision; identities; course; exam; attempt; finish time; marks.
    pub fn map<'a>(&'a self, report: &'a ScoreReport<'_>) -> Result<MappedScore<'a>, MappingError> {
        if report.unparsed.is_some() {
            return Err(MappingError::unparsed());
        }
        let record = Record::new(&report.fields);
        let result_id = self.key.result_id(&self.system, &record)?;
        let status = match &self.mapping.status {
            _ if report.is_withdrawal() => Some(Status::Withdrawn),
            Some(words) => words.read(&record)?,
            None => None,
        };
        let reading = Reading {
            source: self,
            mapping: &self.mapping,
            record: &record,
            received_at: report.received_at,
            status: status.unwrap_or(Status::Final),
        };
        Ok(MappedScore {
            result_id,
            source: &self.name,
            system: &self.system,
            status: reading.status,
            revision: reading.revision()?,
            identities: reading.identities()?,
            course_id: reading.course_id()?.map(normalise_key_part),
            course_title: reading.text(self.mapping.course_title.as_ref())?,
            exam_id: reading.text(self.mapping.exam_id.as_ref())?.map(normalise_key_part),
            exam_title: reading.text(self.mapping.exam_title.as_ref())?,
            attempt: reading.attempt()?,
            finished: reading.finished()?,
            marks: reading.marks()?,
            revision_scheme: self.revision_scheme,
            mapping_version: self.mapping_version,
            repeat: self.repeat,
            received_at: report.received_at,
        })
    }
}
