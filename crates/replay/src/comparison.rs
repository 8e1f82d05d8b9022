//! Report by report: what it comes to beside what it said, and what would have to be sent.

use std::collections::BTreeMap;

use scoresync_archive::Successors;
use scoresync_domain::{Directory, EnrichedScore, Origin, ResultId, Retraction, Timestamp};
use scoresync_kafka::Encoder;

use crate::{
    difference::{Difference, MOST_TOLD},
    items::{Item, Report, Said, Verdict},
    letters::{Past, past_of},
    mending::{Mending, Needed, Present, mend},
    outgoing::{Letter, Outgoing, Output},
    replay::{Replay, ReplayError},
};

/// Compares one report after the other.
pub(crate) struct Comparison<'a> {
    replay: &'a Replay<'a>,
    directory: &'a Directory,
    successors: &'a Successors,
    encoder: Encoder<EnrichedScore<'static>>,
    pub(crate) outgoing: Outgoing<Output>,
    pub(crate) letters: Outgoing<Letter>,
    /// The results of which anything is said otherwise.
    pub(crate) affected: Vec<ResultId>,
    /// Why results are retracted: of the first that are told.
    pub(crate) because: BTreeMap<ResultId, String>,
    pub(crate) difference: Difference,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(
        replay: &'a Replay<'a>,
        (directory, successors): (&'a Directory, &'a Successors),
        difference: Difference,
    ) -> Result<Self, ReplayError> {
        Ok(Self {
            replay,
            directory,
            successors,
            encoder: Encoder::new(replay.enriched_schema_id),
            outgoing: Outgoing::new(replay.scratch)?,
            letters: Outgoing::new(replay.scratch)?,
            affected: Vec::new(),
            because: BTreeMap::new(),
            difference,
        })
    }

    /// Takes a report with all that it said.
    pub(crate) fn take(&mut self, origin: Origin, items: Vec<Item>) -> Result<(), ReplayError> {
        let (mut report, mut said): (Option<Report>, Vec<Said>) = (None, Vec::new());
        for item in items {
            match item {
                Item::Report(mapped) => report = Some(mapped),
                Item::Said(score) => said.push(score),
            }
        }
        let Some(report) = report else { return Ok(()) };
        let directory = self.directory;
        let present = Present {
            mapping_version: self.replay.source.mapping_version,
            successors: self.successors,
            is_known: &|number| directory.employee(number).is_some(),
        };
        let counts = &mut self.difference.reports;
        match mend(&report, &said, &present) {
            Mending::Same => counts.same += 1,
            Mending::StillRejected => counts.still_rejected += 1,
            Mending::Erased => counts.erased += 1,
            Mending::Needed(needed) => return self.need(origin, report, &needed),
        }
        Ok(())
    }

    fn need(&mut self, origin: Origin, report: Report, needed: &Needed) -> Result<(), ReplayError> {
        let mut attempts = 0;
        if needed.is_unsaid {
            match past_of(self.replay, origin)? {
                Past::Discarded => {
                    self.difference.reports.discarded += 1;
                    return Ok(());
                }
                Past::Tried(tried) => attempts = tried,
            }
        }
        self.difference.reports.differ += 1;
        self.difference.least_mapping_version = self.difference.least_mapping_version.max(needed.least_version);
        for result_id in &needed.retracts {
            let value = self.retraction(*result_id, (origin, &report))?;
            self.send(&Output {
                traceparent: report.traceparent.clone(),
                ..Output::about(*result_id, value)
            })?;
        }
        match report.verdict {
            Verdict::Score { meaning, value } => {
                for result_id in &needed.retracts {
                    self.explain(*result_id, "its report speaks of another result now".to_owned());
                }
                if needed.states_score {
                    self.send(&Output {
                        attempts,
                        traceparent: report.traceparent,
                        ..Output::about(meaning.result_id(), value)
                    })?;
                }
            }
            Verdict::Rejected { reason, message, .. } => {
                for result_id in &needed.retracts {
                    self.explain(*result_id, format!("{reason}: {message}"));
                }
                *self.difference.reasons.entry(reason.clone()).or_default() += 1;
                let tried = match past_of(self.replay, origin)? {
                    Past::Discarded => 1,
                    Past::Tried(tried) => tried,
                };
                self.letters.put(&Letter {
                    origin: (origin.generation, origin.partition, origin.offset),
                    reason,
                    message,
                    traceparent: report.traceparent,
                    attempt: tried.saturating_add(1),
                })?;
            }
        }
        Ok(())
    }

    fn send(&mut self, output: &Output) -> Result<(), ReplayError> {
        self.affected.push(output.result_id());
        Ok(self.outgoing.put(output)?)
    }

    fn retraction(&self, result_id: ResultId, (origin, report): (Origin, &Report)) -> Result<Vec<u8>, ReplayError> {
        let source = self.replay.source;
        let retraction = Retraction {
            result_id,
            source: &source.name,
            system: &source.system,
            mapping_version: source.mapping_version,
            received_at: Timestamp::from_millis(report.received_ms),
            origin,
        };
        let mut value = Vec::new();
        let written = self.encoder.encode(&retraction.score(), &mut value);
        written.map_err(std::io::Error::other)?;
        Ok(value)
    }

    /// Rows are told in the order of their results, so that the first reasons are enough.
    fn explain(&mut self, result_id: ResultId, because: String) {
        self.because.insert(result_id, because);
        if self.because.len() > MOST_TOLD {
            self.because.pop_last();
        }
    }
}
