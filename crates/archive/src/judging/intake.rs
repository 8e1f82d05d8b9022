//! Sorting a call's entries by how they are applied: alone and new, or judged with others.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
};

use scoresync_domain::{EnrichedScore, Fate, Refusal, ResultId, Status};

use super::{Known, Ledger, Newcomer, Plan, ReadableRefusal, RefusedRow, Successors, Tally, Verdicts};
use crate::{
    Applied, Batch, EnrichedPosition, Entry,
    bisection::Selection,
    employees::is_usable,
    error::Failure,
    escape::escape,
    record::{Content, Head},
};

/// An entry and where it stood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) position: EnrichedPosition,
    entry: &'a Entry<'a>,
}

/// The only statement about its result in a call.
#[derive(Debug)]
pub(crate) struct Single<'a> {
    number: usize,
    pub(crate) result_id: ResultId,
    pub(crate) head: Head<'a>,
    pub(crate) content: Content<'a>,
}

/// All entries of a call, sorted.
#[derive(Debug)]
pub(crate) struct Intake<'a> {
    entries: Vec<Arrived<'a>>,
    /// To be inserted, if their results are new.
    pub(crate) singles: Vec<Single<'a>>,
    /// The others, by result in order of arrival.
    judged: BTreeMap<ResultId, Vec<Newcomer<'a>>>,
    /// Entries that no judging can help.
    refused: Vec<(usize, Refusal)>,
}

impl<'a> Intake<'a> {
    /// Sorts the entries that the selection takes, batch after batch.
    pub(crate) fn sort(batches: &'a [Batch<'a>], selection: &Selection) -> Self {
        let mut intake = Self {
            entries: batches.iter().flat_map(arrivals).collect(),
            singles: Vec::new(),
            judged: BTreeMap::new(),
            refused: Vec::new(),
        };
        let mut readable = Vec::with_capacity(intake.entries.len());
        let taken = intake.entries.iter().enumerate().filter(|(number, _)| selection.takes(*number));
        for (number, arrived) in taken {
            match &arrived.entry.score {
                Err(_) => intake.refused.push((number, Refusal::Undecodable)),
                Ok(score) if selection.set_aside.contains(&number) || !is_storable(score) => {
                    intake.refused.push((number, Refusal::Constraint))
                }
                Ok(score) => readable.push((number, arrived.position, score)),
            }
        }
        let mut said: HashMap<ResultId, usize> = HashMap::with_capacity(readable.len());
        for (_, _, score) in &readable {
            *said.entry(score.result_id).or_default() += 1;
        }
        for (number, position, score) in readable {
            let (head, content) = (Head::of(score, position), Content::of(score));
            let single = Single {
                number,
                result_id: score.result_id,
                head,
                content,
            };
            match said.get(&score.result_id) {
                Some(1) if score.status != Status::Withdrawn => intake.singles.push(single),
                _ => intake.judge_later(single),
            }
        }
        intake
    }

    fn judge_later(&mut self, single: Single<'a>) {
        let newcomer = Newcomer {
            entry: Some(single.number),
            head: single.head,
            content: single.content,
        };
        self.judged.entry(single.result_id).or_default().push(newcomer);
    }

    /// Takes note of which of the singles were new; the others are judged with what is known.
    pub(crate) fn landed(&mut self, inserted: &HashSet<ResultId>) {
        for single in std::mem::take(&mut self.singles) {
            if inserted.contains(&single.result_id) {
                self.singles.push(single);
            } else {
                self.judge_later(single);
            }
        }
    }

    /// The results that have to be judged with what is known of them.
    pub(crate) fn judged_results(&self) -> Vec<ResultId> {
        self.judged.keys().copied().collect()
    }

    /// What is judged about some results: their new statements.
    pub(crate) fn heads(&self, results: &[ResultId]) -> Vec<(ResultId, &Head<'a>)> {
        let judged = results.iter().filter_map(|result_id| self.judged.get_key_value(result_id));
        let heads = judged.flat_map(|(result_id, newcomers)| newcomers.iter().map(|newcomer| (*result_id, &newcomer.head)));
        heads.collect()
    }

    /// Judges some of the results that are not simply new.
    pub(crate) fn judge<'p>(&'p self, results: &[ResultId], (mut known, successors): (Known, &'p Successors)) -> Result<Plan<'p>, Failure> {
        let mut plan = Plan::default();
        for (result_id, newcomers) in results.iter().filter_map(|result_id| self.judged.get_key_value(result_id)) {
            let known = known.results.remove(result_id).unwrap_or_default();
            let mut ledger = Ledger::open((*result_id, known), newcomers, successors);
            for newcomer in newcomers {
                ledger.admit(newcomer.clone());
            }
            plan.add(ledger)?;
        }
        Ok(plan)
    }

    /// The rows of what no judging can help.
    pub(crate) fn refused_rows(&self) -> Vec<RefusedRow<'a>> {
        self.refused
            .iter()
            .filter_map(|&(number, reason)| self.refused_row(number, reason))
            .collect()
    }

    fn refused_row(&self, number: usize, reason: Refusal) -> Option<RefusedRow<'a>> {
        let arrived = self.entries[number];
        Some(match &arrived.entry.score {
            Err(record) => RefusedRow::Undecodable {
                position: arrived.position,
                bytes: Cow::Borrowed(&record.bytes),
            },
            Ok(score) => {
                let (mut head, mut content) = (Head::of(score, arrived.position), Content::of(score));
                head.texts_mut().chain(content.texts_mut()).for_each(escape);
                ReadableRefusal {
                    reason,
                    result_id: score.result_id,
                    head,
                    content,
                }
                .row()
            }
        })
    }

    /// What is told to the caller.
    pub(crate) fn report(&self, verdicts: &Verdicts) -> Applied {
        let mut applied = Applied {
            fates: vec![Fate::Refused; self.entries.len()],
            judged_again: verdicts.released_fates(),
            ..Applied::default()
        };
        for single in &self.singles {
            applied.fates[single.number] = Fate::Filed;
        }
        for (number, fate) in &verdicts.fates {
            applied.fates[*number] = *fate;
        }
        for (_, reason) in &self.refused {
            *applied.refused.entry(*reason).or_default() += 1;
        }
        let owner_changed = verdicts.fates.values().filter(|fate| **fate == Fate::Refused).count() as u64;
        if owner_changed > 0 {
            applied.refused.insert(Refusal::OwnerChanged, owner_changed);
        }
        applied
    }
}

