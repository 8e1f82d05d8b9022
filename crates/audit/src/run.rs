//! An audit from beginning to end: reports first, then the archive as it is at one moment, then outputs, so that whatever is done by that moment
//! is among them.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    ops::ControlFlow,
    path::Path,
};

use scoresync_archive::{Archive, ArchiveError, Surveyed};
use scoresync_domain::{Fate, Origin};
use scoresync_kafka::{
    Error, KafkaSettings, Message, Registry, SchemaLookupError, Topic, TopicSettings, dead_letter::History, read_topic, recorded_positions,
};
use scoresync_spill::Spill;
use tokio::runtime::Handle;

use crate::{
    archived::Statements,
    books::{self, Books, FindingKind},
    copies::Copies,
    counts::{Counts, Partition},
    ledger::{Ledger, Mark},
    logs::{Logs, count, firsts, read},
    outputs::{OutputError, Outputs},
    results::Results,
    said::{Item, Place},
};

/// What is audited, and how it is reached.
pub struct Audit<'a> {
    /// `[kafka]`.
    pub kafka: &'a KafkaSettings,
    /// `[topics]`.
    pub topics: &'a TopicSettings,
    /// The schema registry.
    pub registry: &'a Registry,
    /// Runs what waits.
    pub runtime: &'a Handle,
    /// The archive.
    pub archive: &'a Archive,
    /// The folder for files that are needed meanwhile: about 300 bytes for each enriched score.
    pub scratch: &'a Path,
}

/// What an audit is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It reads `scores.raw`.
    Reports,
    /// It reads the archive.
    Archive,
    /// It reads `scores.enriched`.
    Scores,
    /// It reads `scores.dlq`.
    Letters,
    /// It judges results.
    Results,
}

/// Is told of each record or row that was read, and each result that was judged.
pub type Progress<'p> = &'p mut (dyn FnMut(Step) + Send);

