//! The headers of dead letters: Kafka Connect's family, so that existing tools read them, and ours. All UTF-8 text, no personal value.

use std::ffi::CString;

use rdkafka::message::{BorrowedHeaders, Header, OwnedHeaders};
use scoresync_domain::{Origin, Reason, Timestamp};

pub(crate) mod lookup;
mod received;
mod redrive;
mod whole;

pub use received::ReceivedLetter;
pub use redrive::{DirectoryPosition, ParseDirectoryPositionError, Redrive, enriched_headers};
pub use whole::LetterRecord;

/// Kafka Connect's header family.
pub mod connect {
    /// Where this copy of the record was read: the topic.
    pub const TOPIC: &str = "__connect.errors.topic";
    /// Where this copy of the record was read: the partition.
    pub const PARTITION: &str = "__connect.errors.partition";
    /// Where this copy of the record was read: the offset.
    pub const OFFSET: &str = "__connect.errors.offset";
    /// The consumer group that read it.
    pub const CONNECTOR_NAME: &str = "__connect.errors.connector.name";
    /// The instance that read it.
    pub const TASK_ID: &str = "__connect.errors.task.id";
    /// `VALUE_CONVERTER` for what cannot be decoded, `TRANSFORMATION` for mapping and matching.
    pub const STAGE: &str = "__connect.errors.stage";
    /// What failed.
    pub const CLASS_NAME: &str = "__connect.errors.class.name";
    /// The reason.
    pub const EXCEPTION_CLASS_NAME: &str = "__connect.errors.exception.class.name";
    /// A sentence for people.
    pub const EXCEPTION_MESSAGE: &str = "__connect.errors.exception.message";
}

/// The reason, from a closed list.
pub const REASON: &str = "scoresync.reason";
/// Name of the report's source; empty where it could not be read.
pub const SOURCE: &str = "scoresync.source";
/// `generation/partition/offset` of the report's first appearance.
pub const ORIGIN: &str = "scoresync.origin";
/// How often the report was tried, from 1.
pub const ATTEMPT: &str = "scoresync.attempt";
/// When the first try failed: RFC 3339, UTC, milliseconds.
pub const FIRST_FAILED_AT: &str = "scoresync.first_failed_at";
/// Whether what the report said before is taken back with the letter: then the letter is open, whatever was known of it. `yes`, or absent.
pub const RETRACTED: &str = "scoresync.retracted";
/// How far the directory was read by whoever redrove the report: `employees/aliases`, the next offsets.
pub const DIRECTORY: &str = "scoresync.directory";
/// The trace that the report belongs to (W3C Trace Context).
pub const TRACEPARENT: &str = "traceparent";
/// Of version 00, the only one there is.
pub const TRACEPARENT_BYTES: usize = 55;

/// What a redriven copy knows of its past; a report that was never redriven has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Where it first appeared.
    pub origin: Option<Origin>,
    /// How often it was tried before.
    pub attempts: u32,
    /// When the first try failed.
    pub first_failed_at: Option<Timestamp>,
    /// How far the directory must be read for the next try to be worth anything.
    pub directory: Option<DirectoryPosition>,
}

impl History {
    /// Reads the headers that a redrive sets; what cannot be read is taken as absent.
    #[must_use]
    pub fn read(headers: Option<&BorrowedHeaders>) -> Self {
        let text = |name: &str| text_of(headers, name);
        Self {
            origin: text(ORIGIN).and_then(|text| text.parse().ok()),
            attempts: text(ATTEMPT).and_then(|text| text.parse().ok()).unwrap_or(0),
            first_failed_at: text(FIRST_FAILED_AT).and_then(Timestamp::parse_rfc3339),
            directory: text(DIRECTORY).and_then(|text| text.parse().ok()),
        }
    }
}

/// A header's text, if it is there and is text.
#[must_use]
pub fn text_of<'a>(headers: Option<&'a BorrowedHeaders>, name: &str) -> Option<&'a str> {
    std::str::from_utf8(value_of(headers, name)?).ok()
}

