//! A letter together with the record that it is about, as it is written; without the record where that has no room.

use rdkafka::message::{Headers, OwnedHeaders};
use scoresync_domain::Reason;

use super::DeadLetter;
use crate::publisher::Outgoing;

/// Of a letter that has no room for its record; the key of a report is the 36 characters of a result's id.
const LONGEST_KEY_BYTES: usize = 1024;

/// What is written to the topic of dead letters.
#[derive(Debug)]
pub struct LetterRecord<'a> {
    /// The record.
    pub record: Outgoing<'a>,
    /// Its headers.
    pub headers: OwnedHeaders,
    /// The reason that they give.
    pub reason: Reason,
}

impl<'a> DeadLetter<'a> {
    /// With the record that it is about. One that is larger than `max_bytes` with the headers is left out, and the letter points to where it
    /// stands: a broker measures what is compressed, so that it could come in.
    #[must_use]
    pub fn about(self, record: Outgoing<'a>, max_bytes: usize) -> LetterRecord<'a> {
        let headers = self.headers();
        if bytes_of(&record, &headers) <= max_bytes {
            let reason = self.reason;
            return LetterRecord { record, headers, reason };
        }
        let reason = Reason::TooLarge;
        let pointing = Self {
            reason,
            message: "the record is larger than the topic of dead letters takes, so this letter has no value; the original is at the topic, \
                      partition and offset of these headers",
            ..self
        };
        let record = Outgoing {
            key: record.key.filter(|key| key.len() <= LONGEST_KEY_BYTES),
            value: None,
            ..record
        };
        LetterRecord {
            record,
            headers: pointing.headers(),
            reason,
        }
    }
}

/// How much of a record a topic weighs, but for its framing.
fn bytes_of(record: &Outgoing<'_>, headers: &OwnedHeaders) -> usize {
    let headers = headers.iter().map(|header| header.key.len() + header.value.map_or(0, <[u8]>::len));
    record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len) + headers.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::{super::tests::LETTER, *};

    #[test]
    fn a_record_that_has_no_room_is_pointed_to_and_any_other_goes_with_its_letter() {
        let check = |(key, value): (usize, usize), expected: (Reason, Option<usize>, Option<usize>)| {
            let (key, value) = (vec![b'k'; key], vec![b'v'; value]);
            let record = Outgoing {
                topic: "scores.dlq",
                key: Some(&key),
                value: Some(&value),
            };
            let letter = LETTER.about(record, 4_000);
            let named = letter.headers.iter().find(|header| header.key == super::super::REASON).unwrap();
            assert_eq!(named.value, Some(letter.reason.as_str().as_bytes()));
            let lengths = [letter.record.key, letter.record.value].map(|bytes| bytes.map(<[u8]>::len));
            assert_eq!((letter.reason, lengths[0], lengths[1]), expected);
            assert!(bytes_of(&letter.record, &letter.headers) <= 4_000);
        };
        check((36, 2_000), (LETTER.reason, Some(36), Some(2_000)));
        check((36, 4_000), (Reason::TooLarge, Some(36), None));
        check((1_025, 4_000), (Reason::TooLarge, None, None));
        check((4_000, 0), (Reason::TooLarge, None, None));
    }
}
