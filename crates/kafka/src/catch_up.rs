//! Whether what was written to some partitions by a certain moment has all been read.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// How long a partition that is behind may be silent until it is asked whether nothing but a gap is left.
const SILENCE: Duration = Duration::from_millis(50);
/// How long an answer may take until it is asked again.
const ANSWER: Duration = Duration::from_secs(5);

/// Partitions that have not been read to their ends yet.
///
/// The end of a log can be a gap that no record ever fills (the marker of a transaction, what compaction removed). Only the client knows: it
/// says that it is at the end, which counts where it was asked to fetch anew, since else it may have meant an earlier end.
pub(crate) struct CatchUp(BTreeMap<i32, Behind>);

struct Behind {
    end: i64,
    last_news: Instant,
    asked_at: Option<Instant>,
}

impl CatchUp {
    /// From `positions` to `ends`.
    pub(crate) fn new(ends: BTreeMap<i32, i64>, positions: &BTreeMap<i32, i64>) -> Self {
        let last_news = Instant::now();
        let is_behind = |(partition, end): &(i32, i64)| positions.get(partition).is_none_or(|position| position < end);
        let behind = ends.into_iter().filter(is_behind).map(|(partition, end)| {
            let behind = Behind {
                end,
                last_news,
                asked_at: None,
            };
            (partition, behind)
        });
        Self(behind.collect())
    }

    pub(crate) fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    /// A record was read; the partition goes on at `position`.
    pub(crate) fn read(&mut self, partition: i32, position: i64) {
        if let Some(behind) = self.0.get_mut(&partition) {
            (behind.last_news, behind.asked_at) = (Instant::now(), None);
            if position >= behind.end {
                self.0.remove(&partition);
            }
        }
    }

    /// Partitions that were silent for long, and their ends: they are to be fetched anew, and [`Self::asked`] is to be told.
    pub(crate) fn silent(&self) -> Vec<(i32, i64)> {
        let is_silent = |behind: &Behind| match behind.asked_at {
            None => behind.last_news.elapsed() >= SILENCE,
            Some(asked_at) => asked_at.elapsed() >= ANSWER,
        };
        let silent = self.0.iter().filter(|(_, behind)| is_silent(behind));
        silent.map(|(partition, behind)| (*partition, behind.end)).collect()
    }

    /// The partition is fetched anew from its position.
    pub(crate) fn asked(&mut self, partition: i32) {
        if let Some(behind) = self.0.get_mut(&partition) {
            behind.asked_at = Some(Instant::now());
        }
    }

    /// The partition is not ready to be asked: what was written is held back still.
    pub(crate) fn is_held_back(&mut self, partition: i32) {
        if let Some(behind) = self.0.get_mut(&partition) {
            behind.last_news = Instant::now();
        }
    }

    /// The client says that it is at the partition's end; gives the end where that settles the question.
    pub(crate) fn at_end(&mut self, partition: i32) -> Option<i64> {
        self.0.get(&partition)?.asked_at?;
        self.0.remove(&partition).map(|behind| behind.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind() -> CatchUp {
        let catch_up = CatchUp::new(BTreeMap::from([(0, 10), (1, 5)]), &BTreeMap::from([(0, 7), (1, 5)]));
        assert!(!catch_up.is_done());
        catch_up
    }

    #[test]
    fn records_up_to_the_end_settle_a_partition() {
        let mut catch_up = behind();
        catch_up.read(0, 9);
        assert!(!catch_up.is_done());
        catch_up.read(0, 10);
        assert!(catch_up.is_done());
    }

    #[test]
    fn an_end_counts_only_where_it_was_asked_for_since_the_last_record() {
        let mut catch_up = behind();
        assert_eq!(catch_up.at_end(0), None);
        catch_up.asked(0);
        catch_up.read(0, 8);
        assert_eq!(catch_up.at_end(0), None);
        catch_up.asked(0);
        assert_eq!(catch_up.at_end(0), Some(10));
        assert!(catch_up.is_done());
    }

    #[test]
    fn a_silent_partition_is_asked_once_and_again_only_when_no_answer_comes() {
        let mut catch_up = behind();
        assert_eq!(catch_up.silent(), []);
        let since_then = |catch_up: &mut CatchUp, time: Duration| {
            let behind = catch_up.0.get_mut(&0).unwrap();
            behind.last_news -= time;
            behind.asked_at = behind.asked_at.map(|asked_at| asked_at - time);
        };
        since_then(&mut catch_up, SILENCE);
        assert_eq!(catch_up.silent(), [(0, 10)]);
        catch_up.is_held_back(0);
        assert_eq!(catch_up.silent(), []);
        catch_up.asked(0);
        since_then(&mut catch_up, SILENCE);
        assert_eq!(catch_up.silent(), []);
        since_then(&mut catch_up, ANSWER);
        assert_eq!(catch_up.silent(), [(0, 10)]);
    }
}
