//! What is to be written after judging: rows, and what became of whom.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use scoresync_domain::{ContentHash, Fate, Refusal, ResultId, Status};

use super::{Known, Ledger, Statement, Successors, ledger::Standing};
use crate::{
    EnrichedPosition,
    error::Failure,
    record::{Content, Head},
};

/// A row of `training_record` to be written.
#[derive(Debug)]
pub(crate) struct RecordRow<'a> {
    pub(crate) result_id: ResultId,
    pub(crate) head: Head<'a>,
    pub(crate) owner_employee_no: Option<Cow<'a, str>>,
    pub(crate) owner_decision: i64,
    pub(crate) shown_instead: Option<(Status, ContentHash)>,
    pub(crate) shown: Option<(i32, Content<'a>)>,
}

/// A row of `score_history` to be written; without content where that stands in another row.
#[derive(Debug)]
pub(crate) struct HistoryRow<'a> {
    pub(crate) result_id: ResultId,
    pub(crate) head: Head<'a>,
    pub(crate) content_number: i32,
    /// Whether statements elsewhere cannot be judged without it.
    pub(crate) speaks: bool,
    pub(crate) content: Option<Content<'a>>,
}

/// A row of `refused_score` to be written.
#[derive(Debug)]
pub(crate) enum RefusedRow<'a> {
    Undecodable { position: EnrichedPosition, bytes: Cow<'a, [u8]> },
    Readable(Box<ReadableRefusal<'a>>),
}

/// A refusal of what could be decoded.
#[derive(Debug)]
pub(crate) struct ReadableRefusal<'a> {
    pub(crate) reason: Refusal,
    pub(crate) result_id: ResultId,
    pub(crate) head: Head<'a>,
    pub(crate) content: Content<'a>,
}

impl<'a> ReadableRefusal<'a> {
    pub(crate) fn row(self) -> RefusedRow<'a> {
        RefusedRow::Readable(Box::new(self))
    }
}

/// What is added to how many positions of a generation and partition came to a fate.
pub(crate) type Tally = BTreeMap<(i32, i32, Fate), i64>;

/// Everything that is to be written for some results.
#[derive(Debug, Default)]
pub(crate) struct Plan<'a> {
    pub(crate) records: Vec<RecordRow<'a>>,
    pub(crate) history: Vec<HistoryRow<'a>>,
    pub(crate) refused: Vec<RefusedRow<'a>>,
    pub(crate) verdicts: Verdicts,
}

/// What became of statements.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// Earlier refusals that count now.
    pub(crate) released: Vec<(EnrichedPosition, Fate)>,
    /// The fates of entries by their number, in the order in which they were judged: of one that is judged again the last counts.
    pub(crate) fates: Vec<(usize, Fate)>,
}

impl Verdicts {
    /// A statement that is its result's first record.
    pub(crate) fn file(&mut self, statement: &Statement<'_>) {
        self.fates.push((statement.number, Fate::Filed));
    }

    pub(crate) fn add(&mut self, others: Self) {
        self.released.extend(others.released);
        self.fates.extend(others.fates);
    }

    /// How many earlier refusals came to each fate.
    pub(crate) fn released_fates(&self) -> BTreeMap<Fate, u64> {
        let mut fates = BTreeMap::new();
        for (_, fate) in &self.released {
            *fates.entry(*fate).or_insert(0) += 1;
        }
        fates
    }

    /// How many positions came to each fate, with what moves from `refused`.
    pub(crate) fn moved_counts(&self) -> Tally {
        let mut counts = Tally::new();
        for (position, fate) in &self.released {
            *counts.entry((position.generation, position.partition, Fate::Refused)).or_insert(0) -= 1;
            *counts.entry((position.generation, position.partition, *fate)).or_insert(0) += 1;
        }
        counts
    }
}

