//! A letter as it is found in a dead-letter topic, whoever wrote it: we, Kafka Connect, Kafka Streams or Spring.
//!
//! What the others write is told in KIP-298 (Connect), KIP-1034 (Streams) and spring-kafka's `DeadLetterPublishingRecoverer`, which writes
//! partition, offset and time as big-endian numbers of 4, 8 and 8 bytes.

use std::borrow::Cow;

use rdkafka::{Message, message::BorrowedHeaders, message::BorrowedMessage};
use scoresync_domain::{LetterFamily, Origin, Reason, Timestamp};

use super::{ATTEMPT, FIRST_FAILED_AT, ORIGIN, REASON, RETRACTED, SOURCE, connect, lookup, text_of, value_of};

/// Kafka Streams' header family.
mod streams {
    pub(super) const TOPIC: &str = "__streams.errors.topic";
    pub(super) const PARTITION: &str = "__streams.errors.partition";
    pub(super) const OFFSET: &str = "__streams.errors.offset";
    pub(super) const EXCEPTION: &str = "__streams.errors.exception";
    pub(super) const MESSAGE: &str = "__streams.errors.message";
}

/// The header family of Spring's recoverer.
mod spring {
    pub(super) const TOPIC: &str = "kafka_dlt-original-topic";
    pub(super) const PARTITION: &str = "kafka_dlt-original-partition";
    pub(super) const OFFSET: &str = "kafka_dlt-original-offset";
    pub(super) const EXCEPTION: &str = "kafka_dlt-exception-fqcn";
    pub(super) const MESSAGE: &str = "kafka_dlt-exception-message";
}

/// What the headers of a letter say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedLetter<'a> {
    /// Who wrote it.
    pub family: LetterFamily,
    /// The topic that the report comes from; empty where it is `scores.raw`.
    pub topic: Cow<'a, str>,
    /// Where the report first appeared there. A foreign topic has generation 0. Of a letter that does not say it: where the letter stands.
    pub origin: Origin,
    /// The reason; of a foreign letter the class of the exception.
    pub reason: Cow<'a, str>,
    /// A sentence for people.
    pub message: Cow<'a, str>,
    /// The report's source, where it is ours.
    pub source: Cow<'a, str>,
    /// The try that failed, from 1.
    pub attempt: u32,
    /// Whether what its report said before is taken back with it.
    pub is_retracted: bool,
    /// When the first try failed; `None` where the letter does not say it.
    pub first_failed_at: Option<Timestamp>,
    /// All headers, as JSON: an array of objects with `name` and `text` or, where it is none, `hex`.
    pub headers: String,
}

/// Bytes of a name or a reason; the name of a topic has at most 249.
const LONGEST: usize = 250;
const LONGEST_MESSAGE: usize = 2_000;
/// Who writes our letters.
const MAPPER: &str = "scoresync.mapper";

/// Where the headers of a family say what.
struct Names {
    family: LetterFamily,
    topic: &'static str,
    partition: &'static str,
    offset: &'static str,
    reason: &'static str,
    message: &'static str,
}

const FOREIGN: [Names; 3] = [
    Names {
        family: LetterFamily::Connect,
        topic: connect::TOPIC,
        partition: connect::PARTITION,
        offset: connect::OFFSET,
        reason: connect::EXCEPTION_CLASS_NAME,
        message: connect::EXCEPTION_MESSAGE,
    },
    Names {
        family: LetterFamily::Streams,
        topic: streams::TOPIC,
        partition: streams::PARTITION,
        offset: streams::OFFSET,
        reason: streams::EXCEPTION,
        message: streams::MESSAGE,
    },
    Names {
        family: LetterFamily::Spring,
        topic: spring::TOPIC,
        partition: spring::PARTITION,
        offset: spring::OFFSET,
        reason: spring::EXCEPTION,
        message: spring::MESSAGE,
    },
];

impl<'a> ReceivedLetter<'a> {
    /// Reads a record of a dead-letter topic. Nothing is refused: what cannot be read is absent.
    #[must_use]
    pub fn read(record: &'a BorrowedMessage<'_>) -> Self {
        let place = Origin {
            generation: 0,
            partition: record.partition(),
            offset: record.offset(),
        };
        Self::of(record.headers(), (record.topic(), place))
    }

