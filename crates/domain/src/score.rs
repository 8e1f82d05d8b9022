//! Scores as exact decimals; a score never becomes a floating-point number.

use std::fmt;

const SCALE: i64 = 6;
const UNIT: i64 = 1_000_000;
/// 18 digits in all, 6 of them behind the point.
const LIMIT: i64 = 1_000_000_000_000_000_000;

/// An exact decimal of precision 18 and scale 6, kept as a number of millionths. 0 is a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score(i64);

/// Why a text is no score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// Not a decimal number (NaN and infinity are none either).
    #[error("not a decimal number")]
    NotANumber,
    /// More than 12 digits before the point.
    #[error("more than 12 digits before the decimal point")]
    TooLarge,
}

impl Score {
    /// From millionths; `None` where more than 18 digits are needed.
    #[must_use]
    pub const fn from_millionths(millionths: i64) -> Option<Self> {
        if -LIMIT < millionths && millionths < LIMIT {
            Some(Self(millionths))
        } else {
            None
        }
    }

    /// The number of millionths.
    #[must_use]
    pub const fn as_millionths(self) -> i64 {
        self.0
    }

    /// Reads `[+-]digits[.digits][e[+-]digits]`, rounding half to even behind the sixth place; the flag says whether it rounded.
    ///
    /// # Errors
    /// Anything else is [`ScoreError::NotANumber`]; what needs more than 18 digits is [`ScoreError::TooLarge`].
    pub fn parse(text: &str) -> Result<(Self, bool), ScoreError> {
        plain(text).map_or_else(|| Self::parse_any(text), |score| Ok((score, false)))
    }

    fn parse_any(text: &str) -> Result<(Self, bool), ScoreError> {
        let (mantissa, exponent) = split_exponent(text)?;
        let (negative, unsigned) = match mantissa.as_bytes().first() {
            Some(b'-') => (true, &mantissa[1..]),
            Some(b'+') => (false, &mantissa[1..]),
            _ => (false, mantissa),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !digits_only(whole) || !digits_only(fraction) {
            return Err(ScoreError::NotANumber);
        }
        let digits = whole.bytes().chain(fraction.bytes());
        let kept = whole.len() as i64 + i64::from(exponent) + SCALE;
        let (magnitude, rounded) = round_at(digits, kept)?;
        let signed = if negative { -magnitude } else { magnitude };
        Self::from_millionths(signed)
            .map(|score| (score, rounded))
            .ok_or(ScoreError::TooLarge)
    }
}

/// What nearly every score is: a few digits, perhaps with a point, and no more than six places behind it. `None` decides nothing.
fn plain(text: &str) -> Option<Score> {
    // As many digits fit, whatever the place of the point.
    let digits = Some(text.as_bytes()).filter(|bytes| bytes.len() <= 12)?;
    let (mut number, mut places) = (None, None);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                number = Some(number.unwrap_or(0) * 10 + i64::from(byte - b'0'));
                places = places.map(|places: usize| places + 1);
            }
            b'.' if places.is_none() => places = Some(0),
            _ => return None,
        }
    }
    let unit = [UNIT, 100_000, 10_000, 1_000, 100, 10, 1].get(places.unwrap_or(0))?;
    Some(Score(number? * unit))
}

fn split_exponent(text: &str) -> Result<(&str, i32), ScoreError> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Ok((text, 0));
    };
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ScoreError::NotANumber);
    }
    // Beyond this the value is either too large or rounds to nothing, whatever the digits.
    let clamped = exponent
        .parse::<i32>()
        .unwrap_or(if exponent.starts_with('-') { i32::MIN } else { i32::MAX });
    Ok((mantissa, clamped.clamp(-100_000, 100_000)))
}

/// The number made of the first `kept` digits (zeros appended where there are fewer), rounded half to even by the rest.
fn round_at(digits: impl Iterator<Item = u8>, kept: i64) -> Result<(i64, bool), ScoreError> {
    let (mut number, mut seen, mut first_cut, mut cut_rest) = (0_i64, 0_i64, 0_u8, false);
    for digit in digits.map(|byte| byte - b'0') {
        if seen < kept {
            number = grow(number, digit)?;
        } else if seen == kept {
            first_cut = digit;
        } else {
            cut_rest |= digit != 0;
        }
        seen += 1;
    }
    // Digits before the kept ones are zeros when the exponent is very small: the first digit then is no half.
    if kept < 0 {
        return Ok((0, cut_rest || first_cut != 0 || number != 0));
    }
    while seen < kept && number != 0 {
        number = grow(number, 0)?;
        seen += 1;
    }
    let up = first_cut > 5 || first_cut == 5 && (cut_rest || number % 2 == 1);
    Ok((number + i64::from(up), first_cut != 0 || cut_rest))
}

