//! Reading points in time: in the first of a source's formats that fits, local times in the zone that the configuration names.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};
use chrono_tz::Tz;

use super::{
    Column, MappingError, Record,
    column::Cell,
    number::{fold_width, whole_number},
    time_pattern::{Moment, TimePattern},
};
use crate::{Period, Timestamp};

/// A source's clock may be this far ahead of ours.
const MAX_AHEAD_MS: i64 = 24 * 60 * 60 * 1_000;
/// Numbers from here on are no seconds (the year 5138) but milliseconds.
const SECONDS_LIMIT: i64 = 100_000_000_000;

/// A column of times and how the source writes them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TimeColumn {
    pub(crate) column: Column,
    /// Tried in this order; the first that fits counts.
    pub(crate) formats: Box<[TimeFormat]>,
    /// Zone of times that name none.
    pub(crate) zone: Option<Tz>,
}

/// One way to write a point in time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TimeFormat {
    /// `rfc3339`
    Rfc3339,
    /// `unix_seconds`: whole numbers below 100,000,000,000.
    UnixSeconds,
    /// `unix_millis`: whole numbers.
    UnixMillis,
    /// A pattern in the letters of `strftime`.
    Pattern(TimePattern),
}

impl TimeFormat {
    /// Reads the name of a format or a pattern; the error says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        match text {
            "rfc3339" => Ok(Self::Rfc3339),
            "unix_seconds" => Ok(Self::UnixSeconds),
            "unix_millis" => Ok(Self::UnixMillis),
            pattern => TimePattern::new(pattern).map(Self::Pattern),
        }
    }

    /// Whether its times mean nothing without a zone from the configuration.
    pub(crate) fn needs_zone(&self) -> bool {
        match self {
            Self::Rfc3339 | Self::UnixSeconds | Self::UnixMillis => false,
            Self::Pattern(pattern) => !pattern.has_zone(),
        }
    }

    fn read(&self, cell: Cell<'_>, text: &str) -> Option<Moment> {
        match self {
            // No shorter text has an offset, and one without is what the next format is for.
            Self::Rfc3339 if text.len() < "2026-11-06T20:15:30Z".len() => None,
            Self::Rfc3339 => DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|time| Moment::Instant(time.timestamp_millis())),
            Self::UnixSeconds => whole_number(cell)
                .ok()
                .filter(|seconds| *seconds < SECONDS_LIMIT)
                .map(|seconds| Moment::Instant(seconds * 1_000)),
            Self::UnixMillis => whole_number(cell).ok().map(Moment::Instant),
            Self::Pattern(pattern) => pattern.read(text),
        }
    }
}

impl TimeColumn {
    /// The point in time, or the whole of a day; invalid where it begins before 1970 or more than 24 hours after the report was received.
    pub(crate) fn read(&self, record: &Record<'_>, received_at: Timestamp) -> Result<Option<Period>, MappingError> {
        let Some(cell) = self.column.read(record)? else { return Ok(None) };
        let text = fold_width(cell.text);
        let Some(moment) = self.formats.iter().find_map(|format| format.read(cell, &text)) else {
            return Err(cell.invalid(match self.zone {
                Some(_) => "it fits none of the formats that the mapping lists for this field",
                None => "it fits none of the formats of this field; times without a zone are read only where `zone` or `time_zone` is set",
            }));
        };
        let skipped = || cell.invalid("the clocks of its time zone skipped this local time");
        let (first, last) = match moment {
            Moment::Instant(millis) => (millis, millis),
            Moment::Local(local) => {
                let millis = self.in_zone(local).ok_or_else(skipped)?;
                (millis, millis)
            }
            Moment::Day(day, offset) => self.day(day, offset).ok_or_else(skipped)?,
        };
        let first = possible(first, received_at).map_err(|explanation| cell.invalid(explanation))?;
        Ok(Some(Period::new(first, Timestamp::from_millis(last))))
    }

    /// The first and the last millisecond of a day.
    fn day(&self, day: NaiveDate, offset: Option<i32>) -> Option<(i64, i64)> {
        let begin = |day: NaiveDate| match offset {
            Some(seconds) => Some((day.and_time(NaiveTime::MIN).and_utc().timestamp() - i64::from(seconds)) * 1_000),
            // Where clocks skip midnight, the day begins when they go on.
            None => (0..24).find_map(|hour| self.in_zone(day.and_hms_opt(hour, 0, 0)?)),
        };
        Some((begin(day)?, begin(day.succ_opt()?)? - 1))
    }

    /// Where clocks are put back a local time occurs twice: the earlier one is meant. Where they are put forward some do not exist.
    fn in_zone(&self, local: NaiveDateTime) -> Option<i64> {
        self.zone?
            .from_local_datetime(&local)
            .earliest()
            .map(|time| time.timestamp_millis())
    }
}

fn possible(millis: i64, received_at: Timestamp) -> Result<Timestamp, &'static str> {
    if millis < 0 {
        Err("it is before 1970")
    } else if millis > received_at.as_millis().saturating_add(MAX_AHEAD_MS) {
        Err("it is more than 24 hours after the report was received")
    } else {
        Ok(Timestamp::from_millis(millis))
    }
}
