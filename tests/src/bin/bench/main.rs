//! `dev/bench`: how fast each part is, beside what bounds it on the same machine in the same run.

mod audit;
mod bare_kafka;
mod bare_table;
mod desk;
mod door;
mod freshness;
mod http;
mod pace;
mod scale;
mod site;
mod stages;
mod surroundings;
mod table;
mod usage;
mod workload;

use clap::{Parser, ValueEnum};
use scoresync_tests::{interruption::interrupted, stack::Stack};

use self::{table::Table, workload::Workload};

/// Measures scoresync on a Kafka, registry and PostgreSQL of its own.
#[derive(Parser)]
struct Arguments {
    /// Reports of each run.
    #[arg(long, default_value_t = 1_000_000)]
    reports: usize,
    /// Employees whom they are about.
    #[arg(long, default_value_t = 100_000)]
    employees: usize,
    /// Runs, of which the medians are shown.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// What is measured; everything, where nothing is named.
    #[arg(long, value_enum)]
    only: Vec<Part>,
    /// Prints a JSON array at the end instead of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Import, mapper and sink, with their ceilings.
    Stages,
    /// HTTP.
    Door,
    /// From the request to the row.
    Freshness,
    /// Two processes; ten times the employees; ten times the rows.
    Scale,
    /// Dead letters: taken in, listed, filed when their people appear.
    Desk,
    /// The audit of everything that was filed.
    Audit,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (arguments, mut table) = (Arguments::parse(), Table::default());
    // What was started is ended when the measuring is dropped.
    let measured = tokio::select! {
        measured = measure(&arguments, &mut table) => measured,
        () = interrupted() => {
            say("interrupted; this is what was measured");
            Ok(())
        }
    };
    // What was measured before something failed is not lost with it.
    show(&table, arguments.json)?;
    measured
}

async fn measure(arguments: &Arguments, table: &mut Table) -> anyhow::Result<()> {
    let workload = Workload {
        employees: arguments.employees,
        first: 0,
        reports: arguments.reports,
    };
    let wants = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    let stack = Stack::start()?;
    table.notes = surroundings::describe(&stack).await?;
    for run in 1..=arguments.runs {
        if wants(Part::Stages) {
            say(&format!("stages, run {run} of {}", arguments.runs));
            stages::run(&stack, workload, table).await?;
        }
        if wants(Part::Scale) {
            say(&format!("scale, run {run} of {}", arguments.runs));
            scale::run(&stack, workload, table).await?;
        }
        if wants(Part::Desk) {
            say(&format!("desk, run {run} of {}", arguments.runs));
            desk::run(&stack, workload, table).await?;
        }
        if wants(Part::Audit) {
            say(&format!("audit, run {run} of {}", arguments.runs));
            audit::run(&stack, workload, table).await?;
        }
    }
    if wants(Part::Door) {
        door::run(&stack, (workload, arguments.runs), table).await?;
    }
    if wants(Part::Freshness) {
        freshness::run(&stack, (workload, arguments.runs), table).await?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command talks to people")]
fn show(table: &Table, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        println!("{}", serde_json::to_string_pretty(&table.rows())?);
    } else {
        println!("\n{table}");
    }
    Ok(())
}

/// How far it is, beside what is printed at the end.
#[expect(clippy::print_stderr, reason = "a command talks to people")]
fn say(text: &str) {
    eprintln!("{text}");
}