    fn of(headers: Option<&'a BorrowedHeaders>, (topic, place): (&'a str, Origin)) -> Self {
        let text = |name: &str| shown(headers, name, LONGEST).unwrap_or_default();
        let all = headers.map(all_as_json).unwrap_or_else(|| "[]".to_owned());
        // Others can carry our headers on: a report that was redriven has them.
        let is_ours = text_of(headers, connect::CLASS_NAME) == Some(MAPPER) && text(REASON).parse::<Reason>().is_ok();
        let origin = text_of(headers, ORIGIN).and_then(|text| text.parse().ok());
        if let Some(origin) = origin.filter(|_| is_ours) {
            return Self {
                family: LetterFamily::Scoresync,
                topic: Cow::Borrowed(""),
                origin,
                reason: text(REASON),
                message: shown(headers, connect::EXCEPTION_MESSAGE, LONGEST_MESSAGE).unwrap_or_default(),
                source: text(SOURCE),
                attempt: text_of(headers, ATTEMPT).and_then(|text| text.parse().ok()).unwrap_or(1).max(1),
                is_retracted: text_of(headers, RETRACTED).is_some(),
                first_failed_at: text_of(headers, FIRST_FAILED_AT).and_then(Timestamp::parse_rfc3339),
                headers: all,
            };
        }
        let foreign = |family, (topic, origin), reason, message| Self {
            family,
            topic,
            origin,
            reason,
            message,
            source: Cow::Borrowed(""),
            attempt: 1,
            is_retracted: false,
            first_failed_at: None,
            headers: all.clone(),
        };
        let told = FOREIGN.iter().find_map(|names| {
            // A longer one is no topic's name.
            let topic = shown(headers, names.topic, LONGEST).filter(|topic| !topic.is_empty() && topic.len() < LONGEST)?;
            let origin = Origin {
                generation: 0,
                partition: number(value_of(headers, names.partition)?)?.try_into().ok()?,
                offset: number(value_of(headers, names.offset)?)?,
            };
            // Kafka Streams writes the message behind the class.
            let reason = match text(names.reason) {
                Cow::Borrowed(reason) => Cow::Borrowed(reason.split(':').next().unwrap_or_default()),
                Cow::Owned(reason) => Cow::Owned(reason.split(':').next().unwrap_or_default().to_owned()),
            };
            let message = shown(headers, names.message, LONGEST_MESSAGE).unwrap_or_default();
            Some(foreign(names.family, (topic, origin), reason, message))
        });
        told.unwrap_or_else(|| {
            let message = Cow::Borrowed("the record does not say where it comes from, or why it is here");
            foreign(
                LetterFamily::Unknown,
                (Cow::Borrowed(topic), place),
                Cow::Borrowed("unknown"),
                message,
            )
        })
    }
}

/// A number from 0, in text or as Java writes an `int` or a `long`.
fn number(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    let binary = || match value {
        [_, _, _, _] => value.try_into().ok().map(i32::from_be_bytes).map(i64::from),
        _ => value.try_into().ok().map(i64::from_be_bytes),
    };
    text.or_else(binary).filter(|number| *number >= 0)
}

/// Of what is no text as much as can be read, and no more than so many bytes; without U+0000, which no database takes.
fn shown<'a>(headers: Option<&'a BorrowedHeaders>, name: &str, limit: usize) -> Option<Cow<'a, str>> {
    let value = value_of(headers, name)?;
    let text = String::from_utf8_lossy(value);
    if text.len() <= limit && !text.contains('\0') {
        return Some(text);
    }
    let end = (0..=limit.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    Some(Cow::Owned(text[..end].replace('\0', "\u{fffd}")))
}