fn grow(number: i64, digit: u8) -> Result<i64, ScoreError> {
    let grown = number.checked_mul(10).and_then(|number| number.checked_add(i64::from(digit)));
    grown.filter(|grown| *grown < LIMIT).ok_or(ScoreError::TooLarge)
}

impl fmt::Display for Score {
    /// The shortest exact decimal: `85`, `85.5`, `-0.000001`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0.unsigned_abs() / UNIT as u64, self.0.unsigned_abs() % UNIT as u64);
        let sign = if self.0 < 0 { "-" } else { "" };
        if fraction == 0 {
            write!(formatter, "{sign}{whole}")
        } else {
            write!(formatter, "{sign}{whole}.{}", format!("{fraction:06}").trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Result<(&str, bool), ScoreError>) {
        let read = Score::parse(text).map(|(score, rounded)| (score.to_string(), rounded));
        assert_eq!(read, expected.map(|(shown, rounded)| (shown.to_owned(), rounded)), "{text}");
    }

    #[test]
    fn decimals_are_read_exactly() {
        check("0", Ok(("0", false)));
        check("-0", Ok(("0", false)));
        check("85", Ok(("85", false)));
        check("085.50", Ok(("85.5", false)));
        check("+.5", Ok(("0.5", false)));
        check("5.", Ok(("5", false)));
        check("8.55e1", Ok(("85.5", false)));
        check("855E-1", Ok(("85.5", false)));
        check("999999999999.999999", Ok(("999999999999.999999", false)));
        check("0e999999999999", Ok(("0", false)));
    }

    #[test]
    fn more_than_six_places_are_rounded_half_to_even_and_flagged() {
        check("0.0000005", Ok(("0", true)));
        check("0.0000015", Ok(("0.000002", true)));
        check("0.00000050001", Ok(("0.000001", true)));
        check("-0.0000015", Ok(("-0.000002", true)));
        check("85.5000000", Ok(("85.5", false)));
        check("1e-7", Ok(("0", true)));
        check("9e-8", Ok(("0", true)));
        check("9e-7", Ok(("0.000001", true)));
        check("1e-99999999999", Ok(("0", true)));
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in [
            "", "-", ".", "NaN", "inf", "1,5", "1.2.3", "0x10", "１", "1e", "1e+", "--1", "1 000",
        ] {
            check(text, Err(ScoreError::NotANumber));
        }
        for text in [
            "1000000000000",
            "1e400",
            "-1e12",
            "999999999999.9999999",
            "92343635567757",
            "9300000000000",
            "9300000000000000000",
            "99999999999999999999",
        ] {
            check(text, Err(ScoreError::TooLarge));
        }
    }

    proptest! {
        #[test]
        fn an_integer_is_read_as_itself_or_is_too_large(number in prop_oneof![any::<i128>(), -2_000_000_000_000..2_000_000_000_000_i128]) {
            let expected = if number.abs() < 1_000_000_000_000 { Ok((number.to_string(), false)) } else { Err(ScoreError::TooLarge) };
            let read = Score::parse(&number.to_string()).map(|(score, rounded)| (score.to_string(), rounded));
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn a_plain_decimal_is_what_any_decimal_is(text in "[0-9]{0,12}[.]?[0-9]{0,8}|[-+0-9.,eE]{0,13}") {
            if let Some(score) = plain(&text) {
                prop_assert_eq!(Score::parse_any(&text), Ok((score, false)));
            }
        }

        #[test]
        fn a_decimal_is_what_its_digits_say(whole in "[0-9]{1,24}", fraction in "[0-9]{0,6}") {
            let millionths = format!("{whole}{fraction:0<6}").parse::<i128>().unwrap();
            let expected = i64::try_from(millionths).ok().and_then(Score::from_millionths).ok_or(ScoreError::TooLarge);
            prop_assert_eq!(Score::parse(&format!("{whole}.{fraction}")), expected.map(|score| (score, false)));
        }
    }
}
