//! Records on the wire: the frame, the Avro data, and how each record of ours is read and written.

mod bytes;
mod datum;
mod employee;
mod enriched_score;
mod frame;
mod identity_alias;
mod raw_score;
mod reader;
#[cfg(test)]
mod tests;
mod unique_names;
mod units;
mod writer;

use serde::Deserialize;
use serde_avro_fast::Schema;

pub use datum::{DatumError, SchemaError, parse_schema};
pub(crate) use frame::split;
pub use frame::{FrameError, HEADER_BYTES, split as split_frame};
use reader::{Malformed, Reader};
use writer::Writer;

/// A record that has a schema of ours.
pub trait Record {
    /// The `.avsc` that this program reads and writes.
    const SCHEMA: &'static str;
    /// The record, borrowing what it can from the message.
    type Borrowed<'a>;
    /// Its fields on the wire, as any schema of its subject may have written them.
    type Wire<'a>: Deserialize<'a> + TryInto<Self::Borrowed<'a>, Error = DatumError>;

    /// Reads the fields of [`Self::SCHEMA`] in their order.
    ///
    /// # Errors
    /// Bytes that do not follow the schema.
    fn read<'a>(reader: &mut Reader<'a>) -> Result<Self::Wire<'a>, Malformed>;

    /// Writes the fields of [`Self::SCHEMA`] in their order.
    ///
    /// # Errors
    /// A list that is longer than anybody reads.
    fn append(record: &Self::Borrowed<'_>, writer: &mut Writer<'_>) -> Result<(), DatumError>;
}

/// Reads a datum that our own schema wrote, several times as fast as [`read_datum`] does.
///
/// # Errors
/// As those of [`read_datum`], for the same bytes.
pub fn read_own<R: Record>(datum: &[u8]) -> Result<R::Borrowed<'_>, DatumError> {
    datum::read_own::<R>(datum)?.try_into()
}

/// Reads a datum that `schema` wrote, whatever its version.
///
/// # Errors
/// Bytes that do not follow the schema, are left over, or break a rule of the record. No error quotes a value.
pub fn read_datum<'a, R: Record>(schema: &Schema, datum: &'a [u8]) -> Result<R::Borrowed<'a>, DatumError> {
    datum::read::<R::Wire<'a>>(schema, datum)?.try_into()
}

/// Writes records of one kind under our own schema.
pub struct Encoder<R> {
    schema_id: u32,
    record: std::marker::PhantomData<fn() -> R>,
}

impl<R: Record> Encoder<R> {
    /// For the id under which the registry knows our schema.
    #[must_use]
    pub const fn new(schema_id: u32) -> Self {
        Self {
            schema_id,
            record: std::marker::PhantomData,
        }
    }

    /// Writes the framed record over what `buffer` held.
    ///
    /// # Errors
    /// A list that is longer than anybody reads.
    pub fn encode(&self, record: &R::Borrowed<'_>, buffer: &mut Vec<u8>) -> Result<(), DatumError> {
        frame::begin(buffer, self.schema_id);
        R::append(record, &mut Writer::new(buffer))
    }
}
