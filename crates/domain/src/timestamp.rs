//! Points in time as every record of scoresync carries them.

use std::fmt;

use chrono::{DateTime, Datelike, SecondsFormat, Utc};

/// Milliseconds since 1970-01-01T00:00:00Z, as Avro's `timestamp-millis`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// From RFC 3339 text with any offset; `None` where it is none, or is none in UTC, where the year may have five digits.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
        (0..=9999).contains(&time.year()).then(|| Self(time.timestamp_millis()))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC, milliseconds; a moment outside the calendar is shown as its number of milliseconds.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_millis(self.0) {
            Some(time) => formatter.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(formatter, "{}ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_reads_back_what_it_shows() {
        let time = Timestamp::from_millis(1_794_000_000_123);
        assert_eq!(time.to_string(), "2026-11-06T21:20:00.123Z");
        assert_eq!(Timestamp::parse_rfc3339(&time.to_string()), Some(time));
    }

    #[test]
    fn what_could_not_be_read_back_is_not_read() {
        for text in ["9999-12-31T23:59:59-23:00", "0000-01-01T00:00:00+00:01"] {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
        }
        for text in ["9999-12-31T23:59:59.999Z", "0000-01-01T00:00:00.000Z"] {
            assert_eq!(Timestamp::parse_rfc3339(text).map(|time| time.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_moment_outside_the_calendar_does_not_panic() {
        assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), format!("{}ms", i64::MAX));
    }
}
