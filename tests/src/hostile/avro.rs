//! The four records that travel as Avro.

use std::{fmt::Debug, sync::LazyLock};

use scoresync_domain::{Employee, EnrichedScore, IdentityAlias, ScoreReport};
use scoresync_kafka::{DatumError, Encoder, HEADER_BYTES, Record, parse_schema, read_datum, read_own};
use serde_avro_fast::Schema;

use super::{Cost, Target, prefixes::strict_prefixes};

/// A datum of `scores.raw`.
pub const RAW_SCORE: Target = Target {
    name: "raw_score",
    check: |datum| RAW_SCORES.check(datum).is_some(),
    costs: &[cost(|datum| RAW_SCORES.read_and_drop(datum))],
};
/// A datum of `scores.enriched`.
pub const ENRICHED_SCORE: Target = Target {
    name: "enriched_score",
    check: |datum| ENRICHED_SCORES.check(datum).is_some(),
    costs: &[cost(|datum| ENRICHED_SCORES.read_and_drop(datum))],
};
/// A datum of `employees`.
pub const EMPLOYEE: Target = Target {
    name: "employee",
    check: |datum| EMPLOYEES.check(datum).is_some(),
    costs: &[cost(|datum| EMPLOYEES.read_and_drop(datum))],
};
/// A datum of `employees.aliases`.
pub const IDENTITY_ALIAS: Target = Target {
    name: "identity_alias",
    check: |datum| ALIASES.check(datum).is_some_and(|alias| has_one_key(&alias)),
    costs: &[cost(|datum| ALIASES.read_and_drop(datum))],
};

/// The dearest input is a map of names that are all empty: 2 bytes each on the wire, here a pair of texts, an invented name, and their
/// places in two hash tables, all in containers that double. The rest is the decoder's own state.
const fn cost(read: fn(&[u8])) -> Cost {
    Cost {
        read,
        multiple: 100,
        constant_bytes: 1_024,
    }
}

static RAW_SCORES: LazyLock<Codec<ScoreReport<'static>>> = LazyLock::new(Codec::new);
static ENRICHED_SCORES: LazyLock<Codec<EnrichedScore<'static>>> = LazyLock::new(Codec::new);
static EMPLOYEES: LazyLock<Codec<Employee>> = LazyLock::new(Codec::new);
static ALIASES: LazyLock<Codec<IdentityAlias>> = LazyLock::new(Codec::new);

/// Reads and writes under the schema of this release; reads also by the way that leads through every schema, which has to see the same.
struct Codec<R> {
    schema: Schema,
    encoder: Encoder<R>,
}

/// What [`ScoreReport`]s are checked with that come from elsewhere: encoding and decoding one gives the same one.
pub(super) fn check_report_travels(report: &ScoreReport<'_>) {
    let written = RAW_SCORES.write(report);
    let read = RAW_SCORES.read(&written);
    assert_eq!(
        read.ok().as_ref(),
        Some(report),
        "a report is another one after its way through Kafka"
    );
}

impl<R: Record> Codec<R> {
    fn new() -> Self {
        let Ok(schema) = parse_schema::<R>(R::SCHEMA) else {
            panic!("the schema of this release cannot be parsed")
        };
        let encoder = Encoder::new(1);
        Self { schema, encoder }
    }

    fn read<'d>(&self, datum: &'d [u8]) -> Result<R::Borrowed<'d>, DatumError>
    where
        for<'r> R::Borrowed<'r>: PartialEq + Debug,
    {
        let read = read_own::<R>(datum);
        let otherwise = read_datum::<R>(&self.schema, datum);
        assert_eq!(
            read.as_ref().map_err(ToString::to_string),
            otherwise.as_ref().map_err(ToString::to_string),
            "two ways of reading differ"
        );
        read
    }

    fn read_and_drop(&self, datum: &[u8]) {
        // Whatever comes of it.
        drop(read_own::<R>(datum));
        drop(read_datum::<R>(&self.schema, datum));
    }

    fn write(&self, record: &R::Borrowed<'_>) -> Vec<u8> {
        let mut value = Vec::new();
        let written = self.encoder.encode(record, &mut value);
        assert!(written.is_ok(), "what was read cannot be written: {written:?}");
        value.split_off(HEADER_BYTES)
    }

    /// The record of a datum that can be read, when everything is as it has to be.
    fn check<'d>(&self, datum: &'d [u8]) -> Option<R::Borrowed<'d>>
    where
        for<'r> R::Borrowed<'r>: PartialEq + Debug,
    {
        let record = self.read(datum).ok()?;
        let written = self.write(&record);
        self.check_same(datum, &written);
        for valid in [datum, &written] {
            self.check_nothing_less(valid);
            self.check_nothing_more(valid);
        }
        Some(record)
    }

    fn check_same<'d>(&self, datum: &'d [u8], written: &'d [u8])
    where
        for<'r> R::Borrowed<'r>: PartialEq + Debug,
    {
        let (read, read_again) = (self.read(datum).ok(), self.read(written).ok());
        assert_eq!(read, read_again, "a record is another one after it was written");
        let written_again = read_again.map(|record| self.write(&record));
        assert_eq!(written_again.as_deref(), Some(written), "one record is written in two ways");
    }

    fn check_nothing_less(&self, datum: &[u8])
    where
        for<'r> R::Borrowed<'r>: PartialEq + Debug,
    {
        for prefix in strict_prefixes(datum) {
            let read = self.read(prefix);
            assert!(read.is_err(), "{} of {} bytes are taken for a record", prefix.len(), datum.len());
        }
    }

    fn check_nothing_more(&self, datum: &[u8])
    where
        for<'r> R::Borrowed<'r>: PartialEq + Debug,
    {
        let longer = [datum, &[0]].concat();
        let read = self.read(&longer).err();
        assert!(
            matches!(read, Some(DatumError::LeftOver(1))),
            "a byte is left over, and is told as {read:?}"
        );
    }
}

/// The key of an alias in its topic says the whole of what it is about.
fn has_one_key(alias: &IdentityAlias) -> bool {
    let key = alias.subject.to_string();
    assert_eq!(key.parse().as_ref(), Ok(&alias.subject), "the key {key:?} is of another subject");
    true
}
