//! A look from beginning to end: the employees, the reports, what they said, and what the archive's rule makes of what they come to.

use std::{collections::BTreeMap, ops::ControlFlow, time::Duration};

use scoresync_archive::{EnrichedPosition, Successors, Surveyed, SurveyedRecord};
use scoresync_domain::ResultId;
use scoresync_kafka::{LiveDirectory, Topic, dead_letter::DirectoryPosition};

use crate::{
    comparison::Comparison,
    difference::Difference,
    outgoing::{Letter, Outgoing, Output},
    outputs::{self, SinkPositions},
    records::{Pair, compare},
    replay::{Progress, Replay, ReplayError, Step},
    reports::Mapping,
    scratch::{Kept, Scratch},
    spill::Spill,
};

/// What was seen, and what would have to be sent.
pub struct Look {
    /// What differs.
    pub difference: Difference,
    pub(crate) outgoing: Outgoing<Output>,
    pub(crate) letters: Outgoing<Letter>,
    /// How far the employees were read.
    pub(crate) directory: DirectoryPosition,
}

const DIRECTORY_LIMIT: Duration = Duration::from_secs(300);
/// Results that are compared at once.
const TOGETHER: usize = 500;

impl Replay<'_> {
    /// Maps the source's reports anew and compares what comes of it with the archive. Changes nothing, and may run beside live traffic.
    /// Blocks its thread.
    ///
    /// # Errors
    /// Whatever cannot be read.
    pub fn look(&self, progress: Progress<'_>) -> Result<Look, ReplayError> {
        progress(Step::Directory, 1);
        let live = self.directory()?;
        let logs = self.logs(Topic::Raw)?;
        let mut spill = Spill::new(self.scratch, &logs)?;
        let reports = Mapping::new(self, &live).read(&logs, &mut spill, progress)?;
        let archive = self.archive()?;
        outputs::said(self, &mut spill, progress)?;
        let difference = Difference {
            source: self.source.name.clone(),
            mapping_version: self.source.mapping_version,
            reports,
            ..Difference::default()
        };
        let mut comparison = Comparison::new(self, (live.directory(), &archive.successors), difference)?;
        for file in spill.read() {
            for (origin, items) in file? {
                progress(Step::Comparing, 1);
                comparison.take(origin, items)?;
            }
        }
        let directory = live.position();
        self.compare_records(comparison, (&archive, directory), progress)
    }

    /// The employees and people's decisions, read to their end.
    pub(crate) fn directory(&self) -> Result<LiveDirectory, ReplayError> {
        let mut live = LiveDirectory::open(self.kafka, self.topics, self.region, (self.registry, self.runtime))?;
        live.read_to_end(DIRECTORY_LIMIT)?;
        Ok(live)
    }

    fn compare_records(
        &self,
        comparison: Comparison<'_>,
        (archive, directory): (&Seen, DirectoryPosition),
        progress: Progress<'_>,
    ) -> Result<Look, ReplayError> {
        let Comparison {
            mut outgoing,
            letters,
            mut affected,
            mut because,
            mut difference,
            ..
        } = comparison;
        affected.sort_unstable();
        affected.dedup();
        difference.outputs = outgoing.count;
        difference.results = affected.len() as u64;
        if affected.is_empty() {
            return Ok(Look {
                difference,
                outgoing,
                letters,
                directory,
            });
        }
        let mut scratch = Scratch::open(self, &archive.replaced)?;
        outputs::file(self, (&affected, &archive.positions), &mut scratch, progress)?;
        let kept = scratch.keep_apart()?;
        // What would not count yet is shown as it will when the version is raised.
        scratch.raise_to(difference.least_mapping_version);
        let behind = self.add_behind(&mut scratch, &mut outgoing)?;
        let refused = scratch.refused_behind(behind)?;
        let sides = Sides {
            replay: self,
            seen: archive,
            kept,
            scratch,
        };
        for some in affected.chunks(TOGETHER) {
            let (before, after) = sides.records_of(some)?;
            for result_id in some {
                progress(Step::Records, 1);
                let pair = Pair {
                    before: before.get(result_id),
                    after: after.get(result_id),
                    is_refused: refused.binary_search(result_id).is_ok(),
                };
                if let Some(mut row) = compare(result_id.to_string(), &pair, &archive.successors) {
                    row.because = because.remove(result_id);
                    difference.add(row);
                }
            }
        }
        Ok(Look {
            difference,
            outgoing,
            letters,
            directory,
        })
    }

    /// Adds what would be sent, behind everything that was said; says behind which place.
    fn add_behind(&self, scratch: &mut Scratch<'_>, outgoing: &mut Outgoing<Output>) -> Result<EnrichedPosition, ReplayError> {
        let generation = self.topics.generation + 1;
        for (offset, output) in (0..).zip(outgoing.read()?) {
            let place = EnrichedPosition {
                generation,
                partition: 0,
                offset,
            };
            scratch.add(place, &output?.value)?;
        }
        scratch.file()?;
        Ok(EnrichedPosition {
            generation,
            partition: -1,
            offset: 0,
        })
    }

    /// How far the sink is, and who was replaced: what stands before the records when the archive is surveyed.
    fn archive(&self) -> Result<Seen, ReplayError> {
        let mut seen = Seen::default();
        let mut visit = |row: Surveyed| match row {
            Surveyed::SinkPosition(position) => {
                let partition = position.partition;
                if partition.topic == self.names(partition.generation).name(Topic::Enriched) {
                    seen.positions
                        .insert((partition.generation, partition.partition), position.next_offset);
                }
                ControlFlow::Continue(())
            }
            Surveyed::Replaced { employee_no, successor } => {
                seen.successors.add(employee_no.clone(), successor.clone());
                seen.replaced.push((employee_no, successor));
                ControlFlow::Continue(())
            }
            Surveyed::DeskPosition(_) | Surveyed::Fates(_) => ControlFlow::Continue(()),
            Surveyed::FormerlyReplaced { .. }
            | Surveyed::Record(_)
            | Surveyed::History(_)
            | Surveyed::Refused(_)
            | Surveyed::Letter { .. }
            | Surveyed::Discarded(_) => ControlFlow::Break(()),
        };
        self.runtime.block_on(self.archive.survey(&mut visit))?;
        Ok(seen)
    }
}

