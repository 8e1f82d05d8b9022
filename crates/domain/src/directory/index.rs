//! Which numbers belong to a hash: a table without keys, whose users compare what the numbers stand for.
//!
//! One entry of eight bytes for each hash, searched from its place in the order of hashes on (linear probing), so that a search reads one
//! line of the processor's cache as a rule. What many numbers share is kept apart: a switchboard's phone may be that of a whole company.

use std::collections::{BTreeMap, BTreeSet};

/// From hashes to numbers below [`Index::LIMIT`].
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Vec<Entry>,
    hashes: usize,
    crowds: BTreeMap<u32, BTreeSet<u32>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u32,
    number: u32,
}

const VACANT: u32 = u32::MAX;
/// Stands for all numbers of the crowd.
const CROWD: u32 = u32::MAX - 1;
const SMALLEST: usize = 16;

/// The numbers of one hash, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidates<'d> {
    next: Option<u32>,
    crowd: Option<&'d BTreeSet<u32>>,
}

impl Iterator for Candidates<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let number = self.next?;
        self.next = self.crowd.and_then(|crowd| crowd.range(number + 1..).next().copied());
        Some(number)
    }
}

impl Index {
    /// Numbers are smaller than this.
    pub(super) const LIMIT: u32 = CROWD;

    #[inline]
    pub(super) fn get(&self, hash: u32) -> Candidates<'_> {
        let number = self.position(hash).map(|position| self.entries[position].number);
        if number == Some(CROWD) {
            let crowd = self.crowds.get(&hash);
            let next = crowd.and_then(|crowd| crowd.first().copied());
            return Candidates { next, crowd };
        }
        Candidates { next: number, crowd: None }
    }

    /// Does nothing where the number belongs to the hash already.
    pub(super) fn insert(&mut self, hash: u32, number: u32) {
        if let Some(position) = self.position(hash) {
            let held = self.entries[position].number;
            if held == CROWD {
                self.crowds.entry(hash).or_default().insert(number);
            } else if held != number {
                self.crowds.insert(hash, BTreeSet::from([held, number]));
                self.entries[position].number = CROWD;
            }
            return;
        }
        if (self.hashes + 1) * 5 > self.entries.len() * 4 {
            self.resize(SMALLEST.max(self.entries.len() / 2 * 3));
        }
        self.put(Entry { hash, number });
        self.hashes += 1;
    }

    /// Does nothing where the number does not belong to the hash.
    pub(super) fn remove(&mut self, hash: u32, number: u32) {
        let Some(position) = self.position(hash) else { return };
        let held = self.entries[position].number;
        if held == CROWD {
            self.leave_crowd(position, number);
        } else if held == number {
            self.close_gap(position);
            self.hashes -= 1;
            if self.hashes * 4 < self.entries.len() {
                self.resize(self.hashes * 2);
            }
        }
    }

    /// Puts a number that is new to the hash in the place of another one, if that belongs to it.
    pub(super) fn replace(&mut self, hash: u32, (old, new): (u32, u32)) {
        let Some(position) = self.position(hash) else { return };
        let held = self.entries[position].number;
        if held == old {
            self.entries[position].number = new;
        } else if held == CROWD
            && let Some(crowd) = self.crowds.get_mut(&hash)
            && crowd.remove(&old)
        {
            crowd.insert(new);
        }
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> BTreeMap<u32, BTreeSet<u32>> {
        let used = self.entries.iter().filter(|entry| entry.number != VACANT);
        used.map(|entry| (entry.hash, self.get(entry.hash).collect())).collect()
    }

    fn leave_crowd(&mut self, position: usize, number: u32) {
        let hash = self.entries[position].hash;
        let Some(crowd) = self.crowds.get_mut(&hash) else { return };
        crowd.remove(&number);
        if crowd.len() == 1
            && let Some(last) = crowd.pop_first()
        {
            self.crowds.remove(&hash);
            self.entries[position].number = last;
        }
    }

    #[inline]
    fn position(&self, hash: u32) -> Option<usize> {
        if self.entries.is_empty() {
            return None;
        }
        let mut position = self.home(hash);
        loop {
            let entry = self.entries[position];
            if entry.number == VACANT {
                return None;
            }
            if entry.hash == hash {
                return Some(position);
            }
            position = self.after(position);
        }
    }

    /// Where the search for a hash begins. Ascends with the hash, so that a larger table is filled from one end to the other.
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.entries.len() as u64) >> 32) as usize
    }

    const fn after(&self, position: usize) -> usize {
        if position + 1 == self.entries.len() { 0 } else { position + 1 }
    }

    fn put(&mut self, entry: Entry) {
        let mut position = self.home(entry.hash);
        while self.entries[position].number != VACANT {
            position = self.after(position);
        }
        self.entries[position] = entry;
    }

    /// Moves up the entries behind a gap whose search would end at it.
    fn close_gap(&mut self, mut gap: usize) {
        let mut position = self.after(gap);
        while self.entries[position].number != VACANT {
            let home = self.home(self.entries[position].hash);
            if self.distance(home, position) >= self.distance(gap, position) {
                self.entries[gap] = self.entries[position];
                gap = position;
            }
            position = self.after(position);
        }
        self.entries[gap].number = VACANT;
    }

    const fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.entries.len() - from }
    }

    fn resize(&mut self, entries: usize) {
        let vacant = Entry { hash: 0, number: VACANT };
        let old = std::mem::replace(&mut self.entries, vec![vacant; entries]);
        for entry in old.into_iter().filter(|entry| entry.number != VACANT) {
            self.put(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Change {
        Insert(u32, u32),
        Remove(u32, u32),
        Replace(u32, u32, u32),
    }

    type Model = BTreeMap<u32, BTreeSet<u32>>;

    fn apply(change: &Change, index: &mut Index, model: &mut Model) {
        match *change {
            Change::Insert(hash, number) => {
                index.insert(hash, number);
                model.entry(hash).or_default().insert(number);
            }
            Change::Remove(hash, number) => {
                index.remove(hash, number);
                model.entry(hash).or_default().remove(&number);
            }
            Change::Replace(hash, old, new) => {
                let numbers = model.entry(hash).or_default();
                if numbers.contains(&new) {
                    return;
                }
                index.replace(hash, (old, new));
                if numbers.remove(&old) {
                    numbers.insert(new);
                }
            }
        }
        model.retain(|_, numbers| !numbers.is_empty());
    }

    fn check(index: &Index, model: &Model) {
        for hash in hashes() {
            let held: BTreeSet<u32> = index.get(hash).collect();
            assert_eq!(Some(&held).filter(|held| !held.is_empty()), model.get(&hash), "{hash}");
        }
        assert_eq!(index.hashes, model.len());
        let is_crowd = |numbers: &&BTreeSet<u32>| numbers.len() > 1;
        assert_eq!(index.crowds.len(), model.values().filter(is_crowd).count());
        assert_eq!(index.entries.is_empty(), model.is_empty());
    }

    /// Neighbours at both ends of the table, so that searches pass its end, and some between.
    fn hashes() -> impl Iterator<Item = u32> {
        (0..24)
            .chain((0..24).map(|hash| u32::MAX - hash))
            .chain((1..24).map(|hash| hash << 27))
    }

    fn any_change() -> impl Strategy<Value = Change> {
        let hash = proptest::sample::select(hashes().collect::<Vec<_>>());
        (hash, 0..4_u32, 4..8_u32, 0..10).prop_map(|(hash, number, new, sort)| match sort {
            0..5 => Change::Insert(hash, number),
            5..9 => Change::Remove(hash, number),
            _ => Change::Replace(hash, number, new),
        })
    }

    proptest! {
        #[test]
        fn an_index_holds_what_was_put_in_and_not_taken_out(changes in proptest::collection::vec(any_change(), 0..400)) {
            let (mut index, mut model) = (Index::default(), Model::new());
            for change in &changes {
                apply(change, &mut index, &mut model);
            }
            check(&index, &model);
            for (hash, numbers) in model.clone() {
                for number in numbers {
                    apply(&Change::Remove(hash, number), &mut index, &mut model);
                }
            }
            check(&index, &model);
        }
    }
}
