//! What an archive knows about results already.

use std::collections::{BTreeSet, HashMap};

use scoresync_domain::{ContentHash, Origin, Refusal, ResultId, Status};

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
    /// Whether statements elsewhere cannot be judged without it.
    pub(crate) speaks: bool,
    pub(crate) content: Option<Box<Content<'static>>>,
}

/// What has to be known of one result in order to judge some statements about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownResult {
    pub(crate) record: Option<KnownRecord>,
    /// The rows that speak, those that hold a content, and all about the origins of the new statements; or every row.
    pub(crate) history: Vec<KnownHistory>,
    /// Whether every row of history is there.
    pub(crate) has_all_history: bool,
    /// What was refused because it names another employee and is to be judged again.
    pub(crate) refused: Vec<RefusedStatement>,
}

/// New statements by result.
pub(crate) type Newcomers<'n> = [(ResultId, &'n Head<'n>)];

/// What has to be known of some results.
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

    pub(crate) fn result_ids(&self) -> Vec<ResultId> {
        let mut ids: Vec<ResultId> = self.results.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// The results about which somebody decides anew, so that what was refused comes to count.
    pub(crate) fn decided_by(&self, newcomers: &Newcomers<'_>) -> Vec<ResultId> {
        let decides = |(result_id, head): &&(ResultId, &Head<'_>)| {
            let record = self.results.get(result_id).and_then(|known| known.record.as_ref());
            head.employee_no.is_some() && record.is_some_and(|record| head.decision > record.owner_decision)
        };
        distinct(newcomers.iter().filter(decides).map(|(result_id, _)| *result_id))
    }

    /// The origins of the new statements and of those that are judged again.
    pub(crate) fn origins(&self, newcomers: &Newcomers<'_>) -> BTreeSet<(ResultId, Origin)> {
        let refused = self.results.values().flat_map(|known| &known.refused);
        let refused = refused.map(|refused| (refused.result_id, refused.head.origin));
        let newcomers = newcomers.iter().map(|(result_id, head)| (*result_id, head.origin));
        newcomers.chain(refused).collect()
    }

    /// The results where an origin that speaks for a version may say something else now: another row has to speak for the version then.
    pub(crate) fn silenced_by(&self, newcomers: &Newcomers<'_>) -> Vec<ResultId> {
        let refused = self.results.values().flat_map(|known| &known.refused);
        let refused = refused.map(|refused| (refused.result_id, &refused.head));
        let newcomers = newcomers.iter().map(|(result_id, head)| (*result_id, *head));
        let speaking = self.speaking();
        let silences = |(result_id, head): &(ResultId, &Head<'_>)| {
            speaking.get(&(*result_id, head.origin)).is_some_and(|spoken| {
                let says_the_same = spoken.version() == head.version() && spoken.revision == head.revision && spoken.repeat == head.repeat;
                !says_the_same && head.precedence() > spoken.precedence()
            })
        };
        distinct(newcomers.chain(refused).filter(silences).map(|(result_id, _)| result_id))
    }

    fn speaking(&self) -> HashMap<(ResultId, Origin), &Head<'static>> {
        let heads = self.results.iter().flat_map(|(result_id, known)| {
            let speaking = known.history.iter().filter(|row| row.speaks).map(|row| &row.head);
            let heads = speaking.chain(known.record.iter().map(|record| &record.head));
            heads.map(|head| ((*result_id, head.origin), head))
        });
        heads.collect()
    }

    /// Makes room for every row of history of these results.
    pub(crate) fn expect_all_history(&mut self, results: &[ResultId]) {
        for result_id in results {
            let known = self.results.entry(*result_id).or_default();
            known.history.clear();
            known.has_all_history = true;
        }
    }

    pub(crate) fn has_record(&self, result_id: ResultId) -> bool {
        self.results.get(&result_id).is_some_and(|known| known.record.is_some())
    }

    /// Everybody whom the record of a result, or what was refused about it, names.
    pub(crate) fn numbers_of(&self, result_id: ResultId) -> impl Iterator<Item = &str> {
        self.results.get(&result_id).into_iter().flat_map(|known| {
            let owner = known.record.iter().filter_map(|record| record.owner_employee_no.as_deref());
            let refused = known.refused.iter().filter_map(|refused| refused.head.employee_no.as_deref());
            owner.chain(refused)
        })
    }
}

fn distinct(results: impl Iterator<Item = ResultId>) -> Vec<ResultId> {
    results.collect::<BTreeSet<_>>().into_iter().collect()
}
