//! Times written by a pattern in the letters of `strftime`: checked when the configuration is read, so that each can really be read.

use std::fmt::Write as _;

use chrono::{
    DateTime, NaiveDate, NaiveDateTime,
    format::{Fixed, Item, Parsed, StrftimeItems, parse},
};

use super::{number::fold_width, time_layout::TimeLayout};

/// A moment to write and read back by every pattern.
const TRIAL: &str = "2026-11-23T21:20:37+08:00";

/// What a text says: a point in time, what a clock on the wall showed, or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Milliseconds since the epoch.
    Instant(i64),
    /// A local time whose zone the text does not say.
    Local(NaiveDateTime),
    /// A date alone, with its seconds east of UTC where the text says them.
    Day(NaiveDate, Option<i32>),
}

/// A pattern that was tried out: it gives a whole date, with or without the time of day.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TimePattern {
    items: Box<[Item<'static>]>,
    /// The short way to read most texts.
    layout: Option<TimeLayout>,
    has_zone: bool,
    has_clock: bool,
}

impl TimePattern {
    /// Compiles a pattern and reads a moment back with it; the error says what the pattern lacks.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let folded = fold_width(pattern);
        let items = StrftimeItems::new(&folded)
            .parse_to_owned()
            .map_err(|_| format!("`{pattern}` is neither rfc3339, unix_seconds, unix_millis nor a pattern like %Y-%m-%d %H:%M:%S"))?
            .into_boxed_slice();
        // The name of a zone would be passed over: many mean several zones.
        if items.iter().any(|item| matches!(item, Item::Fixed(Fixed::TimezoneName))) {
            return Err(format!(
                "`{pattern}` has %Z, and the name of a zone cannot be read; use %z for texts like +08:00"
            ));
        }
        let trial = DateTime::parse_from_rfc3339(TRIAL).map_err(|error| error.to_string())?;
        let mut written = String::new();
        let mut parsed = Parsed::new();
        let reads =
            write!(written, "{}", trial.format_with_items(items.iter())).is_ok() && parse(&mut parsed, &written, items.iter()).is_ok();
        let compiled = Self {
            has_zone: parsed.offset().is_some() || parsed.timestamp().is_some(),
            has_clock: parsed.hour_div_12().is_some()
                || parsed.hour_mod_12().is_some()
                || parsed.minute().is_some()
                || parsed.second().is_some()
                || parsed.timestamp().is_some(),
            layout: TimeLayout::of(&folded),
            items,
        };
        if reads && compiled.read(&written).is_some() {
            Ok(compiled)
        } else {
            Err(format!(
                "`{pattern}` does not give a whole date with year, month and day, or gives a time of day without hour or minute"
            ))
        }
    }

    /// Whether its texts say their offset from UTC.
    pub(crate) fn has_zone(&self) -> bool {
        self.has_zone
    }

    /// What a text says in this pattern.
    pub(crate) fn read(&self, text: &str) -> Option<Moment> {
        let usual = self.layout.and_then(|layout| layout.read(text));
        usual.map(Moment::Local).or_else(|| self.read_by_items(text))
    }

    /// As [`TimePattern::read`], the long way.
    pub(super) fn read_by_items(&self, text: &str) -> Option<Moment> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok()?;
        if self.has_zone && self.has_clock {
            return parsed.to_datetime().ok().map(|time| Moment::Instant(time.timestamp_millis()));
        }
        let day = parsed.to_naive_date().ok()?;
        if self.has_clock {
            return parsed.to_naive_time().ok().map(|time| Moment::Local(day.and_time(time)));
        }
        Some(Moment::Day(day, parsed.offset()))
    }
}
