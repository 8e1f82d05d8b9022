//! What the producer counts.

use prometheus::{IntCounter, IntCounterVec, Registry};
use scoresync_service::{Labelled, Named, StageMetrics};

/// Name of the stage in metrics and readiness.
pub const STAGE: &str = "producer";

/// The producer's metrics.
#[derive(Clone)]
pub struct ProducerMetrics {
    /// What all stages count.
    pub stage: StageMetrics,
    /// `scoresync_reports_received_total{source,format}`: reports that were queued for the broker.
    pub received: Labelled<IntCounterVec, 2>,
}

impl ProducerMetrics {
    /// Registers them beside those of all stages.
    ///
    /// # Errors
    /// Refuses a registry that has them already.
    pub fn register(registry: &Registry, stage: StageMetrics) -> prometheus::Result<Self> {
        let received = Named {
            name: "scoresync_reports_received_total",
            help: "Reports that were received and queued for the broker.",
        };
        Ok(Self {
            stage,
            received: Labelled::register(registry, received, ["source", "format"])?,
        })
    }

    /// Counts the reports of one source in one format.
    pub(crate) fn received(&self, source: &str, content_type: &str) -> IntCounter {
        self.received.get([source, content_type])
    }
}
