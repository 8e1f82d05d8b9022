//! What every stage of the pipeline counts in the same way; registered once per process.

use prometheus::{GaugeVec, HistogramVec, IntCounterVec, IntGaugeVec, Registry};

use crate::metrics::{Labelled, Named};

/// The metrics that stages share. Clones count into the same ones.
#[derive(Clone)]
pub struct StageMetrics {
    /// `scoresync_reports_total{stage,fate}`: reports by what became of them.
    pub reports: Labelled<IntCounterVec, 2>,
    /// `scoresync_stage_seconds{stage}`: time from taking a batch in hand to its being durable.
    pub stage_seconds: Labelled<HistogramVec, 1>,
    /// `scoresync_consumer_lag_records{stage,topic}`: records not yet done.
    pub consumer_lag: Labelled<IntGaugeVec, 2>,
    /// `scoresync_last_progress_timestamp_seconds{stage}`: when a position last moved.
    pub last_progress: Labelled<GaugeVec, 1>,
    /// `scoresync_retries_total{stage,cause}`: repetitions of work because of the surroundings.
    pub retries: Labelled<IntCounterVec, 2>,
}

impl StageMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// Refuses a registry that has them already.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let named = |name, help| Named { name, help };
        Ok(Self {
            reports: Labelled::register(
                registry,
                named("scoresync_reports_total", "Reports by what became of them in a stage."),
                ["stage", "fate"],
            )?,
            stage_seconds: Labelled::register(
                registry,
                named("scoresync_stage_seconds", "Time from taking work in hand to its being durable."),
                ["stage"],
            )?,
            consumer_lag: Labelled::register(
                registry,
                named(
                    "scoresync_consumer_lag_records",
                    "Records of a topic that a stage has not yet done.",
                ),
                ["stage", "topic"],
            )?,
            last_progress: Labelled::register(
                registry,
                named(
                    "scoresync_last_progress_timestamp_seconds",
                    "When a position of a stage last moved, in seconds since the epoch.",
                ),
                ["stage"],
            )?,
            retries: Labelled::register(
                registry,
                named("scoresync_retries_total", "Repetitions of work because of the surroundings."),
                ["stage", "cause"],
            )?,
        })
    }
}
