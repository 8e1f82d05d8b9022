//! What is known about one result, and the new statements about it: admitted one at a time, each judged with everything that counts.

use std::collections::{HashMap, HashSet};

use scoresync_domain::{ContentHash, Fate, Origin, ResultId, Status, rule::VersionKey};
use scoresync_fault_points::{self as fault_points, Bug};

use super::{KnownHistory, KnownRecord, KnownResult, Successors, contents::Contents, versions::Versions};
use crate::{
    EnrichedPosition,
    record::{Content, Head, RefusedStatement},
};

/// A statement that asks to count.
#[derive(Clone, Debug)]
pub(crate) struct Newcomer<'a> {
    /// Its number in the call, or `None` for an earlier refusal that is judged again.
    pub(crate) entry: Option<usize>,
    pub(crate) head: Head<'a>,
    pub(crate) content: Content<'a>,
}

impl From<RefusedStatement> for Newcomer<'static> {
    fn from(refused: RefusedStatement) -> Self {
        Self {
            entry: None,
            head: refused.head,
            content: refused.content,
        }
    }
}

/// What became of a newcomer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) entry: Option<usize>,
    pub(crate) arrived: EnrichedPosition,
    pub(crate) fate: Fate,
}

/// A statement that counts or counted, as far as it matters here.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) head: Head<'a>,
    pub(super) content_number: i32,
    /// Its row of history, where there is one.
    pub(super) row: Option<StoredRow>,
}

/// What a row of history holds beside the head.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredRow {
    pub(super) speaks: bool,
    pub(super) holds_content: bool,
}

/// Whose the record is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Owner {
    /// In the words of the statement that names them, which no later `replaced_by` changes; readers follow it.
    pub(super) named: String,
    /// After following `replaced_by`.
    last: String,
    pub(super) decision: i64,
}

/// What the row of `training_record` says so far.
#[derive(Debug, PartialEq)]
pub(super) struct Standing {
    pub(super) member: Option<usize>,
    pub(super) shown_number: Option<i32>,
    pub(super) shown_instead: Option<(Status, ContentHash)>,
    pub(super) owner_employee_no: Option<String>,
    pub(super) owner_decision: i64,
}

/// Everything that matters about one result.
#[derive(Debug)]
pub(crate) struct Ledger<'a> {
    pub(super) result_id: ResultId,
    successors: &'a Successors,
    pub(super) contents: Contents<'a>,
    pub(super) members: Vec<Member<'a>>,
    by_origin: HashMap<Origin, Vec<usize>>,
    /// The members by the same numbers.
    pub(super) versions: Versions,
    pub(super) owner: Option<Owner>,
    /// Refused for now.
    pub(super) waiting: Vec<Newcomer<'a>>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) standing: Option<Standing>,
}

