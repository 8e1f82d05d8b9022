//! All that an installation has, read from its topics and its archive.

use std::collections::BTreeMap;

use scoresync_archive::TrainingRecord;
use scoresync_domain::{Fate, Origin, Reason, Refusal, ScoreReport};
use scoresync_kafka::dead_letter;

use super::places;
use crate::{
    archive::{FateCounts, Reader},
    company::Truth,
    topics::{Record, Topics},
};

/// What an installation has.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// `scores.raw`.
    pub raw: Vec<Record<ScoreReport<'static>>>,
    /// `scores.dlq`.
    pub dead_letters: Vec<Record<ScoreReport<'static>>>,
    /// Origins in `scores.enriched`, and the partition of each.
    pub enriched: BTreeMap<Origin, i32>,
    /// Refusals by origin.
    pub refused: BTreeMap<Origin, Refusal>,
    /// What the archive counted.
    pub fates: FateCounts,
    /// Files by employee number.
    pub files: BTreeMap<String, Vec<TrainingRecord>>,
}

impl Found {
    /// Reads everything; `employee_nos` says whose files.
    ///
    /// # Errors
    /// Kafka, the registry or the archive does not answer.
    pub async fn read(topics: &Topics, archive: &Reader, employee_nos: &[String]) -> anyhow::Result<Self> {
        let mut files = BTreeMap::new();
        for employee_no in employee_nos {
            files.insert(employee_no.clone(), archive.file(employee_no).await?);
        }
        let refused = archive.refused().await?.into_iter();
        let enriched = topics.enriched().await?.into_iter();
        Ok(Self {
            raw: topics.raw().await?,
            dead_letters: topics.dead_letters().await?,
            enriched: enriched
                .filter_map(|record| Some((record.value?.origin, record.partition)))
                .collect(),
            refused: refused
                .filter_map(|refusal| Some((refusal.score.ok()?.head.origin, refusal.reason)))
                .collect(),
            fates: archive.fates().await?,
            files,
        })
    }

    /// How often the row of each serial is in `scores.raw`.
    #[must_use]
    pub fn serials(&self) -> BTreeMap<String, usize> {
        let mut serials = BTreeMap::new();
        for serial in self.raw.iter().filter_map(|record| places::serial(record.value.as_ref()?)) {
            *serials.entry(serial).or_default() += 1;
        }
        serials
    }

    /// Reasons of dead letters by the origin of the report; a report that was written twice counts once.
    pub(super) fn reasons(&self) -> BTreeMap<Origin, Reason> {
        let reason = |letter: &Record<_>| Some((letter.origin_in_header()?, letter.header(dead_letter::REASON)?.parse().ok()?));
        self.dead_letters.iter().filter_map(reason).collect()
    }

    /// How many reports came to each fate, and for which reason.
    pub(super) fn counts(&self) -> Vec<(Truth, i64)> {
        let mut counts = Vec::new();
        for ((_, fate), number) in &self.fates {
            match fate {
                Fate::Filed => counts.push((Truth::Filed, *number)),
                Fate::Duplicate => counts.push((Truth::Duplicate, *number)),
                Fate::Superseded => counts.push((Truth::Superseded, *number)),
                // Both are known by their reasons.
                Fate::Refused | Fate::DeadLettered => {}
            }
        }
        counts.extend(self.refused.values().map(|refusal| (Truth::Refused(*refusal), 1)));
        counts.extend(self.reasons().into_values().map(|reason| (Truth::DeadLettered(reason), 1)));
        counts
    }
}
