//! The names of a map as they come over the wire, of which a foreign producer may have written some twice.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use scoresync_domain::Fields;

/// A name and its value.
pub(super) type Entry<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

/// Up to so many names a few bits for each tell them apart; more are hashed.
const FEW: usize = 24;
const MARKS: usize = 1_024;

/// Keeps a repeated name as `name#2`, exactly as [`Fields::push`] does, but in a time that grows with the number of names alone.
pub(super) fn into_fields(mut entries: Vec<Entry<'_>>) -> Fields<'_> {
    if has_repeats(&entries) {
        rename_repeats(&mut entries);
    }
    Fields::from_unique(entries)
}

fn has_repeats(entries: &[Entry<'_>]) -> bool {
    if entries.len() <= FEW {
        has_repeats_among_few(entries)
    } else {
        let mut seen = HashSet::with_capacity(entries.len());
        !entries.iter().all(|(name, _)| seen.insert(name.as_ref()))
    }
}

/// Compares a name with those before it only if one of them has the same mark.
fn has_repeats_among_few(entries: &[Entry<'_>]) -> bool {
    let mut seen = [0_u64; MARKS / 64];
    entries.iter().enumerate().any(|(position, (name, _))| {
        let mark = mark(name);
        let (word, bit) = (&mut seen[mark / 64], 1 << (mark % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        !is_new && entries[..position].iter().any(|(earlier, _)| earlier == name)
    })
}

/// Few of the names in one record have the same.
fn mark(name: &str) -> usize {
    let part = |chunk: Option<&[u8; 4]>| chunk.map_or(0, |chunk| u64::from(u32::from_le_bytes(*chunk)));
    let (first, last) = (part(name.as_bytes().first_chunk()), part(name.as_bytes().last_chunk()));
    let parts = (first << 32 | last) ^ name.len() as u64;
    // Fibonacci hashing: the upper bits of the product depend on all bits of the factor.
    (parts.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - MARKS.ilog2())) as usize
}

fn rename_repeats(entries: &mut [Entry<'_>]) {
    let mut taken: HashSet<Cow<'_, str>> = HashSet::with_capacity(entries.len());
    // A number that is taken stays taken, so the search for a free one goes on where it ended.
    let mut numbers: HashMap<Cow<'_, str>, usize> = HashMap::new();
    for (name, _) in entries {
        if !taken.insert(name.clone()) {
            let number = numbers.entry(name.clone()).or_insert(1);
            let free = loop {
                *number += 1;
                let candidate: Cow<'_, str> = Cow::Owned(format!("{name}#{number}"));
                if taken.insert(candidate.clone()) {
                    break candidate;
                }
            };
            *name = free;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn entries<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Entry<'a>> {
        names
            .into_iter()
            .enumerate()
            .map(|(position, name)| (Cow::Borrowed(name), (position % 3 > 0).then(|| position.to_string().into())))
            .collect()
    }

    proptest! {
        #[test]
        fn names_become_what_pushing_one_by_one_makes_of_them(names in vec("[ab]{0,1}(#[23]){0,2}", 0..60)) {
            let entries = entries(names.iter().map(String::as_str));
            let mut pushed = Fields::default();
            for (name, value) in &entries {
                pushed.push(name.clone(), value.clone());
            }
            prop_assert_eq!(into_fields(entries), pushed);
        }
    }

    #[test]
    fn ten_thousand_times_the_same_name_takes_no_time() {
        let begun = Instant::now();
        let fields = into_fields(entries(std::iter::repeat_n("", 10_000)));
        assert_eq!(fields.iter().last(), Some(("#10000", None)));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}
