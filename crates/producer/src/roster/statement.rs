//! What was said of one employee at one moment, and what record follows from it.

use std::collections::BTreeSet;

use scoresync_domain::{Employee, Identity, IdentityKind, Region, Roster, RosterEntry, RosterError, Timestamp, Update};

use super::{columns::Column, handover, known::KnownEmployees};

/// What was said of one employee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) as_of: Timestamp,
    pub(super) said: About,
    pub(super) repetition: Repetition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// These things, and nothing of those that it is silent about.
    Entry(RosterEntry, Silence),
    /// That a full list does not name the employee of this number.
    Absence(String),
}

/// What becomes of a statement that says what the record says already, only of a later moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repetition {
    /// The record gets the later moment, so that a statement of a moment between the two comes too late.
    Recorded,
    /// Nothing is written: importing the same list every night would otherwise rewrite every record.
    Passed,
}

/// What a statement does not speak of; there the present record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// It speaks of everything: what it leaves out is no longer so.
    None,
    /// It speaks of these columns alone.
    AllBut(BTreeSet<Column>),
    /// It says what is filled in these columns, and may lack more that is so.
    AllButFilled(BTreeSet<Column>),
}

/// What follows from a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This record.
    Record(Employee, Change),
    /// The present record says it already.
    Unchanged,
    /// The present record is of a later moment.
    Stale,
}

/// What a record changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    New,
    Content,
    /// Nothing but its moment.
    MomentAlone,
}

impl Statement {
    /// Of whom it speaks, as it writes the number.
    pub(super) fn employee_no(&self) -> &str {
        match &self.said {
            About::Entry(entry, _) => &entry.employee_no,
            About::Absence(employee_no) => employee_no,
        }
    }

    /// Dates what somebody new has from others, who have or had it at the times that `others` gives.
    pub(super) fn date_handovers<E, I>(&mut self, known: &KnownEmployees, others: impl Fn(&Identity) -> I) -> Result<(), E>
    where
        I: Iterator<Item = Result<Identity, E>>,
    {
        let is_new = !known.contains(&known.key_of(self.employee_no()));
        match &mut self.said {
            About::Entry(entry, _) if is_new => handover::date(entry, self.as_of, others),
            About::Entry(..) | About::Absence(_) => Ok(()),
        }
    }

    /// What follows from it on top of the present record, whose spelling of the employee number stays.
    pub(super) fn on_top_of(&self, present: Option<&Employee>, region: Region) -> Result<Next, RosterError> {
        let roster = Roster { as_of: self.as_of, region };
        let update = match (&self.said, present) {
            (About::Entry(entry, silence), present) => roster.update(present, &silence.filled(entry, present, self.as_of))?,
            (About::Absence(_), Some(present)) => roster.leave(present),
            (About::Absence(_), None) => Update::Unchanged,
        };
        Ok(match (update, present) {
            (Update::Unchanged, _) => Next::Unchanged,
            (Update::Stale, _) => Next::Stale,
            (Update::Changed(next), None) => Next::Record(next, Change::New),
            (Update::Changed(next), Some(present)) => self.changed(next, present),
        })
    }

    fn changed(&self, next: Employee, present: &Employee) -> Next {
        let is_repetition = *present
            == Employee {
                as_of: present.as_of,
                ..next.clone()
            };
        match (is_repetition, self.repetition) {
            (false, _) => Next::Record(next, Change::Content),
            (true, Repetition::Recorded) => Next::Record(next, Change::MomentAlone),
            (true, Repetition::Passed) => Next::Unchanged,
        }
    }
}

impl Silence {
    pub(super) fn about_all_but(columns: BTreeSet<Column>) -> Self {
        Self::AllBut(columns)
    }

    /// A list of all who are here says of everybody on it that they are here, with a column for leavers or without.
    pub(super) fn broken_about_leaving(mut self) -> Self {
        match &mut self {
            Self::None => {}
            Self::AllBut(columns) | Self::AllButFilled(columns) => drop(columns.insert(Column::LeftAt)),
        }
        self
    }

    /// That what a statement leaves empty, or lacks, may be so all the same.
    pub(super) fn about_what_is_empty(self) -> Self {
        match self {
            Self::AllBut(columns) => Self::AllButFilled(columns),
            other @ (Self::None | Self::AllButFilled(_)) => other,
        }
    }

    fn covers(&self, column: &Column, is_filled: bool) -> bool {
        match self {
            Self::None => false,
            Self::AllBut(columns) => !columns.contains(column),
            Self::AllButFilled(columns) => !columns.contains(column) || !is_filled,
        }
    }

    fn covers_identity(&self, identity: &Identity) -> bool {
        match (self, identity.kind) {
            (Self::None, _) => false,
            (Self::AllButFilled(_), _) => true,
            // No column says anything of former numbers.
            (Self::AllBut(_), IdentityKind::EmployeeNo) => true,
            (Self::AllBut(columns), IdentityKind::Phone) => !columns.contains(&Column::Phone),
            (Self::AllBut(columns), IdentityKind::Email) => !columns.contains(&Column::Email),
            (Self::AllBut(columns), IdentityKind::Account) => {
                !columns.contains(&Column::Account(identity.system.clone().unwrap_or_default()))
            }
        }
    }

    /// The entry, with what the present record says where the statement is silent.
    fn filled(&self, entry: &RosterEntry, present: Option<&Employee>, as_of: Timestamp) -> RosterEntry {
        let mut entry = entry.clone();
        let Some(present) = present else { return entry };
        entry.employee_no.clone_from(&present.employee_no);
        if self.covers(&Column::Name, entry.name.is_some()) {
            entry.name.clone_from(&present.name);
        }
        if self.covers(&Column::Department, entry.department.is_some()) {
            entry.department.clone_from(&present.department);
        }
        if self.covers(&Column::Position, entry.position.is_some()) {
            entry.position.clone_from(&present.position);
        }
        if self.covers(&Column::ReplacedBy, entry.replaced_by.is_some()) {
            entry.replaced_by.clone_from(&present.replaced_by);
        }
        if self.covers(&Column::LeftAt, entry.left_at.is_some()) {
            entry.left_at = present.left_at;
        }
        let unmentioned = present.identities.iter().filter(|identity| self.covers_identity(identity));
        entry
            .identities
            .extend(unmentioned.filter_map(|identity| restated(identity, present, as_of)));
        entry
    }
}

/// An identity as an entry has to state it so that it stays as it is. What has ended stays without being stated.
fn restated(identity: &Identity, present: &Employee, as_of: Timestamp) -> Option<Identity> {
    let is_never_valid = identity.valid_to.is_some() && identity.valid_from >= identity.valid_to;
    let has_ended = is_never_valid || identity.valid_to.is_some_and(|end| end <= as_of);
    let holds_until_leaving = identity.valid_to.is_some() && identity.valid_to == present.left_at;
    let has_begun = identity.valid_from.is_none_or(|from| from <= as_of);
    match (has_ended, holds_until_leaving && has_begun) {
        (true, _) => None,
        // The end is the employee's, and moves if the leaving does.
        (false, true) => Some(Identity {
            valid_from: None,
            valid_to: None,
            ..identity.clone()
        }),
        (false, false) => Some(identity.clone()),
    }
}

#[cfg(test)]
mod tests;
