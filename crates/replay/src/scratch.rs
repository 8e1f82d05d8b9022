//! An archive of its own, in a folder that is thrown away: what was said of affected results, filed by the archive's own rule.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use scoresync_archive::{
    Access, Archive, ArchiveSettings, Batch, EmployeeBatch, EmployeeChange, EnrichedPosition, Entry, Position, Refusals, SqliteSettings,
    SurveyedRecord, TopicPartition, UndecodableRecord,
};
use scoresync_domain::{Employee, EnrichedScore, ResultId, Timestamp};
use scoresync_kafka::{DecodeError, Decoder, Topic};

use crate::replay::{Replay, ReplayError};

/// Statements of one transaction.
const TOGETHER: usize = 2_000;
/// Employees of one transaction.
const EMPLOYEES_TOGETHER: usize = 10_000;

/// The archive.
pub(crate) struct Scratch<'a> {
    replay: &'a Replay<'a>,
    archive: Option<Archive>,
    decoder: Decoder<EnrichedScore<'static>>,
    /// Where each partition goes on.
    next: BTreeMap<(i32, i32), i64>,
    /// By partition, what is not filed yet.
    waiting: BTreeMap<(i32, i32), Vec<Standing>>,
    waiting_count: usize,
    /// The mapping version that everything is filed under; its own, where there is none.
    version: Option<i32>,
}

/// Offset and value of a record.
type Standing = (i64, Vec<u8>);

const RECORDS: &str = "records.db";
const BEFORE: &str = "before.db";

impl<'a> Scratch<'a> {
    /// An empty one, with the employees who were replaced.
    pub(crate) fn open(replay: &'a Replay<'a>, replaced: &[(String, String)]) -> Result<Self, ReplayError> {
        let subject = replay.names(replay.topics.generation).subject(Topic::Enriched);
        let scratch = Self {
            replay,
            archive: Some(open(replay, RECORDS, Access::Writer)?),
            decoder: Decoder::new(subject, replay.registry.clone(), replay.runtime.clone()),
            next: BTreeMap::new(),
            waiting: BTreeMap::new(),
            waiting_count: 0,
            version: None,
        };
        scratch.employ(replaced)?;
        Ok(scratch)
    }

    /// Adds what stands at a place of `scores.enriched`; the places of a partition come in their order.
    pub(crate) fn add(&mut self, place: EnrichedPosition, value: &[u8]) -> Result<(), ReplayError> {
        let partition = self.waiting.entry((place.generation, place.partition)).or_default();
        partition.push((place.offset, value.to_vec()));
        self.waiting_count += 1;
        if self.waiting_count < TOGETHER { Ok(()) } else { self.file() }
    }

