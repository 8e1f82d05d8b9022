//! Chance, the same for the same seed on every machine and with every release of the generator's library.

use std::ops::Range;

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

/// A source of chance.
#[derive(Clone, Debug)]
pub(super) struct Dice(Xoshiro256PlusPlus);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    pub(super) fn number(&mut self, range: Range<u64>) -> u64 {
        self.0.random_range(range)
    }

    pub(super) fn index(&mut self, len: usize) -> usize {
        self.0.random_range(0..len as u64) as usize
    }

    pub(super) fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())]
    }

    pub(super) fn heads(&mut self) -> bool {
        self.number(0..2) == 0
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }

    /// A score from 40 to 100 in steps of a half, in its shortest form.
    pub(super) fn score(&mut self) -> String {
        in_halves(self.number(80..201))
    }

    /// Different scores.
    pub(super) fn scores<const COUNT: usize>(&mut self) -> [String; COUNT] {
        let first = self.number(80..140);
        std::array::from_fn(|step| in_halves(first + 7 * step as u64))
    }
}

fn in_halves(halves: u64) -> String {
    let half = if halves.is_multiple_of(2) { "" } else { ".5" };
    format!("{}{half}", halves / 2)
}
