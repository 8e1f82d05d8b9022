//! The headers of a report that is sent again. Any producer can write any.

use std::ffi::{CStr, CString};

use rdkafka::message::OwnedHeaders;
use scoresync_domain::Reason;
use scoresync_kafka::{
    dead_letter::{DeadLetter, History, traceparent_of},
    mock::raw_headers,
};

use super::{Cost, Target};

/// A line for each header, `name=value`; without `=` the value is null. What is read of a report's past is what its next dead letter says,
/// and what is not text or too much is not there.
pub const HEADERS: Target = Target {
    name: "headers",
    check,
    costs: &[Cost {
        read,
        // A line of one byte is a name and a value in two lists that double; the product itself holds one name at a time.
        multiple: 160,
        constant_bytes: 4_096,
    }],
};

fn read(lines: &[u8]) {
    let headers = headers(lines);
    // Whatever comes of it.
    let _ = (
        History::read(Some(headers.as_borrowed())),
        traceparent_of(Some(headers.as_borrowed())),
    );
}

fn check(lines: &[u8]) -> bool {
    let headers = headers(lines);
    let headers = Some(headers.as_borrowed());
    let (history, traceparent) = (History::read(headers), traceparent_of(headers));
    assert!(
        traceparent.is_none_or(|trace| trace.len() == 55),
        "a trace of another length is carried on"
    );
    let letter = letter_of(history, traceparent).headers();
    let told = Some(letter.as_borrowed());
    assert_eq!(traceparent_of(told), traceparent, "the trace is another one");
    let told = History::read(told);
    if let Some(origin) = history.origin {
        assert_eq!(told.origin, Some(origin), "the origin is lost");
    }
    if history.first_failed_at.is_some() {
        assert_eq!(
            told.first_failed_at, history.first_failed_at,
            "the time of the first failure is lost"
        );
    }
    assert_eq!(told.attempts, history.attempts.saturating_add(1), "the tries are not counted");
    history != History::default() || traceparent.is_some()
}

/// The letter of a report with this past, as the mapper writes it when the report fails again.
fn letter_of<'a>(history: History, traceparent: Option<&'a str>) -> DeadLetter<'a> {
    DeadLetter {
        is_retracted: false,
        topic: "scores.raw",
        partition: 0,
        offset: 0,
        group: "mapper",
        instance: "one",
        reason: Reason::Unparsed,
        message: "",
        source: "",
        origin: history.origin.unwrap_or(scoresync_domain::Origin {
            generation: 1,
            partition: 0,
            offset: 0,
        }),
        attempt: history.attempts.saturating_add(1),
        first_failed_at: history.first_failed_at.unwrap_or_default(),
        traceparent,
    }
}

fn headers(lines: &[u8]) -> OwnedHeaders {
    let entries: Vec<(CString, Option<&[u8]>)> = lines.split(|byte| *byte == b'\n').filter_map(header).collect();
    let entries: Vec<(&CStr, Option<&[u8]>)> = entries.iter().map(|(name, value)| (name.as_c_str(), *value)).collect();
    raw_headers(&entries)
}

/// librdkafka's names end at their first NUL.
fn header(line: &[u8]) -> Option<(CString, Option<&[u8]>)> {
    let mut parts = line.splitn(2, |byte| *byte == b'=');
    let name = CString::new(parts.next()?).ok()?;
    Some((name, parts.next()))
}
