//! `scoresync audit`: whether the books balance.

mod repair;

use std::{path::PathBuf, sync::Arc};

use scoresync_archive::{Access, Archive};
use scoresync_audit::{Audit, AuditError, Books, Finding, PartitionBooks, Progress, Step};
use scoresync_kafka::{KafkaSettings, Registry, Topic, TopicSettings};
use scoresync_service::Exit;
use scoresync_spill::scratch_folder;
use serde_json::json;
use tokio::runtime::Handle;

use super::Context;
use crate::{arguments, failure::Failure, open_archive::open_archive, output::table, progress::Counted, surroundings::Surroundings};

pub(super) async fn run(arguments: &arguments::Audit, context: &Context) -> Result<Exit, Failure> {
    let office = Office::open(arguments, context).await?;
    let books = office.close().await?;
    let books = if arguments.repair {
        repair::run(books, (&office, arguments.yes), context).await?
    } else {
        books
    };
    context.output.print(&document(&books), |_| lines(&books))?;
    Ok(if books.balance() { Exit::Ok } else { Exit::Failed })
}

fn document(books: &Books) -> serde_json::Value {
    let mut document = json!({ "balance": books.balance(), "total": books.total(), "books": books });
    document["total"].as_object_mut().map(|total| {
        total.remove("generation");
        total.remove("partition")
    });
    document
}

/// Everything that an audit needs.
struct Office {
    kafka: KafkaSettings,
    topics: TopicSettings,
    registry: Registry,
    archive: Arc<Archive>,
    scratch: PathBuf,
}

impl Office {
    async fn open(arguments: &arguments::Audit, context: &Context) -> Result<Self, Failure> {
        let topics = [Topic::Raw, Topic::Enriched, Topic::DeadLetters];
        let registry = Surroundings::find(&context.configuration, &topics).await?.registry;
        let access = if arguments.repair { Access::Desk } else { Access::Reader };
        let archive = open_archive(&context.configuration, access).await?;
        Ok(Self {
            kafka: context.configuration.kafka.clone(),
            topics: context.configuration.topics.clone(),
            registry,
            archive: Arc::new(archive),
            scratch: arguments.scratch.clone().unwrap_or_else(scratch_folder),
        })
    }

    /// Closes the books.
    async fn close(&self) -> Result<Books, Failure> {
        self.work(|audit, progress| audit.run(progress)).await
    }

    /// Does something that waits for Kafka, on a thread of its own, and shows how far it is.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Audit<'_>, Progress<'_>) -> Result<T, AuditError> + Send + 'static,
    ) -> Result<T, Failure> {
        let (kafka, topics, registry) = (self.kafka.clone(), self.topics.clone(), self.registry.clone());
        let (archive, scratch, runtime) = (Arc::clone(&self.archive), self.scratch.clone(), Handle::current());
        let working = tokio::task::spawn_blocking(move || {
            let audit = Audit {
                kafka: &kafka,
                topics: &topics,
                registry: &registry,
                runtime: &runtime,
                archive: &archive,
                scratch: &scratch,
            };
            let mut bar = Counted::begin("audit");
            let done = work(&audit, &mut |step| bar.count(what(step)))?;
            bar.end();
            Ok::<T, AuditError>(done)
        });
        Ok(working.await?.map_err(anyhow::Error::new)?)
    }
}

/// What is being read or judged.
const fn what(step: Step) -> &'static str {
    match step {
        Step::Reports => "reports of scores.raw",
        Step::Archive => "rows of the archive",
        Step::Scores => "scores of scores.enriched",
        Step::Letters => "letters of scores.dlq",
        Step::Results => "results compared",
    }
}

fn lines(books: &Books) -> Vec<String> {
    let heading = [
        "partition",
        "reports",
        "= filed",
        "+ duplicate",
        "+ superseded",
        "+ refused",
        "+ dead-lettered",
        "+ in flight",
        "lost",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(
        books
            .partitions
            .iter()
            .map(|counts| row(format!("{}/{}", counts.generation, counts.partition), counts)),
    );
    rows.push(row("all".to_owned(), &books.total()));
    let mut lines = table(&rows);
    lines.push(String::new());
    lines.push(format!(
        "{} results in the archive, {} courses on a day, hash {}",
        books.results, books.course_days, books.archive_hash
    ));
    let letters: Vec<String> = books.letters.iter().map(|(state, count)| format!("{count} {state}")).collect();
    if !letters.is_empty() {
        lines.push(format!("dead letters: {}", letters.join(", ")));
    }
    if books.unverifiable_results > 0 {
        lines.push(format!(
            "note: {} results cannot be judged, as scores.enriched does not hold all that they were made from",
            books.unverifiable_results
        ));
    }
    lines.extend(books.notes.iter().map(|note| format!("note: {note}")));
    lines.push(String::new());
    lines.extend(books.findings.iter().map(|Finding { item, text, .. }| format!("{item}: {text}")));
    let untold = books.finding_count - books.findings.len() as u64;
    if untold > 0 {
        lines.push(format!("… and {untold} more"));
    }
    lines.push(match books.finding_count {
        0 => "the books balance".to_owned(),
        count => format!("the books do not balance: {count} findings"),
    });
    lines
}

fn row(name: String, counts: &PartitionBooks) -> Vec<String> {
    let counts = [
        counts.reports,
        counts.filed,
        counts.duplicate,
        counts.superseded,
        counts.refused,
        counts.dead_lettered,
        counts.in_flight,
        counts.lost,
    ];
    std::iter::once(name).chain(counts.iter().map(u64::to_string)).collect()
}