impl<'a> Plan<'a> {
    /// Adds what one result asks for.
    pub(crate) fn add(&mut self, ledger: Ledger<'a>) -> Result<(), Failure> {
        for outcome in &ledger.outcomes {
            match (outcome.entry, outcome.fate) {
                (Some(entry), fate) => self.verdicts.fates.push((entry, fate)),
                (None, Fate::Refused) => {}
                (None, fate) => self.verdicts.released.push((outcome.arrived, fate)),
            }
        }
        self.add_rows(&ledger)?;
        let result_id = ledger.result_id;
        let newly_refused = ledger.waiting.into_iter().filter(|newcomer| newcomer.entry.is_some());
        let rows = newly_refused.map(|newcomer| ReadableRefusal {
            reason: Refusal::OwnerChanged,
            result_id,
            head: newcomer.head,
            content: newcomer.content,
        });
        self.refused.extend(rows.map(ReadableRefusal::row));
        Ok(())
    }

    fn add_rows(&mut self, ledger: &Ledger<'a>) -> Result<(), Failure> {
        let Some(record) = ledger.versions.record() else {
            return Ok(());
        };
        let standing = new_standing(ledger, record);
        self.add_history(ledger, &standing)?;
        if ledger.standing.as_ref() == Some(&standing) {
            return Ok(());
        }
        let shown = standing
            .shown_number
            .map(|number| ledger.contents.get(number).map(|content| (number, content)));
        self.records.push(RecordRow {
            result_id: ledger.result_id,
            head: ledger.members[record].head.clone(),
            owner_employee_no: standing.owner_employee_no.map(Cow::Owned),
            owner_decision: standing.owner_decision,
            shown_instead: standing.shown_instead,
            shown: shown.transpose()?,
        });
        Ok(())
    }

    /// Adds the rows that are missing or speak otherwise now, and the content to one row of each number that would stand nowhere any more.
    fn add_history(&mut self, ledger: &Ledger<'a>, standing: &Standing) -> Result<(), Failure> {
        let stands_in_record =
            |number: usize| standing.member == Some(number) && standing.shown_instead.is_none() && standing.shown_number.is_some();
        let mut placed: HashSet<i32> = standing.shown_number.into_iter().collect();
        // Rows that are written anyway take a content before a row that is there already is touched.
        let (missing, there): (Vec<_>, Vec<_>) = ledger
            .members
            .iter()
            .enumerate()
            .filter(|(number, member)| member.row.is_some() || !stands_in_record(*number))
            .partition(|(_, member)| member.row.is_none());
        for (number, member) in missing.into_iter().chain(there) {
            let content_number = member.content_number;
            let speaks = ledger.versions.speaks(number);
            let takes_content = !ledger.contents.is_in_history(content_number) && placed.insert(content_number);
            if takes_content || member.row.is_none_or(|row| row.speaks != speaks) {
                let holds_content = takes_content || member.row.is_some_and(|row| row.holds_content);
                self.history.push(HistoryRow {
                    result_id: ledger.result_id,
                    head: member.head.clone(),
                    content_number,
                    speaks,
                    content: holds_content.then(|| ledger.contents.get(content_number)).transpose()?,
                });
            }
        }
        Ok(())
    }
}

/// Judges what was refused about these results again, now that who replaced whom has changed.
pub(crate) fn judge_refusals_again<'a>(known: Known, successors: &'a Successors) -> Result<Plan<'a>, Failure> {
    let mut plan = Plan::default();
    for (result_id, known) in known.results {
        let mut ledger = Ledger::open((result_id, known), &[], successors);
        ledger.judge_refusals_again();
        plan.add(ledger)?;
    }
    Ok(plan)
}

fn new_standing(ledger: &Ledger<'_>, record: usize) -> Standing {
    let shown = ledger.versions.shown();
    let withdrawn = shown != Some(record);
    let shown = shown.map(|shown| &ledger.members[shown]);
    Standing {
        member: Some(record),
        shown_number: shown.map(|shown| shown.content_number),
        shown_instead: shown
            .filter(|_| withdrawn)
            .map(|shown| (shown.head.status, shown.head.content_hash)),
        owner_employee_no: ledger.owner.as_ref().map(|owner| owner.named.clone()),
        owner_decision: ledger.decision(),
    }
}
