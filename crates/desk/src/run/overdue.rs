//! Results whose owner a person decided: whoever decides sends a report of theirs through the pipeline again. Where that one did not get so
//! far, the desk does.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use scoresync_domain::{AliasSubject, ResultId};
use scoresync_kafka::DirectoryChange;
use scoresync_positions::wait_for;

use super::Desk;
use crate::{decisions::DecisionError, resender::Resender};

/// How long whoever decided has for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// Results that are looked up at once.
const TOGETHER: usize = 500;

/// Results that were decided about, until it is known that the archive follows.
#[derive(Default)]
pub(super) struct Overdue {
    heard: BTreeMap<ResultId, Instant>,
}

impl Overdue {
    /// A decision is new.
    pub(super) fn hear(&mut self, change: &DirectoryChange<'_>) {
        if let DirectoryChange::Alias(AliasSubject::Result(result_id)) = change {
            self.heard.insert(*result_id, Instant::now());
        }
    }

    /// Nobody may have heard of these.
    pub(super) fn expect(&mut self, decided: impl Iterator<Item = ResultId>) {
        let now = Instant::now();
        self.heard.extend(decided.map(|result_id| (result_id, now)));
    }

    fn due(&self) -> Vec<ResultId> {
        let due = self.heard.iter().filter(|(_, time)| time.elapsed() >= PATIENCE);
        due.map(|(result_id, _)| *result_id).take(TOGETHER).collect()
    }
}

impl Desk {
    /// Sends a report of those results whose decided owner the archive does not have yet.
    pub(super) fn send_overdue(&mut self) -> Result<(), DecisionError> {
        let due = self.overdue.due();
        if due.is_empty() {
            return Ok(());
        }
        for (result_id, filed_by) in wait_for(&self.runtime, self.archive.owner_decisions(&due))? {
            let standing = self
                .live
                .directory()
                .result_alias(result_id)
                .filter(|alias| alias.revocation.is_none());
            if standing.is_some_and(|alias| alias.decision() > filed_by) {
                match self.send_decided(result_id) {
                    Err(gone @ DecisionError::ReportGone(_)) => {
                        tracing::warn!(%result_id, error = &gone as &dyn std::error::Error, "a result stays with the owner from before a decision");
                    }
                    sent => sent?,
                }
            }
        }
        for result_id in due {
            self.overdue.heard.remove(&result_id);
        }
        Ok(())
    }

    fn send_decided(&self, result_id: ResultId) -> Result<(), DecisionError> {
        let origins = wait_for(&self.runtime, self.archive.origins_of(result_id))?;
        let Some(origin) = origins.last().copied() else { return Ok(()) };
        let resender = Resender::new(&self.kafka, &self.topics)?;
        let report = resender.report(origin)?;
        tracing::info!(%result_id, report = %origin, "an owner was decided, and the archive does not follow; a report is sent again");
        resender.send_decided((origin, &report), (&self.archive, &self.runtime), self.live.position())
    }
}
