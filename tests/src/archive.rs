//! The archive of an installation, as a second connection sees it.

use std::collections::BTreeMap;

use anyhow::Context;
use scoresync_archive::{Access, Archive, RefusedScore, TrainingRecord};
use scoresync_domain::Fate;

use crate::installation::Installation;

/// Counts by partition of `scores.enriched` and fate.
pub type FateCounts = BTreeMap<(i32, Fate), i64>;

/// Reads an archive that somebody else writes.
pub struct Reader(Archive);

impl Reader {
    /// Connects; the sink must have made the archive.
    ///
    /// # Errors
    /// There is none.
    pub async fn open(installation: &Installation) -> anyhow::Result<Self> {
        let archive = Archive::open(&installation.archive, Access::Reader).await;
        archive.map(Self).context("open the archive; has a sink run yet?")
    }

    /// How many positions of each partition came to each fate.
    ///
    /// # Errors
    /// The archive's.
    pub async fn fates(&self) -> anyhow::Result<FateCounts> {
        let counts = self.0.fate_counts().await?.into_iter().filter(|count| count.count != 0);
        Ok(counts.map(|count| ((count.partition, count.fate), count.count)).collect())
    }

    /// Where the archive stands in each partition of the first generation of a topic.
    ///
    /// # Errors
    /// The archive's.
    pub async fn positions(&self, topic: &str) -> anyhow::Result<BTreeMap<i32, i64>> {
        let positions = self.0.positions(topic, 1).await?.into_iter();
        Ok(positions
            .map(|position| (position.partition.partition, position.next_offset))
            .collect())
    }

    /// How many positions of `scores.enriched` came to any fate.
    ///
    /// # Errors
    /// The archive's.
    pub async fn judged(&self) -> anyhow::Result<i64> {
        Ok(self.fates().await?.values().sum())
    }

    /// Everything that was refused.
    ///
    /// # Errors
    /// The archive's.
    pub async fn refused(&self) -> anyhow::Result<Vec<RefusedScore>> {
        let page = 1_000;
        let mut all: Vec<RefusedScore> = Vec::new();
        loop {
            let next = self.0.refused_scores(all.last().map(|last| last.position), page).await?;
            let is_last = next.len() < page as usize;
            all.extend(next);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// An employee's file.
    ///
    /// # Errors
    /// The archive's.
    pub async fn file(&self, employee_no: &str) -> anyhow::Result<Vec<TrainingRecord>> {
        Ok(self.0.records_of(employee_no).await?)
    }
}
