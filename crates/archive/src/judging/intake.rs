//! Sorting a call's entries: by result, and those apart that no judging can help.

use std::borrow::Cow;

use scoresync_domain::{EnrichedScore, Fate, Refusal, ResultId, Status};

use super::{Newcomer, ReadableRefusal, RecordRow, RefusedRow, Tally, Verdicts};
use crate::{
    Applied, Batch, EnrichedPosition, Entry,
    bisection::Selection,
    employees::is_usable,
    escape::escape,
    record::{Content, Head},
};

/// An entry and where it stood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived<'a> {
    pub(crate) position: EnrichedPosition,
    entry: &'a Entry<'a>,
}

/// A readable entry, by its number in the call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Statement<'a> {
    pub(super) number: usize,
    position: EnrichedPosition,
    score: &'a EnrichedScore<'a>,
}

/// All entries of a call, sorted.
#[derive(Debug)]
pub(crate) struct Intake<'a> {
    entries: Vec<Arrived<'a>>,
    /// By result and, of one result, in order of arrival.
    statements: Vec<Statement<'a>>,
    /// Entries that no judging can help.
    refused: Vec<(usize, Refusal)>,
}

impl<'a> Statement<'a> {
    pub(crate) const fn result_id(&self) -> ResultId {
        self.score.result_id
    }

    /// The record where nothing else is known of the result.
    pub(crate) fn first_record(&self) -> RecordRow<'a> {
        let head = Head::of(self.score, self.position);
        RecordRow {
            result_id: self.score.result_id,
            owner_employee_no: head.employee_no.clone(),
            owner_decision: head.decision,
            head,
            shown_instead: None,
            shown: Some((0, Content::of(self.score))),
        }
    }

    pub(super) fn newcomer(&self) -> Newcomer<'a> {
        Newcomer {
            entry: Some(self.number),
            head: Head::of(self.score, self.position),
            content: Content::of(self.score),
        }
    }
}

/// The one statement about a result that becomes its first record without being judged; `None` where there are several, or a withdrawal.
pub(crate) fn only_one<'s, 'a>(said: &'s [Statement<'a>]) -> Option<&'s Statement<'a>> {
    match said {
        [only] if only.score.status != Status::Withdrawn => Some(only),
        _ => None,
    }
}

impl<'a> Intake<'a> {
    /// Sorts the entries that the selection takes, batch after batch.
    pub(crate) fn sort(batches: &'a [Batch<'a>], selection: &Selection) -> Self {
        let entries: Vec<Arrived<'a>> = batches.iter().flat_map(arrivals).collect();
        let mut statements = Vec::with_capacity(entries.len());
        let mut refused = Vec::new();
        let taken = entries.iter().enumerate().filter(|(number, _)| selection.takes(*number));
        for (number, &Arrived { position, entry }) in taken {
            match &entry.score {
                Err(_) => refused.push((number, Refusal::Undecodable)),
                Ok(score) if selection.set_aside.contains(&number) || !is_storable(score) => refused.push((number, Refusal::Constraint)),
                Ok(score) => statements.push(Statement { number, position, score }),
            }
        }
        statements.sort_by_key(Statement::result_id);
        Self {
            entries,
            statements,
            refused,
        }
    }

    /// What is said about each result, the results in their order.
    pub(crate) fn by_result(&self) -> Vec<&[Statement<'a>]> {
        self.statements
            .chunk_by(|one, other| one.result_id() == other.result_id())
            .collect()
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
        for (number, fate) in &verdicts.fates {
            applied.fates[*number] = *fate;
        }
        for (_, reason) in &self.refused {
            *applied.refused.entry(*reason).or_default() += 1;
        }
        // Some that were refused are judged again in the same call: what counts is how they ended.
        let refused = applied.fates.iter().filter(|fate| **fate == Fate::Refused).count();
        let owner_changed = refused.saturating_sub(self.refused.len()) as u64;
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
