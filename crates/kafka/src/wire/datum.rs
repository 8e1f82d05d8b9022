//! Avro data into the wire structs, bounded: nothing left over, no endless sequences, no deep nesting.

use std::io::BufRead;

use scoresync_fault_points::{self as fault_points, Bug};
use serde::Deserialize;
use serde_avro_fast::{
    Schema,
    de::{DeserializerConfig, DeserializerState, read::SliceRead},
};
use serde_json::Value;

use super::{
    Record,
    reader::{Malformed, Reader},
    units,
};

/// More items than any of our records has in one map or array; what has more is neither read nor written.
pub(super) const MAX_SEQUENCE_ITEMS: usize = 10_000;
/// Deeper than any of our schemas, with room for what others add to them.
const MAX_DEPTH: usize = 32;

/// Why a datum could not be read or written. The texts carry no values.
#[derive(Debug, thiserror::Error)]
pub enum DatumError {
    /// The bytes do not follow the schema.
    #[error("the datum does not follow its schema")]
    Malformed,
    /// The record ends before the bytes do.
    #[error("{0} bytes are left over after the datum")]
    LeftOver(usize),
    /// The schema that wrote it cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The content breaks a rule that the schema cannot state.
    #[error("{0}")]
    Content(&'static str),
    /// A record of ours has a longer list than anybody reads.
    #[error("the record cannot be written: it has a list of more than {MAX_SEQUENCE_ITEMS} items")]
    Unwritable,
}

impl From<Malformed> for DatumError {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}

/// Reads all of `datum`, which our own schema wrote: straight on, since it is known what comes next.
pub(super) fn read_own<R: Record>(datum: &[u8]) -> Result<R::Wire<'_>, DatumError> {
    read_whole(datum, |datum| {
        let mut reader = Reader::new(datum);
        Ok((R::read(&mut reader)?, reader.bytes_left()))
    })
}

/// Reads all of `datum`, which `schema` wrote: as the library finds its way through the schema.
pub(super) fn read<'a, T: Deserialize<'a>>(schema: &Schema, datum: &'a [u8]) -> Result<T, DatumError> {
    read_whole(datum, |datum| {
        let mut config = DeserializerConfig::new(schema);
        config.max_seq_size = MAX_SEQUENCE_ITEMS;
        config.allowed_depth = MAX_DEPTH;
        let mut state = DeserializerState::with_config(SliceRead::new(datum), config);
        // The library's error texts can quote values, so they stop here.
        let record = T::deserialize(state.deserializer()).map_err(|_| Malformed)?;
        Ok((record, state.into_reader().fill_buf().map_or(0, <[u8]>::len)))
    })
}

/// What `read` makes of the datum, if it leaves nothing over.
fn read_whole<'a, T>(datum: &'a [u8], read: impl Fn(&'a [u8]) -> Result<(T, usize), Malformed>) -> Result<T, DatumError> {
    match read(datum) {
        Ok((record, 0)) => Ok(record),
        Ok((_, left_over)) => Err(DatumError::LeftOver(left_over)),
        Err(Malformed) if fault_points::has(Bug::TruncatedDecoded) => Ok(read(padded(datum))?.0),
        Err(Malformed) => Err(DatumError::Malformed),
    }
}

/// Takes what is missing for zeros, which Avro reads as nothing.
fn padded(datum: &[u8]) -> &'static [u8] {
    Box::leak([datum, &[0; 64]].concat().into_boxed_slice())
}

/// Parses a schema that wrote records of one kind down to its physical types: decimals stay bytes and times stay numbers, which our own types
/// read and write exactly.
///
/// # Errors
/// Where the text is no Avro schema, or means by a field of ours another unit than we do.
pub fn parse_schema<R: Record>(text: &str) -> Result<Schema, SchemaError> {
    let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|_| SchemaError::NotAvro);
    let mut json = read(text)?;
    units::compare(&json, &read(R::SCHEMA)?)?;
    strip_logical_types(&mut json);
    json.to_string().parse().map_err(|_| SchemaError::NotAvro)
}

/// Why a schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Not an Avro schema.
    #[error("its schema is not an Avro schema")]
    NotAvro,
    /// A decimal of another scale or a time in another unit: the same bytes, another meaning.
    #[error("its schema writes {field} as {unit}, which is not the unit of this field; write it with the schema that scoresync registered")]
    ForeignUnit {
        /// Path of the field.
        field: String,
        /// What the schema says of it.
        unit: String,
    },
}

fn strip_logical_types(json: &mut Value) {
    match json {
        Value::Object(object) => {
            object.remove("logicalType");
            object.remove("default");
            object.values_mut().for_each(strip_logical_types);
        }
        Value::Array(array) => array.iter_mut().for_each(strip_logical_types),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
