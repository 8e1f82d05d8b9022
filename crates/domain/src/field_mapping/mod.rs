//! Field mapping: what a source's record says in our words, or why it says nothing that could be filed.
//!
//! Values are read exactly or refused, never guessed, and no explanation quotes one.

mod column;
mod error;
mod field;
mod map;
mod mapped_score;
mod mapping;
mod marks;
mod number;
mod reading;
mod record;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod time_layout;
mod time_pattern;
mod words;

pub use error::{KeyProblem, MappingError};
pub use field::Field;
pub use mapped_score::{MappedScore, Marks, PresentedIdentities};

pub(crate) use column::{Column, MAX_VALUE_CHARS, is_blank};
pub(crate) use mapping::{FieldMapping, Revision};
pub(crate) use number::{Decimal, DecimalColumn, fold_width, whole_number};
pub(crate) use record::{Name, Record};
pub(crate) use text::Text;
pub(crate) use time::{TimeColumn, TimeFormat};
pub(crate) use words::Words;
