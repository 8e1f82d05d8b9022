//! The demo: a dirty company sends 3,000 reports through a running scoresync, and every one of them must meet its true fate.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the demo speaks to people")]

mod advice;
mod freshness;
mod melting;
mod progress;
mod tables;
mod tour;

use std::{path::PathBuf, pin::pin, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Parser;
use scoresync_tests::{
    archive::Reader,
    company::{Company, Delivery, LaterReport, Report, Size},
    installation::{Database, Installation},
    process::Process,
    sender::Postman,
    settle::settle,
    stack::Stack,
    topics::Topics,
    verdict::{Expected, Found, Verdict},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::timeout,
};

use progress::Progress;

/// Sends a small dirty company through scoresync and compares what becomes of it with the truth.
#[derive(Debug, Parser)]
struct Arguments {
    /// Another seed is another company.
    #[arg(long, default_value_t = 20_260_101)]
    seed: u64,
    /// Where configuration, archive and logs go.
    #[arg(long)]
    folder: PathBuf,
    /// Leave scoresync running at the end.
    #[arg(long)]
    keep: bool,
    /// Keep the training records in the stack's PostgreSQL rather than in SQLite.
    #[arg(long)]
    postgres: bool,
}

const START_LIMIT: Duration = Duration::from_secs(60);
const SETTLE_LIMIT: Duration = Duration::from_secs(120);
const STOP_LIMIT: Duration = Duration::from_secs(40);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut ended = pin!(ended());
    // Whatever ends the demo, the process of scoresync that it holds is ended with it.
    tokio::select! {
        biased;
        code = &mut ended => code,
        outcome = run(&arguments) => match outcome {
            Ok(code) => code,
            // Ctrl-C reaches scoresync as well, whose end is then noticed before the signal may be.
            Err(error) => timeout(Duration::from_millis(200), ended).await.unwrap_or_else(|_| fail(&error)),
        },
    }
}

async fn ended() -> ExitCode {
    tokio::select! {
        () = sent(SignalKind::interrupt()) => ExitCode::from(130),
        () = sent(SignalKind::terminate()) => ExitCode::from(143),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("\nThe demo cannot go on: {error:#}");
    ExitCode::FAILURE
}

/// Where signals cannot be had, none comes.
async fn sent(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let stack = Stack::of_environment()?;
    let database = if arguments.postgres { Database::Postgres } else { Database::Sqlite };
    let mut installation = Installation::new(&stack, &arguments.folder, database)?;
    let company = Company::generate(arguments.seed, Size::default());
    tables::introduce(&company, &installation, arguments.seed);
    let mut process = prepare(&installation, &company)?;
    process.ready(START_LIMIT).await?;
    println!("scoresync up is ready.\n");
    let run = Run {
        topics: Topics::of(&installation)?,
        archive: Reader::open(&installation).await?,
        postman: Postman::new(&installation)?,
        installation: &installation,
        company: &company,
    };
    let verdict = run.show().await?;
    if arguments.keep {
        tour::leave(&installation, &process, &run.best_example());
        process.leave();
        installation.keep_records();
    } else {
        let status = process.stop(STOP_LIMIT)?;
        println!("scoresync finished what was in hand and ended with {status}.");
    }
    Ok(tables::conclude(&company, &verdict))
}

/// Topics, schemas, employees, and the process.
fn prepare(installation: &Installation, company: &Company) -> anyhow::Result<Process> {
    let bar = Progress::steps("preparing", 4);
    installation.create()?;
    bar.step("topics are made, schemas are registered");
    for (name, roster) in [("employees.csv", &company.roster), ("employees-later.csv", &company.later_roster)] {
        std::fs::write(installation.folder.join(name), &roster.csv)?;
        installation.run(&["employees", "import", name, "--full", "--as-of", roster.as_of])?;
        bar.step(&format!("{name} is imported, as of {}", roster.as_of));
    }
    let process = installation.start("scoresync", &["up"])?;
    bar.step("scoresync up is starting");
    bar.end();
    Ok(process)
}

/// A running installation and what goes through it.
struct Run<'a> {
    topics: Topics,
    archive: Reader,
    postman: Postman<'a>,
    installation: &'a Installation,
    company: &'a Company,
}

/// How many reports the freshness is measured with.
const LATER_REPORTS: usize = 200;

impl Run<'_> {
    async fn show(&self) -> anyhow::Result<Verdict> {
        self.send_all().await?;
        self.settle(self.company.report_count()).await?;
        let found = Found::read(&self.topics, &self.archive, &self.company.employee_nos).await?;
        let reports: Vec<Report> = self
            .company
            .deliveries
            .iter()
            .flat_map(|delivery| delivery.reports.clone())
            .collect();
        let expected = Expected {
            reports: &reports,
            results: &self.company.results,
        };
        let verdict = Verdict::reach(expected, &found);
        tables::compare(&verdict);
        tour::show_file(self.installation, &self.best_example())?;
        advice::explain_one(&found)?;
        let later: Vec<LaterReport> = self.company.later(1, LATER_REPORTS);
        let latencies = freshness::measure(&self.postman, &self.archive, &later).await?;
        freshness::show(latencies);
        self.settle(self.company.report_count() + LATER_REPORTS).await?;
        melting::show(self.installation).await?;
        tour::show_books(self.installation)?;
        Ok(verdict)
    }

    async fn send_all(&self) -> anyhow::Result<()> {
        let bar = Progress::reports("sending", self.company.report_count());
        for delivery in &self.company.deliveries {
            let Delivery { origin, reports, .. } = delivery;
            self.postman
                .send(delivery)
                .await
                .with_context(|| format!("send {} reports of {origin}", reports.len()))?;
            bar.advance(reports.len());
        }
        bar.end();
        Ok(())
    }

    async fn settle(&self, sent: usize) -> anyhow::Result<()> {
        let bar = Progress::reports("settling", sent);
        let watch = |progress: scoresync_tests::settle::Progress| bar.set(progress.settled());
        settle((&self.topics, &self.archive), (sent, SETTLE_LIMIT), watch).await?;
        bar.end();
        Ok(())
    }

    /// An employee with a corrected result and few others.
    fn best_example(&self) -> String {
        tour::employee_to_show(self.company)
    }
}
