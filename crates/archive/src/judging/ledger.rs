//! All statements about one result: new ones are admitted one at a time, each judged with everything that counts.

use std::collections::HashMap;

use scoresync_domain::{
    ContentHash, Fate, Origin, ResultId, Status,
    rule::{Judgement, Statement, VersionKey, judge},
};

use super::{KnownRecord, KnownResult, Successors, contents::Contents};
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

/// A statement that counts or counted.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) head: Head<'a>,
    pub(super) content_number: i32,
    pub(super) in_history: bool,
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

/// Everything about one result.
#[derive(Debug)]
pub(crate) struct Ledger<'a> {
    pub(super) result_id: ResultId,
    successors: &'a Successors,
    pub(super) contents: Contents<'a>,
    pub(super) members: Vec<Member<'a>>,
    /// The members as the rule sees them.
    statements: Vec<Statement>,
    by_origin: HashMap<Origin, Vec<usize>>,
    pub(super) judgement: Judgement,
    /// Refused for now.
    pub(super) waiting: Vec<Newcomer<'a>>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) standing: Option<Standing>,
}

impl<'a> Ledger<'a> {
    /// Opens the ledger with what is known. Whatever counts goes on counting, even if a `replaced_by` that let it was taken back.
    pub(crate) fn open(result_id: ResultId, known: KnownResult, successors: &'a Successors) -> Self {
        let mut ledger = Self {
            result_id,
            successors,
            contents: Contents::default(),
            members: Vec::new(),
            statements: Vec::new(),
            by_origin: HashMap::new(),
            judgement: Judgement::default(),
            waiting: known.refused.into_iter().map(Newcomer::from).collect(),
            outcomes: Vec::new(),
            standing: None,
        };
        ledger.waiting.sort_by_key(|newcomer| newcomer.head.arrived);
        for row in known.history {
            ledger.contents.refer(row.head.content_hash, row.content_number);
            if let Some(content) = row.content {
                ledger.contents.hold_in_history(row.content_number, content);
            }
            ledger.members.push(Member {
                head: row.head,
                content_number: row.content_number,
                in_history: true,
            });
        }
        if let Some(record) = &known.record {
            ledger.take_shown(record);
        }
        ledger.members.sort_by_key(|member| member.head.arrived);
        ledger.judge_members(known.record.as_ref());
        ledger.standing = known.record.map(|record| ledger.standing_of(record));
        ledger
    }

    /// The record shows a content and, unless it is withdrawn, is the statement that has it.
    fn take_shown(&mut self, record: &KnownRecord) {
        let Some((number, content)) = &record.shown else {
            return;
        };
        let (_, hash) = record.shown_instead.unwrap_or((record.head.status, record.head.content_hash));
        self.contents.hold(*number, content.clone());
        self.contents.refer(hash, *number);
        if !self.members.iter().any(|member| member.head.is_copy_of(&record.head)) {
            self.members.push(Member {
                head: record.head.clone(),
                content_number: *number,
                in_history: false,
            });
        }
    }

    fn judge_members(&mut self, record: Option<&KnownRecord>) {
        let (owner, decision) = record.map_or((None, 0), |record| (record.owner_employee_no.as_deref(), record.owner_decision));
        let owner = owner.map(|owner| self.successors.last(owner));
        for (number, member) in self.members.iter().enumerate() {
            let named = member.head.employee_no.as_deref().map(|named| match owner {
                Some(owner) if member.head.decision == decision => owner,
                Some(_) | None => self.successors.last(named),
            });
            self.statements.push(member.head.statement(named.map(str::to_owned)));
            self.by_origin.entry(member.head.origin).or_default().push(number);
        }
        self.judgement = judge(&self.statements);
    }

    fn standing_of(&self, record: KnownRecord) -> Standing {
        Standing {
            member: self.members.iter().position(|member| member.head.is_copy_of(&record.head)),
            shown_number: record.shown.map(|(number, _)| number),
            shown_instead: record.shown_instead,
            owner_employee_no: record.owner_employee_no,
            owner_decision: record.owner_decision,
        }
    }

