//! A comparison from beginning to end: the list first, then the archive as it is at one moment, then what has not come to it by then.

use std::{cell::Cell, collections::BTreeMap, io, ops::ControlFlow, path::Path};

use scoresync_archive::{Archive, ArchiveError, Position, Successors, Surveyed};
use scoresync_domain::{Directory, LetterState, Origin, Refusal, Rejection, ResultId, ScoreReport, Source, Sources, Timestamp, decide};
use scoresync_kafka::{
    Bounds, Error, KafkaSettings, Message, Topic, TopicNames, TopicSettings, dead_letter::REASON, dead_letter::text_of, read_topic_from,
    recorded_positions,
};
use scoresync_spill::Spill;
use tokio::runtime::Handle;

use crate::{
    compare::Comparer,
    difference::{Class, Difference, RowPlace},
    item::{Archived, Item, Listed},
    scope::Scope,
};

/// What is compared, and how it is reached.
pub struct Reconciliation<'a> {
    /// `[kafka]`.
    pub kafka: &'a KafkaSettings,
    /// `[topics]`.
    pub topics: &'a TopicSettings,
    /// Runs what waits.
    pub runtime: &'a Handle,
    /// The archive.
    pub archive: &'a Archive,
    /// All sources.
    pub sources: &'a Sources,
    /// The one whose list it is.
    pub source: &'a Source,
    /// By which the list is matched, read to its end.
    pub directory: &'a Directory,
    /// The part that is compared.
    pub scope: &'a Scope,
    /// Of which moment the list is: what was received since is not looked for in it.
    pub as_of: Timestamp,
    /// The folder for files that are needed meanwhile: about 400 bytes for each row of the list and record of the archive.
    pub scratch: &'a Path,
}

/// A row of the list as it would be reported now.
pub struct ListRow<'r> {
    /// Where it stands.
    pub place: RowPlace,
    /// The key that its report would have.
    pub key: ResultId,
    /// Whether it says which result it is about.
    pub is_keyed: bool,
    /// Its report.
    pub report: ScoreReport<'r>,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The list is read, mapped and matched.
    List,
    /// The archive is read.
    Archive,
    /// Topics are read on from where the stages are.
    Topics,
    /// Results are compared.
    Results,
}

/// Is told of each row, record and result, and may end it.
pub type Progress<'p> = &'p mut (dyn FnMut(Step) -> ControlFlow<()> + Send);

/// How list and archive stand to each other.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Rows of the list.
    pub listed: u64,
    /// Of those, rows that do not say which result they are about: what the archive has of them may be called extra.
    pub unkeyed: u64,
    /// Records of the source's system in the archive.
    pub archived: u64,
    /// Results of the source that the list does not have, and cannot: they were received since it was made.
    pub received_since: u64,
    /// How many results differ in which way.
    pub classes: BTreeMap<Class, u64>,
}

impl Comparison {
    /// Whether nothing differs.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.classes.values().all(|count| *count == 0)
    }

    /// How many results differ.
    #[must_use]
    pub fn differences(&self) -> u64 {
        self.classes.values().sum()
    }
}

