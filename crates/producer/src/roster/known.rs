//! All employees as the topic has them, each as the bytes of its record, which take far less room than the values would.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use scoresync_domain::{Employee, Identity, IdentityKind, Region, normalise_identity};
use scoresync_kafka::{DatumError, Encoder, HEADER_BYTES, read_own};

use super::handover::{held_by, one_by_one};

/// The employees by the keys of their records.
pub(super) struct KnownEmployees {
    region: Region,
    encoder: Encoder<Employee>,
    records: HashMap<Arc<str>, Box<[u8]>>,
    /// Under the hashes of identities the keys of those who have or had them, and maybe of others.
    holders: BTreeSet<(u64, Arc<str>)>,
    /// Keys that are not in normal form, by their normal form.
    spellings: HashMap<Box<str>, Box<str>>,
    buffer: Vec<u8>,
}

impl KnownEmployees {
    /// Nobody yet.
    pub(super) fn new(region: Region) -> Self {
        Self {
            region,
            // The id is cut off again.
            encoder: Encoder::new(0),
            records: HashMap::new(),
            holders: BTreeSet::new(),
            spellings: HashMap::new(),
            buffer: Vec::new(),
        }
    }

    /// Takes over a record, or its erasure.
    pub(super) fn apply(&mut self, key: &str, record: Option<&Employee>) -> Result<(), DatumError> {
        let normal = normal(key, self.region);
        let Some(record) = record else {
            self.records.remove(key);
            if self.spellings.get(normal.as_ref()).is_some_and(|spelling| **spelling == *key) {
                self.spellings.remove(normal.as_ref());
            }
            return Ok(());
        };
        self.encoder.encode(record, &mut self.buffer)?;
        let datum = self.buffer.get(HEADER_BYTES..).unwrap_or_default();
        let key: Arc<str> = self
            .records
            .get_key_value(key)
            .map_or_else(|| key.into(), |(key, _)| Arc::clone(key));
        self.records.insert(Arc::clone(&key), datum.into());
        let hashes = record.identities.iter().map(|identity| hash(identity, self.region));
        self.holders.extend(hashes.map(|hash| (hash, Arc::clone(&key))));
        if *normal != *key {
            self.spellings.insert(normal.into(), (*key).into());
        }
        Ok(())
    }

    /// The key under which an employee is known, or is to be known. Two spellings of one number are one employee.
    pub(super) fn key_of(&self, employee_no: &str) -> String {
        let trimmed = employee_no.trim();
        let normal = normal(trimmed, self.region);
        if self.records.contains_key(trimmed) {
            return trimmed.to_owned();
        }
        if self.records.contains_key(normal.as_ref()) {
            return normal.into_owned();
        }
        self.spellings.get(normal.as_ref()).map_or(trimmed, |spelling| spelling).to_owned()
    }

    /// The record of a key.
    pub(super) fn get(&self, key: &str) -> Result<Option<Employee>, DatumError> {
        self.records.get(key).map(|datum| read_own::<Employee>(datum)).transpose()
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.records.contains_key(key)
    }

    /// The keys of those who have or had an identity, and maybe of others.
    pub(super) fn holders<'a>(&'a self, identity: &Identity) -> impl Iterator<Item = &'a str> + use<'a> {
        let hash = hash(identity, self.region);
        let from_here = self.holders.range((hash, Arc::from(""))..);
        from_here.take_while(move |(other, _)| *other == hash).map(|(_, key)| &**key)
    }

    /// When anybody has or had an identity; each record is unpacked only when it is come to.
    pub(super) fn held<'a>(&'a self, identity: &Identity) -> impl Iterator<Item = Result<Identity, DatumError>> + use<'a> {
        let (holders, identity) = (self.holders(identity), identity.clone());
        let held_under = move |key: &str| {
            let record = self.get(key)?;
            Ok(record.map_or_else(Vec::new, |record| held_by(record, &identity, self.region)))
        };
        holders.flat_map(move |key| one_by_one(held_under(key)))
    }

    /// All records, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = Result<Employee, DatumError>> {
        self.records.values().map(|datum| read_own::<Employee>(datum))
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn region(&self) -> Region {
        self.region
    }
}

fn hash(identity: &Identity, region: Region) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.key(region).hash(&mut hasher);
    hasher.finish()
}

/// How employee numbers are compared.
pub(super) fn normal(employee_no: &str, region: Region) -> std::borrow::Cow<'_, str> {
    normalise_identity(IdentityKind::EmployeeNo, employee_no, region)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::fixtures::{REGION, employee, phone};

    fn known(keys: &[&str]) -> KnownEmployees {
        let mut known = KnownEmployees::new(REGION);
        for key in keys {
            known.apply(key, Some(&employee(key, vec![phone(1)], 1))).unwrap();
        }
        known
    }

    #[test]
    fn what_is_packed_is_unpacked_as_it_was() {
        let known = known(&["E1"]);
        assert_eq!(known.get("E1").unwrap(), Some(employee("E1", vec![phone(1)], 1)));
        assert_eq!(known.get("E2").unwrap(), None);
        assert_eq!(known.all().count(), 1);
    }

    #[test]
    fn an_employee_is_known_under_any_spelling_of_the_number() {
        let known = known(&["E1", "e2"]);
        for (written, key) in [
            ("E1", "E1"),
            (" e1 ", "E1"),
            ("Ｅ１", "E1"),
            ("E2", "e2"),
            ("e2", "e2"),
            ("e3", "e3"),
        ] {
            assert_eq!(known.key_of(written), key, "{written}");
        }
    }

    #[test]
    fn an_identity_leads_to_all_who_have_or_had_it_however_it_is_written() {
        let mut known = known(&["E1", "E2", "E3"]);
        known.apply("E2", None).unwrap();
        known.apply("E3", Some(&employee("E3", vec![phone(2)], 2))).unwrap();
        let written_otherwise = Identity {
            value: "+86 199-0000-0001".to_owned(),
            ..phone(1)
        };
        let held = |identity: &Identity| known.held(identity).collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(held(&written_otherwise), [phone(1)]);
        assert_eq!(held(&phone(3)), []);
    }

    #[test]
    fn an_erased_employee_is_not_known_any_more() {
        let mut known = known(&["e1"]);
        known.apply("e1", None).unwrap();
        assert_eq!((known.get("e1").unwrap(), known.len()), (None, 0));
        assert_eq!(known.key_of("E1"), "E1");
    }
}
