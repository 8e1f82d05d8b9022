//! Waiting until everything that was sent is accounted for.

use std::time::{Duration, Instant};

use anyhow::bail;
use scoresync_kafka::Topic;

use crate::{archive::Reader, topics::Topics};

/// How far an installation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records in `scores.raw`.
    pub raw: i64,
    /// Records in `scores.enriched`.
    pub enriched: i64,
    /// Records in `scores.dlq`.
    pub dead_letters: i64,
    /// Records of `scores.enriched` that the archive knows the fate of.
    pub judged: i64,
}

impl Progress {
    /// Looks now. Counts that follow from others are read first, so that nothing ever seems to be ahead of what it follows from.
    ///
    /// # Errors
    /// Kafka or the archive does not answer.
    pub async fn look(topics: &Topics, archive: &Reader) -> anyhow::Result<Self> {
        let judged = archive.judged().await?;
        let enriched = topics.count(Topic::Enriched).await?;
        let dead_letters = topics.count(Topic::DeadLetters).await?;
        let raw = topics.count(Topic::Raw).await?;
        Ok(Self {
            raw,
            enriched,
            dead_letters,
            judged,
        })
    }

    /// Reports whose fate is known.
    #[must_use]
    pub const fn settled(&self) -> i64 {
        self.judged + self.dead_letters
    }

    /// Whether all of so many reports have come to a fate, and no stage is behind.
    #[must_use]
    pub const fn is_settled(&self, sent: i64) -> bool {
        self.raw >= sent && self.enriched + self.dead_letters >= self.raw && self.judged >= self.enriched
    }
}

/// Waits until the fates and dead letters of so many reports are there, telling `watch` how far it is.
///
/// # Errors
/// Not within the deadline: the error says what is missing.
pub async fn settle(
    (topics, archive): (&Topics, &Reader),
    (sent, deadline): (usize, Duration),
    mut watch: impl FnMut(Progress),
) -> anyhow::Result<Progress> {
    let (end, sent) = (Instant::now() + deadline, i64::try_from(sent)?);
    loop {
        let progress = Progress::look(topics, archive).await?;
        watch(progress);
        if progress.is_settled(sent) {
            return Ok(progress);
        }
        if Instant::now() > end {
            bail!("not all of {sent} reports have come to a fate within {deadline:?}: {progress:?}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counts: [i64; 4], expected: bool) {
        let [raw, enriched, dead_letters, judged] = counts;
        let progress = Progress {
            raw,
            enriched,
            dead_letters,
            judged,
        };
        assert_eq!(progress.is_settled(10), expected, "{progress:?}");
    }

    #[test]
    fn all_is_settled_when_no_stage_is_behind_the_one_before_it() {
        check([10, 7, 3, 7], true);
        check([9, 7, 3, 7], false);
        check([10, 6, 3, 6], false);
        check([10, 7, 3, 6], false);
        check([11, 7, 3, 7], false);
    }
}
