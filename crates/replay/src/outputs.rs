//! What was said: the enriched scores, read for what the source's reports said, and once more for all that was said of affected results.

use std::collections::BTreeMap;

use scoresync_archive::EnrichedPosition;
use scoresync_domain::{EnrichedScore, ResultId};
use scoresync_kafka::{DecodeError, Decoder, Message, Topic, read_topic};

use crate::{
    items::{Item, Said},
    replay::{Progress, Replay, ReplayError, Step},
    scratch::Scratch,
    spill::{Logs, Spill},
};

/// Up to where the sink has filed what stands in a topic, by the topic's generation and partition.
pub(crate) type SinkPositions = BTreeMap<(i32, i32), i64>;

/// Takes down what the source's reports said.
pub(crate) fn said(replay: &Replay<'_>, spill: &mut Spill, progress: Progress<'_>) -> Result<(), ReplayError> {
    let logs = replay.logs(Topic::Enriched)?;
    read(replay, &logs, |score, _, _| {
        progress(Step::Scores, 1);
        if score.source == replay.source.name && replay.span.contains(score.received_at) {
            spill.put(score.origin, &Item::Said(Said::of(score)))?;
        }
        Ok(())
    })
}

/// Files all that was said of some results, which are in their order, as far as the sink has.
pub(crate) fn file(
    replay: &Replay<'_>,
    (affected, filed): (&[ResultId], &SinkPositions),
    scratch: &mut Scratch<'_>,
    progress: Progress<'_>,
) -> Result<(), ReplayError> {
    let logs = replay.logs(Topic::Enriched)?;
    read(replay, &logs, |score, place, value| {
        progress(Step::Filing, 1);
        let is_filed = filed
            .get(&(place.generation, place.partition))
            .is_some_and(|next| place.offset < *next);
        if is_filed && affected.binary_search(&score.result_id).is_ok() {
            scratch.add(place, value)?;
        }
        Ok(())
    })?;
    scratch.file()
}

/// Reads every enriched score that can be read, in the order of arrival, with its place and its bytes.
fn read(
    replay: &Replay<'_>,
    logs: &Logs,
    mut take: impl FnMut(&EnrichedScore<'_>, EnrichedPosition, &[u8]) -> Result<(), ReplayError>,
) -> Result<(), ReplayError> {
    for generation in logs.keys().copied() {
        let names = replay.names(generation);
        let mut decoder: Decoder<EnrichedScore<'static>> =
            Decoder::new(names.subject(Topic::Enriched), replay.registry.clone(), replay.runtime.clone());
        let mut failure = None;
        read_topic(replay.kafka, &names.name(Topic::Enriched), |record| {
            let place = EnrichedPosition {
                generation,
                partition: record.partition(),
                offset: record.offset(),
            };
            if failure.is_some() {
                return;
            }
            failure = match decoder.decode(record.payload()) {
                Ok(score) => take(&score, place, record.payload().unwrap_or_default()).err(),
                Err(DecodeError::Surroundings(error)) => Some(error.into()),
                // The sink refuses it, and it says nothing of any result.
                Err(DecodeError::Frame(_) | DecodeError::Datum(_) | DecodeError::UnknownSchema { .. }) => None,
            };
        })?;
        if let Some(error) = failure {
            return Err(error);
        }
    }
    Ok(())
}
