//! What is written is read, what others write by the same rules is read, and what breaks them is refused.

mod arbitrary;
mod evolution;
mod hostile;
mod identity;
mod oracle;

use super::{DatumError, Encoder, Record, parse_schema, read_datum};
use crate::wire::HEADER_BYTES;

const SCHEMA_ID: u32 = 258;

/// The framed value of a record.
fn encode<R: Record, B>(record: &B) -> Vec<u8>
where
    for<'a> R::Wire<'a>: From<&'a B>,
{
    let mut value = b"what the buffer held".to_vec();
    Encoder::<R>::new(SCHEMA_ID).unwrap().encode(record, &mut value).unwrap();
    value
}

/// The datum of a record, without its frame.
fn datum<R: Record, B>(record: &B) -> Vec<u8>
where
    for<'a> R::Wire<'a>: From<&'a B>,
{
    encode::<R, B>(record).split_off(HEADER_BYTES)
}

/// Reads a datum that our own schema wrote.
fn decode<R: Record>(datum: &[u8]) -> Result<R::Borrowed<'_>, DatumError> {
    read_datum::<R>(&parse_schema::<R>(R::SCHEMA).unwrap(), datum)
}
