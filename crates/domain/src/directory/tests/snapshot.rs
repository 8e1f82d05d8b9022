//! All that a directory holds, for comparing two, and whether its parts agree with each other.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Directory, IdentityKind, Timestamp,
    directory::{
        row::Validity,
        staff::{self, Staff},
    },
};

#[derive(Debug, PartialEq)]
struct Snapshot<'d> {
    employee_no: &'d str,
    texts: [Option<&'d str>; 4],
    as_of: Timestamp,
    places: Vec<(IdentityKind, bool, &'d str, &'d [u8], Validity)>,
}

impl PartialEq for Directory {
    fn eq(&self, other: &Self) -> bool {
        check_parts(&self.staff);
        check_parts(&other.staff);
        snapshots(&self.staff) == snapshots(&other.staff) && self.aliases == other.aliases
    }
}

fn snapshots(staff: &Staff) -> Vec<Snapshot<'_>> {
    let mut snapshots: Vec<Snapshot<'_>> = staff.rows.iter().map(|(number, _)| snapshot(staff, number)).collect();
    snapshots.sort_by_key(|snapshot| snapshot.employee_no);
    snapshots
}

fn snapshot(staff: &Staff, number: u32) -> Snapshot<'_> {
    let held = staff.held(number);
    let places = held.row.places();
    Snapshot {
        employee_no: held.employee_no(),
        texts: [held.name(), held.department(), held.position(), held.replaced_by()],
        as_of: held.row.as_of(),
        places: places
            .map(|(place, validity)| (place.kind, place.is_mainland, staff.system_of(place), place.value, validity))
            .collect(),
    }
}

/// The index has what points to the rows and no more, texts are counted rightly, waste is bounded, and nobody's rows take no room.
pub(super) fn check_parts(staff: &Staff) {
    let mut pointers: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, _) in staff.rows.iter() {
        let row = staff.held(number).row;
        for (place, _) in row.places() {
            let hash = staff::hash_of(&staff.hashing, &staff.texts, place);
            pointers.entry(hash).or_default().insert(number);
        }
        row.uses().for_each(|id| *uses.entry(staff.texts.get(id)).or_default() += 1);
    }
    assert_eq!(staff.index.all(), pointers);
    assert_eq!(staff.texts.uses(), uses);
    assert_eq!(staff.count, staff.rows.iter().count());
    assert!(staff.rows.wasteful().is_none());
    assert_eq!(staff.rows.held_bytes() == 0, staff.count == 0);
}