/// Why the books could not be closed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] Error),
    /// The registry.
    #[error(transparent)]
    Schemas(#[from] SchemaLookupError),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// An enriched score that could be decoded a moment ago.
    #[error("{0} could be read a moment ago and cannot be now; is somebody changing the registry?")]
    Unreadable(String),
    /// The files that are needed meanwhile.
    #[error("the scratch files cannot be written or read; is there room for about 300 bytes for each enriched score?")]
    Scratch(#[from] io::Error),
}

impl From<OutputError> for AuditError {
    fn from(error: OutputError) -> Self {
        match error {
            OutputError::Schemas(error) => Self::Schemas(error),
            OutputError::Scratch(error) => Self::Scratch(error),
        }
    }
}

impl Audit<'_> {
    /// Reads everything and compares it, and tells of each record that it has read. Blocks its thread.
    ///
    /// # Errors
    /// Whatever cannot be read. What does not balance is in the books.
    pub fn run(&self, progress: Progress<'_>) -> Result<Books, AuditError> {
        let (mut books, mut ledger) = (Books::default(), Ledger::default());
        let mut copies = self.reports(&mut ledger, &mut books, progress)?;
        let expected = self.logs(Topic::Enriched, &mut books)?;
        let mut spill = Spill::new(self.scratch, count(&expected))?;
        let archive = self.archive(&mut ledger, &mut books, &mut spill, progress)?;
        let mut outputs = Outputs {
            ledger: &mut ledger,
            books: &mut books,
            spill: &mut spill,
            scores: self.scores_decoder(&archive.origins)?,
            copies: &mut copies,
            counts: Counts::default(),
            undecodable: BTreeSet::new(),
        };
        let logs = self.scores(&expected, &archive, &mut outputs, progress)?;
        self.letters(&archive, &mut outputs, progress)?;
        let Outputs {
            mut counts, undecodable, ..
        } = outputs;
        copies.close(&mut books);
        let (firsts, read) = (firsts(&logs), read(&logs));
        compare_undecodable((&undecodable, &archive.undecodable), &firsts, &mut books);
        let mut results = Results {
            ledger: &mut ledger,
            books: &mut books,
            people: &archive.people,
            read: &read,
            counts: &mut counts,
            courses: BTreeMap::new(),
        };
        for place in &undecodable {
            results.counts.expect((place.0, place.1), Fate::Refused);
        }
        for file in spill.read() {
            for (result_id, items) in file? {
                results.judge(result_id, items);
                progress(Step::Results);
            }
        }
        let courses = results.courses;
        counts.compare(&archive.fates, &firsts, &mut books);
        let ends = self.logs(Topic::Raw, &mut Books::default())?;
        let ends = ends
            .iter()
            .flat_map(|(generation, bounds)| bounds.iter().map(|(partition, (_, end))| ((*generation, *partition), *end)));
        ledger.close(&ends.collect(), &mut books);
        books.close_courses(courses);
        Ok(books)
    }

    /// Takes all reports down, and the copies of them that must have come to something.
    fn reports(&self, ledger: &mut Ledger, books: &mut Books, progress: Progress<'_>) -> Result<Copies, AuditError> {
        let mut copies = Copies::default();
        let group = format!("{}.mapper", self.kafka.group_prefix);
        for generation in self.logs(Topic::Raw, books)?.into_keys() {
            let name = self.names(generation).name(Topic::Raw);
            // Asked for first: what is mapped meanwhile is no matter.
            let mapped = recorded_positions(self.kafka, &group, &name)?;
            let bounds = read_topic(self.kafka, &name, |record| {
                progress(Step::Reports);
                let place = Origin {
                    generation,
                    partition: record.partition(),
                    offset: record.offset(),
                };
                let history = History::read(record.headers());
                let Some(origin) = history.origin.filter(|origin| *origin != place) else {
                    return ledger.record(place, Mark::Report);
                };
                ledger.record(place, Mark::Copy);
                if mapped.get(&place.partition).is_some_and(|mapped| place.offset < *mapped) {
                    copies.add(origin, history.attempts, place);
                }
            })?;
            for (partition, (first, end)) in bounds {
                // A broker forgets positions of topics that a group has left, which it does when all of them are mapped.
                let otherwise = if generation < self.topics.generation { end } else { first };
                let mapped = mapped.get(&partition).copied().unwrap_or(otherwise);
                check_position(("the mapper", &name), (generation, partition), (mapped, (first, end)), books);
                ledger.is_mapped((generation, partition), (first, mapped));
            }
        }
        Ok(copies)
    }

    fn archive(
        &self,
        ledger: &mut Ledger,
        books: &mut Books,
        spill: &mut Spill<Item>,
        progress: Progress<'_>,
    ) -> Result<Statements, AuditError> {
        let (mut statements, mut failure) = (Statements::default(), None);
        let mut visit = |row: Surveyed| {
            progress(Step::Archive);
            match statements.take(row, (ledger, books, spill)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        };
        self.runtime.block_on(self.archive.survey(&mut visit))?;
        match failure {
            Some(error) => Err(error.into()),
            None => {
                statements.people.close();
                Ok(statements)
            }
        }
    }

    /// Takes all enriched scores down; says from where to where they are there that the sink has read.
    fn scores(&self, expected: &Logs, archive: &Statements, outputs: &mut Outputs<'_>, progress: Progress<'_>) -> Result<Logs, AuditError> {
        let mut logs = Logs::new();
        for generation in expected.keys().copied() {
            let name = self.names(generation).name(Topic::Enriched);
            let is_as_recorded = self.is_as_recorded(generation, &archive.origins)?;
            if !is_as_recorded {
                let text = "the archive was filled from another topic of this name: nothing of it can be judged";
                let item = books::Item::Topic(name.clone());
                outputs.books.find(FindingKind::Position, item, text);
            }
            // Nothing of a topic that the sink has not read is in the archive.
            let known = |partition| archive.sink.get(&(name.clone(), generation, partition)).copied();
            let next = |partition| known(partition).filter(|_| is_as_recorded).unwrap_or(0);
            let mut failure = None;
            let bounds = read_topic(self.kafka, &name, |record| {
                progress(Step::Scores);
                if failure.is_none() {
                    failure = outputs.score(record, (generation, next(record.partition()))).err();
                }
            })?;
            if let Some(error) = failure {
                return Err(error.into());
            }
            for (partition, bounds) in &bounds {
                if bounds.0 > 0 {
                    outputs.ledger.scores_are_gone();
                }
                if let Some(next) = known(*partition).filter(|_| is_as_recorded) {
                    check_position(("the sink", &name), (generation, *partition), (next, *bounds), outputs.books);
                }
            }
            if is_as_recorded {
                let read = |(partition, (first, end)): (i32, (i64, i64))| (partition, (first, end.min(next(partition)).max(first)));
                logs.insert(generation, bounds.into_iter().map(read).collect());
            }
        }
        Ok(logs)
    }

    fn letters(&self, archive: &Statements, outputs: &mut Outputs<'_>, progress: Progress<'_>) -> Result<(), AuditError> {
        for generation in self.logs(Topic::DeadLetters, outputs.books)?.into_keys() {
            let name = self.names(generation).name(Topic::DeadLetters);
            let next = |partition| archive.desk.get(&(name.clone(), generation, partition)).copied().unwrap_or(0);
            let bounds = read_topic(self.kafka, &name, |record| {
                progress(Step::Letters);
                outputs.letter(record, (generation, next(record.partition())));
            })?;
            for (partition, (first, end)) in bounds {
                if let Some(next) = archive.desk.get(&(name.clone(), generation, partition)) {
                    check_position(("the desk", &name), (generation, partition), (*next, (first, end)), outputs.books);
                }
                // Of what the desk has read it knows what became of it.
                if next(partition) < first {
                    outputs.ledger.letters_are_gone();
                }
            }
        }
        Ok(())
    }
}

fn check_position(
    (who, topic): (&str, &str),
    (generation, partition): Partition,
    (next, (first, end)): (i64, (i64, i64)),
    books: &mut Books,
) {
    let text = if next > end {
        format!("{who} goes on at {next}, and the log ends at {end}")
    } else if next < first {
        format!("{who} goes on at {next}, and the log begins at {first}: what stood there was deleted unread")
    } else {
        return;
    };
    let item = books::Item::Partition {
        topic: topic.to_owned(),
        generation,
        partition,
    };
    books.find(FindingKind::Position, item, text);
}

/// Of what a log does not hold any more nothing is known.
fn compare_undecodable((read, refused): (&BTreeSet<Place>, &BTreeSet<Place>), firsts: &BTreeMap<Partition, i64>, books: &mut Books) {
    for place in read.difference(refused) {
        let text = "it cannot be decoded, and is not among the refusals";
        books.find(FindingKind::MissingRefusal, books::Item::Score(*place), text);
    }
    let is_held = |place: &&Place| firsts.get(&(place.0, place.1)).is_some_and(|first| place.2 >= *first);
    for place in refused.difference(read).filter(is_held) {
        let text = "it is refused as undecodable, and is not there or can be decoded";
        books.find(FindingKind::ExtraRefusal, books::Item::Score(*place), text);
    }
}
