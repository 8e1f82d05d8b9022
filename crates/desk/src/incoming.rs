//! Records of `scores.dlq` and `scores.enriched` as what the archive is told of them.

use scoresync_archive::{FiledReport, IncomingLetter, LetterId};
use scoresync_domain::{About, Directory, EnrichedScore, LetterFamily, Reason, Timestamp};
use scoresync_kafka::{
    BorrowedMessage, DecodeError, Decoder, Message, SchemaLookupError,
    dead_letter::{ATTEMPT, ReceivedLetter, text_of},
};

use crate::judge::{Judge, Judgement};

/// Reads a letter, and judges whether its report can be filed by now.
pub(crate) fn letter<'a>(
    record: &'a BorrowedMessage<'_>,
    (judge, directory): (&mut Judge, &Directory),
    now: Timestamp,
) -> Result<IncomingLetter<'a>, SchemaLookupError> {
    let received = ReceivedLetter::read(record);
    let judgement = if is_readable(&received) {
        judge.judge(record.payload(), received.origin, directory)?
    } else {
        Judgement::unreadable()
    };
    let last_failed_at = record.timestamp().to_millis().map_or(now, Timestamp::from_millis);
    let Judgement {
        concern,
        can_be_filed,
        content,
    } = judgement;
    let (received_at, fields) = content.unzip();
    let is_too_large = received.reason == Reason::TooLarge.as_str();
    Ok(IncomingLetter {
        id: LetterId {
            topic: received.topic.into_owned(),
            origin: received.origin,
        },
        family: received.family,
        group_id: concern.group_id(&received.source, &received.reason),
        field: match concern.about {
            About::Field(field) => Some(field.as_str()),
            About::Person(_) | About::Record => None,
        },
        sought: concern.sought().to_vec(),
        result_id: concern.result_id,
        mapping_version: concern.mapping_version,
        reason: received.reason,
        message: received.message,
        source: received.source,
        attempt: received.attempt,
        is_retracted: received.is_retracted,
        first_failed_at: received.first_failed_at.unwrap_or(last_failed_at),
        last_failed_at,
        stands_at: (record.partition(), record.offset()),
        received_at,
        key: record.key(),
        value: record.payload(),
        headers: received.headers,
        fields,
        // That it can be mapped and matched does not make it smaller.
        can_be_filed: can_be_filed && !is_too_large,
    })
}

/// A foreign value has a schema of another subject, and of what the mapper could not decode nothing more is known here.
fn is_readable(letter: &ReceivedLetter<'_>) -> bool {
    let reason: Result<Reason, _> = letter.reason.parse();
    letter.family == LetterFamily::Scoresync && !matches!(reason, Ok(Reason::Undecodable | Reason::UnknownSchema))
}

/// Of an enriched score whose report had been redriven, what was filed. The others say nothing about letters.
pub(crate) fn filed(
    record: &BorrowedMessage<'_>,
    scores: &mut Decoder<EnrichedScore<'static>>,
    now: Timestamp,
) -> Result<Option<FiledReport>, SchemaLookupError> {
    let attempts = text_of(record.headers(), ATTEMPT).and_then(|text| text.parse().ok());
    let Some(attempts) = attempts else { return Ok(None) };
    let score = match scores.decode(record.payload()) {
        Ok(score) => score,
        Err(DecodeError::Surroundings(error)) => return Err(error),
        Err(error @ (DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. })) => {
            tracing::error!(
                partition = record.partition(),
                offset = record.offset(),
                error = &error as &dyn std::error::Error,
                "an enriched score cannot be read; if its report was a letter, that stays as it is"
            );
            return Ok(None);
        }
    };
    Ok(Some(FiledReport {
        origin: score.origin,
        attempts,
        result_id: score.result_id,
        at: record.timestamp().to_millis().map_or(now, Timestamp::from_millis),
    }))
}
