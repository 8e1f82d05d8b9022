//! The archive as a plain model: a list of statements per result, judged as a whole each time one arrives.

use std::collections::{BTreeMap, HashMap};

use scoresync_domain::{
    EnrichedScore, Fate, Origin, ResultId,
    rule::{Judgement, Statement, judge},
};

/// A place in `scores.enriched`: partition and offset.
pub(crate) type Place = (i32, i64);

#[derive(Clone)]
pub(crate) struct Arrival {
    pub(crate) place: Place,
    pub(crate) score: EnrichedScore<'static>,
}

#[derive(Default)]
pub(crate) struct ModelResult {
    counting: Vec<Arrival>,
    refused: Vec<Arrival>,
    /// Everything that ever arrived, in order.
    all: Vec<Arrival>,
}

#[derive(Default)]
pub(crate) struct Model {
    links: HashMap<String, String>,
    pub(crate) results: HashMap<ResultId, ModelResult>,
    pub(crate) fates: BTreeMap<Place, Fate>,
}

/// What tells statements apart: copies of one are one.
pub(crate) type Key = (Origin, i32, i64, Option<String>);

pub(crate) fn key(score: &EnrichedScore<'_>) -> Key {
    let employee_no = score.employee_no.as_deref().map(str::to_owned);
    (score.origin, score.mapping_version, score.decision, employee_no)
}

impl Model {
    pub(crate) fn last(&self, employee_no: &str) -> String {
        let mut last = employee_no;
        while let Some(next) = self.links.get(last) {
            last = next;
        }
        last.to_owned()
    }

    fn statement(&self, score: &EnrichedScore<'_>) -> Statement {
        let statement = score.statement();
        Statement {
            employee_no: statement.employee_no.as_deref().map(|named| self.last(named)),
            ..statement
        }
    }

    fn judge(&self, arrivals: &[Arrival]) -> (Vec<Statement>, Judgement) {
        let statements: Vec<Statement> = arrivals.iter().map(|arrival| self.statement(&arrival.score)).collect();
        let judgement = judge(&statements);
        (statements, judgement)
    }

    pub(crate) fn arrive(&mut self, arrival: Arrival) {
        let result_id = arrival.score.result_id;
        let mut result = self.results.remove(&result_id).unwrap_or_default();
        result.all.push(arrival.clone());
        let before = self.judge(&result.counting).1.decision;
        self.offer(&mut result, arrival);
        if self.judge(&result.counting).1.decision != before {
            self.offer_refused(&mut result);
        }
        self.results.insert(result_id, result);
    }

    fn offer_refused(&mut self, result: &mut ModelResult) {
        for refused in std::mem::take(&mut result.refused) {
            self.offer(result, refused);
        }
    }

    fn offer(&mut self, result: &mut ModelResult, arrival: Arrival) {
        let known = |counting: &Arrival| key(&counting.score) == key(&arrival.score);
        let (statements, before) = self.judge(&result.counting);
        let (all, after) = self.judge(&[&result.counting[..], std::slice::from_ref(&arrival)].concat());
        let view = |statements: &[Statement], judgement: &Judgement| {
            let version = |number: Option<usize>| number.map(|number| statements[number].version());
            (judgement.owner.clone(), version(judgement.record), version(judgement.shown))
        };
        let refused = after.refused.contains(&result.counting.len());
        let is_copy = result.counting.iter().any(known);
        let fate = if is_copy {
            Fate::Duplicate
        } else if refused {
            Fate::Refused
        } else if view(&statements, &before) != view(&all, &after) {
            Fate::Filed
        } else if before.versions.contains_key(&all[all.len() - 1].version()) {
            Fate::Duplicate
        } else {
            Fate::Superseded
        };
        self.fates.insert(arrival.place, fate);
        if fate == Fate::Refused {
            result.refused.push(arrival);
        } else if !is_copy {
            result.counting.push(arrival);
        }
    }

    pub(crate) fn link(&mut self, employee_no: &str, replaced_by: &str) {
        self.links.insert(employee_no.to_owned(), replaced_by.to_owned());
        for result_id in self.results.keys().copied().collect::<Vec<_>>() {
            let mut result = self.results.remove(&result_id).unwrap_or_default();
            self.offer_refused(&mut result);
            self.results.insert(result_id, result);
        }
    }

    /// The rule over everything that arrived about a result: the record, what it shows, the owner, and what is refused.
    pub(crate) fn judge_all(&self, result: &ModelResult) -> Expected {
        let (_, judgement) = self.judge(&result.all);
        let at = |number: usize| result.all[number].score.clone();
        Expected {
            owner: judgement.owner.clone(),
            record: judgement.record.map(at),
            shown: judgement.shown.map(at),
            refused: judgement.refused.iter().map(|&number| result.all[number].place).collect(),
        }
    }

    /// Every statement that counts or counted, once.
    pub(crate) fn counting<'a>(&self, result: &'a ModelResult) -> BTreeMap<Key, &'a EnrichedScore<'static>> {
        result
            .counting
            .iter()
            .map(|arrival| (key(&arrival.score), &arrival.score))
            .collect()
    }

    pub(crate) fn count_refused(&self) -> usize {
        self.results.values().map(|result| result.refused.len()).sum()
    }
}

pub(crate) struct Expected {
    pub(crate) owner: Option<String>,
    pub(crate) record: Option<EnrichedScore<'static>>,
    pub(crate) shown: Option<EnrichedScore<'static>>,
    pub(crate) refused: Vec<Place>,
}
