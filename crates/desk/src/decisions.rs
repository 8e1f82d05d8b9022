//! People's decisions about identities and results: read from `employees.aliases`, and written to it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use scoresync_archive::{Archive, ArchiveError};
use scoresync_domain::{AliasSubject, IdentityAlias, Origin, Timestamp};
use scoresync_fault_points::{self as fault_points, Point};
use scoresync_kafka::{
    DatumError, Encoder, Error, KafkaSettings, Outgoing, Registry, ShipmentError, StoredRecord, TableEnds, TableError, TableReader, Topic,
    TopicNames, TopicSettings, dead_letter::DirectoryPosition,
};
use scoresync_service::now_millis;
use tokio::runtime::Handle;

use crate::resender::Resender;

/// How long broker and registry may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often others may come in between.
const MOST_TIMES: usize = 10;

/// All decisions, standing and revoked. Blocks its thread while it reads and writes.
pub struct Decisions {
    topics: TopicSettings,
    table: TableReader<IdentityAlias>,
    encoder: Encoder<IdentityAlias>,
    resender: Resender,
    known: BTreeMap<String, IdentityAlias>,
}

/// Why a decision could not be read or written, or a report not be sent again.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The decision does not fit its schema.
    #[error("the decision cannot be written")]
    Encode(#[from] DatumError),
    /// The broker may not have it.
    #[error("it is not certain that the broker has what was written; run the command again")]
    NotArrived(#[from] ShipmentError),
    /// The letter of the report could not be read or changed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Others decide about the same all the time.
    #[error("others keep deciding about the same; look at what stands (`scoresync aliases list`) and decide again")]
    Contested,
    /// No copy of the report can be written.
    #[error(
        "the report {0} is larger than scores.raw takes (topics.max_message_bytes), so it cannot be sent again; have its source send a smaller one"
    )]
    ReportTooLarge(Origin),
    /// The log does not hold the report any more.
    #[error("the report {0} is not in scores.raw any more, so it cannot be sent again; have its source send it")]
    ReportGone(Origin),
}

impl DecisionError {
    /// Whether it is about one report alone, and trying again does not help.
    #[must_use]
    pub const fn is_of_report(&self) -> bool {
        match self {
            Self::ReportGone(_) | Self::ReportTooLarge(_) => true,
            Self::Kafka(_) | Self::Table(_) | Self::Encode(_) | Self::NotArrived(_) | Self::Archive(_) | Self::Contested => false,
        }
    }
}

impl Decisions {
    /// Connects. `schema_id` is the registry's id of our schema of decisions.
    ///
    /// # Errors
    /// Settings that the client refuses, or no answer.
    pub fn open(
        (kafka, topics): (&KafkaSettings, &TopicSettings),
        (registry, runtime): (&Registry, &Handle),
        schema_id: u32,
    ) -> Result<Self, DecisionError> {
        let ends = Arc::new(TableEnds::open(kafka)?);
        Ok(Self {
            table: TableReader::open(Topic::Aliases, (kafka, topics), (registry, runtime), ends)?,
            encoder: Encoder::new(schema_id),
            resender: Resender::new(kafka, topics)?,
            known: BTreeMap::new(),
            topics: topics.clone(),
        })
    }

    /// All of them, by their subjects, as they stand now.
    ///
    /// # Errors
    /// No answer.
    pub fn read(&mut self) -> Result<&BTreeMap<String, IdentityAlias>, DecisionError> {
        let known = &mut self.known;
        self.table.read_to_end(PATIENCE, |change| change.keep_in(known))?;
        Ok(&self.known)
    }

    /// Decides about a subject by what is known of it: writes what `decide` makes of the record that stands, if anything, with the time that
    /// it is decided at. Where somebody else has written about the subject meanwhile, which this has covered, it is decided again by the last
    /// that others wrote: what stands in the end is what decisions one after the other would have come to. So `decide` must make something of
    /// anything once it has made something.
    ///
    /// # Errors
    /// It may stand unless the broker has acknowledged it; to decide the same again is safe.
    pub fn decide(
        &mut self,
        subject: &AliasSubject,
        mut decide: impl FnMut(Option<&IdentityAlias>, Timestamp) -> Option<IdentityAlias>,
    ) -> Result<Option<IdentityAlias>, DecisionError> {
        let key = subject.to_string();
        let mut current = self.known.get(&key).cloned();
        let mut latest = current.as_ref().map(IdentityAlias::decision);
        for _ in 0..MOST_TIMES {
            let Some(alias) = decide(current.as_ref(), after(latest)) else {
                return Ok(None);
            };
            fault_points::pass(Point::DecisionMade);
            self.write(&key, &alias)?;
            fault_points::pass(Point::DecisionWritten);
            let others = self.read_back(&key, &alias)?;
            if !others.is_any_covered {
                fault_points::pass(Point::DecisionVerified);
                return Ok(Some(alias));
            }
            let seen = others.latest.into_iter().chain(latest).chain([alias.decision()]);
            latest = seen.max();
            current = others.last;
        }
        Err(DecisionError::Contested)
    }

    /// Whatever is mapped later obeys it.
    fn write(&self, key: &str, alias: &IdentityAlias) -> Result<(), DecisionError> {
        let mut value = Vec::new();
        self.encoder.encode(alias, &mut value)?;
        let record = Outgoing {
            topic: &TopicNames::new(&self.topics).name(Topic::Aliases),
            key: Some(key.as_bytes()),
            value: Some(&value),
        };
        self.resender.deliver([(record, None)])?;
        Ok(())
    }

    /// What others wrote about a subject since it was read, before our decision and behind it.
    fn read_back(&mut self, key: &str, ours: &IdentityAlias) -> Result<Others, DecisionError> {
        let (mut others, mut is_ours_seen) = (Others::default(), false);
        let known = &mut self.known;
        self.table.read_to_end(PATIENCE, |change| {
            match &change.row {
                Some(alias) if change.key == key && alias == ours => is_ours_seen = true,
                Some(alias) if change.key == key => {
                    others.is_any_covered |= !is_ours_seen;
                    others.latest = others.latest.max(Some(alias.decision()));
                    others.last = Some(alias.clone());
                }
                Some(_) | None => {}
            }
            change.keep_in(known);
        })?;
        Ok(others)
    }

    /// The report that first appeared at `origin`, to be sent again; to be had before anything is decided about it.
    ///
    /// # Errors
    /// The log does not hold it any more.
    pub fn report(&self, origin: Origin) -> Result<StoredRecord, DecisionError> {
        self.resender.report(origin)
    }

    /// Sends a report through the pipeline again, by all decisions that are written by now.
    ///
    /// # Errors
    /// The broker has not acknowledged the copy.
    pub fn send_decided(&mut self, report: (Origin, &StoredRecord), around: (&Archive, &Handle)) -> Result<(), DecisionError> {
        self.read()?;
        let directory = DirectoryPosition {
            employees: 0,
            aliases: self.table.position(0),
        };
        self.resender.send_again(report, around, directory)
    }
}

/// What others wrote while we decided.
#[derive(Default)]
struct Others {
    /// Whether anything of it is behind what we knew, and before ours.
    is_any_covered: bool,
    latest: Option<i64>,
    last: Option<IdentityAlias>,
}

/// Of two decisions about one subject the later one counts, whatever the clocks say.
fn after(latest: Option<i64>) -> Timestamp {
    let least = latest.map_or(i64::MIN, |decision| decision.saturating_add(1));
    Timestamp::from_millis(now_millis().max(least))
}
