//! What the pipeline made of reports: enriched scores and dead letters, up to where sink and desk have read them.

use std::{collections::BTreeSet, io};

use scoresync_archive::EnrichedPosition;
use scoresync_domain::{EnrichedScore, Origin};
use scoresync_kafka::{
    BorrowedMessage, DecodeError, Decoder, Message, SchemaLookupError,
    dead_letter::{ATTEMPT, History, REASON, text_of},
};
use scoresync_spill::Spill;

use crate::{
    books::{Books, FindingKind, Item},
    copies::Copies,
    counts::Counts,
    ledger::Ledger,
    said::{self, Place, Said},
};

/// Takes down outputs.
pub(crate) struct Outputs<'a> {
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) books: &'a mut Books,
    pub(crate) spill: &'a mut Spill<said::Item>,
    pub(crate) scores: Decoder<EnrichedScore<'static>>,
    /// What redriven copies must come to.
    pub(crate) copies: &'a mut Copies,
    /// Counts what the sink has read.
    pub(crate) counts: Counts,
    /// Enriched scores that cannot be decoded, as far as the sink has read.
    pub(crate) undecodable: BTreeSet<Place>,
}

/// Why outputs cannot be taken down.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    #[error(transparent)]
    Schemas(#[from] SchemaLookupError),
    #[error(transparent)]
    Scratch(#[from] io::Error),
}

impl Outputs<'_> {
    /// Takes down an enriched score; `next` is where the sink goes on.
    pub(crate) fn score(&mut self, record: &BorrowedMessage<'_>, (generation, next): (i32, i64)) -> Result<(), OutputError> {
        let (partition, offset) = (record.partition(), record.offset());
        let is_read = offset < next;
        if is_read {
            self.counts.read((generation, partition));
        }
        let score = match self.scores.decode(record.payload()) {
            Ok(score) => score,
            Err(DecodeError::Surroundings(error)) => return Err(error.into()),
            Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => {
                if is_read {
                    self.undecodable.insert((generation, partition, offset));
                }
                return Ok(());
            }
        };
        let attempts = text_of(record.headers(), ATTEMPT).and_then(|text| text.parse().ok()).unwrap_or(0);
        self.copies.answer(score.origin, attempts);
        let is_report = self.ledger.score(score.origin, attempts == 0);
        self.check((score.origin, is_report), || {
            format!("scores.enriched:{generation}/{partition}/{offset}")
        });
        if is_read {
            let arrived = EnrichedPosition {
                generation,
                partition,
                offset,
            };
            self.spill.put(score.result_id, &said::Item::Said(Said::of(&score, arrived)))?;
        }
        Ok(())
    }

    /// Takes down a dead letter of ours; those of others are about other topics. `next` is where the desk goes on.
    pub(crate) fn letter(&mut self, record: &BorrowedMessage<'_>, (generation, next): (i32, i64)) {
        if text_of(record.headers(), REASON).is_none() {
            return;
        }
        let history = History::read(record.headers());
        let Some(origin) = history.origin else { return };
        // A copy says how often its report was tried before, a letter which try has failed.
        self.copies.answer(origin, history.attempts.saturating_sub(1));
        let is_report = self.ledger.letter(origin);
        self.check((origin, is_report), || {
            format!("scores.dlq:{generation}/{}/{}", record.partition(), record.offset())
        });
        if record.offset() < next {
            self.ledger.letter_read(origin);
        }
    }

    /// What an output names must be a report.
    fn check(&mut self, (origin, is_report): (Origin, bool), place: impl FnOnce() -> String) {
        if !is_report {
            let text = format!("{} names it, and no report first appeared there", place());
            self.books.find(FindingKind::Invented, Item::Report(origin), text);
        }
    }
}
