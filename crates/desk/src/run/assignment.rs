//! Partitions come and go: each begins where the archive says, and is given up with nothing of it in hand.

use std::time::Instant;

use scoresync_kafka::{Error, Event, Kind, TopicPartition, doubts_positions, kind_of};
use scoresync_positions::{Positions, Reader, StartError};

use super::{Desk, DeskError};
use crate::{metrics::STAGE, news::Sweep};

/// Partitions that wait for the word where they go on.
#[derive(Default)]
pub(super) struct Unstarted {
    places: Vec<TopicPartition>,
    not_before: Option<Instant>,
    /// Whether the group said what is ours, be it nothing.
    has_joined: bool,
}

/// What came of a poll that is no record.
pub(super) enum Change {
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
    Stalled(Vec<TopicPartition>),
    /// A topic may be gone, made anew or cut off.
    PositionsInDoubt,
    /// A person must act.
    Refused(Error),
    Passing,
}

impl Change {
    /// `None` for a record and for nothing.
    pub(super) fn of(event: Event<'_>) -> Option<Self> {
        Some(match event {
            Event::Record(_) | Event::Nothing => return None,
            Event::Assigned(places) => Self::Assigned(places),
            Event::Revoked(places) => Self::Revoked(places),
            Event::Stalled(places) => Self::Stalled(places),
            Event::Trouble(cause) if doubts_positions(&cause) => Self::PositionsInDoubt,
            Event::Trouble(cause) => match kind_of(&cause) {
                Kind::Transient => {
                    tracing::debug!(error = %cause, "the consumer had passing trouble");
                    Self::Passing
                }
                Kind::Environment => Self::Refused(Error::Client {
                    action: "read scores.dlq and scores.enriched".to_owned(),
                    cause,
                }),
            },
        })
    }
}

impl Unstarted {
    pub(super) const fn is_empty(&self) -> bool {
        self.has_joined && self.places.is_empty()
    }
}

impl Desk {
    pub(super) fn obey(&mut self, change: Change) -> Result<(), DeskError> {
        match change {
            Change::Assigned(places) => {
                self.unstarted.has_joined = true;
                self.unstarted.places.extend(places);
            }
            Change::Revoked(places) => {
                self.partitions.remove(&places);
                self.unstarted.places.retain(|place| !places.contains(place));
                self.consumer.release(&places)?;
            }
            Change::Stalled(places) => {
                self.metrics.stage.retries.get([STAGE, "stalled"]).inc();
                self.begin_again(places)?;
            }
            Change::PositionsInDoubt => {
                self.readiness
                    .not_ready("the broker does not know a topic, or has nothing at a position");
                self.begin_again(self.partitions.places())?;
            }
            Change::Refused(error) => return Err(error.into()),
            Change::Passing => {}
        }
        Ok(())
    }

    /// Whatever was read is not in the archive, or it is unknown whether it is: everything goes on where the archive stands.
    pub(super) fn begin_all_again(&mut self, error: &DeskError) -> Result<(), DeskError> {
        self.trouble("archive", error);
        self.unstarted.not_before = self.not_before;
        self.begin_again(self.partitions.places())
    }

    fn begin_again(&mut self, places: Vec<TopicPartition>) -> Result<(), DeskError> {
        self.partitions.remove(&places);
        self.consumer.release(&places)?;
        self.unstarted.places.extend(places);
        Ok(())
    }

    /// Starts partitions that wait for it, once their positions can be read. Then all open letters are gone through: whoever had the
    /// partitions before may have had news that nobody has heard since.
    pub(super) fn start_partitions(&mut self) -> Result<(), DeskError> {
        let waits = self.unstarted.not_before.is_some_and(|time| time > Instant::now());
        if waits || self.unstarted.places.is_empty() {
            return Ok(());
        }
        let positions = Positions {
            reader: Reader::Desk,
            consumer: &self.consumer,
            archive: &self.archive,
            runtime: &self.runtime,
            first_start: self.settings.first_start,
        };
        let found = self.unstarted.places.iter().map(|place| {
            let offset = positions.of(place, self.memories.of(&place.topic))?;
            Ok((place.clone(), offset))
        });
        match found.collect::<Result<Vec<_>, StartError>>() {
            Ok(known) => {
                self.consumer.start(&known)?;
                for (place, offset) in known {
                    tracing::info!(topic = place.topic, partition = place.partition, offset, "reading a partition");
                    self.partitions.start(place, offset);
                }
                self.unstarted.places.clear();
                self.unstarted.not_before = None;
                self.overdue.expect(self.live.directory().decided_results());
                self.news.begin_sweep(Sweep::default(), self.live.directory().decided_results());
            }
            Err(error) if error.ends_stage() => return Err(error.into()),
            Err(error) => {
                self.trouble("positions", &error);
                self.unstarted.not_before = self.not_before;
            }
        }
        Ok(())
    }
}