/// Why list and archive could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The list cannot be read.
    #[error("the list cannot be read")]
    List(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Whoever was told had enough.
    #[error("the comparison was interrupted; nothing came of it")]
    Interrupted,
    /// The files that are needed meanwhile.
    #[error("the scratch files cannot be written or read; is there room for about 400 bytes for each row and record?")]
    Scratch(#[from] io::Error),
}

/// Where the stages go on, by topic and partition.
type Next = BTreeMap<(String, i32), i64>;

/// What the archive says beside its records.
#[derive(Default)]
struct Around {
    sink: Next,
    desk: Next,
    successors: Successors,
    archived: u64,
}

impl Reconciliation<'_> {
    /// Compares, and shows each difference. Blocks its thread.
    ///
    /// # Errors
    /// Whatever cannot be read, the list among it.
    pub fn run<'r, E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        &self,
        list: impl Iterator<Item = Result<ListRow<'r>, E>>,
        show: &mut dyn FnMut(Difference) -> io::Result<()>,
        progress: Progress<'_>,
    ) -> Result<Comparison, ReconcileError> {
        // How much the archive has, nobody knows yet.
        let mut spill = Spill::new(self.scratch, i64::MAX)?;
        let mut comparison = Comparison::default();
        for row in list {
            let row = row.map_err(|error| ReconcileError::List(error.into()))?;
            go_on(progress, Step::List)?;
            comparison.listed += 1;
            comparison.unkeyed += u64::from(!row.is_keyed);
            let (result_id, item) = self.item(&row);
            spill.put(result_id, &item)?;
        }
        let names = TopicNames::new(self.topics);
        // Asked for before the archive is looked at: what is mapped meanwhile may be there, or on its way.
        let raw = names.name(Topic::Raw);
        let mapped = recorded_positions(self.kafka, &format!("{}.mapper", self.kafka.group_prefix), &raw)?;
        let around = self.survey(&mut spill, progress)?;
        self.read_on((&raw, &mapped), (&mut spill, &Item::InFlight), progress)?;
        let enriched = names.name(Topic::Enriched);
        self.read_on(
            (&enriched, &starts(&around.sink, &enriched)),
            (&mut spill, &Item::InFlight),
            progress,
        )?;
        let letters = names.name(Topic::DeadLetters);
        self.read_on((&letters, &starts(&around.desk, &letters)), (&mut spill, &Item::Waiting), progress)?;
        comparison.archived = around.archived;
        let comparer = Comparer {
            source: &self.source.name,
            successors: &around.successors,
            as_of: self.as_of,
            received_since: Cell::default(),
        };
        for file in spill.read() {
            for (result_id, items) in file? {
                go_on(progress, Step::Results)?;
                if let Some(difference) = comparer.compare(result_id, items) {
                    *comparison.classes.entry(difference.class).or_default() += 1;
                    show(difference)?;
                }
            }
        }
        comparison.received_since = comparer.received_since.get();
        Ok(comparison)
    }

    /// What a row says, by the functions of the mapper.
    fn item(&self, row: &ListRow<'_>) -> (ResultId, Item) {
        let place = row.place;
        // A report that is not sent has no place in the log.
        let nowhere = Origin {
            generation: 0,
            partition: 0,
            offset: 0,
        };
        match decide(&row.report, nowhere, self.sources, self.directory) {
            Ok(score) => {
                let is_in_scope = self.scope.holds(score.course_id.as_deref(), score.finish_timestamp);
                (score.result_id, Item::Listed(Box::new(Listed::of(&score, place, is_in_scope))))
            }
            Err(rejection) => (row.key, self.unfit(row, &rejection)),
        }
    }

    fn unfit(&self, row: &ListRow<'_>, rejection: &Rejection) -> Item {
        let mapped = self.source.map(&row.report).ok();
        let course_id = mapped.as_ref().and_then(|mapped| mapped.course_id.as_deref());
        let finished = mapped.as_ref().and_then(|mapped| mapped.finished).map(|period| period.first());
        Item::Unfit {
            file: row.place.file,
            row: row.place.row,
            why: format!("{}: {}", rejection.reason, rejection.message),
            is_in_scope: self.scope.holds(course_id, finished),
        }
    }

    fn survey(&self, spill: &mut Spill<Item>, progress: Progress<'_>) -> Result<Around, ReconcileError> {
        let (mut around, mut failure) = (Around::default(), None);
        let mut visit = |row: Surveyed| {
            let taken = go_on(progress, Step::Archive).and_then(|()| Ok(self.take(row, (&mut around, spill))?));
            match taken {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        };
        self.runtime.block_on(self.archive.survey(&mut visit))?;
        match failure {
            Some(error) => Err(error),
            None => Ok(around),
        }
    }

    fn take(&self, row: Surveyed, (around, spill): (&mut Around, &mut Spill<Item>)) -> io::Result<()> {
        match row {
            Surveyed::SinkPosition(position) => note(&mut around.sink, &position),
            Surveyed::DeskPosition(position) => note(&mut around.desk, &position),
            Surveyed::Replaced { employee_no, successor } => around.successors.add(employee_no, successor),
            Surveyed::Record(record) => {
                let content = record.shown.as_ref().map(|(_, content)| content);
                // What shows nothing may be of any system: it is withdrawn, and matters where the list has it.
                if content.is_some_and(|content| content.system != self.source.system) {
                    return Ok(());
                }
                around.archived += u64::from(content.is_some());
                let course_id = content.and_then(|content| content.course_id.as_deref());
                let finished = content.and_then(|content| content.finish_timestamp);
                let archived = Archived::of(&record, self.scope.holds(course_id, finished));
                spill.put(record.result_id, &Item::Archived(Box::new(archived)))?;
            }
            Surveyed::History(row) => {
                spill.put(row.result_id, &Item::Former(Box::new(row.head.statement(None))))?;
            }
            Surveyed::Refused(refused) => {
                if let (Refusal::Constraint, Ok(statement)) = (refused.reason, &refused.score) {
                    spill.put(statement.result_id, &Item::Refused)?;
                }
            }
            Surveyed::Letter { state, about, .. } => {
                let item = match state {
                    LetterState::Open | LetterState::Redriven => Some(Item::Waiting),
                    LetterState::Discarded => Some(Item::Discarded),
                    LetterState::Filed => None,
                };
                if let (Some(about), Some(item)) = (about, item) {
                    spill.put(about, &item)?;
                }
            }
            Surveyed::FormerlyReplaced { .. } | Surveyed::Fates(_) | Surveyed::Discarded(_) => {}
        }
        Ok(())
    }

    /// Takes down about which results there are records behind where a stage is.
    fn read_on(
        &self,
        (topic, starts): (&str, &BTreeMap<i32, i64>),
        (spill, item): (&mut Spill<Item>, &Item),
        progress: Progress<'_>,
    ) -> Result<Bounds, ReconcileError> {
        let mut failure = None;
        let bounds = read_topic_from(self.kafka, (topic, starts), |record| {
            if failure.is_none() {
                failure = go_on(progress, Step::Topics).err();
            }
            let key = record.key().and_then(|key| uuid::Uuid::try_parse_ascii(key).ok());
            // A letter of somebody else is about another topic.
            let is_ours = !matches!(item, Item::Waiting) || text_of(record.headers(), REASON).is_some();
            if let Some(key) = key.filter(|_| is_ours && failure.is_none()) {
                failure = spill.put(ResultId::from_uuid(key), item).err().map(ReconcileError::from);
            }
        })?;
        match failure {
            Some(error) => Err(error),
            None => Ok(bounds),
        }
    }
}

fn go_on(progress: &mut (dyn FnMut(Step) -> ControlFlow<()> + Send), step: Step) -> Result<(), ReconcileError> {
    if progress(step).is_break() {
        return Err(ReconcileError::Interrupted);
    }
    Ok(())
}

fn note(next: &mut Next, position: &Position) {
    let partition = &position.partition;
    next.insert((partition.topic.clone(), partition.partition), position.next_offset);
}

fn starts(next: &Next, topic: &str) -> BTreeMap<i32, i64> {
    let of_topic = next.iter().filter(|((of, _), _)| of == topic);
    of_topic.map(|((_, partition), offset)| (*partition, *offset)).collect()
}
