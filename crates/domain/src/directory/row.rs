//! An employee as one string of bytes: what matching and enriching need, and nothing else.
//!
//! A flag for each thing that can be absent, `as_of`, the number (also normalised, where that differs), name, department, position,
//! `replaced_by`, then the identities, normalised. Statements that differ in nothing that is kept are equal bytes.

use super::{
    packing::{MOMENT_BYTES, Reader, as_text, put_moment, put_number, put_text},
    texts::Texts,
};
use crate::{Employee, Identity, IdentityKind, Period, Region, Timestamp, normalise::Spelling, normalise_employee_no, normalise_key_part};

const HAS_NAME: u8 = 1;
const HAS_DEPARTMENT: u8 = 1 << 1;
const HAS_POSITION: u8 = 1 << 2;
const IS_REPLACED: u8 = 1 << 3;
const IS_WRITTEN_OTHERWISE: u8 = 1 << 4;

const FLAGS_BYTES: usize = 1;

/// Of an identity; the kind stands in the lowest bits.
const IS_MAINLAND: u8 = 1 << 2;
const HAS_FROM: u8 = 1 << 3;
const HAS_TO: u8 = 1 << 4;

/// The bytes of an employee. What is asked for is read then.
#[derive(Clone, Copy)]
pub(super) struct Row<'d>(pub(super) &'d [u8]);

/// What stands behind the number.
struct Details<'d> {
    name: Option<&'d [u8]>,
    department: Option<u32>,
    position: Option<u32>,
    replaced_by: Option<&'d [u8]>,
    identities: Reader<'d>,
}

/// What an identity is compared by; the system of an account is an id of `Texts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place<'d> {
    pub(super) kind: IdentityKind,
    pub(super) is_mainland: bool,
    pub(super) system: Option<u32>,
    pub(super) value: &'d [u8],
}

/// From (inclusive), to (exclusive).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Validity(pub(super) Option<Timestamp>, pub(super) Option<Timestamp>);

impl Validity {
    /// Whether it covers any moment of the period.
    pub(super) fn meets(self, period: Period) -> bool {
        let Self(from, to) = self;
        from.is_none_or(|from| from <= period.last()) && to.is_none_or(|to| period.first() < to)
    }
}

/// Writes an employee, using `texts`; [`Row::uses`] names what must be released with the row.
pub(super) fn pack(employee: &Employee, region: Region, texts: &mut Texts, row: &mut Vec<u8>) {
    let normal = normalise_employee_no(&employee.employee_no);
    let is_written_otherwise = normal != employee.employee_no;
    let flags = [
        (employee.name.is_some(), HAS_NAME),
        (employee.department.is_some(), HAS_DEPARTMENT),
        (employee.position.is_some(), HAS_POSITION),
        (employee.replaced_by.is_some(), IS_REPLACED),
        (is_written_otherwise, IS_WRITTEN_OTHERWISE),
    ];
    row.push(set(flags));
    put_moment(row, employee.as_of);
    put_text(row, &employee.employee_no);
    if is_written_otherwise {
        put_text(row, &normal);
    }
    if let Some(name) = &employee.name {
        put_text(row, name);
    }
    for shared in [&employee.department, &employee.position].into_iter().flatten() {
        put_number(row, u64::from(texts.acquire(shared)));
    }
    if let Some(replaced_by) = &employee.replaced_by {
        put_text(row, replaced_by);
    }
    for identity in &employee.identities {
        pack_identity(identity, region, texts, row);
    }
}

/// What is blank points to nobody and is left out.
fn pack_identity(identity: &Identity, region: Region, texts: &mut Texts, row: &mut Vec<u8>) {
    let spelling = Spelling::of(identity.kind, &identity.value, region);
    if spelling.is_empty() {
        return;
    }
    let flags = [
        (spelling.is_mainland, IS_MAINLAND),
        (identity.valid_from.is_some(), HAS_FROM),
        (identity.valid_to.is_some(), HAS_TO),
    ];
    row.push(set(flags) | code(identity.kind));
    if identity.kind == IdentityKind::Account {
        let system = normalise_key_part(identity.system.as_deref().unwrap_or_default());
        put_number(row, u64::from(texts.acquire(&system)));
    }
    for moment in [identity.valid_from, identity.valid_to].into_iter().flatten() {
        put_moment(row, moment);
    }
    put_text(row, &spelling.rest);
}

fn set<const FLAGS: usize>(flags: [(bool, u8); FLAGS]) -> u8 {
    let is_set = |(is_set, flag): (bool, u8)| if is_set { flag } else { 0 };
    flags.into_iter().map(is_set).sum()
}

