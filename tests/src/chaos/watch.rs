//! Looks at the archive's positions during a round, and waits until the pipeline has caught up.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use anyhow::bail;
use scoresync_kafka::{Topic, TopicNames};

use super::driver::lock;
use crate::{archive::Reader, installation::Installation, topics::Topics};

const BEAT: Duration = Duration::from_millis(200);

/// Somebody who looks.
pub(super) struct Watch<'a> {
    installation: &'a Installation,
    topics: &'a Topics,
    /// The greatest position seen, by partition, and what went backwards.
    seen: Mutex<(BTreeMap<i32, i64>, Vec<String>)>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(installation: &'a Installation, topics: &'a Topics) -> Self {
        Self {
            installation,
            topics,
            seen: Mutex::default(),
        }
    }

    /// Looks until it is dropped. A database that is away is looked at later.
    pub(super) async fn look(&self) {
        loop {
            if let Ok(reader) = Reader::open(self.installation).await {
                while let Ok(positions) = reader.positions(&self.enriched()).await {
                    self.compare(&positions);
                    tokio::time::sleep(BEAT).await;
                }
            }
            tokio::time::sleep(BEAT).await;
        }
    }

    fn compare(&self, positions: &BTreeMap<i32, i64>) {
        let (greatest, backwards) = &mut *lock(&self.seen);
        for (partition, position) in positions {
            let before = greatest.entry(*partition).or_default();
            if position < before {
                backwards.push(format!(
                    "the archive's position in partition {partition} went from {before} back to {position}"
                ));
            }
            *before = *position.max(before);
        }
    }

    /// What went backwards.
    pub(super) fn backwards(&self) -> Vec<String> {
        lock(&self.seen).1.clone()
    }

    fn enriched(&self) -> String {
        TopicNames::new(&self.installation.topics).name(Topic::Enriched)
    }

    /// Waits until nothing is left to be mapped and filed; says how long that took.
    pub(super) async fn caught_up(&self, deadline: Duration) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        loop {
            let behind = match self.behind().await {
                Ok(None) => return Ok(begun.elapsed()),
                Ok(Some(behind)) => behind,
                Err(error) => format!("{error:#}"),
            };
            if begun.elapsed() > deadline {
                bail!("the pipeline has not caught up within {deadline:?}: {behind}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until what is in `scores.raw` now is mapped, and what came of it is filed.
    pub(super) async fn passed_what_is_there(&self, deadline: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + deadline;
        let group = format!("{}.mapper", self.installation.kafka.group_prefix);
        let raw = self.topics.ends(Topic::Raw).await?;
        while is_behind(&self.topics.committed(&group, Topic::Raw).await.unwrap_or_default(), &raw) && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let enriched = self.topics.ends(Topic::Enriched).await?;
        while is_behind(&self.filed().await.unwrap_or_default(), &enriched) && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    async fn filed(&self) -> anyhow::Result<BTreeMap<i32, i64>> {
        Reader::open(self.installation).await?.positions(&self.enriched()).await
    }

    async fn behind(&self) -> anyhow::Result<Option<String>> {
        let group = format!("{}.mapper", self.installation.kafka.group_prefix);
        let mapped = self.topics.committed(&group, Topic::Raw).await?;
        let raw = self.topics.ends(Topic::Raw).await?;
        if is_behind(&mapped, &raw) {
            return Ok(Some(format!("the mapper is at {mapped:?} of {raw:?}")));
        }
        let enriched = self.topics.ends(Topic::Enriched).await?;
        let filed = self.filed().await?;
        Ok(is_behind(&filed, &enriched).then(|| format!("the archive is at {filed:?} of {enriched:?}")))
    }
}

/// A partition that nobody has written to needs no position.
fn is_behind(positions: &BTreeMap<i32, i64>, ends: &BTreeMap<i32, i64>) -> bool {
    let position = |partition| positions.get(partition).copied().unwrap_or(0);
    ends.iter().any(|(partition, end)| position(partition) < *end)
}