/// What the archive says beside its records.
#[derive(Default)]
struct Seen {
    positions: SinkPositions,
    successors: Successors,
    replaced: Vec<(String, String)>,
}

/// Where records are looked up.
struct Sides<'a> {
    replay: &'a Replay<'a>,
    seen: &'a Seen,
    kept: Kept<'a>,
    scratch: Scratch<'a>,
}

type Records = BTreeMap<ResultId, SurveyedRecord>;

impl Sides<'_> {
    /// The records as they are and as they would be. What has arrived since the archive was looked at first is not mapped anew, and is left out
    /// of both.
    fn records_of(&self, results: &[ResultId]) -> Result<(Records, Records), ReplayError> {
        let by_result =
            |records: Vec<SurveyedRecord>| -> Records { records.into_iter().map(|record| (record.result_id, record)).collect() };
        let mut before = by_result(self.replay.runtime.block_on(self.replay.archive.records_of_results(results))?);
        let mut kept = by_result(self.kept.records_of(results)?);
        for result_id in results {
            let is_later = before.get(result_id).is_some_and(|record| self.has_come_since(record.head.arrived));
            if is_later {
                before.remove(result_id);
                before.extend(kept.remove(result_id).map(|record| (*result_id, record)));
            }
        }
        Ok((before, by_result(self.scratch.records_of(results)?)))
    }

    fn has_come_since(&self, place: EnrichedPosition) -> bool {
        let next = self.seen.positions.get(&(place.generation, place.partition));
        next.is_none_or(|next| place.offset >= *next)
    }
}
