//! All employees as packed rows, and one index from everything that points to them to those rows.
//!
//! The number itself is among what points to a row, so an employee is found by one search and one row.

use super::{
    HeldEmployee,
    hashing::Hashing,
    index::{Candidates, Index},
    row::{self, Place, Row},
    rows::Rows,
    texts::Texts,
};
use crate::{Employee, IdentityKind, Region, normalise_employee_no};

/// The employees.
pub(super) struct Staff {
    region: Region,
    pub(super) count: usize,
    pub(super) rows: Rows,
    /// The numbers of rows, by the hashes of what points to them.
    pub(super) index: Index,
    pub(super) hashing: Hashing,
    pub(super) texts: Texts,
    /// Room for the record that is taken in.
    packed: Vec<u8>,
}

impl Staff {
    pub(super) fn new(region: Region) -> Self {
        let hashing = Hashing::new();
        Self {
            region,
            count: 0,
            rows: Rows::default(),
            index: Index::default(),
            texts: Texts::new(hashing.clone()),
            hashing,
            packed: Vec::new(),
        }
    }

    pub(super) const fn region(&self) -> Region {
        self.region
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Says whether anything changed.
    pub(super) fn apply(&mut self, employee: &Employee) -> bool {
        let held = self.find(&employee.employee_no);
        if held.is_some_and(|number| self.row(number).as_of() > employee.as_of) {
            return false;
        }
        let mut packed = std::mem::take(&mut self.packed);
        packed.clear();
        row::pack(employee, self.region, &mut self.texts, &mut packed);
        let changes = held.is_none_or(|number| self.rows.get(number) != packed);
        if changes {
            self.put(held, &packed);
        } else {
            release(&mut self.texts, &packed);
        }
        self.packed = packed;
        changes
    }

    /// Says whether there was anybody to erase.
    pub(super) fn erase(&mut self, employee_no: &str) -> bool {
        let Some(number) = self.find(employee_no) else {
            return false;
        };
        self.unlink(number);
        self.rows.remove(number);
        self.count -= 1;
        self.tidy();
        true
    }

    /// The employee of exactly that number.
    pub(super) fn get(&self, employee_no: &str) -> Option<HeldEmployee<'_>> {
        self.find(employee_no).map(|number| self.held(number))
    }

    #[inline]
    pub(super) fn held(&self, number: u32) -> HeldEmployee<'_> {
        HeldEmployee {
            row: self.row(number),
            texts: &self.texts,
        }
    }

    /// The rows among which all are to which an identity points.
    #[inline]
    pub(super) fn candidates(&self, (kind, value): (IdentityKind, &str), system: &str) -> Candidates<'_> {
        self.index.get(hash(&self.hashing, (kind, value.as_bytes()), system))
    }

    /// The normalised name of the system that an account is in; no other identity has one.
    pub(super) fn system_of(&self, place: Place<'_>) -> &str {
        system_of(&self.texts, place)
    }

    fn find(&self, employee_no: &str) -> Option<u32> {
        let normal = normalise_employee_no(employee_no);
        let mut candidates = self.candidates((IdentityKind::EmployeeNo, &normal), "");
        candidates.find(|number| self.row(*number).has_number(employee_no))
    }

    fn row(&self, number: u32) -> Row<'_> {
        Row(self.rows.get(number))
    }

    fn put(&mut self, held: Option<u32>, packed: &[u8]) {
        let number = if let Some(held) = held {
            self.unlink(held);
            self.rows.replace(held, packed)
        } else {
            self.count += 1;
            self.rows.add(packed)
        };
        for (place, _) in Row(packed).places() {
            self.index.insert(hash_of(&self.hashing, &self.texts, place), number);
        }
        self.tidy();
    }

    /// Lets nothing point to a row any more, and ends what it uses.
    fn unlink(&mut self, number: u32) {
        let packed = self.rows.get(number);
        for (place, _) in Row(packed).places() {
            self.index.remove(hash_of(&self.hashing, &self.texts, place), number);
        }
        release(&mut self.texts, packed);
    }

    /// Moves rows together where much waste has come between them.
    fn tidy(&mut self) {
        while let Some(chunk) = self.rows.wasteful() {
            let cleared = self.rows.clear(chunk);
            for (old, packed) in cleared.rows(chunk) {
                let new = self.rows.add(packed);
                for (place, _) in Row(packed).places() {
                    self.index.replace(hash_of(&self.hashing, &self.texts, place), (old, new));
                }
            }
            self.rows.give_back(chunk);
        }
    }
}

/// Ends what a row uses.
fn release(texts: &mut Texts, packed: &[u8]) {
    Row(packed).uses().for_each(|id| texts.release(id));
}

pub(super) fn hash_of(hashing: &Hashing, texts: &Texts, place: Place<'_>) -> u32 {
    hash(hashing, (place.kind, place.value), system_of(texts, place))
}

#[inline]
fn hash(hashing: &Hashing, (kind, value): (IdentityKind, &[u8]), system: &str) -> u32 {
    hashing.of_identity(row::code(kind), value, system)
}

fn system_of<'d>(texts: &'d Texts, place: Place<'_>) -> &'d str {
    place.system.map_or("", |id| texts.get(id))
}