fn all_as_json(headers: &BorrowedHeaders) -> String {
    let all = lookup::all(headers).map(|(name, value)| {
        let name = String::from_utf8_lossy(name);
        match value.map(std::str::from_utf8) {
            None => serde_json::json!({ "name": name }),
            Some(Ok(text)) => serde_json::json!({ "name": name, "text": text }),
            Some(Err(_)) => {
                let hex: String = value.unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect();
                serde_json::json!({ "name": name, "hex": hex })
            }
        }
    });
    serde_json::Value::Array(all.collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dead_letter::{lookup::raw::raw_headers, tests::LETTER};

    const PLACE: Origin = Origin {
        generation: 0,
        partition: 5,
        offset: 99,
    };

    fn check(entries: &[(&std::ffi::CStr, Option<&[u8]>)], expected: (LetterFamily, &str, &str, &str)) {
        let headers = raw_headers(entries);
        let letter = ReceivedLetter::of(Some(headers.as_borrowed()), ("scores.dlq", PLACE));
        let origin = letter.origin.to_string();
        assert_eq!((letter.family, &*letter.topic, origin.as_str(), &*letter.reason), expected);
    }

    #[test]
    fn our_own_letter_says_everything() {
        let headers = LETTER.headers();
        let letter = ReceivedLetter::of(Some(headers.as_borrowed()), ("scores.dlq", PLACE));
        assert_eq!(
            (letter.family, &*letter.topic, letter.origin),
            (LetterFamily::Scoresync, "", LETTER.origin)
        );
        assert_eq!((&*letter.reason, &*letter.message), (LETTER.reason.as_str(), LETTER.message));
        assert_eq!((&*letter.source, letter.attempt), (LETTER.source, LETTER.attempt));
        assert_eq!(letter.first_failed_at, Some(LETTER.first_failed_at));
        let all: serde_json::Value = serde_json::from_str(&letter.headers).unwrap();
        assert_eq!(all.as_array().unwrap().len(), 14);
        assert_eq!(all[10], serde_json::json!({ "name": "scoresync.source", "text": "academy" }));
    }

    #[test]
    fn a_letter_of_kafka_connect_is_read() {
        let entries: [(_, Option<&[u8]>); 5] = [
            (c"__connect.errors.topic", Some(b"orders")),
            (c"__connect.errors.partition", Some(b"3")),
            (c"__connect.errors.offset", Some(b"41")),
            (
                c"__connect.errors.exception.class.name",
                Some(b"org.apache.kafka.connect.errors.DataException"),
            ),
            (c"__connect.errors.exception.message", Some(b"Unknown magic byte!")),
        ];
        check(
            &entries,
            (
                LetterFamily::Connect,
                "orders",
                "0/3/41",
                "org.apache.kafka.connect.errors.DataException",
            ),
        );
    }

    #[test]
    fn a_letter_of_kafka_streams_is_read() {
        let entries: [(_, Option<&[u8]>); 4] = [
            (c"__streams.errors.exception", Some(b"java.lang.IllegalStateException: no")),
            (c"__streams.errors.topic", Some(b"orders")),
            (c"__streams.errors.partition", Some(b"0")),
            (c"__streams.errors.offset", Some(b"7")),
        ];
        check(
            &entries,
            (LetterFamily::Streams, "orders", "0/0/7", "java.lang.IllegalStateException"),
        );
    }

    #[test]
    fn a_letter_of_spring_has_binary_numbers() {
        let (partition, offset) = (7_i32.to_be_bytes(), 9_000_000_000_i64.to_be_bytes());
        let entries: [(_, Option<&[u8]>); 4] = [
            (c"kafka_dlt-exception-fqcn", Some(b"com.example.Failed")),
            (c"kafka_dlt-original-topic", Some(b"orders")),
            (c"kafka_dlt-original-partition", Some(&partition)),
            (c"kafka_dlt-original-offset", Some(&offset)),
        ];
        check(&entries, (LetterFamily::Spring, "orders", "0/7/9000000000", "com.example.Failed"));
    }

    #[test]
    fn four_digits_are_a_text_and_no_number_of_four_bytes() {
        assert_eq!(number(b"1234"), Some(1234));
        assert_eq!(number(b"12345678"), Some(12_345_678));
        assert_eq!(number(&7_i32.to_be_bytes()), Some(7));
        assert_eq!(number(&(-7_i64).to_be_bytes()), None);
        for other in [&b""[..], b"abc", b"-1", &[0; 5]] {
            assert_eq!(number(other), None, "{other:?}");
        }
    }

    #[test]
    fn headers_of_ours_that_somebody_carried_on_make_no_letter_of_ours() {
        let redriven: [(_, Option<&[u8]>); 5] = [
            (c"scoresync.origin", Some(b"1/3/7")),
            (c"scoresync.attempt", Some(b"4294967295")),
            (c"kafka_dlt-original-topic", Some(b"scores.raw")),
            (c"kafka_dlt-original-partition", Some(b"3")),
            (c"kafka_dlt-original-offset", Some(b"7")),
        ];
        check(&redriven, (LetterFamily::Spring, "scores.raw", "0/3/7", ""));
    }

    #[test]
    fn what_no_database_takes_is_cut_and_cleaned() {
        let long = "ä".repeat(200);
        let entries: [(_, Option<&[u8]>); 4] = [
            (c"__connect.errors.topic", Some(b"or\0ders")),
            (c"__connect.errors.partition", Some(b"3")),
            (c"__connect.errors.offset", Some(b"41")),
            (c"__connect.errors.exception.class.name", Some(long.as_bytes())),
        ];
        check(&entries, (LetterFamily::Connect, "or\u{fffd}ders", "0/3/41", &"ä".repeat(125)));
        let endless = [(c"__connect.errors.topic", Some(long.as_bytes())), entries[1], entries[2]];
        check(&endless, (LetterFamily::Unknown, "scores.dlq", "0/5/99", "unknown"));
    }

    #[test]
    fn what_says_nothing_stands_where_it_stands() {
        let nameless: [(_, Option<&[u8]>); 3] = [
            (c"\xff", Some(b"\xfe\x01")),
            (c"scoresync.origin", Some(b"1/2")),
            (c"__connect.errors.topic", Some(b"orders")),
        ];
        check(&nameless, (LetterFamily::Unknown, "scores.dlq", "0/5/99", "unknown"));
        check(&[], (LetterFamily::Unknown, "scores.dlq", "0/5/99", "unknown"));
        let headers = raw_headers(&nameless);
        let letter = ReceivedLetter::of(Some(headers.as_borrowed()), ("scores.dlq", PLACE));
        assert!(letter.headers.contains(r#""hex":"fe01""#), "{}", letter.headers);
    }
}
