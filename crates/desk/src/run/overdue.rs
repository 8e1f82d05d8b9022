//! Results whose owner a person decided: whoever decides sends a report of theirs through the pipeline again. Where that one did not get so
//! far, the desk does.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    time::{Duration, Instant},
};

use scoresync_archive::ArchiveError;
use scoresync_domain::{AliasSubject, ResultId};
use scoresync_kafka::DirectoryChange;
use scoresync_positions::wait_for;

use super::Desk;
use crate::{decisions::DecisionError, resender::Resender};

/// How long whoever decided has for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// After which something that could not be sent is tried again.
const PAUSE: Duration = Duration::from_secs(60);
/// Results that are looked up at once.
const TOGETHER: usize = 500;

/// Results that were decided about, until it is known that the archive follows; each with the time from which it is looked at.
#[derive(Default)]
pub(super) struct Overdue {
    heard: BTreeMap<ResultId, Instant>,
}

impl Overdue {
    /// A decision is new.
    pub(super) fn hear(&mut self, change: &DirectoryChange<'_>) {
        if let DirectoryChange::Alias(AliasSubject::Result(result_id)) = change {
            self.heard.insert(*result_id, Instant::now() + PATIENCE);
        }
    }

    /// Nobody may have heard of these.
    pub(super) fn expect(&mut self, decided: impl Iterator<Item = ResultId>) {
        let due = Instant::now() + PATIENCE;
        self.heard.extend(decided.map(|result_id| (result_id, due)));
    }

    fn due(&self) -> Vec<ResultId> {
        let now = Instant::now();
        let due = self.heard.iter().filter(|(_, time)| **time <= now);
        due.map(|(result_id, _)| *result_id).take(TOGETHER).collect()
    }
}

impl Desk {
    /// Sends a report of one of those results whose decided owner the archive does not have yet: letters come and go between two of them.
    pub(super) fn send_overdue(&mut self) -> Result<(), ArchiveError> {
        let due = self.overdue.due();
        if due.is_empty() {
            return Ok(());
        }
        let filed_by = wait_for(&self.runtime, self.archive.owner_decisions(&due))?;
        let directory = self.live.directory();
        let is_behind = |(result_id, filed_by): &(ResultId, i64)| {
            let standing = directory.result_alias(*result_id).filter(|alias| alias.revocation.is_none());
            standing.is_some_and(|alias| alias.decision() > *filed_by)
        };
        let behind: BTreeSet<ResultId> = filed_by.into_iter().filter(is_behind).map(|(result_id, _)| result_id).collect();
        for result_id in due.iter().filter(|result_id| !behind.contains(result_id)) {
            self.overdue.heard.remove(result_id);
        }
        let Some(result_id) = behind.first().copied() else { return Ok(()) };
        match self.send_decided(result_id) {
            Ok(()) => drop(self.overdue.heard.remove(&result_id)),
            Err(error) if error.is_of_report() => {
                self.overdue.heard.remove(&result_id);
                tracing::warn!(%result_id, error = &error as &dyn Error, "a result stays with the owner from before a decision");
            }
            Err(error) => {
                self.overdue.heard.insert(result_id, Instant::now() + PAUSE);
                tracing::warn!(%result_id, error = &error as &dyn Error, "an owner was decided, and no report can be sent again yet; trying again");
            }
        }
        Ok(())
    }

    fn send_decided(&self, result_id: ResultId) -> Result<(), DecisionError> {
        let report = wait_for(&self.runtime, self.archive.last_naming_report(result_id))?;
        let Some(origin) = report else { return Ok(()) };
        let resender = Resender::new(&self.kafka, &self.topics)?;
        let report = resender.report(origin)?;
        tracing::info!(%result_id, report = %origin, "an owner was decided, and the archive does not follow; a report is sent again");
        resender.send_again((origin, &report), (&self.archive, &self.runtime), self.live.position())
    }
}
