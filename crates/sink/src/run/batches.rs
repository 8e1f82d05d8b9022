//! One batch at a time goes to the applier; what comes of it decides how its partitions go on.

use std::time::Instant;

use scoresync_archive::Refusals;
use scoresync_fault_points::{self as fault_points, Bug};
use scoresync_kafka::{Error, TopicPartition};
use scoresync_positions::wait_for;
use scoresync_service::Loudness;

use super::{Sink, SinkError};
use crate::{
    applier::{ApplyError, Outcome, Work},
    collected::Collected,
    held::{Held, Standing},
    metrics::STAGE,
    seeded_bugs,
};

impl Sink {
    pub(super) fn settle(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done(collected) => {
                if fault_points::has(Bug::SeekToGroupOffset)
                    && let Err(error) = seeded_bugs::record(&self.consumer, self.partitions.handed_over())
                {
                    tracing::warn!(%error, "the group was not told");
                }
                self.backoff.reset();
                for (place, _) in collected.iter() {
                    self.failed.remove(place);
                }
                self.ready_unless_kept();
            }
            Outcome::WouldRefuse(collected) => match self.employees_end() {
                Ok(end) => self.held = Some(Held::new(collected, end)),
                Err(error) => self.fail(&collected, &error.into()),
            },
            Outcome::Failed(collected, error) => self.fail(&collected, &error),
        }
    }

    /// Whether and where the employees end now.
    fn employees_end(&self) -> Result<i64, Error> {
        let place = TopicPartition {
            topic: self.employees_topic.clone(),
            partition: 0,
        };
        let (low, high) = self.consumer.log_bounds(&place)?;
        Ok(if low == high { 0 } else { high })
    }

    /// The batch is not in the archive, or it is unknown whether it is: its partitions begin again where the archive stands.
    fn fail(&mut self, collected: &Collected, error: &ApplyError) {
        let delay = self.backoff.next_delay();
        self.metrics.stage.retries.get([STAGE, error.cause()]).inc();
        if error.concerns_people() {
            let failed = collected.iter().map(|(place, records)| (place.clone(), records.next_offset));
            self.failed.extend(failed);
            self.readiness.not_ready(error.to_string());
        }
        let error: &dyn std::error::Error = error;
        match self.backoff.loudness() {
            Loudness::Quiet => tracing::info!(error, "a batch was not applied; trying again"),
            Loudness::Warn => tracing::warn!(error, "a batch was not applied; trying again"),
            Loudness::Error => tracing::error!(error, "batches have not been applied for long; trying again"),
        }
        if fault_points::has(Bug::FailedBatchSkipped) {
            return;
        }
        self.begin_again(collected.iter().map(|(place, _)| place.clone()));
        self.pending.not_before = Some(Instant::now() + delay);
    }

    /// Gives the free applier what it can work on: employees first; scores unless some are held back.
    pub(super) fn hand_over(&mut self) -> Result<(), SinkError> {
        if self.applier.is_busy() {
            return Ok(());
        }
        let work = if !self.collected_employees.is_empty() {
            Work {
                collected: std::mem::take(&mut self.collected_employees),
                refusals: Refusals::Judge,
            }
        } else if self.held.is_some() {
            match self.release_held() {
                Some(collected) => Work {
                    collected,
                    refusals: Refusals::Judge,
                },
                None => return Ok(()),
            }
        } else if !self.collected.is_empty() {
            Work {
                collected: std::mem::take(&mut self.collected),
                refusals: Refusals::Withhold,
            }
        } else {
            return Ok(());
        };
        for (place, records) in work.collected.iter() {
            self.partitions.hand_over(place, records.next_offset);
        }
        if fault_points::has(Bug::PositionBeforeRows) {
            seeded_bugs::record(&self.consumer, self.partitions.handed_over())?;
        }
        self.applier.give(work)
    }

    /// The held batch, once the archive has the employees up to where they ended.
    fn release_held(&mut self) -> Option<Collected> {
        let held = self.held.as_mut()?;
        if !held.asks() {
            return None;
        }
        let known = match wait_for(&self.runtime, self.archive.positions(&self.employees_topic, 1)) {
            Ok(known) => known,
            Err(error) => {
                held.postpone(self.backoff.next_delay());
                self.metrics.stage.retries.get([STAGE, "archive"]).inc();
                self.readiness
                    .not_ready(format!("the archive does not say how far the employees are: {error}"));
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a batch waits for the archive; trying again"
                );
                return None;
            }
        };
        let position = known.first().map_or(0, |position| position.next_offset);
        let (end, standing) = (held.end, Standing { end: held.end, position });
        if position < end && self.employees_at_rest != Some(standing) {
            if !held.is_at_rest(position) {
                self.readiness.not_ready("waiting for the employees to be read to their end");
                return None;
            }
            tracing::warn!(
                position,
                end,
                "the employees have come to rest before their end; what is refused now is judged again when they arrive"
            );
            self.employees_at_rest = Some(standing);
        }
        self.held.take().map(|held| held.collected)
    }
}
