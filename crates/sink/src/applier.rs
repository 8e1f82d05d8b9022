//! The applying thread: decodes what was collected and hands it to the archive, one transaction at a time.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, mpsc},
};

use scoresync_archive::{
    Applied, Archive, ArchiveError, Batch, EmployeeBatch, EmployeeChange, Entry, Refusals, TopicPartition as ArchivePartition,
    UndecodableRecord,
};
use scoresync_domain::{Employee, EnrichedScore, Fate, Timestamp};
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{DecodeError, Decoder, SchemaLookupError, TopicPartition};
use scoresync_service::now_millis;
use tokio::runtime::Runtime;

use crate::{
    collected::{Collected, Records},
    metrics::{STAGE, SinkMetrics},
};

/// One piece of work.
pub(crate) struct Work {
    pub(crate) collected: Collected,
    pub(crate) refusals: Refusals,
}

/// What came of it; the work is given back where it was not done.
pub(crate) enum Outcome {
    Done(Collected),
    /// A score would be refused over its owner: the employees have to be read to their end first.
    WouldRefuse(Collected),
    Failed(Collected, ApplyError),
}

/// Why work was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    #[error("the archive could not take a batch")]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Schemas(#[from] SchemaLookupError),
    #[error("the end of the employees cannot be had")]
    Kafka(#[from] scoresync_kafka::Error),
}

impl ApplyError {
    /// Label of `scoresync_retries_total`.
    pub(crate) const fn cause(&self) -> &'static str {
        match self {
            Self::Archive(ArchiveError::LostPosition { .. }) => "lost_position",
            Self::Archive(
                ArchiveError::Transient { .. } | ArchiveError::Environment { .. } | ArchiveError::WouldRefuse | ArchiveError::Overtaken,
            ) => "archive",
            Self::Schemas(_) => "schemas",
            Self::Kafka(_) => "kafka",
        }
    }

    /// Whether it keeps the stage from its work; losing a race for a position does not.
    pub(crate) const fn concerns_people(&self) -> bool {
        !matches!(self, Self::Archive(ArchiveError::LostPosition { .. }))
    }
}

/// Decodes and applies.
pub(crate) struct Applier {
    /// Of this thread alone, as is the runtime: an answer of the database then wakes one thread and not two.
    pub(crate) archive: Arc<Archive>,
    pub(crate) runtime: Runtime,
    pub(crate) scores: Decoder<EnrichedScore<'static>>,
    pub(crate) employees: Decoder<Employee>,
    pub(crate) employees_topic: String,
    pub(crate) generation: i32,
    pub(crate) metrics: SinkMetrics,
}

impl Applier {
    /// Works until the other side hangs up.
    pub(crate) fn run(mut self, work: &mpsc::Receiver<Work>, outcomes: &mpsc::SyncSender<Outcome>) {
        for Work { collected, refusals } in work {
            let timer = self.metrics.stage.stage_seconds.get([STAGE]).start_timer();
            let outcome = match self.apply(&collected, refusals) {
                Ok(()) => Outcome::Done(collected),
                Err(ApplyError::Archive(ArchiveError::WouldRefuse)) => Outcome::WouldRefuse(collected),
                Err(error) => Outcome::Failed(collected, error),
            };
            timer.observe_duration();
            if outcomes.send(outcome).is_err() {
                return;
            }
        }
    }

    /// Employees before scores: who was announced first shall be known.
    fn apply(&mut self, collected: &Collected, refusals: Refusals) -> Result<(), ApplyError> {
        let mut batches = Vec::new();
        for (place, records) in collected.iter() {
            if place.topic == self.employees_topic {
                self.apply_employees(place, records)?;
            } else {
                let partition = ArchivePartition {
                    topic: place.topic.clone(),
                    generation: self.generation,
                    partition: place.partition,
                };
                let entries = decode_scores(&mut self.scores, records)?;
                batches.push(Batch {
                    partition,
                    expected_offset: records.expected_offset,
                    next_offset: records.next_offset,
                    schemas: self.scores.memory().note(),
                    entries,
                });
            }
        }
        if batches.is_empty() {
            return Ok(());
        }
        self.metrics.oldest_unfiled.set(oldest_receipt(&batches));
        fault_points::pass(Point::BatchTaken);
        let applied = self.runtime.block_on(self.archive.apply_scores(&batches, refusals))?;
        self.count(&batches, &applied);
        Ok(())
    }

