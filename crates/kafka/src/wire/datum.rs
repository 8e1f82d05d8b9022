//! Avro data to and from the wire structs, bounded: nothing left over, no endless sequences, no deep nesting.

use std::io::BufRead;

use serde::{Deserialize, Serialize};
use serde_avro_fast::{
    Schema,
    de::{DeserializerConfig, DeserializerState, read::SliceRead},
    ser::SerializerConfig,
};

/// More items than any of our records has in one map or array.
const MAX_SEQUENCE_ITEMS: usize = 10_000;
/// Deeper than any of our schemas.
const MAX_DEPTH: usize = 8;

/// Why a datum could not be read or written. The texts carry no values.
#[derive(Debug, thiserror::Error)]
pub enum DatumError {
    /// The bytes do not follow the schema.
    #[error("the datum does not follow its schema")]
    Malformed,
    /// The record ends before the bytes do.
    #[error("{0} bytes are left over after the datum")]
    LeftOver(usize),
    /// The content breaks a rule that the schema cannot state.
    #[error("{0}")]
    Content(&'static str),
    /// A record of ours does not fit its own schema.
    #[error("the record cannot be written with its schema")]
    Unwritable,
}

/// Reads all of `datum`, which `schema` wrote.
pub(crate) fn read<'de, T: Deserialize<'de>>(schema: &Schema, datum: &'de [u8]) -> Result<T, DatumError> {
    let mut config = DeserializerConfig::new(schema);
    config.max_seq_size = MAX_SEQUENCE_ITEMS;
    config.allowed_depth = MAX_DEPTH;
    let mut state = DeserializerState::with_config(SliceRead::new(datum), config);
    // The library's error texts can quote values, so they stop here.
    let record = T::deserialize(state.deserializer()).map_err(|_| DatumError::Malformed)?;
    match state.into_reader().fill_buf().map_or(0, <[u8]>::len) {
        0 => Ok(record),
        left_over => Err(DatumError::LeftOver(left_over)),
    }
}

/// Appends the datum of `record` to `buffer`.
pub(crate) fn append<T: Serialize>(schema: &Schema, record: &T, buffer: &mut Vec<u8>) -> Result<(), DatumError> {
    let mut config = SerializerConfig::new(schema);
    serde_avro_fast::to_datum(record, buffer, &mut config)
        .map(drop)
        .map_err(|_| DatumError::Unwritable)
}

/// Parses a schema down to its physical types: decimals stay bytes and times stay numbers, which our own types read and write exactly.
///
/// # Errors
/// Where the text is no Avro schema, or has a decimal of another scale than six.
pub fn parse_schema(text: &str) -> Result<Schema, SchemaError> {
    let mut json: serde_json::Value = serde_json::from_str(text).map_err(|_| SchemaError::NotAvro)?;
    strip_logical_types(&mut json)?;
    json.to_string().parse().map_err(|_| SchemaError::NotAvro)
}

/// Why a schema cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Not an Avro schema.
    #[error("not an Avro schema")]
    NotAvro,
    /// A decimal that our scores cannot take exactly.
    #[error("has a decimal whose scale is not 6")]
    ForeignScale,
}

fn strip_logical_types(json: &mut serde_json::Value) -> Result<(), SchemaError> {
    if let Some(object) = json.as_object_mut() {
        let is_type = object.get("type").is_some();
        if is_type && object.remove("logicalType").is_some_and(|logical| logical == "decimal") {
            let scale = object.get("scale").and_then(serde_json::Value::as_u64);
            if scale != Some(6) {
                return Err(SchemaError::ForeignScale);
            }
        }
        object.remove("default");
        object.values_mut().try_for_each(strip_logical_types)
    } else if let Some(array) = json.as_array_mut() {
        array.iter_mut().try_for_each(strip_logical_types)
    } else {
        Ok(())
    }
}