    /// Judges a new statement. Where it changes who the owner is, what was refused is judged again.
    pub(crate) fn admit(&mut self, newcomer: Newcomer<'a>) {
        let decision = self.judgement.decision;
        self.judge_newcomer(newcomer);
        if self.judgement.decision != decision {
            self.judge_refusals_again();
        }
    }

    /// Admits what was refused and need not be any longer, in order of arrival.
    pub(crate) fn judge_refusals_again(&mut self) {
        let counted = self.members.len();
        for newcomer in std::mem::take(&mut self.waiting) {
            self.judge_newcomer(newcomer);
        }
        if self.members.len() > counted {
            self.sort_by_arrival();
        }
    }

    /// The rule takes statements in order of arrival, in which those that were refused came before some that were not.
    fn sort_by_arrival(&mut self) {
        let recorded = self.standing.as_ref().and_then(|standing| standing.member);
        let recorded = recorded.map(|number| self.members[number].head.arrived);
        let mut pairs: Vec<(Member<'a>, Statement)> = self.members.drain(..).zip(self.statements.drain(..)).collect();
        pairs.sort_by_key(|(member, _)| member.head.arrived);
        (self.members, self.statements) = pairs.into_iter().unzip();
        self.by_origin.clear();
        for (number, statement) in self.statements.iter().enumerate() {
            self.by_origin.entry(statement.origin).or_default().push(number);
        }
        if let Some(standing) = &mut self.standing {
            standing.member = recorded.and_then(|arrived| self.members.iter().position(|member| member.head.arrived == arrived));
        }
        self.judgement = judge(&self.statements);
    }

    fn judge_newcomer(&mut self, newcomer: Newcomer<'a>) {
        let named = newcomer.head.employee_no.as_deref();
        let employee_no = named.map(|named| self.successors.last(named).to_owned());
        let statement = newcomer.head.statement(employee_no);
        let fate = if self.knows_copy_of(&newcomer.head) {
            Fate::Duplicate
        } else if self.names_another(&statement) {
            Fate::Refused
        } else {
            self.count(&newcomer.head, newcomer.content.clone(), statement)
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

    fn knows_copy_of(&self, head: &Head<'_>) -> bool {
        let same_origin = self.by_origin.get(&head.origin);
        same_origin.is_some_and(|numbers| numbers.iter().any(|&number| self.members[number].head.is_copy_of(head)))
    }

    fn names_another(&self, statement: &Statement) -> bool {
        let (named, owner) = (&statement.employee_no, &self.judgement.owner);
        named.is_some() && owner.is_some() && statement.decision == self.judgement.decision && named != owner
    }

    fn count(&mut self, head: &Head<'a>, content: Content<'a>, statement: Statement) -> Fate {
        let repeats = self.only_repeats(&statement);
        let version_is_known = self.judgement.versions.contains_key(&statement.version());
        let content_number = self.contents.number_of(head.content_hash, content);
        self.by_origin.entry(head.origin).or_default().push(self.members.len());
        self.members.push(Member {
            head: head.clone(),
            content_number,
            in_history: false,
        });
        self.statements.push(statement);
        if repeats {
            return Fate::Duplicate;
        }
        let before = self.view();
        self.judgement = judge(&self.statements);
        if before != self.view() {
            Fate::Filed
        } else if version_is_known {
            Fate::Duplicate
        } else {
            Fate::Superseded
        }
    }

    /// Whether the statement says a known version once more, so that no judgement can come out differently.
    fn only_repeats(&self, statement: &Statement) -> bool {
        let Some(&spokesman) = self.judgement.versions.get(&statement.version()) else {
            return false;
        };
        let spokesman = &self.statements[spokesman];
        let leaves_owner =
            statement.employee_no.is_none() || self.judgement.owner.is_some() && statement.decision <= self.judgement.decision;
        leaves_owner
            && !self.by_origin.contains_key(&statement.origin)
            && statement.revision == spokesman.revision
            && !statement.speaks_before(spokesman)
    }

    /// What the record shows: a statement that changes it is filed.
    fn view(&self) -> Option<(Option<String>, VersionKey, Option<VersionKey>)> {
        let version = |number: usize| self.statements[number].version();
        let record = self.judgement.record?;
        Some((self.judgement.owner.clone(), version(record), self.judgement.shown.map(version)))
    }
}
