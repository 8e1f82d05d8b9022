//! What the sink counts.

use prometheus::{Gauge, GaugeVec, Histogram, HistogramOpts, IntCounterVec, Registry};
use scoresync_domain::{Fate, Refusal, Timestamp};
use scoresync_service::{LATENCY_BUCKETS_SECONDS, Labelled, Named, StageMetrics, register};

/// Name of the stage in metrics and readiness.
pub(crate) const STAGE: &str = "sink";

/// The sink's metrics.
#[derive(Clone)]
pub struct SinkMetrics {
    /// What all stages count.
    pub stage: StageMetrics,
    /// `scoresync_end_to_end_seconds`: from the producer's receipt to the commit, of reports that changed a file.
    pub end_to_end: Histogram,
    /// `scoresync_refused_total{reason}`: enriched scores that were not let count.
    pub refused: Labelled<IntCounterVec, 1>,
    /// `scoresync_oldest_unfiled_timestamp_seconds`: receipt of the oldest report in hand, 0 where none is.
    pub oldest_unfiled: Gauge,
    /// `scoresync_newest_finish_timestamp_seconds{source}`: the newest finish time that was filed of a source (is it silent?).
    pub newest_finish: Labelled<GaugeVec, 1>,
}

impl SinkMetrics {
    /// Registers them beside those of all stages.
    ///
    /// # Errors
    /// Refuses a registry that has them already.
    pub fn register(registry: &Registry, stage: StageMetrics) -> prometheus::Result<Self> {
        let end_to_end = HistogramOpts::new(
            "scoresync_end_to_end_seconds",
            "From the receipt of a report to its being in the file.",
        )
        .buckets(LATENCY_BUCKETS_SECONDS.to_vec());
        let refused = Named {
            name: "scoresync_refused_total",
            help: "Enriched scores that were not let count.",
        };
        let newest = Named {
            name: "scoresync_newest_finish_timestamp_seconds",
            help: "Newest finish time that was filed of a source.",
        };
        let oldest = Gauge::new(
            "scoresync_oldest_unfiled_timestamp_seconds",
            "Receipt of the oldest report in hand, 0 where none is.",
        )?;
        Ok(Self {
            stage,
            end_to_end: register(registry, Histogram::with_opts(end_to_end)?)?,
            refused: Labelled::register(registry, refused, ["reason"])?,
            oldest_unfiled: register(registry, oldest)?,
            newest_finish: Labelled::register(registry, newest, ["source"])?,
        })
    }

    pub(crate) fn count_fates(&self, fates: &[Fate]) {
        for fate in Fate::ALL {
            let count = fates.iter().filter(|met| *met == fate).count();
            if count > 0 {
                self.stage.reports.get([STAGE, fate.as_str()]).inc_by(count as u64);
            }
        }
    }

    pub(crate) fn count_refusal(&self, reason: Refusal, count: u64) {
        self.refused.get([reason.as_str()]).inc_by(count);
    }

    pub(crate) fn saw_finish(&self, source: &str, finish: Timestamp) {
        let gauge = self.newest_finish.get([source]);
        let seconds = finish.as_millis() as f64 / 1000.0;
        if seconds > gauge.get() {
            gauge.set(seconds);
        }
    }
}
