//! Reads what sources send (JSON, NDJSON, XML, CSV) as rows of fields, one after the other and in bounded memory.
//!
//! Nothing that was sent vanishes in reading: a row is its fields, or its bytes with what is wrong with them, or the reason why the
//! body as a whole cannot be read on. No field is interpreted here.

mod csv;
mod csv_quotes;
mod encoding;
mod field_list;
mod json;
mod json_object;
mod json_path;
mod media_type;
mod ndjson;
mod position;
mod row;
mod row_reader;
mod settings;
mod utf16;
mod window;
mod xml;
mod xml_markup;
mod xml_record;

#[cfg(test)]
mod tests;

pub use encoding::{Encoding, UnknownEncoding};
pub use media_type::{Format, UnknownFormat, UntoldFormat};
pub use row::{BodyError, BrokenBody, Row, Unreadable};
pub use row_reader::{RowReader, read_rows};
pub use settings::{FormatSettings, Limits, SettingsError};
