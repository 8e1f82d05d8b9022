//! Whether the broker acknowledges, for the readiness of the stage.

use std::{convert::Infallible, error::Error, time::Duration};

use scoresync_service::StageReadiness;
use tokio::sync::Notify;

use crate::intake::{Intake, Unacknowledged};

/// How long the stage is not ready at least: an instance that gets no requests could otherwise never show that it is well again.
const AT_LEAST: Duration = Duration::from_secs(5);

/// Tells the readiness of the broker's troubles and of their end.
pub(super) struct BrokerWatch {
    readiness: StageReadiness,
    trouble: Notify,
}

impl BrokerWatch {
    pub(super) fn new(readiness: StageReadiness) -> Self {
        Self {
            readiness,
            trouble: Notify::new(),
        }
    }

    /// The broker did not acknowledge.
    pub(super) fn note(&self, unacknowledged: &Unacknowledged) {
        match unacknowledged {
            Unacknowledged::TimeOut => self.note_reason("the broker does not acknowledge reports"),
            Unacknowledged::Refused(failure) => {
                let cause = failure.source().map(ToString::to_string).unwrap_or_default();
                self.note_reason(format!("the broker refuses reports: {cause}"));
            }
        }
    }

    pub(super) fn note_reason(&self, reason: impl Into<String>) {
        self.readiness.not_ready(reason);
        self.trouble.notify_one();
    }

    /// Makes the stage ready, and ready again once all that is queued was acknowledged.
    pub(super) async fn keep(&self, intake: &Intake) -> Infallible {
        self.readiness.ready();
        loop {
            self.trouble.notified().await;
            tokio::time::sleep(AT_LEAST).await;
            while !intake.settle(Duration::ZERO) {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            self.readiness.ready();
        }
    }

    pub(super) fn shut_down(&self) {
        self.readiness.not_ready("shutting down");
    }
}
