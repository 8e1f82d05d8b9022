//! What scheduled comparisons tell: of each source what its latest run came to, also after a restart.

use prometheus::{GaugeVec, Registry};
use scoresync_domain::Timestamp;
use scoresync_service::{Labelled, Named};

use crate::{difference::Class, run::Comparison};

/// The reconciler's metrics.
#[derive(Clone)]
pub struct ReconcileMetrics {
    /// `scoresync_reconcile_differences{source,class}`: results that differ by the latest run that came to an end.
    pub differences: Labelled<GaugeVec, 2>,
    /// `scoresync_reconcile_last_run_timestamp_seconds{source}`: when the latest run ended, whatever it came to.
    pub last_run: Labelled<GaugeVec, 1>,
    /// `scoresync_reconcile_agreed{source}`: 1 where list and archive agreed in the latest run; 0 where they differed, or it failed.
    pub agreed: Labelled<GaugeVec, 1>,
}

impl ReconcileMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// Refuses a registry that has them already.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let differences = Named {
            name: "scoresync_reconcile_differences",
            help: "Results about which a source's list and the archive differ, by the latest run.",
        };
        let last_run = Named {
            name: "scoresync_reconcile_last_run_timestamp_seconds",
            help: "When the latest comparison of a source's list with the archive ended.",
        };
        let agreed = Named {
            name: "scoresync_reconcile_agreed",
            help: "Whether a source's list and the archive agreed in the latest run.",
        };
        Ok(Self {
            differences: Labelled::register(registry, differences, ["source", "class"])?,
            last_run: Labelled::register(registry, last_run, ["source"])?,
            agreed: Labelled::register(registry, agreed, ["source"])?,
        })
    }

    /// A run has ended; without a comparison it failed.
    pub fn ended(&self, source: &str, at: Timestamp, comparison: Option<&Comparison>) {
        self.last_run.get([source]).set(at.as_millis() as f64 / 1_000.0);
        self.agreed
            .get([source])
            .set(f64::from(u8::from(comparison.is_some_and(Comparison::agrees))));
        let Some(comparison) = comparison else { return };
        for class in Class::ALL {
            let count = comparison.classes.get(&class).copied().unwrap_or(0);
            self.differences.get([source, class.as_str()]).set(count as f64);
        }
    }
}
