//! The source's reports, as the present field mapping reads them: each goes the way that it would go in a mapper.

use std::collections::BTreeMap;

use scoresync_domain::{EnrichedScore, Origin, ScoreReport, decide};
use scoresync_kafka::{
    BorrowedMessage, DecodeError, Decoder, Encoder, LiveDirectory, Message, Specification, Topic,
    dead_letter::{History, traceparent_of},
    read_topic, recorded_positions,
};

use crate::{
    difference::Reports,
    items::{Item, Meaning, Report, Verdict},
    replay::{Progress, Replay, ReplayError, Step},
    spill::{Logs, Spill},
};

/// Maps reports anew.
pub(crate) struct Mapping<'a> {
    replay: &'a Replay<'a>,
    live: &'a LiveDirectory,
    encoder: Encoder<EnrichedScore<'static>>,
    buffer: Vec<u8>,
}

impl<'a> Mapping<'a> {
    pub(crate) fn new(replay: &'a Replay<'a>, live: &'a LiveDirectory) -> Self {
        Self {
            replay,
            live,
            encoder: Encoder::new(replay.enriched_schema_id),
            buffer: Vec::new(),
        }
    }

    /// Takes down what every report of the source comes to that a mapper is done with.
    pub(crate) fn read(mut self, logs: &Logs, spill: &mut Spill, progress: Progress<'_>) -> Result<Reports, ReplayError> {
        let replay = self.replay;
        let mut counts = Reports::default();
        let group = format!("{}.mapper", replay.kafka.group_prefix);
        for generation in logs.keys().copied() {
            let names = replay.names(generation);
            let (name, subject) = (names.name(Topic::Raw), names.subject(Topic::Raw));
            // Asked for first: the outputs of what is mapped by now are in their topics.
            let mapped = recorded_positions(replay.kafka, &group, &name)?;
            let is_mapped = |place: Origin| mapped_to(&mapped, place, generation < replay.topics.generation);
            let mut decoder = Decoder::new(subject, replay.registry.clone(), replay.runtime.clone());
            let mut failure = None;
            read_topic(replay.kafka, &name, |record| {
                progress(Step::Reports, 1);
                let place = Origin {
                    generation,
                    partition: record.partition(),
                    offset: record.offset(),
                };
                if failure.is_none() {
                    let taken = self.take(record, (place, &mut decoder), (&mut counts, spill), is_mapped(place));
                    failure = taken.err();
                }
            })?;
            if let Some(error) = failure {
                return Err(error);
            }
        }
        Ok(counts)
    }

    fn take(
        &mut self,
        record: &BorrowedMessage<'_>,
        (place, decoder): (Origin, &mut Decoder<ScoreReport<'static>>),
        (counts, spill): (&mut Reports, &mut Spill),
        is_mapped: bool,
    ) -> Result<(), ReplayError> {
        // A copy that was sent again says what its report said.
        if History::read(record.headers()).origin.is_some_and(|origin| origin != place) {
            return Ok(());
        }
        let report = match decoder.decode(record.payload()) {
            Ok(report) => report,
            Err(DecodeError::Surroundings(error)) => return Err(error.into()),
            // Nobody knows whose report it is.
            Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => return Ok(()),
        };
        if report.source != self.replay.source.name || !self.replay.span.contains(report.received_at) {
            return Ok(());
        }
        counts.read += 1;
        if !is_mapped {
            counts.in_flight += 1;
            return Ok(());
        }
        let item = Item::Report(Report {
            received_ms: report.received_at.as_millis(),
            traceparent: traceparent_of(record.headers()).map(str::to_owned),
            verdict: self.judge(&report, place),
        });
        Ok(spill.put(place, &item)?)
    }

    fn judge(&mut self, report: &ScoreReport<'_>, place: Origin) -> Verdict {
        let decided = decide(report, place, self.replay.sources, self.live.directory());
        let greatest = Specification::greatest_output_bytes(self.replay.topics);
        let written = decided.and_then(|score| {
            self.encoder.encode_output(&score, &mut self.buffer, greatest)?;
            Ok(Meaning::of(&score))
        });
        match written {
            Ok(meaning) => Verdict::Score {
                meaning,
                value: self.buffer.clone(),
            },
            Err(rejection) => Verdict::rejected(rejection),
        }
    }
}

/// Whether the mapper is done with a report. Positions of topics that a group has left are forgotten, which it does when all of them are mapped.
fn mapped_to(mapped: &BTreeMap<i32, i64>, place: Origin, is_earlier: bool) -> bool {
    match mapped.get(&place.partition) {
        Some(mapped) => place.offset < *mapped,
        None => is_earlier,
    }
}