/// A number for the kind, below four.
pub(super) const fn code(kind: IdentityKind) -> u8 {
    match kind {
        IdentityKind::EmployeeNo => 0,
        IdentityKind::Phone => 1,
        IdentityKind::Email => 2,
        IdentityKind::Account => 3,
    }
}

const fn kind(flags: u8) -> IdentityKind {
    match flags & 0b11 {
        0 => IdentityKind::EmployeeNo,
        1 => IdentityKind::Phone,
        2 => IdentityKind::Email,
        _ => IdentityKind::Account,
    }
}

impl<'d> Row<'d> {
    pub(super) fn as_of(self) -> Timestamp {
        Reader(&self.0[FLAGS_BYTES..]).moment()
    }

    pub(super) fn employee_no(self) -> &'d str {
        as_text(self.number())
    }

    pub(super) fn name(self) -> Option<&'d str> {
        self.details().name.map(as_text)
    }

    pub(super) fn department(self) -> Option<u32> {
        self.details().department
    }

    pub(super) fn position(self) -> Option<u32> {
        self.details().position
    }

    pub(super) fn replaced_by(self) -> Option<&'d str> {
        if self.has(IS_REPLACED) {
            self.details().replaced_by.map(as_text)
        } else {
            None
        }
    }

    pub(super) fn has_number(self, employee_no: &str) -> bool {
        self.number() == employee_no.as_bytes()
    }

    pub(super) fn has_number_of(self, other: Row<'_>) -> bool {
        self.number() == other.number()
    }

    /// Everything that points to the employee: the number for ever, be it blank, and identities while they are valid.
    #[inline]
    pub(super) const fn places(self) -> Places<'d> {
        Places {
            row: self,
            is_number_told: false,
            identities: None,
        }
    }

    /// What it uses of `Texts`, as often as it does.
    pub(super) fn uses(self) -> impl Iterator<Item = u32> {
        let details = self.details();
        let systems = self.places().filter_map(|(place, _)| place.system);
        details.department.into_iter().chain(details.position).chain(systems)
    }

    const fn has(self, flag: u8) -> bool {
        self.0[0] & flag != 0
    }

    fn behind_moment(self) -> Reader<'d> {
        Reader(&self.0[FLAGS_BYTES + MOMENT_BYTES..])
    }

    fn number(self) -> &'d [u8] {
        self.behind_moment().text()
    }

    #[inline]
    fn number_place(self) -> Place<'d> {
        let mut reader = self.behind_moment();
        let number = reader.text();
        Place {
            kind: IdentityKind::EmployeeNo,
            is_mainland: false,
            system: None,
            value: if self.has(IS_WRITTEN_OTHERWISE) { reader.text() } else { number },
        }
    }

    #[inline]
    fn details(self) -> Details<'d> {
        let mut reader = self.behind_moment();
        reader.text();
        if self.has(IS_WRITTEN_OTHERWISE) {
            reader.text();
        }
        Details {
            name: self.has(HAS_NAME).then(|| reader.text()),
            department: self.has(HAS_DEPARTMENT).then(|| reader.number() as u32),
            position: self.has(HAS_POSITION).then(|| reader.number() as u32),
            replaced_by: self.has(IS_REPLACED).then(|| reader.text()),
            identities: reader,
        }
    }
}

/// See [`Row::places`].
#[derive(Clone, Copy)]
pub(super) struct Places<'d> {
    row: Row<'d>,
    is_number_told: bool,
    /// Those that are left. Who is sought by number has it as a rule, and nothing further is read.
    identities: Option<Reader<'d>>,
}

impl<'d> Iterator for Places<'d> {
    type Item = (Place<'d>, Validity);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if !std::mem::replace(&mut self.is_number_told, true) {
            return Some((self.row.number_place(), Validity::default()));
        }
        let identities = self.identities.get_or_insert_with(|| self.row.details().identities);
        (!identities.0.is_empty()).then(|| read_identity(identities))
    }
}

#[inline]
fn read_identity<'d>(reader: &mut Reader<'d>) -> (Place<'d>, Validity) {
    let flags = reader.byte();
    let has = |flag| flags & flag != 0;
    let kind = kind(flags);
    let system = (kind == IdentityKind::Account).then(|| reader.number() as u32);
    let from = has(HAS_FROM).then(|| reader.moment());
    let to = has(HAS_TO).then(|| reader.moment());
    let place = Place {
        kind,
        is_mainland: has(IS_MAINLAND),
        system,
        value: reader.text(),
    };
    (place, Validity(from, to))
}
