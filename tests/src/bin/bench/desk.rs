//! The desk with letters about people whom nobody knows: taking them in, listing them, and their melting away.

use std::time::Instant;

use anyhow::{Context, ensure};
use scoresync_archive::{Access, Archive, LetterFilter, LetterPage};
use scoresync_domain::LetterState;
use scoresync_kafka::Topic;
use scoresync_tests::{metrics::Metrics, process::Process, stack::Stack};

use super::{
    pace::Pace,
    say,
    site::{Site, stop},
    stages::with,
    table::{Sample, Table},
    workload::Workload,
};

/// How often a question is asked, of which the median counts.
const QUESTIONS: usize = 11;
/// People whom the reports are about: so many problems there are.
const PEOPLE: usize = 500;

/// Measures everything once.
pub(crate) async fn run(stack: &Stack, workload: Workload, table: &mut Table) -> anyhow::Result<()> {
    say(&format!("  {} letters about {PEOPLE} people", workload.reports));
    let somebody = Workload { employees: 1, ..workload };
    let mut site = Site::lay_out(stack, somebody)?;
    site.workload = Workload {
        employees: PEOPLE,
        ..workload
    };
    site.import("unknown", 1)?;
    site.map(1).await?;
    let letters = site.kafka.count(&[&site.topic(Topic::DeadLetters)])?;
    ensure!(letters > 0, "there are no letters");
    let taken = site.take_letters(letters).await?;
    table.add("desk, letters taken in", "letters/s", with(&taken, None));
    let archive = Archive::open(&site.installation.archive, Access::Reader).await?;
    let open = LetterFilter {
        state: Some(LetterState::Open),
        ..LetterFilter::default()
    };
    let page = LetterPage { after: None, limit: 100 };
    let name = |question: &str| format!("desk, {question} with {letters} open letters");
    time(table, name("list"), async || Ok(archive.letters(&open, &page).await?.len())).await?;
    time(table, name("groups"), async || Ok(archive.letter_groups(50).await?.len())).await?;
    time(table, name("counts"), async || Ok(archive.open_letters().await?.len())).await?;
    let melted = melt(&site).await?;
    table.add("desk, letters filed when their people appear", "letters/s", with(&melted, None));
    Ok(())
}

async fn time(table: &mut Table, name: String, question: impl AsyncFn() -> anyhow::Result<usize>) -> anyhow::Result<()> {
    let mut times = Vec::new();
    for _ in 0..QUESTIONS {
        let begun = Instant::now();
        ensure!(question().await? > 0, "there is no answer");
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    let median = super::table::median(times).unwrap_or_default();
    table.add(name, "ms", Sample::of(median));
    Ok(())
}

/// The people are stated; measured until nothing is open about them.
async fn melt(site: &Site<'_>) -> anyhow::Result<Pace> {
    let processes = vec![
        site.start("mapper-0", &["run", "mapper"]).await?,
        site.start("sink-0", &["run", "sink"]).await?,
        site.start("desk-1", &["run", "desk"]).await?,
    ];
    // Of the processes the desk is measured; what is filed it counts itself.
    let desk = processes.last().map(Process::admin).context("no desk")?;
    let filed = async || -> anyhow::Result<i64> {
        let metrics = Metrics::scrape(desk).await?;
        Ok(metrics
            .of("scoresync_dead_letters_filed_total")
            .map(|(_, count)| count as i64)
            .sum())
    };
    site.import_employees()?;
    // All but those of whom nobody ever hears, and whom one employee had already; how many there are of each differs a little.
    let expected = i64::try_from(site.workload.enriched() - site.workload.enriched() / PEOPLE)? * 99 / 100;
    let pace = site.pace_of(&processes[2..], (0, expected), filed).await?;
    stop(processes)?;
    Ok(pace)
}
