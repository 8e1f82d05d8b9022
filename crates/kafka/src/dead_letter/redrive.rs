//! What a copy carries that goes back to `scores.raw`, and what its enriched score says of it.

use std::{fmt, str::FromStr};

use rdkafka::message::{Header, OwnedHeaders};
use scoresync_domain::{Origin, Timestamp};

use super::{ATTEMPT, DIRECTORY, FIRST_FAILED_AT, ORIGIN, TRACEPARENT};

/// How far `employees` and `employees.aliases` are read: the next offset of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirectoryPosition {
    /// Of `employees`.
    pub employees: i64,
    /// Of `employees.aliases`.
    pub aliases: i64,
}

impl DirectoryPosition {
    /// Whether everything up to the other position is read.
    #[must_use]
    pub const fn has_reached(self, other: Self) -> bool {
        self.employees >= other.employees && self.aliases >= other.aliases
    }
}

impl fmt::Display for DirectoryPosition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.employees, self.aliases)
    }
}

/// The text is not `employees/aliases`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a position of the directory is written employees/aliases, two whole numbers from 0")]
pub struct ParseDirectoryPositionError;

impl FromStr for DirectoryPosition {
    type Err = ParseDirectoryPositionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = |part: &str| part.parse().ok().filter(|offset: &i64| *offset >= 0);
        let (employees, aliases) = text.split_once('/').ok_or(ParseDirectoryPositionError)?;
        match (read(employees), read(aliases)) {
            (Some(employees), Some(aliases)) => Ok(Self { employees, aliases }),
            (_, _) => Err(ParseDirectoryPositionError),
        }
    }
}

/// What a redriven copy says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Redrive<'a> {
    /// Where the report first appeared.
    pub origin: Origin,
    /// How often it was tried before.
    pub attempts: u32,
    /// When the first try failed.
    pub first_failed_at: Timestamp,
    /// How far the directory was read by whoever decided that it is worth another try.
    pub directory: DirectoryPosition,
    /// The trace that the report belongs to.
    pub traceparent: Option<&'a str>,
}

impl Redrive<'_> {
    /// The headers of the copy.
    #[must_use]
    pub fn headers(&self) -> OwnedHeaders {
        let entries = [
            (ORIGIN, self.origin.to_string()),
            (ATTEMPT, self.attempts.to_string()),
            (FIRST_FAILED_AT, self.first_failed_at.to_string()),
            (DIRECTORY, self.directory.to_string()),
        ];
        let headers = OwnedHeaders::new_with_capacity(entries.len() + 1);
        let headers = entries
            .iter()
            .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }));
        with(headers, TRACEPARENT, self.traceparent)
    }
}

/// The headers of an enriched score: the trace that it belongs to and, where its report was redriven, after how many attempts. Mostly none.
#[must_use]
pub fn enriched_headers(attempts: u32, traceparent: Option<&str>) -> Option<OwnedHeaders> {
    if attempts == 0 && traceparent.is_none() {
        return None;
    }
    let attempts = (attempts > 0).then(|| attempts.to_string());
    let headers = with(OwnedHeaders::new_with_capacity(2), ATTEMPT, attempts.as_deref());
    Some(with(headers, TRACEPARENT, traceparent))
}

fn with(headers: OwnedHeaders, key: &str, value: Option<&str>) -> OwnedHeaders {
    match value {
        Some(value) => headers.insert(Header { key, value: Some(value) }),
        None => headers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letter::{History, text_of};

    const REDRIVE: Redrive<'_> = Redrive {
        origin: Origin {
            generation: 1,
            partition: 3,
            offset: 7,
        },
        attempts: 2,
        first_failed_at: Timestamp::from_millis(1_794_000_000_123),
        directory: DirectoryPosition {
            employees: 100,
            aliases: 0,
        },
        traceparent: None,
    };

    #[test]
    fn a_redriven_copy_knows_its_past_and_the_directory_that_it_waits_for() {
        let headers = REDRIVE.headers();
        let expected = History {
            origin: Some(REDRIVE.origin),
            attempts: 2,
            first_failed_at: Some(REDRIVE.first_failed_at),
            directory: Some(REDRIVE.directory),
        };
        assert_eq!(History::read(Some(headers.as_borrowed())), expected);
    }

    #[test]
    fn an_enriched_score_has_headers_only_where_there_is_something_to_say() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(enriched_headers(0, None).is_none());
        let redriven = enriched_headers(2, Some(trace)).unwrap();
        let text = |name| text_of(Some(redriven.as_borrowed()), name);
        assert_eq!((text(ATTEMPT), text(TRACEPARENT)), (Some("2"), Some(trace)));
        let traced = enriched_headers(0, Some(trace)).unwrap();
        assert_eq!(text_of(Some(traced.as_borrowed()), ATTEMPT), None);
    }

    #[test]
    fn a_position_reads_back_and_nothing_else_does() {
        assert_eq!("100/0".parse(), Ok(REDRIVE.directory));
        assert_eq!(REDRIVE.directory.to_string(), "100/0");
        for text in ["", "1", "1/", "-1/2", "1/2/3", "a/b"] {
            assert_eq!(text.parse::<DirectoryPosition>(), Err(ParseDirectoryPositionError), "{text}");
        }
    }

    #[test]
    fn a_position_is_reached_when_both_tables_are() {
        let at = |employees, aliases| DirectoryPosition { employees, aliases };
        assert!(at(5, 2).has_reached(at(5, 2)));
        assert!(!at(9, 1).has_reached(at(5, 2)));
        assert!(!at(4, 9).has_reached(at(5, 2)));
    }
}