    fn apply_employees(&mut self, place: &TopicPartition, records: &Records) -> Result<(), ApplyError> {
        let mut changes = Vec::new();
        for record in records.iter() {
            let change = match record.value {
                None => Some(EmployeeChange::Erase {
                    employee_no: String::from_utf8_lossy(record.key).into_owned(),
                }),
                value => match self.employees.decode(value) {
                    Ok(employee) => Some(EmployeeChange::Upsert(employee)),
                    Err(DecodeError::Surroundings(error)) => return Err(error.into()),
                    Err(error) => {
                        tracing::error!(topic = place.topic, offset = record.offset, %error, "an unreadable employee was passed over; write it anew");
                        None
                    }
                },
            };
            changes.extend(change);
        }
        let batch = EmployeeBatch {
            partition: ArchivePartition {
                topic: place.topic.clone(),
                generation: 1,
                partition: place.partition,
            },
            expected_offset: records.expected_offset,
            next_offset: records.next_offset,
            schemas: self.employees.memory().note(),
            changes: &changes,
        };
        let applied = self.runtime.block_on(self.archive.apply_employees(&batch))?;
        if applied.unusable > 0 {
            tracing::error!(
                count = applied.unusable,
                "employees whose number no archive can hold were passed over"
            );
        }
        Ok(())
    }

    fn count(&self, batches: &[Batch<'_>], applied: &Applied) {
        self.metrics.count_fates(&applied.fates);
        for (reason, count) in &applied.refused {
            self.metrics.count_refusal(*reason, *count);
        }
        let now = now_millis();
        let scores = batches
            .iter()
            .flat_map(|batch| &batch.entries)
            .map(|entry| entry.score.as_ref().ok());
        let end_to_end = self.metrics.end_to_end.local();
        let mut newest_finish: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for (score, fate) in scores.zip(&applied.fates) {
            if let (Some(score), Fate::Filed) = (score, fate) {
                end_to_end.observe((now - score.received_at.as_millis()).max(0) as f64 / 1000.0);
                if let Some(finish) = score.finish_timestamp {
                    let newest = newest_finish.entry(&score.source).or_insert(finish);
                    *newest = finish.max(*newest);
                }
            }
        }
        end_to_end.flush();
        for (source, finish) in newest_finish {
            self.metrics.saw_finish(source, finish);
        }
        self.metrics.oldest_unfiled.set(0.0);
        self.metrics.stage.last_progress.get([STAGE]).set(now as f64 / 1000.0);
    }
}

fn decode_scores<'a>(decoder: &mut Decoder<EnrichedScore<'static>>, records: &'a Records) -> Result<Vec<Entry<'a>>, ApplyError> {
    let mut entries = Vec::new();
    for record in records.iter() {
        let score = match decoder.decode(record.value) {
            Ok(score) => Ok(score),
            Err(DecodeError::Surroundings(error)) => return Err(error.into()),
            Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => Err(UndecodableRecord {
                bytes: Cow::Borrowed(record.value.unwrap_or_default()),
            }),
        };
        entries.push(Entry {
            offset: record.offset,
            score,
        });
    }
    Ok(entries)
}

fn oldest_receipt(batches: &[Batch<'_>]) -> f64 {
    let scores = batches
        .iter()
        .flat_map(|batch| &batch.entries)
        .filter_map(|entry| entry.score.as_ref().ok());
    scores
        .map(|score| score.received_at)
        .min()
        .map_or(0.0, |oldest: Timestamp| oldest.as_millis() as f64 / 1000.0)
}
