//! Where each of our fields comes from, as the configuration was compiled.

use super::{Column, Decimal, Text, TimeColumn, Words};
use crate::{IdentityKind, Status};

/// Where each of our fields comes from; `None` where it is not mapped.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FieldMapping {
    pub(crate) result: Option<Text>,
    pub(crate) employee_no: Option<Column>,
    pub(crate) phone: Option<Column>,
    pub(crate) email: Option<Column>,
    pub(crate) account: Option<Column>,
    pub(crate) employee_name: Option<Column>,
    pub(crate) course_id: Option<Text>,
    pub(crate) course_title: Option<Text>,
    pub(crate) exam_id: Option<Text>,
    pub(crate) exam_title: Option<Text>,
    pub(crate) attempt: Option<Column>,
    pub(crate) exam_score: Option<Decimal>,
    pub(crate) min_score: Option<Decimal>,
    pub(crate) max_score: Option<Decimal>,
    pub(crate) grade: Option<Column>,
    pub(crate) passed: Option<Words<bool>>,
    pub(crate) finish_timestamp: Option<TimeColumn>,
    pub(crate) revision: Option<Revision>,
    pub(crate) status: Option<Words<Status>>,
}

/// How a revision is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Revision {
    /// A whole number from 0.
    Integer(Column),
    /// A point in time, which is its milliseconds since the epoch.
    Time(TimeColumn),
}

impl FieldMapping {
    /// Where an identity comes from.
    pub(crate) fn identity(&self, kind: IdentityKind) -> Option<&Column> {
        match kind {
            IdentityKind::EmployeeNo => self.employee_no.as_ref(),
            IdentityKind::Phone => self.phone.as_ref(),
            IdentityKind::Email => self.email.as_ref(),
            IdentityKind::Account => self.account.as_ref(),
        }
    }
}
