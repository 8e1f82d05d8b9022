//! Collects the fields of one row under unique names, in time that grows with the row and not with its square, and in bounded memory.

use std::{borrow::Cow, collections::HashMap};

use scoresync_domain::Fields;

use super::Limits;

/// Up to so many names, comparing with each is faster than an index.
const SMALL: usize = 32;

/// The fields of a row so far. Names are made unique exactly as [`Fields::push`] does.
pub(super) struct FieldList {
    limits: Limits,
    /// Bytes of all names and values.
    bytes: usize,
    fields: Vec<(Cow<'static, str>, Option<Cow<'static, str>>)>,
    /// From `SMALL` names on: each name, and the number with which the search for a free one goes on.
    next_numbers: HashMap<String, usize>,
}

impl FieldList {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            bytes: 0,
            fields: Vec::new(),
            next_numbers: HashMap::new(),
        }
    }

    /// Appends a field, or says in a sentence without values which limit keeps it out.
    pub(super) fn push(&mut self, name: &str, value: Option<String>) -> Result<(), String> {
        if self.fields.len() >= self.limits.max_fields {
            return Err(format!("the row has more than {} fields", self.limits.max_fields));
        }
        let free = if self.has(name) { self.free_name(name) } else { name.to_owned() };
        self.bytes += free.len() + value.as_ref().map_or(0, String::len);
        self.limits.check_field_bytes(self.bytes)?;
        if self.fields.len() + 1 == SMALL {
            self.next_numbers = self.fields.iter().map(|(name, _)| (name.to_string(), 2)).collect();
        }
        if self.fields.len() + 1 >= SMALL {
            self.next_numbers.insert(free.clone(), 2);
        }
        self.fields.push((Cow::Owned(free), value.map(Cow::Owned)));
        Ok(())
    }

    /// Gives the row's fields out and is empty again.
    pub(super) fn take(&mut self) -> Fields<'static> {
        self.next_numbers.clear();
        self.bytes = 0;
        let room = Vec::with_capacity(self.fields.len());
        Fields::from_unique(std::mem::replace(&mut self.fields, room))
    }

    pub(super) fn clear(&mut self) {
        self.next_numbers.clear();
        self.bytes = 0;
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
            let (mut list, mut expected) = (FieldList::new(Limits::default()), Fields::default());
            for name in names {
                list.push(&name, Some(String::new())).unwrap();
                expected.push(name, Some(""));
            }
            prop_assert_eq!(list.take(), expected);
        }
    }

    #[test]
    fn a_list_begins_anew_after_it_gave_its_fields_out() {
        let mut list = FieldList::new(Limits {
            max_fields: 40,
            max_row_bytes: 200,
            ..Limits::default()
        });
        for _ in 0..2 {
            (0..40).for_each(|_| list.push("abc", Some("12".to_owned())).unwrap());
            assert_eq!(list.take().len(), 40);
        }
        (0..40).for_each(|_| list.push("abc", Some("12".to_owned())).unwrap());
        list.clear();
        list.push("a", None).unwrap();
        assert_eq!(list.take().get("a"), Some(None));
    }
}
