//! All that is there after a round: topics, archive, logs, metrics.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context;
use scoresync_archive::TrainingRecord;
use scoresync_domain::{EnrichedScore, Origin, Refusal, ScoreReport};
use scoresync_kafka::{Topic, TopicNames};

use super::staff::Staff;
use crate::{
    archive::{FateCounts, Reader},
    books::{audit, imbalances, open_items},
    installation::Installation,
    topics::{Isolation, Record, Topics},
};

/// What the checker looks at.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// `scores.raw`.
    pub raw: Vec<Record<ScoreReport<'static>>>,
    /// `scores.enriched`.
    pub enriched: Vec<Record<EnrichedScore<'static>>>,
    /// `scores.dlq`.
    pub letters: Vec<Record<ScoreReport<'static>>>,
    /// Files by employee number.
    pub files: BTreeMap<String, Vec<TrainingRecord>>,
    /// Refusals by origin.
    pub refused: BTreeMap<Origin, Refusal>,
    /// What the archive counted.
    pub fates: FateCounts,
    /// Where the archive stands, by partition.
    pub positions: BTreeMap<i32, i64>,
    /// Where the archive stands in the employees, and where they end, by partition.
    pub employees: [BTreeMap<i32, i64>; 2],
    /// What the mapper's group recorded, by partition.
    pub mapped: BTreeMap<i32, i64>,
    /// Topics that end elsewhere for those who read what is not committed.
    pub uncommitted: Vec<String>,
    /// Logs and metrics, with the name of each.
    pub texts: Vec<(String, String)>,
    /// What nobody had asked for: ends of processes, stages that do not catch up.
    pub accidents: Vec<String>,
    /// Positions of the archive that went backwards.
    pub backwards: Vec<String>,
    /// What scoresync's own audit says that does not balance.
    pub imbalances: Vec<String>,
}

impl Evidence {
    /// Reads everything.
    ///
    /// # Errors
    /// Kafka, the registry or the archive does not answer.
    pub async fn gather(installation: &Installation, topics: &Topics, staff: &Staff) -> anyhow::Result<Self> {
        let archive = Reader::open(installation).await?;
        let names = TopicNames::new(&installation.topics);
        let mut files = BTreeMap::new();
        for employee_no in staff.employee_nos() {
            files.insert(employee_no.to_owned(), archive.file(employee_no).await?);
        }
        let refused = archive.refused().await?.into_iter();
        let mut uncommitted = Vec::new();
        for topic in [Topic::Raw, Topic::Enriched, Topic::DeadLetters] {
            let ends = [
                topics.ends_for(topic, Isolation::Committed).await?,
                topics.ends_for(topic, Isolation::Uncommitted).await?,
            ];
            if ends[0] != ends[1] {
                uncommitted.push(format!(
                    "{} ends at {:?} and, uncommitted, at {:?}",
                    names.name(topic),
                    ends[0],
                    ends[1]
                ));
            }
        }
        Ok(Self {
            raw: topics.raw().await?,
            enriched: topics.enriched().await?,
            letters: topics.dead_letters().await?,
            files,
            refused: refused
                .filter_map(|refusal| Some((refusal.score.ok()?.head.origin, refusal.reason)))
                .collect(),
            fates: archive.fates().await?,
            positions: archive.positions(&names.name(Topic::Enriched)).await?,
            employees: [
                archive.positions(&names.name(Topic::Employees)).await?,
                topics.ends(Topic::Employees).await?,
            ],
            mapped: topics
                .committed(&format!("{}.mapper", installation.kafka.group_prefix), Topic::Raw)
                .await?,
            uncommitted,
            texts: logs(&installation.folder)?,
            accidents: Vec::new(),
            backwards: Vec::new(),
            imbalances: tokio::task::block_in_place(|| books(installation))?,
        })
    }
}

/// Nothing of a round is forgotten, and nothing is on its way at its end.
fn books(installation: &Installation) -> anyhow::Result<Vec<String>> {
    let document = audit(installation)?;
    Ok([imbalances(&document), open_items(&document)].concat())
}

fn logs(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut logs = Vec::new();
    for entry in std::fs::read_dir(folder).context("read the folder of logs")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
            logs.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text));
        }
    }
    Ok(logs)
}
