//! What a fuzzer does first to an input, without a fuzzer: the same seed always makes the same damage.

use std::hash::{DefaultHasher, Hash, Hasher};

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::corpus::Input;

/// Longer inputs are damaged elsewhere than in this test, which is to be quick.
const MAX_BYTES: usize = 4_096;
/// Bytes that mean something to one of the formats, or are the ends of a number.
const TELLING: &[u8] = b"\0\x01\x7f\x80\xff\"'<>&{}[],;:=\n\r\\e.-+#%/";

/// The input with one to four places damaged.
pub(crate) fn damaged(input: &Input, others: &[&[u8]], seed: u64) -> Input {
    let mut hasher = DefaultHasher::new();
    (&input.name, seed).hash(&mut hasher);
    let mut dice = Xoshiro256PlusPlus::seed_from_u64(hasher.finish());
    let mut bytes = input.bytes[..input.bytes.len().min(MAX_BYTES)].to_vec();
    for _ in 0..dice.random_range(1..=4) {
        damage(&mut bytes, others, &mut dice);
    }
    Input {
        name: format!("{} with damage {seed}", input.name),
        bytes,
    }
}

fn damage(bytes: &mut Vec<u8>, others: &[&[u8]], dice: &mut Xoshiro256PlusPlus) {
    let place = dice.random_range(0..=bytes.len());
    let end = dice.random_range(place..=bytes.len().min(place + 32));
    match dice.random_range(0..6) {
        0 => drop(bytes.drain(place..end)),
        1 => drop(bytes.splice(place..place, bytes[place..end].repeat(3))),
        2 => bytes.truncate(place),
        3 => {
            let other = others[dice.random_range(0..others.len())];
            let start = dice.random_range(0..=other.len());
            let end = other.len().min(start + 64);
            drop(bytes.splice(place..place, other[start..end].iter().copied()));
        }
        4 => bytes.insert(place, TELLING[dice.random_range(0..TELLING.len())]),
        _ if place < bytes.len() => bytes[place] = dice.random(),
        _ => bytes.push(dice.random()),
    }
}
