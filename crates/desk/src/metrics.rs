//! What the desk counts.

use std::collections::BTreeSet;

use prometheus::{Gauge, IntCounter, IntGaugeVec, Registry};
use scoresync_archive::{LettersTaken, OpenLetters};
use scoresync_domain::Reason;
use scoresync_service::{Labelled, Named, StageMetrics, register};

/// Name of the stage in metrics and readiness.
pub(crate) const STAGE: &str = "desk";

/// The desk's metrics.
#[derive(Clone)]
pub struct DeskMetrics {
    /// What all stages count.
    pub stage: StageMetrics,
    /// `scoresync_open_dead_letters{source,reason}`: letters that wait for somebody or something.
    pub open: Labelled<IntGaugeVec, 2>,
    /// `scoresync_oldest_open_dead_letter_timestamp_seconds`: when the oldest of them failed first, 0 where none is open.
    pub oldest_open: Gauge,
    /// `scoresync_dead_letters_redriven_total`: copies that went back to `scores.raw`.
    pub redriven: IntCounter,
    /// `scoresync_dead_letters_filed_total`: letters whose report was filed after a redrive.
    pub filed: IntCounter,
    /// `scoresync_dead_letters_failed_again_total`: letters whose report failed again after a redrive.
    pub failed_again: IntCounter,
}

impl DeskMetrics {
    /// Registers them beside those of all stages.
    ///
    /// # Errors
    /// Refuses a registry that has them already.
    pub fn register(registry: &Registry, stage: StageMetrics) -> prometheus::Result<Self> {
        let open = Named {
            name: "scoresync_open_dead_letters",
            help: "Dead letters that wait for somebody or something.",
        };
        let oldest = Gauge::new(
            "scoresync_oldest_open_dead_letter_timestamp_seconds",
            "When the oldest open dead letter failed first, 0 where none is open.",
        )?;
        let counter = |name, help| register(registry, IntCounter::new(name, help)?);
        Ok(Self {
            stage,
            open: Labelled::register(registry, open, ["source", "reason"])?,
            oldest_open: register(registry, oldest)?,
            redriven: counter(
                "scoresync_dead_letters_redriven_total",
                "Dead letters that went back to scores.raw.",
            )?,
            filed: counter(
                "scoresync_dead_letters_filed_total",
                "Dead letters whose report was filed after a redrive.",
            )?,
            failed_again: counter(
                "scoresync_dead_letters_failed_again_total",
                "Dead letters whose report failed again after a redrive.",
            )?,
        })
    }

    pub(crate) fn count_taken(&self, taken: LettersTaken) {
        self.filed.inc_by(taken.filed);
        self.failed_again.inc_by(taken.failed_again);
    }

    /// Labels have a handful of values: whatever others write is told apart at the desk alone.
    pub(crate) fn labelled(open: OpenLetters, is_source: impl Fn(&str) -> bool) -> OpenLetters {
        let mut labelled = OpenLetters::new();
        for ((source, reason), (count, oldest)) in open {
            let source = if is_source(&source) { source } else { String::new() };
            let reason = if reason.parse::<Reason>().is_ok() {
                reason
            } else {
                "foreign".to_owned()
            };
            let known = labelled.entry((source, reason)).or_insert((0, oldest));
            *known = (known.0 + count, known.1.min(oldest));
        }
        labelled
    }

    /// Shows how many are open; those `shown` before of which none is left are shown as 0.
    pub(crate) fn show_open(&self, open: &OpenLetters, shown: &mut BTreeSet<(String, String)>) {
        for (source, reason) in shown.iter().filter(|place| !open.contains_key(*place)) {
            self.open.get([source, reason]).set(0);
        }
        for ((source, reason), (count, _)) in open {
            self.open.get([source, reason]).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        *shown = open.keys().cloned().collect();
        let oldest = open.values().map(|(_, oldest)| oldest.as_millis()).min();
        self.oldest_open.set(oldest.map_or(0.0, |millis| millis as f64 / 1000.0));
    }
}