    /// Files what was added.
    pub(crate) fn file(&mut self) -> Result<(), ReplayError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting_count = 0;
        let mut batches = Vec::with_capacity(waiting.len());
        for ((generation, partition), records) in &waiting {
            let place = TopicPartition {
                topic: TOPIC.to_owned(),
                generation: *generation,
                partition: *partition,
            };
            let expected_offset = match self.next.get(&(*generation, *partition)) {
                Some(next) => *next,
                None => claim(self.replay, archive(&self.archive)?, &place)?,
            };
            let next_offset = records.last().map_or(expected_offset, |(offset, _)| offset + 1);
            self.next.insert((*generation, *partition), next_offset);
            let mut entries = Vec::with_capacity(records.len());
            for (offset, value) in records {
                let mut entry = entry(&mut self.decoder, *offset, value)?;
                if let (Ok(score), Some(version)) = (&mut entry.score, self.version) {
                    score.mapping_version = version;
                }
                entries.push(entry);
            }
            batches.push(Batch {
                partition: place,
                expected_offset,
                next_offset,
                schemas: String::new(),
                entries,
            });
        }
        if !batches.is_empty() {
            let applied = archive(&self.archive)?.apply_scores(&batches, Refusals::Judge);
            self.replay.runtime.block_on(applied)?;
        }
        Ok(())
    }

    /// Files everything that is added from now on as if it were said under this mapping version.
    pub(crate) fn raise_to(&mut self, version: Option<i32>) {
        self.version = version;
    }

    /// Keeps what is filed by now apart, as it is; further statements change the archive alone.
    pub(crate) fn keep_apart(&mut self) -> Result<Kept<'a>, ReplayError> {
        // Closed, everything of it is in one file.
        self.archive = None;
        fs::copy(path(self.replay, RECORDS), path(self.replay, BEFORE))?;
        self.archive = Some(open(self.replay, RECORDS, Access::Writer)?);
        Ok(Kept {
            replay: self.replay,
            archive: open(self.replay, BEFORE, Access::Reader)?,
        })
    }

    /// The results of which it refused something that arrived behind a place, in their order.
    pub(crate) fn refused_behind(&self, place: EnrichedPosition) -> Result<Vec<ResultId>, ReplayError> {
        let archive = archive(&self.archive)?;
        let (mut after, mut refused) = (Some(place), BTreeSet::new());
        loop {
            let page = self.replay.runtime.block_on(archive.refused_scores(after, PAGE))?;
            let is_last = page.len() < PAGE as usize;
            after = page.last().map(|score| score.position);
            refused.extend(page.into_iter().filter_map(|score| Some(score.score.ok()?.result_id)));
            if is_last {
                return Ok(refused.into_iter().collect());
            }
        }
    }

    pub(crate) fn records_of(&self, results: &[ResultId]) -> Result<Vec<SurveyedRecord>, ReplayError> {
        let records = archive(&self.archive)?.records_of_results(results);
        Ok(self.replay.runtime.block_on(records)?)
    }

    /// The archive knows a successor only where it knows both.
    fn employ(&self, replaced: &[(String, String)]) -> Result<(), ReplayError> {
        let place = TopicPartition {
            topic: EMPLOYEES.to_owned(),
            generation: 1,
            partition: 0,
        };
        let archive = archive(&self.archive)?;
        let first = claim(self.replay, archive, &place)?;
        let bare = replaced.iter().map(|(_, successor)| employee(successor, None));
        let all = bare.chain(replaced.iter().map(|(number, successor)| employee(number, Some(successor))));
        let changes: Vec<EmployeeChange> = all.collect();
        for (expected_offset, some) in (first..).zip(changes.chunks(EMPLOYEES_TOGETHER)) {
            let batch = EmployeeBatch {
                partition: place.clone(),
                expected_offset,
                next_offset: expected_offset + 1,
                schemas: String::new(),
                changes: some,
            };
            self.replay.runtime.block_on(archive.apply_employees(&batch))?;
        }
        Ok(())
    }
}

/// What was filed before anything was mapped anew.
pub(crate) struct Kept<'a> {
    replay: &'a Replay<'a>,
    archive: Archive,
}

impl Kept<'_> {
    pub(crate) fn records_of(&self, results: &[ResultId]) -> Result<Vec<SurveyedRecord>, ReplayError> {
        Ok(self.replay.runtime.block_on(self.archive.records_of_results(results))?)
    }
}

const TOPIC: &str = "scores.enriched";
const EMPLOYEES: &str = "employees";
const PAGE: u32 = 1_000;

fn path(replay: &Replay<'_>, name: &str) -> PathBuf {
    replay.scratch.join(name)
}

fn open(replay: &Replay<'_>, name: &str, access: Access) -> Result<Archive, ReplayError> {
    let settings = ArchiveSettings {
        sqlite: SqliteSettings { path: path(replay, name) },
        postgres: None,
    };
    Ok(replay.runtime.block_on(Archive::open(&settings, access))?)
}

fn archive(archive: &Option<Archive>) -> Result<&Archive, ReplayError> {
    archive
        .as_ref()
        .ok_or_else(|| std::io::Error::other("the scratch archive is closed").into())
}

fn claim(replay: &Replay<'_>, archive: &Archive, partition: &TopicPartition) -> Result<i64, ReplayError> {
    let position = Position {
        partition: partition.clone(),
        topic_id: String::new(),
        next_offset: 0,
        partition_count: 0,
        schemas: String::new(),
    };
    Ok(replay.runtime.block_on(archive.claim_position(&position))?.next_offset)
}

fn entry<'v>(decoder: &mut Decoder<EnrichedScore<'static>>, offset: i64, value: &'v [u8]) -> Result<Entry<'v>, ReplayError> {
    let score = match decoder.decode(Some(value)) {
        Ok(score) => Ok(score),
        Err(DecodeError::Surroundings(error)) => return Err(error.into()),
        Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => {
            Err(UndecodableRecord { bytes: value.into() })
        }
    };
    Ok(Entry { offset, score })
}

fn employee(employee_no: &str, replaced_by: Option<&String>) -> EmployeeChange {
    EmployeeChange::Upsert(Employee {
        employee_no: employee_no.to_owned(),
        name: None,
        department: None,
        position: None,
        identities: Vec::new(),
        left_at: None,
        replaced_by: replaced_by.cloned(),
        as_of: Timestamp::from_millis(0),
    })
}
