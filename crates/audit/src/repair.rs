//! Putting the archive right: what is not what it must be is made anew, by the archive's own rule, from what `scores.enriched` says.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread::sleep,
    time::Duration,
};

use scoresync_archive::{ArchiveError, EnrichedPosition, Entry, LetterId, OffsetsRead, Position, Rebuild, UndecodableRecord};
use scoresync_domain::{EnrichedScore, ResultId};
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{DecodeError, Decoder, Message, Topic, read_topic};
use scoresync_spill::Spill;

use crate::{
    books::written,
    remedy::Remedy,
    run::{Audit, AuditError, Progress, Step},
    said::Place,
};

/// How many results are made anew in one transaction, during which sinks wait.
const TOGETHER: usize = 200;
/// How often results are read again that a sink has overtaken, or that the database could not take.
const PASSES: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);

/// An archive that is put right. It is open as [`scoresync_archive::Access::Desk`].
pub struct Repair<'a> {
    /// What was audited.
    pub audit: &'a Audit<'a>,
    /// What the books asked for.
    pub remedy: &'a Remedy,
}

/// What was done.
#[derive(Debug, Default)]
pub struct Repaired {
    /// Results that were made anew.
    pub results: usize,
    /// Results that could not be, and why.
    pub failed: Vec<(ResultId, NotRebuilt)>,
}

/// Why a result could not be made anew.
#[derive(Debug, thiserror::Error)]
pub enum NotRebuilt {
    /// Again and again.
    #[error("scores.enriched does not hold all that it was made from, or the sink filed more of it again and again")]
    Overtaken,
    /// The archive does not take it.
    #[error(transparent)]
    Archive(ArchiveError),
}

/// A statement's place, and its record's value.
type Stored = (Place, Vec<u8>);

/// What was gathered in one pass.
struct Gathered {
    /// Of each partition, what was read.
    read: OffsetsRead,
    /// The positions by which it was read.
    decoder_of: Vec<Position>,
    statements: Spill<Stored>,
    undecodable: Vec<Stored>,
}

impl Repair<'_> {
    /// Puts results, refusals, counts of fates and states of letters right; reports are sent again by whoever can. Safe beside sinks that go on,
    /// and where it is done in part. Blocks its thread.
    ///
    /// # Errors
    /// Whatever cannot be read or written.
    pub fn run(&self, progress: Progress<'_>) -> Result<Repaired, AuditError> {
        let (archive, runtime) = (self.audit.archive, self.audit.runtime);
        let mut repaired = Repaired::default();
        let mut left = self.remedy.results.clone();
        for pass in 0..PASSES {
            if left.is_empty() && (pass > 0 || self.remedy.undecodable.is_empty()) {
                break;
            }
            let Gathered {
                read,
                decoder_of,
                statements,
                undecodable,
            } = self.gather(&left, progress)?;
            if pass == 0 {
                runtime.block_on(archive.rebuild(rebuild_of_undecodable(&self.remedy.undecodable, &undecodable)))?;
            } else {
                sleep(PAUSE);
            }
            let scores = self.audit.scores_decoder(&decoder_of)?;
            let mut portions = Portions {
                repair: self,
                left: &mut left,
                read: &read,
                scores,
                repaired: &mut repaired,
            };
            portions.rebuild(statements, progress)?;
        }
        let overtaken = left.into_iter().map(|result_id| (result_id, NotRebuilt::Overtaken));
        repaired.failed.extend(overtaken);
        runtime.block_on(archive.correct_fates(&self.remedy.fates))?;
        fault_points::pass(Point::FatesCorrected);
        let letters: Vec<LetterId> = self.remedy.letters.iter().copied().map(LetterId::of).collect();
        runtime.block_on(archive.reopen_unfiled(&letters))?;
        Ok(repaired)
    }

    /// Reads what was said of the results, as far as the sinks have come.
    fn gather(&self, results: &BTreeSet<ResultId>, progress: Progress<'_>) -> Result<Gathered, AuditError> {
        let audit = self.audit;
        let mut gathered = Gathered {
            read: BTreeMap::new(),
            decoder_of: Vec::new(),
            statements: Spill::new(audit.scratch, i64::try_from(results.len()).unwrap_or(i64::MAX))?,
            undecodable: Vec::new(),
        };
        for generation in audit.existing(Topic::Enriched)? {
            let name = audit.names(generation).name(Topic::Enriched);
            let positions = audit.runtime.block_on(audit.archive.positions(&name, generation))?;
            if !audit.is_as_recorded(generation, &positions)? {
                continue;
            }
            gathered.decoder_of.extend(positions.iter().cloned());
            let mut scores = audit.scores_decoder(&positions)?;
            let ends: BTreeMap<i32, i64> = positions
                .iter()
                .map(|position| (position.partition.partition, position.next_offset))
                .collect();
            let mut failure = None;
            let bounds = read_topic(audit.kafka, &name, |record| {
                progress(Step::Scores);
                let (partition, offset) = (record.partition(), record.offset());
                if failure.is_none() && ends.get(&partition).is_some_and(|end| offset < *end) {
                    let stored = ((generation, partition, offset), record.payload().unwrap_or_default().to_vec());
                    failure = self.keep(&mut scores, (results, stored), &mut gathered).err();
                }
            })?;
            if let Some(error) = failure {
                return Err(error);
            }
            let read = |(partition, (first, end)): (i32, (i64, i64))| {
                let next = ends.get(&partition).copied().unwrap_or(first);
                ((generation, partition), first..next.min(end))
            };
            gathered.read.extend(bounds.into_iter().map(read));
        }
        Ok(gathered)
    }

    fn keep(
        &self,
        scores: &mut Decoder<EnrichedScore<'static>>,
        (results, stored): (&BTreeSet<ResultId>, Stored),
        gathered: &mut Gathered,
    ) -> Result<(), AuditError> {
        match scores.decode(Some(&stored.1)) {
            Ok(score) if results.contains(&score.result_id) => {
                let result_id = score.result_id;
                gathered.statements.put(result_id, &stored)?;
            }
            Ok(_) => {}
            Err(DecodeError::Surroundings(error)) => return Err(error.into()),
            Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => {
                if self.remedy.undecodable.contains(&stored.0) {
                    gathered.undecodable.push(stored);
                }
            }
        }
        Ok(())
    }
}

