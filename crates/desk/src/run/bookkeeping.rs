//! What the desk shows of itself, and what it looks for now and then.

use std::time::{Duration, Instant};

use scoresync_domain::Timestamp;
use scoresync_positions::wait_for;
use scoresync_service::now_millis;

use super::Desk;
use crate::metrics::{DeskMetrics, STAGE};

/// How often the open letters are counted.
const COUNT_EVERY: Duration = Duration::from_secs(10);
/// After which nothing is expected of a copy any more.
const LOST_AFTER_MS: i64 = 3_600_000;

impl Desk {
    pub(super) fn keep_books(&mut self) {
        let ends = self.consumer.log_ends();
        for (memory, label) in [(&self.memories.letters, "scores.dlq"), (&self.memories.scores, "scores.enriched")] {
            self.metrics
                .stage
                .consumer_lag
                .get([STAGE, label])
                .set(self.partitions.lag(&ends, &memory.topic));
        }
        if self.last_count.is_none_or(|time| time.elapsed() >= COUNT_EVERY) {
            self.last_count = Some(Instant::now());
            match wait_for(&self.runtime, self.archive.open_letters()) {
                Ok(open) => {
                    let open = DeskMetrics::labelled(open, |source| self.judge.sources.get(source).is_some());
                    self.metrics.show_open(&open, &mut self.shown);
                    self.reopen_lost();
                }
                // What keeps letters waiting is told where they are taken and sent.
                Err(error) => {
                    self.metrics.stage.retries.get([STAGE, "archive"]).inc();
                    tracing::info!(error = &error as &dyn std::error::Error, "the open letters could not be counted");
                }
            }
        }
        if let Err(error) = self.send_overdue() {
            tracing::info!(error = &error as &dyn std::error::Error, "decided results have to wait");
        }
        let is_kept = self.not_before.is_some();
        if !self.consumer.is_connected() {
            self.readiness.not_ready("the broker cannot be reached");
        } else if !is_kept && self.unstarted.is_empty() {
            self.readiness.ready();
        }
    }

    /// Of a copy that fell out of `scores.raw` or `scores.enriched` before it was read, nobody will ever hear.
    fn reopen_lost(&self) {
        let sent_before = Timestamp::from_millis(now_millis() - LOST_AFTER_MS);
        match wait_for(&self.runtime, self.archive.reopen_lost_redrives(sent_before)) {
            Ok(0) => {}
            Ok(letters) => tracing::warn!(letters, "nothing was heard of redriven letters for an hour; they are open again"),
            Err(error) => tracing::info!(error = &error as &dyn std::error::Error, "lost letters could not be looked for"),
        }
    }
}
