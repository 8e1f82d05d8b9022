//! An employee as the directory holds it.

use std::fmt;

use super::{
    row::{Place, Row},
    texts::Texts,
};
use crate::{IdentityKey, normalise::MAINLAND};

/// What the directory knows of one employee. Two are equal where they have the same number: a directory has each number once.
#[derive(Clone, Copy)]
pub struct HeldEmployee<'d> {
    pub(super) row: Row<'d>,
    pub(super) texts: &'d Texts,
}

impl<'d> HeldEmployee<'d> {
    /// The employee number, as its record writes it.
    #[must_use]
    pub fn employee_no(&self) -> &'d str {
        self.row.employee_no()
    }

    /// Full name.
    #[must_use]
    pub fn name(&self) -> Option<&'d str> {
        self.row.name()
    }

    /// Department.
    #[must_use]
    pub fn department(&self) -> Option<&'d str> {
        self.row.department().map(|id| self.texts.get(id))
    }

    /// Position.
    #[must_use]
    pub fn position(&self) -> Option<&'d str> {
        self.row.position().map(|id| self.texts.get(id))
    }

    /// Everything that points to the employee, at whatever time, the number included.
    pub(super) fn identities(&self) -> Vec<IdentityKey> {
        let identity = |(place, _): (Place<'_>, _)| {
            let mainland = if place.is_mainland { MAINLAND } else { "" };
            let value = [mainland, &String::from_utf8_lossy(place.value)].concat();
            let system = place.system.map(|id| self.texts.get(id).to_owned());
            (place.kind, system, value)
        };
        self.row.places().map(identity).collect()
    }

    /// The number that took this one's place.
    pub(crate) fn replaced_by(&self) -> Option<&'d str> {
        self.row.replaced_by()
    }
}

impl PartialEq for HeldEmployee<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.row.has_number_of(other.row)
    }
}

impl Eq for HeldEmployee<'_> {}

impl fmt::Debug for HeldEmployee<'_> {
    /// Without anything personal.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HeldEmployee").finish_non_exhaustive()
    }
}
