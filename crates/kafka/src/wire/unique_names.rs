//! The names of a map as they come over the wire, of which a foreign producer may have written some twice.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use scoresync_domain::Fields;

/// A name and its value.
pub(super) type Entry<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

/// Up to so many names comparing each with each is faster than hashing.
const FEW: usize = 24;

/// Keeps a repeated name as `name#2`, exactly as [`Fields::push`] does, but in a time that grows with the number of names alone.
pub(super) fn into_fields(mut entries: Vec<Entry<'_>>) -> Fields<'_> {
    if has_repeats(&entries) {
        rename_repeats(&mut entries);
    }
    Fields::from_unique(entries)
}

fn has_repeats(entries: &[Entry<'_>]) -> bool {
    if entries.len() <= FEW {
        let is_repeat = |position: usize| entries[..position].iter().any(|(name, _)| *name == entries[position].0);
        (1..entries.len()).any(is_repeat)
    } else {
        let mut seen = HashSet::with_capacity(entries.len());
        !entries.iter().all(|(name, _)| seen.insert(name.as_ref()))
    }
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
