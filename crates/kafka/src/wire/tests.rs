//! What is written is read, what others write by the same rules is read, and what breaks them is refused.
//!
//! Whatever is written or read here under our own schema, the library writes and reads as well, and does the same.

mod arbitrary;
mod evolution;
mod hostile;
mod identity;
mod library;
mod oracle;

use std::fmt::Debug;

use self::library::LibraryRecord;
use super::{DatumError, Encoder, Record, parse_schema, read_datum, read_own};
use crate::wire::HEADER_BYTES;

const SCHEMA_ID: u32 = 258;

/// The framed value of a record.
fn encode<R: LibraryRecord>(record: &R::Borrowed<'_>) -> Vec<u8> {
    let mut value = b"what the buffer held".to_vec();
    Encoder::<R>::new(SCHEMA_ID).encode(record, &mut value).unwrap();
    let mut by_library = value[..HEADER_BYTES].to_vec();
    R::write(record, &parse_schema::<R>(R::SCHEMA).unwrap(), &mut by_library);
    assert_eq!(value, by_library);
    value
}

/// The datum of a record, without its frame.
fn datum<R: LibraryRecord>(record: &R::Borrowed<'_>) -> Vec<u8> {
    encode::<R>(record).split_off(HEADER_BYTES)
}

/// Reads a datum that our own schema wrote.
fn decode<R: Record>(datum: &[u8]) -> Result<R::Borrowed<'_>, DatumError>
where
    for<'a> R::Borrowed<'a>: Debug + PartialEq,
{
    let read = read_own::<R>(datum);
    let by_library = read_datum::<R>(&parse_schema::<R>(R::SCHEMA).unwrap(), datum);
    match (&read, &by_library) {
        (Ok(read), Ok(by_library)) => assert_eq!(read, by_library),
        (Err(error), Err(by_library)) => assert_eq!(error.to_string(), by_library.to_string(), "{datum:?}"),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("{datum:?} is {read:?}, and by the library {by_library:?}"),
    }
    read
}
