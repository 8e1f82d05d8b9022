//! Everything about reports, on disk: in files by where they first appeared, so that one file at a time is enough, in the order of the log.

use std::{collections::BTreeMap, io, path::Path};

use scoresync_domain::Origin;
use scoresync_kafka::Bounds;
use scoresync_spill::{Part, Parts};

use crate::items::Item;

/// Of each generation of a topic, from where to where its log goes.
pub(crate) type Logs = BTreeMap<i32, Bounds>;

/// An origin, as it is written.
type Key = (i32, i32, i64);

/// The files. They have no names, and are gone with this.
pub(crate) struct Spill {
    order: Order,
    parts: Parts<Key, Item>,
}

/// All that is known of the reports of one file, in their order.
pub(crate) type Known = BTreeMap<Origin, Vec<Item>>;

impl Spill {
    /// For reports of these logs.
    pub(crate) fn new(folder: &Path, logs: &Logs) -> io::Result<Self> {
        let positions = logs.values().flat_map(BTreeMap::values).map(|(first, end)| end - first).sum();
        Ok(Self {
            order: Order::of(logs),
            parts: Parts::new(folder, positions)?,
        })
    }

    /// Of reports that the logs do not hold (any more) nothing is kept.
    pub(crate) fn put(&mut self, origin: Origin, item: &Item) -> io::Result<()> {
        match self.order.part(origin, self.parts.count()) {
            Some(number) => self.parts.put(number, &(origin.generation, origin.partition, origin.offset), item),
            None => Ok(()),
        }
    }

    /// One file after the other: whoever was sent first comes first.
    pub(crate) fn read(self) -> impl Iterator<Item = io::Result<Known>> {
        self.parts.read().map(|part| part.map(by_origin))
    }
}

fn by_origin(part: Part<Key, Item>) -> Known {
    let origin = |(generation, partition, offset)| Origin {
        generation,
        partition,
        offset,
    };
    part.into_iter().map(|(key, items)| (origin(key), items)).collect()
}

/// Generations one after the other, all partitions of each side by side.
#[derive(Default)]
struct Order {
    /// Where the logs of a generation begin and end, and how many places come before.
    generations: BTreeMap<i32, (i64, i64, i64)>,
    places: i64,
}

impl Order {
    fn of(logs: &Logs) -> Self {
        let mut order = Self::default();
        for (generation, bounds) in logs {
            let first = bounds.values().map(|(first, _)| *first).min().unwrap_or(0);
            let end = bounds.values().map(|(_, end)| *end).max().unwrap_or(0);
            order.generations.insert(*generation, (first, end, order.places));
            order.places += (end - first).max(0);
        }
        order
    }

    /// In which of so many parts a report is.
    fn part(&self, origin: Origin, parts: usize) -> Option<usize> {
        let (first, end, before) = *self.generations.get(&origin.generation)?;
        if !(first..end).contains(&origin.offset) {
            return None;
        }
        let place = i128::from(before + origin.offset - first);
        usize::try_from(place * parts as i128 / i128::from(self.places)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::{Report, Verdict};

    fn item(received_ms: i64) -> Item {
        Item::Report(Report {
            received_ms,
            traceparent: None,
            verdict: Verdict::Score {
                meaning: crate::mending::tests::meaning("a", None),
                value: vec![1, 2, 3],
            },
        })
    }

    #[test]
    fn what_is_put_is_read_by_report_in_the_order_of_the_log() {
        let bounds = |end| Bounds::from([(0, (100, end)), (1, (0, end))]);
        let logs = Logs::from([(1, bounds(100_000)), (2, bounds(60_000))]);
        let mut spill = Spill::new(&std::env::temp_dir(), &logs).unwrap();
        let origin = |generation, partition, offset| Origin {
            generation,
            partition,
            offset,
        };
        let places = [(2, 0, 59_999), (1, 1, 7), (2, 1, 0), (1, 1, 99_999), (1, 0, 100), (1, 1, 7)];
        for (number, place) in (0..).zip(places) {
            spill.put(origin(place.0, place.1, place.2), &item(number)).unwrap();
        }
        for outside in [origin(3, 0, 1), origin(2, 0, 60_000), origin(1, 0, -1)] {
            spill.put(outside, &item(9)).unwrap();
        }
        let files: Vec<Known> = spill.read().map(Result::unwrap).collect();
        assert_eq!(files.len(), 6);
        let in_order: Vec<Origin> = files.iter().flat_map(BTreeMap::keys).copied().collect();
        let expected = [(1, 0, 100), (1, 1, 7), (1, 1, 99_999), (2, 1, 0), (2, 0, 59_999)];
        assert_eq!(in_order, expected.map(|place| origin(place.0, place.1, place.2)));
        assert_eq!(files[0][&origin(1, 1, 7)], [item(1), item(5)]);
    }
}
