//! The contents of one result, each under a number: a statement that says nothing new refers to it and is stored without.

use std::collections::{BTreeMap, HashMap, HashSet};

use scoresync_domain::ContentHash;

use crate::{error::Failure, record::Content};

#[derive(Debug, Default)]
pub(crate) struct Contents<'a> {
    by_number: BTreeMap<i32, Content<'a>>,
    by_hash: HashMap<ContentHash, Vec<i32>>,
    /// Numbers whose content stands in a row of history.
    in_history: HashSet<i32>,
}

impl<'a> Contents<'a> {
    /// Takes note that a known statement of this hash has the content of this number.
    pub(crate) fn refer(&mut self, hash: ContentHash, number: i32) {
        let numbers = self.by_hash.entry(hash).or_default();
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }

    pub(crate) fn hold(&mut self, number: i32, content: Content<'a>) {
        self.by_number.insert(number, content);
    }

    pub(crate) fn hold_in_history(&mut self, number: i32, content: Content<'a>) {
        self.hold(number, content);
        self.in_history.insert(number);
    }

    /// The number of a content that a new statement of this hash has.
    pub(crate) fn number_of(&mut self, hash: ContentHash, content: Content<'a>) -> i32 {
        let numbers = self.by_hash.get(&hash).map(Vec::as_slice).unwrap_or_default();
        if let Some(known) = numbers.iter().find(|number| self.by_number.get(number) == Some(&content)) {
            return *known;
        }
        let number = self.by_number.last_key_value().map_or(0, |(greatest, _)| greatest + 1);
        self.hold(number, content);
        self.refer(hash, number);
        number
    }

    pub(crate) fn is_in_history(&self, number: i32) -> bool {
        self.in_history.contains(&number)
    }

    /// A copy of the content to be written.
    pub(crate) fn get(&self, number: i32) -> Result<Content<'a>, Failure> {
        let content = self.by_number.get(&number).cloned();
        content.ok_or_else(|| Failure::environment("a row of score_history refers to a content that is in no row; was it changed by hand?"))
    }
}
