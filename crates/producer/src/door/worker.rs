//! Reads one body into the intake, wherever it runs.

use std::{io::BufRead, sync::Arc};

use super::{
    admission::Admission,
    answer::Taken,
    rows::{Pace, Receipt, Stopped, take_in},
};
use crate::{
    format::{Limits, read_rows},
    intake::Intake,
};

/// What it takes to read one body.
pub(super) struct Worker {
    pub(super) admission: Arc<Admission>,
    pub(super) intake: Arc<Intake>,
    pub(super) limits: Limits,
    pub(super) pace: Pace,
}

impl Worker {
    /// Queues all rows of `input`, or those before something goes wrong.
    pub(super) fn take_in<R: BufRead>(&self, input: R) -> Taken {
        let Admission { format, settings, .. } = &*self.admission;
        // The settings were checked when the request was admitted.
        let Ok(rows) = read_rows(*format, settings, self.limits, input) else {
            return self.take_nothing(Stopped::Internal);
        };
        let mut submission = self.intake.submission(&self.admission.entrance.source, format.content_type());
        let (receipt, outcome) = take_in(rows, &mut submission, &self.pace);
        Taken {
            receipt,
            outcome,
            acknowledgement: submission.into_acknowledgement(),
        }
    }

    /// Queues no row.
    pub(super) fn take_nothing(&self, stopped: Stopped) -> Taken {
        let submission = self
            .intake
            .submission(&self.admission.entrance.source, self.admission.format.content_type());
        Taken {
            receipt: Receipt::default(),
            outcome: Err(stopped),
            acknowledgement: submission.into_acknowledgement(),
        }
    }
}