fn value_of<'a>(headers: Option<&'a BorrowedHeaders>, name: &str) -> Option<&'a [u8]> {
    lookup::value_of(headers?, &CString::new(name).ok()?)
}

/// The trace that a record belongs to; what cannot be one by its length is no trace, and is not carried on.
#[must_use]
pub fn traceparent_of(headers: Option<&BorrowedHeaders>) -> Option<&str> {
    text_of(headers, TRACEPARENT).filter(|value| value.len() == TRACEPARENT_BYTES)
}

/// Why a report could not be mapped or matched, and where that was found.
#[derive(Clone, Copy, Debug)]
pub struct DeadLetter<'a> {
    /// The topic that this copy was read from.
    pub topic: &'a str,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// The consumer group.
    pub group: &'a str,
    /// The instance of the mapper.
    pub instance: &'a str,
    /// The reason.
    pub reason: Reason,
    /// A sentence for people, without personal values.
    pub message: &'a str,
    /// The report's source; empty where it could not be read.
    pub source: &'a str,
    /// Where the report first appeared.
    pub origin: Origin,
    /// The try that failed, from 1.
    pub attempt: u32,
    /// When the first try failed.
    pub first_failed_at: Timestamp,
    /// The trace that the report belongs to.
    pub traceparent: Option<&'a str>,
    /// Whether the report was filed before, and what it said is taken back.
    pub is_retracted: bool,
}

