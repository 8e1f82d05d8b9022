//! Which employees an identity points to, and when.

use std::borrow::Cow;

use super::{HeldEmployee, index::Candidates, row::Place, staff::Staff};
use crate::{IdentityKind, Period, normalise::Spelling, normalise_key_part};

/// All claims to one identity.
pub(crate) struct Claims<'d, 's> {
    staff: &'d Staff,
    spelling: Spelling<'s>,
    /// Of an account; empty for other kinds.
    system: Cow<'s, str>,
    /// The rows among which all are that have a claim.
    candidates: Candidates<'d>,
}

impl<'d, 's> Claims<'d, 's> {
    #[inline]
    pub(super) fn to(staff: &'d Staff, spelling: Spelling<'s>, system: &'s str) -> Self {
        let system = match spelling.kind {
            IdentityKind::Account => normalise_key_part(system),
            IdentityKind::EmployeeNo | IdentityKind::Phone | IdentityKind::Email => Cow::Borrowed(""),
        };
        let candidates = staff.candidates((spelling.kind, &spelling.rest), &system);
        Self {
            staff,
            spelling,
            system,
            candidates,
        }
    }

    /// The employees whose claim held at any moment of the period, each of them once.
    pub(crate) fn holders(&self, period: Period) -> impl Iterator<Item = HeldEmployee<'d>> {
        let employees = self.candidates.map(|number| self.staff.held(number));
        employees.filter(move |employee| {
            let mut places = employee.row.places();
            places.any(|(place, validity)| self.is_at(place) && validity.meets(period))
        })
    }

    /// Whether anybody has a claim, whenever it held.
    pub(crate) fn is_any(&self) -> bool {
        let mut employees = self.candidates.map(|number| self.staff.held(number));
        employees.any(|employee| employee.row.places().any(|(place, _)| self.is_at(place)))
    }

    pub(crate) const fn kind(&self) -> IdentityKind {
        self.spelling.kind
    }

    /// Blank numbers are in the index, too, and point to nobody.
    #[inline]
    fn is_at(&self, place: Place<'_>) -> bool {
        place.kind == self.spelling.kind
            && place.is_mainland == self.spelling.is_mainland
            && place.value == self.spelling.rest.as_bytes()
            && (place.system.is_none() || self.staff.system_of(place) == self.system)
            && !self.spelling.is_empty()
    }
}
