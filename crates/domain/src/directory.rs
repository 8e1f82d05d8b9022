//! All employees, what points to them, and what people decided about that: the topics `employees` and `employees.aliases` in memory.
//!
//! What it holds depends on the last record of every key alone. It answers what points where; whose a report is, `matching` decides.

mod aliases;
mod claims;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use aliases::Aliases;
pub(crate) use claims::Claim;
use claims::{Claims, Place};

use crate::{
    AliasSubject, Employee, IdentityAlias, IdentityKind, Region, ResultId, Timestamp, meant_employee_no, normalise_identity,
    normalise_key_part,
};

/// The directory.
#[derive(Debug, PartialEq)]
pub struct Directory {
    region: Region,
    employees: HashMap<Arc<str>, Employee>,
    claims: Claims,
    aliases: Aliases,
}

impl Directory {
    /// An empty directory; its records' phone numbers without a country code belong to `region`.
    #[must_use]
    pub fn new(region: Region) -> Self {
        Self {
            region,
            employees: HashMap::new(),
            claims: Claims::default(),
            aliases: Aliases::default(),
        }
    }

    /// Takes over a record of `employees`, unless the one held is of a later moment. Says whether anything changed.
    pub fn apply_employee(&mut self, employee: Employee) -> bool {
        if let Some(held) = self.employees.get(employee.employee_no.as_str())
            && (held.as_of > employee.as_of || *held == employee)
        {
            return false;
        }
        self.erase(&employee.employee_no);
        let employee_no: Arc<str> = employee.employee_no.as_str().into();
        for (place, validity) in places(&employee, self.region) {
            let claim = Claim {
                employee_no: Arc::clone(&employee_no),
                validity,
            };
            self.claims.add(&place, claim);
        }
        self.employees.insert(employee_no, employee);
        true
    }

    /// Forgets an employee (a tombstone of `employees`). Says whether there was one.
    pub fn erase(&mut self, employee_no: &str) -> bool {
        let Some(erased) = self.employees.remove(employee_no) else {
            return false;
        };
        for (place, _) in places(&erased, self.region) {
            self.claims.remove(&place, employee_no);
        }
        true
    }

    /// Takes over a record of `employees.aliases` in place of the one about the same subject. Says whether anything changed.
    pub fn apply_alias(&mut self, alias: IdentityAlias) -> bool {
        self.aliases.apply(alias, self.region)
    }

    /// Forgets what was decided about a subject (a tombstone of `employees.aliases`). Says whether there was anything.
    pub fn erase_alias(&mut self, subject: &AliasSubject) -> bool {
        self.aliases.erase(subject, self.region)
    }

    /// The employee of that number: as the records write it or, where none does, in its normal form.
    #[must_use]
    pub fn employee(&self, employee_no: &str) -> Option<&Employee> {
        let meant = meant_employee_no(employee_no, |number| self.employees.contains_key(number));
        self.employees.get(meant.as_ref())
    }

    /// The employee who stands at the end of `replaced_by`; `None` where the number itself is unknown.
    ///
    /// A number that nobody has ends the way at the one before it. A circle replaces nobody: the way ends at its first employee in it.
    #[must_use]
    pub fn successor(&self, employee_no: &str) -> Option<&Employee> {
        let mut employee = self.employee(employee_no)?;
        let mut passed: Vec<&Employee> = Vec::new();
        while let Some(next) = employee.replaced_by.as_deref().and_then(|number| self.employee(number)) {
            passed.push(employee);
            if passed.iter().any(|earlier| std::ptr::eq(*earlier, next)) {
                return Some(next);
            }
            employee = next;
        }
        Some(employee)
    }

    /// All employees, leavers and replaced numbers included, in no order.
    #[must_use]
    pub fn employees(&self) -> impl ExactSizeIterator<Item = &Employee> {
        self.employees.values()
    }

    /// Who ever had an identity, a normalised value; an account is one in `system`.
    pub(crate) fn claims(&self, kind: IdentityKind, system: &str, value: &str) -> &[Claim] {
        self.claims.at(&Place {
            kind,
            system: normalise_key_part(system),
            value: Cow::Borrowed(value),
        })
    }

    /// What was decided about an identity, a normalised value, and not revoked: for the source rather than for all, then the latest.
    pub(crate) fn identity_alias(&self, source: &str, kind: IdentityKind, value: &str) -> Option<&IdentityAlias> {
        self.aliases.about_identity(source, kind, value)
    }

    /// What was decided about the owner of a result, even if it was revoked.
    #[must_use]
    pub fn result_alias(&self, result_id: ResultId) -> Option<&IdentityAlias> {
        self.aliases.about_result(result_id)
    }
}

/// From (inclusive), to (exclusive).
type Validity = (Option<Timestamp>, Option<Timestamp>);

/// Everything that points to an employee: the number for ever, identities while they are valid. What is blank points to nobody.
fn places(employee: &Employee, region: Region) -> impl Iterator<Item = (Place<'_>, Validity)> {
    let number = (IdentityKind::EmployeeNo, None, employee.employee_no.as_str(), (None, None));
    let others = employee.identities.iter().map(|identity| {
        let validity = (identity.valid_from, identity.valid_to);
        (identity.kind, identity.system.as_deref(), identity.value.as_str(), validity)
    });
    let all = std::iter::once(number).chain(others).map(move |(kind, system, value, validity)| {
        let place = Place {
            kind,
            system: normalise_key_part(system.unwrap_or_default()),
            value: normalise_identity(kind, value, region),
        };
        (place, validity)
    });
    all.filter(|(place, _)| !place.value.is_empty())
}
