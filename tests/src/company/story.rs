//! A story: all reports about one result in the order in which they are sent, each with its truth, and what stands at the end.
//!
//! Truths are stated, not computed: whoever tells a story writes down what must become of each report.

use scoresync_domain::{Reason, Refusal};

use super::{
    row::Row,
    truth::{TrueRecord, Truth},
};

/// All reports about one result.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    pub(super) steps: Vec<Step>,
    /// How many different things the archive is told.
    pub(super) versions: usize,
    pub(super) record: Option<TrueRecord>,
}

/// One report.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) row: Row,
    pub(super) truth: Truth,
}

impl Story {
    /// Something new that changes the record.
    pub(super) fn filed(mut self, row: &Row) -> Self {
        self.versions += 1;
        self.step(row, Truth::Filed)
    }

    /// Something known that counts again.
    pub(super) fn returned(self, row: &Row) -> Self {
        self.step(row, Truth::Filed)
    }

    /// Something known.
    pub(super) fn repeated(self, row: &Row) -> Self {
        self.step(row, Truth::Duplicate)
    }

    /// Something new that does not win.
    pub(super) fn superseded(mut self, row: &Row) -> Self {
        self.versions += 1;
        self.step(row, Truth::Superseded)
    }

    /// Something about another employee's result.
    pub(super) fn refused(self, row: &Row) -> Self {
        self.step(row, Truth::Refused(Refusal::OwnerChanged))
    }

    /// Something that cannot be mapped or matched.
    pub(super) fn set_aside(self, row: &Row, reason: Reason) -> Self {
        self.step(row, Truth::DeadLettered(reason))
    }

    /// What stands in the employee's file at the end.
    pub(super) fn stands(mut self, employee_no: &str, exam_score: &str) -> Self {
        self.record = Some(TrueRecord {
            employee_no: employee_no.to_owned(),
            exam_score: Some(exam_score.to_owned()),
            withdrawn: false,
        });
        self
    }

    /// The score that stood was cleared.
    pub(super) fn stands_without_score(mut self, employee_no: &str) -> Self {
        self.record = Some(TrueRecord {
            employee_no: employee_no.to_owned(),
            exam_score: None,
            withdrawn: false,
        });
        self
    }

    /// The record is withdrawn and still shows the score.
    pub(super) fn stands_withdrawn(mut self, employee_no: &str, exam_score: &str) -> Self {
        self.record = Some(TrueRecord {
            employee_no: employee_no.to_owned(),
            exam_score: Some(exam_score.to_owned()),
            withdrawn: true,
        });
        self
    }

    fn step(mut self, row: &Row, truth: Truth) -> Self {
        let row = row.clone();
        self.steps.push(Step { row, truth });
        self
    }
}
