//! How what the HR system says of an employee becomes the next record of `employees`.
//!
//! An identity is never dropped or moved: what is stated no more is closed, what is new or stated again after its end is opened.

mod ledger;
#[cfg(test)]
mod tests;

use ledger::Ledger;

use crate::{Employee, Identity, IdentityKind, Region, Timestamp, normalise_identity, normalise_key_part};

/// What makes two identities the same, whatever their dates and spellings: kind, system of an account, value.
pub type IdentityKey = (IdentityKind, Option<String>, String);

/// Longest employee number, in characters; the archive's tables take no longer one.
const LONGEST_NUMBER: usize = 200;

/// A statement of the HR system: all its entries speak of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The moment.
    pub as_of: Timestamp,
    /// Where phone numbers without a country code belong; identities are compared as the directory does it.
    pub region: Region,
}

/// All that the HR system says of one employee. What it leaves out is no longer so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// The employee number.
    pub employee_no: String,
    /// Full name.
    pub name: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Position.
    pub position: Option<String>,
    /// What points to the employee now. Without a start: from the statement on if the employee is known already, else since always.
    /// Without an end: until a later statement leaves it out, or until the employee leaves.
    pub identities: Vec<Identity>,
    /// When the employee left or will leave.
    pub left_at: Option<Timestamp>,
    /// The number that took this one's place.
    pub replaced_by: Option<String>,
}

/// What follows from an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// The record says this already, of the same moment.
    Unchanged,
    /// The record is of a later moment and stands.
    Stale,
    /// The next record; it may differ from the present one in its moment alone, which keeps statements in between from counting later.
    Changed(Employee),
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RosterError {
    /// No employee number.
    #[error("the entry has no employee number; state one")]
    BlankEmployeeNo,
    /// An employee number with spaces around it: the key of its record would be another one.
    #[error("the employee number begins or ends with a space; leave it out")]
    UntrimmedEmployeeNo,
    /// An employee number that no archive holds.
    #[error("an employee number has a NUL character or more than {LONGEST_NUMBER} characters; correct it")]
    UnusableEmployeeNo,
    /// The record to update has another number.
    #[error("the entry has another employee number than the record that it is to update")]
    OtherEmployee,
    /// The employee replaces itself.
    #[error("the entry says that the employee number is replaced by itself; leave `replaced_by` empty")]
    ReplacedByItself,
    /// An identity without a value.
    #[error("the entry has an identity of the kind {0} without a value; leave it out")]
    BlankIdentity(IdentityKind),
    /// An account that belongs to no system.
    #[error("the entry has an account without the system that it is an account in; state the system")]
    AccountWithoutSystem,
    /// An identity that is never valid.
    #[error("the entry has an identity of the kind {0} whose `valid_to` is not after its `valid_from`")]
    NeverValid(IdentityKind),
}

impl Identity {
    /// What it is the same as.
    #[must_use]
    pub fn key(&self, region: Region) -> IdentityKey {
        let system = match self.kind {
            IdentityKind::Account => self.system.as_deref().map(|system| normalise_key_part(system).into_owned()),
            IdentityKind::EmployeeNo | IdentityKind::Phone | IdentityKind::Email => None,
        };
        (self.kind, system, normalise_identity(self.kind, &self.value, region).into_owned())
    }
}

impl Roster {
    /// Applies an entry to the present record of its employee.
    ///
    /// A statement of the same moment as the record counts as a newer one: of two that differ, the one applied last stands.
    ///
    /// # Errors
    /// [`RosterError`] where the entry cannot be a record.
    pub fn update(&self, present: Option<&Employee>, entry: &RosterEntry) -> Result<Update, RosterError> {
        check(present, entry)?;
        Ok(self.apply(present, entry))
    }

    /// Applies that a full statement does not name an employee: who has not left before, left at its moment.
    #[must_use]
    pub fn leave(&self, present: &Employee) -> Update {
        let entry = RosterEntry {
            employee_no: present.employee_no.clone(),
            name: present.name.clone(),
            department: present.department.clone(),
            position: present.position.clone(),
            identities: Vec::new(),
            left_at: Some(present.left_at.map_or(self.as_of, |left_at| left_at.min(self.as_of))),
            replaced_by: present.replaced_by.clone(),
        };
        self.apply(Some(present), &entry)
    }

    fn apply(&self, present: Option<&Employee>, entry: &RosterEntry) -> Update {
        if present.is_some_and(|present| present.as_of > self.as_of) {
            return Update::Stale;
        }
        let next = Employee {
            employee_no: entry.employee_no.clone(),
            name: entry.name.clone(),
            department: entry.department.clone(),
            position: entry.position.clone(),
            identities: Ledger::open(self, present, entry.left_at).settle(&entry.identities),
            left_at: entry.left_at,
            replaced_by: entry.replaced_by.clone(),
            as_of: self.as_of,
        };
        if present == Some(&next) {
            Update::Unchanged
        } else {
            Update::Changed(next)
        }
    }
}

/// Whether this can be the number of an employee: filled, without spaces around it, and such that every archive holds it.
///
/// # Errors
/// Why it cannot.
pub fn check_employee_no(employee_no: &str) -> Result<(), RosterError> {
    if employee_no.trim().is_empty() {
        Err(RosterError::BlankEmployeeNo)
    } else if employee_no.trim() != employee_no {
        Err(RosterError::UntrimmedEmployeeNo)
    } else if employee_no.contains('\0') || employee_no.chars().count() > LONGEST_NUMBER {
        Err(RosterError::UnusableEmployeeNo)
    } else {
        Ok(())
    }
}

/// Numbers that the present record has, whoever wrote it, are not held against the entry.
fn check(present: Option<&Employee>, entry: &RosterEntry) -> Result<(), RosterError> {
    match present {
        Some(present) if present.employee_no != entry.employee_no => return Err(RosterError::OtherEmployee),
        Some(_) => {}
        None => check_employee_no(&entry.employee_no)?,
    }
    if let Some(replaced_by) = &entry.replaced_by {
        if *replaced_by == entry.employee_no {
            return Err(RosterError::ReplacedByItself);
        }
        if present.is_none_or(|present| present.replaced_by != entry.replaced_by) {
            check_employee_no(replaced_by)?;
        }
    }
    entry.identities.iter().try_for_each(check_identity)
}

fn check_identity(identity: &Identity) -> Result<(), RosterError> {
    let is_blank = |text: &str| text.trim().is_empty();
    if is_blank(&identity.value) {
        return Err(RosterError::BlankIdentity(identity.kind));
    }
    if identity.kind == IdentityKind::Account && identity.system.as_deref().is_none_or(is_blank) {
        return Err(RosterError::AccountWithoutSystem);
    }
    match (identity.valid_from, identity.valid_to) {
        (Some(from), Some(to)) if to <= from => Err(RosterError::NeverValid(identity.kind)),
        _ => Ok(()),
    }
}
