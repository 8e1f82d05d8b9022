//! `scoresync audit`: whether the books balance.

use anyhow::Context as _;
use indicatif::ProgressBar;
use scoresync_archive::{Access, Archive};
use scoresync_audit::{Audit, AuditError, Books, Finding, PartitionBooks, Step};
use scoresync_kafka::Topic;
use scoresync_service::Exit;
use serde_json::json;
use tokio::runtime::Handle;

use super::Context;
use crate::{arguments, failure::Failure, output::table, progress::spinner, scratch::scratch_folder, surroundings::Surroundings};

/// Records that are read between two changes of what is shown.
const SHOWN_EVERY: u64 = 1_000;

pub(super) async fn run(arguments: &arguments::Audit, context: &Context) -> Result<Exit, Failure> {
    let topics = [Topic::Raw, Topic::Enriched, Topic::DeadLetters];
    let registry = Surroundings::find(&context.configuration, &topics).await?.registry;
    let archive = Archive::open(&context.configuration.archive, Access::Reader)
        .await
        .context("open the archive; has a sink run yet?")?;
    let (kafka, topics) = (context.configuration.kafka.clone(), context.configuration.topics.clone());
    let (scratch, runtime) = (scratch_folder(arguments.scratch.as_deref()), Handle::current());
    let auditing = tokio::task::spawn_blocking(move || {
        let audit = Audit {
            kafka: &kafka,
            topics: &topics,
            registry: &registry,
            runtime: &runtime,
            archive: &archive,
            scratch: &scratch,
        };
        let bar = spinner("audit");
        let mut shown = Shown {
            bar: &bar,
            step: None,
            count: 0,
        };
        let books = audit.run(&mut |step| shown.advance(step))?;
        bar.finish_and_clear();
        Ok::<Books, AuditError>(books)
    });
    let books = auditing.await?.map_err(anyhow::Error::new)?;
    let mut document = json!({ "balance": books.balance(), "total": books.total(), "books": books });
    document["total"].as_object_mut().map(|total| {
        total.remove("generation");
        total.remove("partition")
    });
    context.output.print(&document, |_| lines(&books))?;
    Ok(if books.balance() { Exit::Ok } else { Exit::Failed })
}

/// What is being read, and how much of it was.
struct Shown<'b> {
    bar: &'b ProgressBar,
    step: Option<Step>,
    count: u64,
}

impl Shown<'_> {
    fn advance(&mut self, step: Step) {
        if self.step != Some(step) {
            (self.step, self.count) = (Some(step), 0);
        }
        self.count += 1;
        if self.count % SHOWN_EVERY == 1 {
            let what = match step {
                Step::Reports => "reports of scores.raw",
                Step::Archive => "rows of the archive",
                Step::Scores => "scores of scores.enriched",
                Step::Letters => "letters of scores.dlq",
                Step::Results => "results compared",
            };
            self.bar.set_message(format!("{} {what}", self.count));
        }
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
