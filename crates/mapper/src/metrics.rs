//! What the mapper counts.

use prometheus::{IntCounterVec, IntGauge, Registry};
use scoresync_domain::{Fate, Reason};
use scoresync_service::{Labelled, Named, StageMetrics, register};

/// Name of the stage in metrics and readiness.
pub(crate) const STAGE: &str = "mapper";

/// The mapper's metrics.
#[derive(Clone)]
pub struct MapperMetrics {
    /// What all stages count.
    pub stage: StageMetrics,
    /// `scoresync_dead_letters_total{stage,source,reason}`; the source is empty where it is not a configured one.
    pub dead_letters: Labelled<IntCounterVec, 3>,
    /// `scoresync_directory_employees`: employees that the directory knows.
    pub directory_employees: IntGauge,
}

impl MapperMetrics {
    /// Registers them beside those of all stages.
    ///
    /// # Errors
    /// Refuses a registry that has them already.
    pub fn register(registry: &Registry, stage: StageMetrics) -> prometheus::Result<Self> {
        let dead_letters = Named {
            name: "scoresync_dead_letters_total",
            help: "Reports that could not be mapped or matched.",
        };
        let employees = IntGauge::new("scoresync_directory_employees", "Employees that the directory knows.")?;
        Ok(Self {
            stage,
            dead_letters: Labelled::register(registry, dead_letters, ["stage", "source", "reason"])?,
            directory_employees: register(registry, employees)?,
        })
    }

    pub(crate) fn count_dead_letter(&self, source: &str, reason: Reason) {
        self.dead_letters.get([STAGE, source, reason.as_str()]).inc();
        self.stage.reports.get([STAGE, Fate::DeadLettered.as_str()]).inc();
    }
}
