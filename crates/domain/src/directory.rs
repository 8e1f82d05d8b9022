//! All employees, what points to them, and what people decided about that: the topics `employees` and `employees.aliases` in memory.
//!
//! What it holds depends on the last record of every key alone. It answers what points where; whose a report is, `matching` decides.

mod aliases;
mod claims;
mod hashing;
mod held;
mod index;
mod packing;
mod row;
mod rows;
mod staff;
#[cfg(test)]
mod tests;
mod texts;

use std::fmt;

use aliases::Aliases;
pub(crate) use claims::Claims;
pub use held::HeldEmployee;
use staff::Staff;

use crate::{AliasSubject, Employee, IdentityAlias, IdentityKey, Region, ResultId, meant_employee_no, normalise::Spelling};

/// The directory.
pub struct Directory {
    staff: Staff,
    aliases: Aliases,
}

impl Directory {
    /// An empty directory; its records' phone numbers without a country code belong to `region`.
    #[must_use]
    pub fn new(region: Region) -> Self {
        Self {
            staff: Staff::new(region),
            aliases: Aliases::default(),
        }
    }

    /// Takes over a record of `employees`, unless the one held is of a later moment. Says whether that changed what the directory knows:
    /// of a record it keeps what matching and enriching need.
    pub fn apply_employee(&mut self, employee: &Employee) -> bool {
        self.staff.apply(employee)
    }

    /// Forgets an employee (a tombstone of `employees`). Says whether there was one.
    pub fn erase(&mut self, employee_no: &str) -> bool {
        self.staff.erase(employee_no)
    }

    /// Takes over a record of `employees.aliases` in place of the one about the same subject. Says whether anything changed.
    pub fn apply_alias(&mut self, alias: IdentityAlias) -> bool {
        self.aliases.apply(alias, self.staff.region())
    }

    /// Forgets what was decided about a subject (a tombstone of `employees.aliases`). Says whether there was anything.
    pub fn erase_alias(&mut self, subject: &AliasSubject) -> bool {
        self.aliases.erase(subject, self.staff.region())
    }

    /// The employee of that number: as the records write it or, where none does, in its normal form.
    #[must_use]
    pub fn employee(&self, employee_no: &str) -> Option<HeldEmployee<'_>> {
        let meant = meant_employee_no(employee_no, |number| self.staff.get(number).is_some());
        self.staff.get(&meant)
    }

    /// The employee who stands at the end of `replaced_by`; `None` where the number itself is unknown.
    ///
    /// A number that nobody has ends the way at the one before it. A circle replaces nobody: the way ends at its first employee in it.
    #[must_use]
    pub fn successor(&self, employee_no: &str) -> Option<HeldEmployee<'_>> {
        self.employee(employee_no).map(|employee| self.successor_of(employee))
    }

    /// As [`Self::successor`], for an employee of this directory.
    #[inline]
    pub(crate) fn successor_of<'d>(&'d self, mut employee: HeldEmployee<'d>) -> HeldEmployee<'d> {
        let mut passed = Vec::new();
        while let Some(next) = employee.replaced_by().and_then(|number| self.employee(number)) {
            passed.push(employee);
            if passed.contains(&next) {
                return next;
            }
            employee = next;
        }
        employee
    }

    /// How many employees there are, leavers and replaced numbers included.
    #[must_use]
    pub const fn employee_count(&self) -> usize {
        self.staff.count()
    }

    /// Who ever had an identity; an account is one in `system`.
    #[inline]
    pub(crate) fn claims<'s>(&self, spelling: Spelling<'s>, system: &'s str) -> Claims<'_, 's> {
        Claims::to(&self.staff, spelling, system)
    }

    /// What was decided about an identity and not revoked: for the source rather than for all, then the latest.
    #[inline]
    pub(crate) fn identity_alias(&self, source: &str, spelling: &Spelling<'_>) -> Option<&IdentityAlias> {
        self.aliases.about_identity(source, spelling)
    }

    /// Everything that points to the employee of exactly that number, the number included; as [`crate::Identity::key`] gives it.
    #[must_use]
    pub fn identities_of(&self, employee_no: &str) -> Vec<IdentityKey> {
        self.staff
            .get(employee_no)
            .map(|employee| employee.identities())
            .unwrap_or_default()
    }

    /// Whether anybody ever had an identity, or a person decided about it. `identity` is as [`crate::Identity::key`] gives it.
    #[must_use]
    pub fn is_known(&self, source: &str, (kind, system, value): &IdentityKey) -> bool {
        let spelling = Spelling::of(*kind, value, self.staff.region());
        self.identity_alias(source, &spelling).is_some() || self.claims(spelling, system.as_deref().unwrap_or_default()).is_any()
    }

    /// What people decided to be of an employee, who may be unknown, and did not revoke.
    #[must_use]
    pub fn decided_to_be_of(&self, employee_no: &str) -> Vec<AliasSubject> {
        self.aliases.of_employee(employee_no)
    }

    /// The results about whose owners anything was decided, revoked decisions included.
    pub fn decided_results(&self) -> impl Iterator<Item = ResultId> {
        self.aliases.decided_results()
    }

    /// What was decided about the owner of a result, even if it was revoked.
    #[must_use]
    pub fn result_alias(&self, result_id: ResultId) -> Option<&IdentityAlias> {
        self.aliases.about_result(result_id)
    }
}

impl fmt::Debug for Directory {
    /// Without anything personal.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Directory")
            .field("employee_count", &self.employee_count())
            .finish_non_exhaustive()
    }
}