impl<'a> Ledger<'a> {
    /// Opens the ledger with what is known. Whatever counts goes on counting, even if a `replaced_by` that let it was taken back.
    pub(crate) fn open((result_id, known): (ResultId, KnownResult), newcomers: &[Newcomer<'_>], successors: &'a Successors) -> Self {
        let mut ledger = Self {
            result_id,
            successors,
            contents: Contents::default(),
            members: Vec::new(),
            by_origin: HashMap::new(),
            versions: Versions::default(),
            owner: None,
            waiting: known.refused.into_iter().map(Newcomer::from).collect(),
            outcomes: Vec::new(),
            standing: None,
        };
        ledger.waiting.sort_by_key(|newcomer| newcomer.head.arrived);
        let heads = newcomers.iter().map(|newcomer| &newcomer.head);
        let origins: HashSet<Origin> = heads
            .map(|head| head.origin)
            .chain(ledger.waiting.iter().map(|newcomer| newcomer.head.origin))
            .collect();
        for row in known.history {
            let is_judged = known.has_all_history || row.speaks || origins.contains(&row.head.origin);
            ledger.take_row(row, is_judged);
        }
        if let Some(record) = known.record {
            ledger.take_record(record);
        }
        ledger
    }

    /// Of an origin that is not known as a whole, a row that only holds a content says nothing about what counts.
    fn take_row(&mut self, row: KnownHistory, is_judged: bool) {
        let stored = StoredRow {
            speaks: row.speaks,
            holds_content: row.content.is_some(),
        };
        self.contents.refer(row.head.content_hash, row.content_number);
        if let Some(content) = row.content {
            self.contents.hold_in_history(row.content_number, *content);
        }
        if is_judged {
            self.add_member(Member {
                head: row.head,
                content_number: row.content_number,
                row: Some(stored),
            });
        }
    }

    /// The record shows a content and, unless it is withdrawn, is the statement that has it.
    fn take_record(&mut self, record: KnownRecord) {
        self.owner = record.owner_employee_no.as_ref().map(|named| Owner {
            named: named.clone(),
            last: self.successors.last(named).to_owned(),
            decision: record.owner_decision,
        });
        let mut member = self.copy_of(&record.head);
        if let Some((number, content)) = &record.shown {
            let (_, hash) = record.shown_instead.unwrap_or((record.head.status, record.head.content_hash));
            self.contents.hold(*number, content.clone());
            self.contents.refer(hash, *number);
            member = member.or_else(|| {
                Some(self.add_member(Member {
                    head: record.head,
                    content_number: *number,
                    row: None,
                }))
            });
        }
        self.standing = Some(Standing {
            member,
            shown_number: record.shown.map(|(number, _)| number),
            shown_instead: record.shown_instead,
            owner_employee_no: record.owner_employee_no,
            owner_decision: record.owner_decision,
        });
    }

    fn add_member(&mut self, member: Member<'a>) -> usize {
        let number = self.members.len();
        self.by_origin.entry(member.head.origin).or_default().push(number);
        self.versions.admit(&member.head);
        self.members.push(member);
        number
    }

    fn copy_of(&self, head: &Head<'_>) -> Option<usize> {
        let mut same_origin = self.by_origin.get(&head.origin)?.iter().copied();
        same_origin.find(|&number| self.members[number].head.is_copy_of(head))
    }

    /// Judges a new statement. Where somebody decides anew who the owner is, what was refused is judged again.
    pub(crate) fn admit(&mut self, newcomer: Newcomer<'a>) {
        let decision = self.decision();
        self.judge_newcomer(newcomer);
        if self.decision() != decision {
            self.judge_refusals_again();
        }
    }

    /// Admits what was refused and need not be any longer, in order of arrival.
    pub(crate) fn judge_refusals_again(&mut self) {
        for newcomer in std::mem::take(&mut self.waiting) {
            self.judge_newcomer(newcomer);
        }
    }

    pub(super) fn decision(&self) -> i64 {
        self.owner.as_ref().map_or(0, |owner| owner.decision)
    }

    fn judge_newcomer(&mut self, newcomer: Newcomer<'a>) {
        let fate = if self.copy_of(&newcomer.head).is_some() {
            Fate::Duplicate
        } else if self.names_another(&newcomer.head) {
            Fate::Refused
        } else {
            self.count(&newcomer.head, newcomer.content.clone())
        };
        self.outcomes.push(Outcome {
            entry: newcomer.entry,
            arrived: newcomer.head.arrived,
            fate,
        });
        if fate == Fate::Refused {
            self.waiting.push(newcomer);
        }
    }

    fn names_another(&self, head: &Head<'_>) -> bool {
        let (Some(named), Some(owner)) = (head.employee_no.as_deref(), &self.owner) else {
            return false;
        };
        if fault_points::has(Bug::OwnerChangedSilently) {
            return false;
        }
        head.decision == owner.decision && self.successors.last(named) != owner.last
    }

    fn count(&mut self, head: &Head<'a>, content: Content<'a>) -> Fate {
        let (before, version_is_known) = (self.view(), self.versions.knows(&head.version()));
        self.name_owner(head);
        let content_number = self.contents.number_of(head.content_hash, content);
        self.add_member(Member {
            head: head.clone(),
            content_number,
            row: None,
        });
        if before != self.view() {
            Fate::Filed
        } else if version_is_known {
            Fate::Duplicate
        } else {
            Fate::Superseded
        }
    }

    /// The first of the greatest decision names the owner. Whoever counts and arrived earlier than a known owner's statement is of an earlier
    /// decision, or agrees.
    fn name_owner(&mut self, head: &Head<'_>) {
        let Some(named) = head.employee_no.as_deref() else { return };
        let is_first = self.owner.as_ref().is_none_or(|owner| head.decision > owner.decision);
        if is_first || fault_points::has(Bug::OwnerChangedSilently) {
            self.owner = Some(Owner {
                named: named.to_owned(),
                last: self.successors.last(named).to_owned(),
                decision: head.decision,
            });
        }
    }

    /// What the record shows: a statement that changes it is filed.
    fn view(&self) -> Option<(Option<String>, VersionKey, Option<VersionKey>)> {
        let owner = self.owner.as_ref().map(|owner| owner.last.clone());
        let (record, shown) = (self.versions.record()?, self.versions.shown());
        Some((
            owner,
            self.versions.version(record),
            shown.map(|shown| self.versions.version(shown)),
        ))
    }
}
