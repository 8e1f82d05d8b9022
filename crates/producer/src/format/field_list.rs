//! Collects the fields of one row under unique names, in time that grows with the row and not with its square.

use std::{borrow::Cow, collections::HashMap};

use scoresync_domain::Fields;

/// Up to so many names, comparing with each is faster than an index.
const SMALL: usize = 32;

/// The fields of a row so far. Names are made unique exactly as [`Fields::push`] does.
#[derive(Default)]
pub(super) struct FieldList {
    fields: Vec<(Cow<'static, str>, Option<Cow<'static, str>>)>,
    /// From `SMALL` names on: each name, and the number with which the search for a free one goes on.
    next_numbers: HashMap<String, usize>,
}

impl FieldList {
    pub(super) fn push(&mut self, name: &str, value: Option<String>) {
        let free = if self.has(name) { self.free_name(name) } else { name.to_owned() };
        if self.fields.len() + 1 == SMALL {
            self.next_numbers = self.fields.iter().map(|(name, _)| (name.to_string(), 2)).collect();
        }
        if self.fields.len() + 1 >= SMALL {
            self.next_numbers.insert(free.clone(), 2);
        }
        self.fields.push((Cow::Owned(free), value.map(Cow::Owned)));
    }

    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Gives the row's fields out and is empty again.
    pub(super) fn take(&mut self) -> Fields<'static> {
        self.next_numbers.clear();
        let room = Vec::with_capacity(self.fields.len());
        Fields::from_unique(std::mem::replace(&mut self.fields, room))
    }

    pub(super) fn clear(&mut self) {
        self.next_numbers.clear();
        self.fields.clear();
    }

    fn has(&self, name: &str) -> bool {
        if self.fields.len() < SMALL {
            self.fields.iter().any(|(known, _)| known == name)
        } else {
            self.next_numbers.contains_key(name)
        }
    }

    fn free_name(&mut self, name: &str) -> String {
        let mut number = self.next_numbers.get(name).copied().unwrap_or(2);
        let mut candidate = format!("{name}#{number}");
        while self.has(&candidate) {
            number += 1;
            candidate = format!("{name}#{number}");
        }
        if let Some(next) = self.next_numbers.get_mut(name) {
            *next = number + 1;
        }
        candidate
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn names_are_those_that_the_domain_would_give(names in prop::collection::vec("[ab](#[23])?(#2)?", 0..120)) {
            let (mut list, mut expected) = (FieldList::default(), Fields::default());
            for name in names {
                list.push(&name, Some(String::new()));
                expected.push(name, Some(""));
            }
            prop_assert_eq!(list.take(), expected);
        }
    }

    #[test]
    fn a_list_begins_anew_after_it_gave_its_fields_out() {
        let mut list = FieldList::default();
        for _ in 0..2 {
            (0..40).for_each(|_| list.push("a", None));
            assert_eq!(list.take().len(), 40);
        }
        list.push("a", None);
        assert_eq!(list.take().get("a"), Some(None));
    }
}
