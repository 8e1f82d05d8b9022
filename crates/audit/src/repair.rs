//! Putting the archive right: what is not what it must be is made anew, by the archive's own rule, from what `scores.enriched` says.

use std::collections::{BTreeMap, BTreeSet};

use scoresync_archive::{ArchiveError, EnrichedPosition, Entry, LetterId, Position, Rebuild, UndecodableRecord};
use scoresync_domain::{EnrichedScore, ResultId};
use scoresync_kafka::{DecodeError, Decoder, Message, Topic, read_topic};
use scoresync_spill::Spill;

use crate::{
    remedy::Remedy,
    run::{Audit, AuditError, Progress, Step},
    said::Place,
};

/// How many results are made anew in one transaction, during which sinks wait.
const TOGETHER: usize = 200;
/// How often results are read again that a sink has overtaken.
const PASSES: u32 = 10;

/// An archive that is put right. It is open as [`scoresync_archive::Access::Desk`].
pub struct Repair<'a> {
    /// What was audited.
    pub audit: &'a Audit<'a>,
    /// What the books asked for.
    pub remedy: &'a Remedy,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Repaired {
    /// Results that were made anew.
    pub results: usize,
    /// Results that could not be, and why.
    pub failed: Vec<(ResultId, String)>,
}

/// A statement's place, and its record's value.
type Stored = (Place, Vec<u8>);

/// Results that are left to do, some of them with what was said of them, and how far that was read.
type Portion<'p> = (&'p mut BTreeSet<ResultId>, &'p [(ResultId, Vec<Stored>)], &'p [Position]);

/// What was gathered in one pass.
struct Gathered {
    read_to: Vec<Position>,
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
                read_to,
                statements,
                undecodable,
            } = self.gather(&left, progress)?;
            if pass == 0 {
                runtime.block_on(archive.rebuild(rebuild_of_undecodable(&self.remedy.undecodable, &undecodable)))?;
            }
            self.rebuild((&mut left, statements, &read_to), &mut repaired, progress)?;
        }
        let overtaken = "the sink filed more of it again and again; run the repair once more".to_owned();
        repaired
            .failed
            .extend(left.into_iter().map(|result_id| (result_id, overtaken.clone())));
        runtime.block_on(archive.correct_fates(&self.remedy.fates))?;
        let letters: Vec<LetterId> = self.remedy.letters.iter().copied().map(LetterId::of).collect();
        runtime.block_on(archive.reopen_unfiled(&letters))?;
        Ok(repaired)
    }

    /// Reads what was said of the results, as far as the sinks have come.
    fn gather(&self, results: &BTreeSet<ResultId>, progress: Progress<'_>) -> Result<Gathered, AuditError> {
        let audit = self.audit;
        let mut gathered = Gathered {
            read_to: Vec::new(),
            statements: Spill::new(audit.scratch, i64::try_from(results.len()).unwrap_or(i64::MAX))?,
            undecodable: Vec::new(),
        };
        let mut scores = audit.scores_decoder();
        for generation in audit.existing(Topic::Enriched)? {
            let name = audit.names(generation).name(Topic::Enriched);
            let positions = audit.runtime.block_on(audit.archive.positions(&name, generation))?;
            let ends: BTreeMap<i32, i64> = positions
                .iter()
                .map(|position| (position.partition.partition, position.next_offset))
                .collect();
            gathered.read_to.extend(positions);
            let mut failure = None;
            read_topic(audit.kafka, &name, |record| {
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

    /// Makes results anew, and takes those from `left` that are done with.
    fn rebuild(
        &self,
        (left, statements, read_to): (&mut BTreeSet<ResultId>, Spill<Stored>, &[Position]),
        repaired: &mut Repaired,
        progress: Progress<'_>,
    ) -> Result<(), AuditError> {
        let mut unsaid = left.clone();
        for file in statements.read() {
            let all: Vec<(ResultId, Vec<Stored>)> = file?.into_iter().collect();
            for some in all.chunks(TOGETHER) {
                for (result_id, _) in some {
                    unsaid.remove(result_id);
                    progress(Step::Results);
                }
                self.rebuild_some((left, some, read_to), repaired)?;
            }
        }
        // Of these nobody said anything: what there is of them goes.
        let unsaid: Vec<(ResultId, Vec<Stored>)> = unsaid.into_iter().map(|result_id| (result_id, Vec::new())).collect();
        for some in unsaid.chunks(TOGETHER) {
            self.rebuild_some((left, some, read_to), repaired)?;
        }
        Ok(())
    }

    /// In one transaction; where the database refuses that, each by itself.
    fn rebuild_some(&self, (left, some, read_to): Portion<'_>, repaired: &mut Repaired) -> Result<(), AuditError> {
        match self.try_rebuild(some, read_to) {
            Ok(()) => {
                for (result_id, _) in some {
                    left.remove(result_id);
                }
                repaired.results += some.len();
                Ok(())
            }
            Err(AuditError::Archive(ArchiveError::Overtaken | ArchiveError::Environment { .. })) if some.len() > 1 => {
                some.chunks(1).try_for_each(|one| self.rebuild_some((left, one, read_to), repaired))
            }
            Err(AuditError::Archive(ArchiveError::Overtaken)) => Ok(()),
            Err(AuditError::Archive(error @ ArchiveError::Environment { .. })) => {
                for (result_id, _) in some {
                    left.remove(result_id);
                    repaired.failed.push((*result_id, causes(&error)));
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn try_rebuild(&self, some: &[(ResultId, Vec<Stored>)], read_to: &[Position]) -> Result<(), AuditError> {
        let mut stored: Vec<&Stored> = some.iter().flat_map(|(_, stored)| stored).collect();
        stored.sort_unstable_by_key(|(place, _)| *place);
        let mut scores = self.audit.scores_decoder();
        let mut entries = Vec::with_capacity(stored.len());
        for (place, value) in stored {
            match scores.decode(Some(value)) {
                Ok(score) => entries.push(entry(*place, Ok(score))),
                Err(DecodeError::Surroundings(error)) => return Err(error.into()),
                // It could be decoded a moment ago.
                Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => {}
            }
        }
        let results: Vec<ResultId> = some.iter().map(|(result_id, _)| *result_id).collect();
        let rebuild = Rebuild {
            read_to,
            results: &results,
            undecodable: Vec::new(),
            entries,
        };
        Ok(self.audit.runtime.block_on(self.audit.archive.rebuild(rebuild))?)
    }
}

fn rebuild_of_undecodable<'a>(places: &BTreeSet<Place>, stored: &'a [Stored]) -> Rebuild<'a> {
    let mut stored: Vec<&Stored> = stored.iter().collect();
    stored.sort_unstable_by_key(|(place, _)| *place);
    Rebuild {
        undecodable: places.iter().copied().map(position).collect(),
        entries: stored
            .into_iter()
            .map(|(place, bytes)| entry(*place, Err(UndecodableRecord { bytes: bytes.into() })))
            .collect(),
        ..Rebuild::default()
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

/// An error with its causes, in one line.
fn causes(error: &dyn std::error::Error) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
