//! Records on the wire: the frame, the Avro data, and how each record of ours is read and written.

mod bytes;
mod datum;
mod employee;
mod enriched_score;
mod frame;
mod identity_alias;
mod raw_score;
#[cfg(test)]
mod tests;
mod unique_names;
mod units;

use serde::{Deserialize, Serialize};
use serde_avro_fast::Schema;

pub use datum::{DatumError, SchemaError, parse_schema};
pub(crate) use frame::split;
pub use frame::{FrameError, HEADER_BYTES, split as split_frame};

/// A record that has a schema of ours.
pub trait Record {
    /// The `.avsc` that this program reads and writes.
    const SCHEMA: &'static str;
    /// The record, borrowing what it can from the message.
    type Borrowed<'a>;
    /// Its form on the wire.
    type Wire<'a>: Serialize + Deserialize<'a> + TryInto<Self::Borrowed<'a>, Error = DatumError>;
}

/// Reads a datum that `schema` wrote.
///
/// # Errors
/// Bytes that do not follow the schema, are left over, or break a rule of the record. No error quotes a value.
pub fn read_datum<'a, R: Record>(schema: &Schema, datum: &'a [u8]) -> Result<R::Borrowed<'a>, DatumError> {
    datum::read::<R::Wire<'a>>(schema, datum)?.try_into()
}

/// Writes records of one kind under one registered schema.
pub struct Encoder<R> {
    schema: Schema,
    schema_id: u32,
    record: std::marker::PhantomData<fn() -> R>,
}

impl<R: Record> Encoder<R> {
    /// For the schema that the registry knows as `schema_id`.
    ///
    /// # Errors
    /// Where the embedded schema cannot be parsed.
    pub fn new(schema_id: u32) -> Result<Self, SchemaError> {
        let schema = parse_schema::<R>(R::SCHEMA)?;
        Ok(Self {
            schema,
            schema_id,
            record: std::marker::PhantomData,
        })
    }

    /// Writes the framed record over what `buffer` held.
    ///
    /// # Errors
    /// Where the record does not fit its schema, which its types rule out.
    pub fn encode<'a, B>(&self, record: &'a B, buffer: &mut Vec<u8>) -> Result<(), DatumError>
    where
        R::Wire<'a>: From<&'a B>,
    {
        frame::begin(buffer, self.schema_id);
        datum::append(&self.schema, &R::Wire::from(record), buffer)
    }
}