/// Results that are left to do, what was read, and what was done.
struct Portions<'p> {
    repair: &'p Repair<'p>,
    left: &'p mut BTreeSet<ResultId>,
    read: &'p OffsetsRead,
    scores: Decoder<EnrichedScore<'static>>,
    repaired: &'p mut Repaired,
}

/// A result with all that was said of it.
type Gatherings = (ResultId, Vec<Stored>);

impl Portions<'_> {
    /// Makes results anew, and takes those from `left` that are done with.
    fn rebuild(&mut self, statements: Spill<Stored>, progress: Progress<'_>) -> Result<(), AuditError> {
        let mut unsaid = self.left.clone();
        for file in statements.read() {
            let all: Vec<Gatherings> = file?.into_iter().collect();
            for some in all.chunks(TOGETHER) {
                for (result_id, _) in some {
                    unsaid.remove(result_id);
                    progress(Step::Results);
                }
                self.rebuild_some(some)?;
            }
        }
        // Of these nobody said anything: what there is of them goes.
        let unsaid: Vec<Gatherings> = unsaid.into_iter().map(|result_id| (result_id, Vec::new())).collect();
        unsaid.chunks(TOGETHER).try_for_each(|some| self.rebuild_some(some))
    }

    /// In one transaction; where that does not go, each by itself. What a sink has overtaken, or the database cannot do now, is left for later.
    fn rebuild_some(&mut self, some: &[Gatherings]) -> Result<(), AuditError> {
        match self.try_rebuild(some) {
            Ok(()) => {
                for (result_id, _) in some {
                    self.left.remove(result_id);
                }
                self.repaired.results += some.len();
                fault_points::pass(Point::ResultsRebuilt);
                Ok(())
            }
            Err(AuditError::Archive(ArchiveError::Overtaken | ArchiveError::Environment { .. })) if some.len() > 1 => {
                some.chunks(1).try_for_each(|one| self.rebuild_some(one))
            }
            Err(AuditError::Archive(ArchiveError::Overtaken | ArchiveError::Transient { .. })) => Ok(()),
            Err(AuditError::Archive(error @ ArchiveError::Environment { .. })) => {
                // Of several, each is tried by itself.
                if let Some((result_id, _)) = some.first() {
                    self.left.remove(result_id);
                    self.repaired.failed.push((*result_id, NotRebuilt::Archive(error)));
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn try_rebuild(&mut self, some: &[Gatherings]) -> Result<(), AuditError> {
        let mut stored: Vec<&Stored> = some.iter().flat_map(|(_, stored)| stored).collect();
        stored.sort_unstable_by_key(|(place, _)| *place);
        let mut entries = Vec::with_capacity(stored.len());
        for (place, value) in stored {
            match self.scores.decode(Some(value)) {
                Ok(score) => entries.push(entry(*place, Ok(score))),
                Err(DecodeError::Surroundings(error)) => return Err(error.into()),
                Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => {
                    return Err(AuditError::Unreadable(written(*place)));
                }
            }
        }
        let results: Vec<ResultId> = some.iter().map(|(result_id, _)| *result_id).collect();
        let rebuild = Rebuild {
            read: self.read,
            results: &results,
            undecodable: Vec::new(),
            entries,
        };
        let audit = self.repair.audit;
        Ok(audit.runtime.block_on(audit.archive.rebuild(rebuild))?)
    }
}

fn rebuild_of_undecodable<'a>(places: &BTreeSet<Place>, stored: &'a [Stored]) -> Rebuild<'a> {
    static NOTHING: OffsetsRead = OffsetsRead::new();
    let mut stored: Vec<&Stored> = stored.iter().collect();
    stored.sort_unstable_by_key(|(place, _)| *place);
    Rebuild {
        undecodable: places.iter().copied().map(position).collect(),
        entries: stored
            .into_iter()
            .map(|(place, bytes)| entry(*place, Err(UndecodableRecord { bytes: bytes.into() })))
            .collect(),
        read: &NOTHING,
        results: &[],
    }
}

const fn entry<'a>(place: Place, score: Result<EnrichedScore<'a>, UndecodableRecord<'a>>) -> (EnrichedPosition, Entry<'a>) {
    (position(place), Entry { offset: place.2, score })
}

const fn position((generation, partition, offset): Place) -> EnrichedPosition {
    EnrichedPosition {
        generation,
        partition,
        offset,
    }
}
