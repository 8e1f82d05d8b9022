//! What an archive knows about results already.

use std::collections::{BTreeSet, HashMap};

use scoresync_domain::{ContentHash, Refusal, ResultId, Status};

use crate::record::{Content, Head, RefusedScore, RefusedStatement};

/// A row of `training_record`.
#[derive(Clone, Debug)]
pub(crate) struct KnownRecord {
    pub(crate) head: Head<'static>,
    pub(crate) owner_employee_no: Option<String>,
    pub(crate) owner_decision: i64,
    /// Status and hash of what is shown, where the record is a withdrawal.
    pub(crate) shown_instead: Option<(Status, ContentHash)>,
    /// What is shown, and its number.
    pub(crate) shown: Option<(i32, Content<'static>)>,
}

/// A row of `score_history`.
#[derive(Clone, Debug)]
pub(crate) struct KnownHistory {
    pub(crate) head: Head<'static>,
    pub(crate) content_number: i32,
    pub(crate) content: Option<Content<'static>>,
}

/// All rows about one result.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownResult {
    pub(crate) record: Option<KnownRecord>,
    pub(crate) history: Vec<KnownHistory>,
    /// What was refused because it names another employee.
    pub(crate) refused: Vec<RefusedStatement>,
}

/// All rows about some results.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    pub(crate) results: HashMap<ResultId, KnownResult>,
}

impl Known {
    pub(crate) fn add_record(&mut self, (result_id, record): (ResultId, KnownRecord)) {
        self.results.entry(result_id).or_default().record = Some(record);
    }

    pub(crate) fn add_history(&mut self, (result_id, history): (ResultId, KnownHistory)) {
        self.results.entry(result_id).or_default().history.push(history);
    }

    /// Only what was refused over its owner can come to count.
    pub(crate) fn add_refused(&mut self, refused: RefusedScore) {
        if let (Refusal::OwnerChanged, Ok(statement)) = (refused.reason, refused.score) {
            self.results.entry(statement.result_id).or_default().refused.push(statement);
        }
    }

    /// Every employee number that the rows name.
    pub(crate) fn employee_numbers(&self) -> BTreeSet<String> {
        let mut numbers = BTreeSet::new();
        for known in self.results.values() {
            let records = known.record.iter();
            numbers.extend(records.clone().filter_map(|record| record.owner_employee_no.clone()));
            let heads = records.map(|record| &record.head);
            let heads = heads.chain(known.history.iter().map(|history| &history.head));
            let heads = heads.chain(known.refused.iter().map(|refused| &refused.head));
            numbers.extend(heads.filter_map(|head| head.employee_no.as_deref().map(str::to_owned)));
        }
        numbers
    }
}
