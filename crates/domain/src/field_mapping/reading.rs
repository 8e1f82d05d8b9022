//! Reading one report's fields, strictly, or leniently where it is a withdrawal.

use std::borrow::Cow;

use super::{Column, Field, FieldMapping, MappingError, PresentedIdentities, Record, Revision, Text, whole_number};
use crate::{Period, Status, Timestamp, source::Source};

/// One report being read.
pub(super) struct Reading<'a, 'r> {
    pub(super) source: &'a Source,
    pub(super) mapping: &'a FieldMapping,
    pub(super) record: &'r Record<'a>,
    pub(super) received_at: Timestamp,
    pub(super) status: Status,
}

impl<'a> Reading<'a, '_> {
    fn is_withdrawal(&self) -> bool {
        match self.status {
            Status::Withdrawn => true,
            Status::Final | Status::Provisional => false,
        }
    }

    /// Leaves out what cannot be read where the report is a withdrawal.
    pub(super) fn readable<T: Default>(&self, read: Result<T, MappingError>) -> Result<T, MappingError> {
        if read.is_err() && self.is_withdrawal() {
            return Ok(T::default());
        }
        read
    }

    /// Refuses a missing value unless the report is a withdrawal.
    pub(super) fn require<T>(&self, value: Option<T>, missing: impl FnOnce() -> MappingError) -> Result<Option<T>, MappingError> {
        if value.is_none() && !self.is_withdrawal() {
            return Err(missing());
        }
        Ok(value)
    }

    pub(super) fn text(&self, text: Option<&'a Text>) -> Result<Option<&'a str>, MappingError> {
        text.map_or(Ok(None), |text| self.readable(text.read(self.record)))
    }

    pub(super) fn column(&self, column: Option<&'a Column>) -> Result<Option<&'a str>, MappingError> {
        let Some(column) = column else { return Ok(None) };
        Ok(column.read(self.record)?.map(|cell| cell.text))
    }

    pub(super) fn revision(&self) -> Result<Option<i64>, MappingError> {
        let (revision, column) = match &self.mapping.revision {
            None => return Ok(None),
            Some(Revision::Integer(column)) => (column.read(self.record)?.map(whole_number).transpose()?, column),
            Some(Revision::Time(time)) => (
                time.read(self.record, self.received_at)?.map(|period| period.first().as_millis()),
                &time.column,
            ),
        };
        self.require(revision, || column.missing())
    }

    pub(super) fn identities(&self) -> Result<PresentedIdentities<'a>, MappingError> {
        let identities = self.readable(self.read_identities())?;
        let rungs = &self.source.employees_match;
        let presented = rungs.iter().find_map(|rung| identities.get(rung.kind));
        self.require(presented, || self.no_identity())?;
        Ok(identities)
    }

    fn read_identities(&self) -> Result<PresentedIdentities<'a>, MappingError> {
        Ok(PresentedIdentities {
            employee_no: self.column(self.mapping.employee_no.as_ref())?,
            phone: self.column(self.mapping.phone.as_ref())?,
            email: self.column(self.mapping.email.as_ref())?,
            account: self.column(self.mapping.account.as_ref())?,
            name: self.column(self.mapping.employee_name.as_ref())?,
        })
    }

    fn no_identity(&self) -> MappingError {
        let rungs = &self.source.employees_match;
        let columns = rungs.iter().filter_map(|rung| self.mapping.identity(rung.kind));
        let field = rungs.first().map_or(Field::EmployeeNo, |rung| Field::from(rung.kind));
        let explanation = Cow::Borrowed("the record has none of the identities that employees are found by");
        MappingError {
            explanation,
            ..MappingError::missing(field, columns.flat_map(Column::names))
        }
    }

    pub(super) fn course_id(&self) -> Result<Option<&'a str>, MappingError> {
        let Some(text) = &self.mapping.course_id else { return Ok(None) };
        let course_id = self.text(Some(text))?;
        self.require(course_id, || text.missing(Field::CourseId))
    }

    pub(super) fn attempt(&self) -> Result<Option<i64>, MappingError> {
        let Some(column) = &self.mapping.attempt else { return Ok(None) };
        let read = || column.read(self.record)?.map(whole_number).transpose();
        self.readable(read())
    }

    pub(super) fn finished(&self) -> Result<Option<Period>, MappingError> {
        let Some(time) = &self.mapping.finish_timestamp else {
            return Ok(None);
        };
        let finished = self.readable(time.read(self.record, self.received_at))?;
        self.require(finished, || time.column.missing())
    }
}
