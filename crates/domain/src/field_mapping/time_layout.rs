//! Local times in the layouts that nearly all sources use: every number with all its digits, and one character between two of them.

use chrono::{NaiveDate, NaiveDateTime};

/// What can stand between two numbers.
const SEPARATORS: &[u8] = b"-/. :T";

/// Year, month, day, hour, minute and perhaps second, in this order, and what stands between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeLayout {
    /// Behind the year, the month, the day, the hour and, where there are seconds, the minute.
    separators: [u8; 5],
    has_seconds: bool,
}

impl TimeLayout {
    /// The layout of a pattern in the letters of `strftime`; `None` where it has another one.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        let mut rest = pattern.strip_prefix("%Y")?;
        let mut separators = [0; 5];
        for (separator, number) in separators.iter_mut().zip(["%m", "%d", "%H", "%M", "%S"]) {
            if number == "%S" && rest.is_empty() {
                break;
            }
            *separator = rest.bytes().next().filter(|byte| SEPARATORS.contains(byte))?;
            rest = rest[1..].strip_prefix(number)?;
        }
        // A fraction of a second may be left out in the text, and a text in this layout leaves it out.
        matches!(rest, "" | "%.f").then_some(Self {
            separators,
            has_seconds: separators[4] != 0,
        })
    }

    /// The time that a text says in exactly this layout. `None` decides nothing: the pattern may allow other texts.
    pub(super) fn read(&self, text: &str) -> Option<NaiveDateTime> {
        let (year, rest) = text.as_bytes().split_first_chunk::<4>()?;
        let year = two_digits([year[0], year[1]])? * 100 + two_digits([year[2], year[3]])?;
        let mut numbers = [0; 5];
        let length = if self.has_seconds { 5 } else { 4 };
        if rest.len() != 3 * length {
            return None;
        }
        for ((number, written), separator) in numbers.iter_mut().zip(rest.chunks_exact(3)).zip(self.separators) {
            let &[found, tens, ones] = written else { return None };
            if found != separator {
                return None;
            }
            *number = two_digits([tens, ones])?;
        }
        let [month, day, hour, minute, second] = numbers;
        NaiveDate::from_ymd_opt(year.cast_signed(), month, day)?.and_hms_opt(hour, minute, second)
    }
}

fn two_digits([tens, ones]: [u8; 2]) -> Option<u32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u32::from(byte - b'0'));
    Some(digit(tens)? * 10 + digit(ones)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::field_mapping::time_pattern::{Moment, TimePattern};

    #[test]
    fn only_whole_times_from_the_year_on_have_a_layout() {
        for pattern in ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S%.f", "%Y.%m.%dT%H.%M"] {
            assert!(TimeLayout::of(pattern).is_some(), "{pattern}");
        }
        for pattern in [
            "",
            "%Y",
            "%Y-%m-%d",
            "%Y-%m-%d %H",
            "%y-%m-%d %H:%M",
            "%d.%m.%Y %H:%M",
            "%Y%m%d %H:%M",
            "%Y-%m-%d  %H:%M",
            "%Y年%m月%d日 %H:%M",
            "%Y-%m-%d %H:%M:%S %z",
            "%Y-%m-%d %H:%M%.f:",
        ] {
            assert_eq!(TimeLayout::of(pattern), None, "{pattern}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_layout_reads_what_its_pattern_reads(
            between in "[-/. :T]{5}",
            seconds in prop::sample::select(vec!["", "%S", "%S%.f"]),
            text in "[0-9]{4}[-/. :T][01][0-9][-/. :T][0-3][0-9][-/. :T][0-2][0-9][-/. :T][0-6][0-9]([-/. :T][0-6][0-9])?",
            is_separated_alike in prop::bool::weighted(0.9),
        ) {
            let separators: Vec<char> = between.chars().collect();
            let [first, second, third, fourth, fifth] = separators[..] else { unreachable!() };
            let fifth = if seconds.is_empty() { String::new() } else { fifth.to_string() };
            let pattern = format!("%Y{first}%m{second}%d{third}%H{fourth}%M{fifth}{seconds}");
            let mut text: Vec<char> = text.chars().collect();
            if is_separated_alike {
                for (place, separator) in [4, 7, 10, 13, 16].into_iter().zip(&separators) {
                    if let Some(written) = text.get_mut(place) {
                        *written = *separator;
                    }
                }
            }
            let text: String = text.into_iter().collect();
            let layout = TimeLayout::of(&pattern).expect("the pattern has a layout");
            if let Some(read) = layout.read(&text) {
                let general = TimePattern::new(&pattern).expect("the pattern is right");
                prop_assert_eq!(general.read_by_items(&text), Some(Moment::Local(read)), "{} in {}", text, pattern);
            }
        }

        #[test]
        fn every_second_is_read(seconds in 0..253_402_300_800_i64) {
            let time = chrono::DateTime::from_timestamp(seconds, 0).expect("it is a time").naive_utc();
            let pattern = "%Y-%m-%d %H:%M:%S";
            let layout = TimeLayout::of(pattern).expect("the pattern has a layout");
            prop_assert_eq!(layout.read(&time.format(pattern).to_string()), Some(time));
        }
    }
}
