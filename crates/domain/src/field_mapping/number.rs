//! Reading numbers: exact decimals and whole numbers. Nothing here ever becomes a floating-point number.

use std::borrow::Cow;

use scoresync_fault_points::{self as fault_points, Bug};

use super::{Column, MappingError, Record, column::Cell};
use crate::{Score, ScoreError};

/// Where a score comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decimal {
    /// The same for every record.
    Constant(Score),
    /// From the record.
    Column(DecimalColumn),
}

/// A column of decimals and how the source writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DecimalColumn {
    pub(crate) column: Column,
    /// `85,5` is eighty-five and a half; a point is then invalid, because it would be a thousands separator.
    pub(crate) decimal_comma: bool,
    /// Units that may stand before or behind the number.
    pub(crate) strip: Box<[String]>,
}

impl Decimal {
    /// The score, and whether it was rounded to six places.
    pub(crate) fn read(&self, record: &Record<'_>) -> Result<Option<(Score, bool)>, MappingError> {
        match self {
            Self::Constant(score) => Ok(Some((*score, false))),
            Self::Column(decimal) => {
                let Some(cell) = decimal.column.read(record)? else {
                    return Ok(None);
                };
                let read = decimal.parse(cell)?;
                let is_missing = fault_points::has(Bug::ZeroAsMissing) && read.0.to_string() == "0";
                Ok(Some(read).filter(|_| !is_missing))
            }
        }
    }

    /// The column, where it is read from one.
    pub(crate) fn column(&self) -> Option<&Column> {
        match self {
            Self::Constant(_) => None,
            Self::Column(decimal) => Some(&decimal.column),
        }
    }
}

impl DecimalColumn {
    fn parse(&self, cell: Cell<'_>) -> Result<(Score, bool), MappingError> {
        let folded = fold_width(cell.text);
        let number = self.without_units(&folded);
        if self.decimal_comma && number.contains('.') {
            return Err(cell.invalid("with `decimal_comma` a number cannot have a point"));
        }
        let written = if self.decimal_comma && number.contains(',') {
            Cow::Owned(number.replacen(',', ".", 1))
        } else {
            Cow::Borrowed(number)
        };
        Score::parse(&written).map_err(|error| {
            cell.invalid(match error {
                ScoreError::NotANumber if !self.decimal_comma && number.contains(',') => {
                    "a comma is read only with `decimal_comma`, and thousands separators are not read at all"
                }
                ScoreError::NotANumber => "it is not a decimal number",
                ScoreError::TooLarge => "it has more than 12 digits before the decimal point",
            })
        })
    }

    fn without_units<'t>(&self, text: &'t str) -> &'t str {
        for unit in &self.strip {
            let unit = unit.as_str();
            if let Some(number) = text.strip_suffix(unit).or_else(|| text.strip_prefix(unit)) {
                return number.trim();
            }
        }
        text
    }
}

/// Reads a whole number from 0: `3`, `３`, and `3.0`, as spreadsheets write it.
pub(crate) fn whole_number(cell: Cell<'_>) -> Result<i64, MappingError> {
    let folded = fold_width(cell.text);
    let whole = match folded.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) | None => &folded,
    };
    let number = whole.parse::<i64>().ok().filter(|number| *number >= 0);
    number.ok_or_else(|| cell.invalid("it is not a whole number from 0"))
}

/// Full-width forms as their ASCII twins (`８５．５` is `85.5`).
///
/// Deliberately less than NFKC, which would turn `10²` into `102`.
pub(crate) fn fold_width(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(|letter| narrow(letter) != letter) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(narrow).collect())
}

fn narrow(letter: char) -> char {
    match letter {
        // The block of full-width forms follows ASCII from `!` to `~` (Unicode, chapter 18.5).
        '\u{FF01}'..='\u{FF5E}' => u8::try_from(u32::from(letter) - 0xFEE0).map_or(letter, char::from),
        '\u{3000}' => ' ',
        _ => letter,
    }
}
