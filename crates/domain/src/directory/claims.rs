//! Which employees an identity points to, and when.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use super::Validity;
use crate::{IdentityKind, Period};

/// An employee's claim to an identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Claim {
    /// The number by which the directory holds the employee.
    pub(crate) employee_no: Arc<str>,
    pub(super) validity: Validity,
}

impl Claim {
    /// Whether it held at any moment of the period.
    pub(crate) fn is_valid_in(&self, period: Period) -> bool {
        let (from, to) = self.validity;
        from.is_none_or(|from| from <= period.last()) && to.is_none_or(|to| period.first() < to)
    }
}

/// Where claims to one identity are kept: its kind, the system of an account, the normalised value.
pub(super) struct Place<'a> {
    pub(super) kind: IdentityKind,
    /// Without meaning for other kinds.
    pub(super) system: Cow<'a, str>,
    pub(super) value: Cow<'a, str>,
}

/// Keeps nothing for an identity that nobody claims. Claims to one identity are sorted, so that the order of updates leaves no trace.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Claims {
    employee_nos: Table,
    phones: Table,
    emails: Table,
    accounts: HashMap<Box<str>, Table>,
}

type Table = HashMap<Box<str>, Vec<Claim>>;

impl Claims {
    pub(super) fn at(&self, place: &Place<'_>) -> &[Claim] {
        let table = match place.kind {
            IdentityKind::EmployeeNo => Some(&self.employee_nos),
            IdentityKind::Phone => Some(&self.phones),
            IdentityKind::Email => Some(&self.emails),
            IdentityKind::Account => self.accounts.get(place.system.as_ref()),
        };
        table.and_then(|table| table.get(place.value.as_ref())).map_or(&[], Vec::as_slice)
    }

    pub(super) fn add(&mut self, place: &Place<'_>, claim: Claim) {
        let table = match place.kind {
            IdentityKind::EmployeeNo => &mut self.employee_nos,
            IdentityKind::Phone => &mut self.phones,
            IdentityKind::Email => &mut self.emails,
            IdentityKind::Account => self.accounts.entry(place.system.as_ref().into()).or_default(),
        };
        let claims = table.entry(place.value.as_ref().into()).or_default();
        let position = claims.partition_point(|present| *present < claim);
        claims.insert(position, claim);
    }

    /// Removes all claims of an employee to an identity.
    pub(super) fn remove(&mut self, place: &Place<'_>, employee_no: &str) {
        match place.kind {
            IdentityKind::EmployeeNo => remove_from(&mut self.employee_nos, place, employee_no),
            IdentityKind::Phone => remove_from(&mut self.phones, place, employee_no),
            IdentityKind::Email => remove_from(&mut self.emails, place, employee_no),
            IdentityKind::Account => {
                let Some(table) = self.accounts.get_mut(place.system.as_ref()) else {
                    return;
                };
                remove_from(table, place, employee_no);
                if table.is_empty() {
                    self.accounts.remove(place.system.as_ref());
                }
            }
        }
    }
}

fn remove_from(table: &mut Table, place: &Place<'_>, employee_no: &str) {
    let Some(claims) = table.get_mut(place.value.as_ref()) else {
        return;
    };
    claims.retain(|claim| *claim.employee_no != *employee_no);
    if claims.is_empty() {
        table.remove(place.value.as_ref());
    }
}
