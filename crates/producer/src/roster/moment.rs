//! Dates and times as HR systems export them.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};
use chrono_tz::Tz;
use scoresync_domain::Timestamp;

const DATES: [&str; 5] = ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日"];
const CLOCKS: [&str; 3] = ["%H:%M:%S%.f", "%H:%M:%S", "%H:%M"];
/// HR systems write 9999-12-31 for what has no end.
const NEVER: i32 = 9999;
/// A century before the oldest and after the youngest employee: what lies outside is a slip.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// Which moment of its day a date without a time means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DayMeans {
    /// Its first moment.
    Start,
    /// The first moment after it: the day is the last one.
    End,
}

/// Why a text is no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MomentError {
    #[error(
        "is no date that is read here: write 2026-11-22, 2026/11/22, 20261122 or 2026年11月22日, with 08:30:00 after it or without, or RFC 3339"
    )]
    Unreadable,
    #[error("names no time zone: set roster.time_zone, such as \"Asia/Shanghai\"")]
    NoZone,
    #[error("is a local time that the clocks of roster.time_zone skipped")]
    Skipped,
}

/// Reads a moment; `None` is one that never comes.
pub(super) fn read(text: &str, day_means: DayMeans, zone: Option<Tz>) -> Result<Option<Timestamp>, MomentError> {
    if DateTime::parse_from_rfc3339(text).is_ok() {
        return read_rfc3339(text);
    }
    let (date, clock) = local(text).ok_or(MomentError::Unreadable)?;
    if !comes(date)? {
        return Ok(None);
    }
    let local = match (clock, day_means) {
        (Some(clock), _) => date.and_time(clock),
        (None, DayMeans::Start) => date.and_time(NaiveTime::MIN),
        (None, DayMeans::End) => (date + Days::new(1)).and_time(NaiveTime::MIN),
    };
    in_zone(local, zone.ok_or(MomentError::NoZone)?).map(Some)
}

/// Reads a moment as RFC 3339 writes it, and nothing else; `None` is one that never comes.
pub(super) fn read_rfc3339(text: &str) -> Result<Option<Timestamp>, MomentError> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| MomentError::Unreadable)?;
    Ok(comes(time.date_naive())?.then(|| Timestamp::from_millis(time.timestamp_millis())))
}

/// Whether a date ever comes; one that cannot be meant is no date.
fn comes(date: NaiveDate) -> Result<bool, MomentError> {
    match date.year() {
        NEVER => Ok(false),
        year if YEARS.contains(&year) => Ok(true),
        _ => Err(MomentError::Unreadable),
    }
}

fn local(text: &str) -> Option<(NaiveDate, Option<NaiveTime>)> {
    DATES.iter().find_map(|pattern| {
        let (date, rest) = NaiveDate::parse_and_remainder(text, pattern).ok()?;
        let rest = rest.trim_start_matches([' ', 'T']);
        if rest.is_empty() {
            return Some((date, None));
        }
        let clock = CLOCKS.iter().find_map(|pattern| NaiveTime::parse_from_str(rest, pattern).ok())?;
        Some((date, Some(clock)))
    })
}

/// Of a local time that occurs twice, the earlier one is meant. A day that begins in a gap begins where the gap ends.
fn in_zone(local: NaiveDateTime, zone: Tz) -> Result<Timestamp, MomentError> {
    let at = |local: NaiveDateTime| zone.from_local_datetime(&local).earliest();
    let is_midnight = local.time() == NaiveTime::MIN;
    let time = at(local).or_else(|| at(local + chrono::TimeDelta::hours(1)).filter(|_| is_midnight));
    time.map(|time| Timestamp::from_millis(time.timestamp_millis()))
        .ok_or(MomentError::Skipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, day_means: DayMeans, zone: Option<Tz>) -> String {
        match read(text, day_means, zone) {
            Ok(Some(time)) => time.to_string(),
            Ok(None) => "never".to_owned(),
            Err(error) => format!("{error:?}"),
        }
    }

    fn check(day_means: DayMeans, cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(shown(text, day_means, Some(chrono_tz::Asia::Shanghai)), *expected, "{text}");
        }
    }

    #[test]
    fn dates_are_read_as_they_are_written() {
        let start = "2026-11-21T16:00:00.000Z";
        check(
            DayMeans::Start,
            &[
                ("2026-11-22", start),
                ("2026/11/22", start),
                ("2026/11/2", "2026-11-01T16:00:00.000Z"),
                ("2026.11.22", start),
                ("20261122", start),
                ("2026年11月22日", start),
                ("2026-11-22 08:30", "2026-11-22T00:30:00.000Z"),
                ("2026-11-22T08:30:00", "2026-11-22T00:30:00.000Z"),
                ("2026/11/22 08:30:05.25", "2026-11-22T00:30:05.250Z"),
                ("2026-11-22T08:30:00+01:00", "2026-11-22T07:30:00.000Z"),
                ("9999-12-31", "never"),
                ("9999-12-31T00:00:00Z", "never"),
            ],
        );
    }

    #[test]
    fn the_last_day_counts_whole() {
        check(
            DayMeans::End,
            &[
                ("2026-11-22", "2026-11-22T16:00:00.000Z"),
                ("2026-12-31", "2026-12-31T16:00:00.000Z"),
                ("2026-11-22 18:00", "2026-11-22T10:00:00.000Z"),
            ],
        );
    }

    #[test]
    fn what_is_no_date_is_not_guessed() {
        let unreadable = "Unreadable";
        let texts = [
            "22.11.2026",
            "2026-13-01",
            "2026-02-30",
            "46348",
            "2026-11-22 25:00",
            "2026-11-22x",
            "1026-11-22",
            "0001-01-01T00:00:00Z",
            "2201-01-01T00:00:00Z",
            "soon",
        ];
        check(DayMeans::Start, &texts.map(|text| (text, unreadable)));
    }

    #[test]
    fn a_date_without_a_zone_is_no_moment() {
        assert_eq!(shown("2026-11-22", DayMeans::Start, None), "NoZone");
        assert_eq!(shown("2026-11-22T08:30:00Z", DayMeans::Start, None), "2026-11-22T08:30:00.000Z");
    }

    #[test]
    fn a_day_whose_midnight_was_skipped_begins_an_hour_later() {
        let cairo = Some(chrono_tz::Africa::Cairo);
        assert_eq!(shown("2024-04-26", DayMeans::Start, cairo), "2024-04-25T22:00:00.000Z");
        assert_eq!(shown("2024-04-26 00:30", DayMeans::Start, cairo), "Skipped");
    }
}