impl DeadLetter<'_> {
    /// All headers, each once.
    #[must_use]
    pub fn headers(&self) -> OwnedHeaders {
        let stage = match self.reason {
            Reason::Undecodable | Reason::UnknownSchema => "VALUE_CONVERTER",
            Reason::UnknownSource
            | Reason::Unparsed
            | Reason::MissingField
            | Reason::InvalidField
            | Reason::AmbiguousField
            | Reason::UnmatchedEmployee
            | Reason::AmbiguousEmployee
            | Reason::ConflictingIdentity
            | Reason::TooLarge => "TRANSFORMATION",
        };
        let entries = [
            (connect::TOPIC, self.topic),
            (connect::PARTITION, &self.partition.to_string()),
            (connect::OFFSET, &self.offset.to_string()),
            (connect::CONNECTOR_NAME, self.group),
            (connect::TASK_ID, self.instance),
            (connect::STAGE, stage),
            (connect::CLASS_NAME, "scoresync.mapper"),
            (connect::EXCEPTION_CLASS_NAME, self.reason.as_str()),
            (connect::EXCEPTION_MESSAGE, self.message),
            (REASON, self.reason.as_str()),
            (SOURCE, self.source),
            (ORIGIN, &self.origin.to_string()),
            (ATTEMPT, &self.attempt.to_string()),
            (FIRST_FAILED_AT, &self.first_failed_at.to_string()),
        ];
        let retracted = self.is_retracted.then_some((RETRACTED, "yes"));
        let traceparent = self.traceparent.map(|traceparent| (TRACEPARENT, traceparent));
        let headers = OwnedHeaders::new_with_capacity(entries.len() + 2);
        let all = entries.into_iter().chain(retracted).chain(traceparent);
        all.fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rdkafka::message::Headers;

    use super::{lookup::raw::raw_headers, *};

    pub(super) const LETTER: DeadLetter<'_> = DeadLetter {
        topic: "scores.raw",
        partition: 3,
        offset: 41,
        group: "scoresync-mapper",
        instance: "host-1",
        reason: Reason::MissingField,
        message: "cannot map course_id from `课程编号`: the record has no value for it",
        source: "academy",
        origin: Origin {
            generation: 1,
            partition: 3,
            offset: 7,
        },
        attempt: 2,
        first_failed_at: Timestamp::from_millis(1_794_000_000_123),
        traceparent: None,
        is_retracted: false,
    };

    fn listed(headers: &OwnedHeaders) -> Vec<(&str, &str)> {
        headers
            .iter()
            .map(|header| (header.key, std::str::from_utf8(header.value.unwrap()).unwrap()))
            .collect()
    }

    #[test]
    fn a_letter_has_exactly_these_headers() {
        let expected = [
            ("__connect.errors.topic", "scores.raw"),
            ("__connect.errors.partition", "3"),
            ("__connect.errors.offset", "41"),
            ("__connect.errors.connector.name", "scoresync-mapper"),
            ("__connect.errors.task.id", "host-1"),
            ("__connect.errors.stage", "TRANSFORMATION"),
            ("__connect.errors.class.name", "scoresync.mapper"),
            ("__connect.errors.exception.class.name", "missing_field"),
            (
                "__connect.errors.exception.message",
                "cannot map course_id from `课程编号`: the record has no value for it",
            ),
            ("scoresync.reason", "missing_field"),
            ("scoresync.source", "academy"),
            ("scoresync.origin", "1/3/7"),
            ("scoresync.attempt", "2"),
            ("scoresync.first_failed_at", "2026-11-06T21:20:00.123Z"),
        ];
        assert_eq!(listed(&LETTER.headers()), expected);
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let traced = DeadLetter {
            traceparent: Some(trace),
            ..LETTER
        };
        assert_eq!(listed(&traced.headers()), [&expected[..], &[("traceparent", trace)]].concat());
        assert_eq!(traceparent_of(Some(traced.headers().as_borrowed())), Some(trace));
        let endless = DeadLetter {
            traceparent: Some(&trace.repeat(20)),
            ..LETTER
        };
        assert_eq!(traceparent_of(Some(endless.headers().as_borrowed())), None);
    }

    #[test]
    fn only_what_cannot_be_decoded_fails_in_the_converter() {
        for reason in Reason::ALL {
            let headers = DeadLetter { reason: *reason, ..LETTER }.headers();
            let in_converter = matches!(reason, Reason::Undecodable | Reason::UnknownSchema);
            let stage = if in_converter { "VALUE_CONVERTER" } else { "TRANSFORMATION" };
            assert_eq!(text_of(Some(headers.as_borrowed()), connect::STAGE), Some(stage), "{reason}");
            assert_eq!(text_of(Some(headers.as_borrowed()), REASON), Some(reason.as_str()));
        }
    }

    #[test]
    fn a_letter_that_is_sent_again_knows_its_past() {
        let headers = LETTER.headers();
        let history = History::read(Some(headers.as_borrowed()));
        let expected = History {
            origin: Some(LETTER.origin),
            attempts: 2,
            first_failed_at: Some(LETTER.first_failed_at),
            directory: None,
        };
        assert_eq!(history, expected);
        assert_eq!(History::read(None), History::default());
    }

    #[test]
    fn a_header_whose_name_is_no_text_hides_no_other_and_stops_nobody() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let headers = raw_headers(&[
            (c"\xff\xfe", Some(b"1")),
            (c"", Some(b"2")),
            (c"scoresync.attempt", Some(b"3")),
            (c"scoresync.attempt", Some(b"4")),
            (c"traceparent", Some(trace.as_bytes())),
            (c"scoresync.origin", None),
        ]);
        let headers = Some(headers.as_borrowed());
        let attempts = History {
            attempts: 3,
            ..History::default()
        };
        assert_eq!((History::read(headers), traceparent_of(headers)), (attempts, Some(trace)));
    }

    #[test]
    fn headers_that_cannot_be_read_are_taken_as_absent() {
        let damaged = |key, value: &[u8]| OwnedHeaders::new().insert(Header { key, value: Some(value) });
        for (key, value) in [
            (ORIGIN, &b"1/2"[..]),
            (ORIGIN, b"\xff\xfe"),
            (ATTEMPT, b"-1"),
            (ATTEMPT, b"99999999999"),
            (FIRST_FAILED_AT, b"yesterday"),
            (DIRECTORY, b"1"),
            ("other", b"1"),
        ] {
            assert_eq!(History::read(Some(damaged(key, value).as_borrowed())), History::default(), "{key}");
        }
        let empty = OwnedHeaders::new().insert(Header::<&[u8]> { key: ATTEMPT, value: None });
        assert_eq!(History::read(Some(empty.as_borrowed())), History::default());
    }
}