/// How many positions came to each fate by the call; what was refused before moves.
pub(crate) fn tally(intake: &Intake<'_>, verdicts: &Verdicts, applied: &Applied) -> Tally {
    let mut tally = verdicts.moved_counts();
    for (arrived, fate) in intake.entries.iter().zip(&applied.fates) {
        *tally
            .entry((arrived.position.generation, arrived.position.partition, *fate))
            .or_default() += 1;
    }
    tally
}

fn arrivals<'a>(batch: &'a Batch<'a>) -> impl Iterator<Item = Arrived<'a>> {
    batch.entries.iter().map(|entry| Arrived {
        position: EnrichedPosition {
            generation: batch.partition.generation,
            partition: batch.partition.partition,
            offset: entry.offset,
        },
        entry,
    })
}

/// What the databases would refuse, or refuse only in the row that the statement comes to later.
fn is_storable(score: &EnrichedScore<'_>) -> bool {
    let employee_no = score.employee_no.as_deref().filter(|employee_no| !employee_no.is_empty());
    !holds_nul(score) && employee_no.is_none_or(is_usable)
}

/// PostgreSQL's texts cannot hold U+0000, and SQLite's functions stop at it: neither archive takes it.
fn holds_nul(score: &EnrichedScore<'_>) -> bool {
    let required = [&score.source, &score.system].into_iter();
    let optional = [
        &score.employee_no,
        &score.matched_by,
        &score.employee_name,
        &score.department,
        &score.position,
        &score.course_id,
        &score.course_title,
        &score.exam_id,
        &score.exam_title,
        &score.grade,
    ];
    let mut texts = required.chain(optional.into_iter().flatten());
    texts.any(|text| text.as_bytes().contains(&0))
}
