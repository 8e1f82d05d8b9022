//! `dev/chaos`: rounds of faults, each with a fresh installation, until the time is over.

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser;
use scoresync_fault_points::Bug;
use scoresync_tests::{
    chaos::{Field, Owners, Plan, Player, Round, Schedule, report::Report, traps},
    interruption::interrupted,
};

/// Breaks whatever can break around and inside scoresync, and checks each promise afterwards.
#[derive(Parser)]
struct Arguments {
    /// How long to go on with rounds; one that has begun is finished.
    #[arg(default_value_t = 600)]
    seconds: u64,
    /// Of the first round; each further one has the next.
    #[arg(default_value_t = 1)]
    seed: u64,
    /// Only makes the errors of `crates/fault_points` on purpose, which the checker must catch.
    #[arg(long, conflicts_with = "rounds_only")]
    bugs_only: bool,
    /// Three brokers instead of one; in each round one is lost, and then two, while somebody locks the records for 30 s.
    #[arg(long)]
    three_brokers: bool,
    /// Does not make them.
    #[arg(long)]
    rounds_only: bool,
    /// How long reports are sent in a round.
    #[arg(long, default_value_t = 60)]
    round_seconds: u64,
    /// No faults.
    #[arg(long)]
    calm: bool,
    /// Reports of a round, about.
    #[arg(long, default_value_t = 3_000)]
    rows: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let (arguments, mut report) = (Arguments::parse(), Report::default());
    // What was started is ended when the rounds are dropped.
    let played = tokio::select! {
        played = play(&arguments, &mut report) => played,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    say(&format!("\n{report}"));
    played?;
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn play(arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let field = Arc::new(if arguments.three_brokers {
        Field::open_with_three_brokers().await?
    } else {
        Field::open().await?
    });
    if !arguments.rounds_only {
        make_errors(&field, report).await?;
    }
    if !arguments.bugs_only {
        play_rounds(&field, arguments, report).await?;
    }
    Ok(())
}

async fn make_errors(field: &Arc<Field>, report: &mut Report) -> anyhow::Result<()> {
    say(&format!(
        "making {} errors on purpose, each in a round of its own (some minutes)",
        Bug::ALL.len()
    ));
    for (bug, miss) in traps::spring(field, Bug::ALL).await? {
        report.add_bug(bug, miss.is_none());
        if let Some(miss) = miss {
            say(&miss);
        }
    }
    Ok(())
}

async fn play_rounds(field: &Field, arguments: &Arguments, report: &mut Report) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    for seed in arguments.seed.. {
        if seed > arguments.seed && Instant::now() > end {
            break;
        }
        let duration = Duration::from_secs(arguments.round_seconds);
        let plan = Plan {
            seed,
            duration,
            rows: arguments.rows,
            players: Player::usual(),
            schedule: if arguments.calm {
                Schedule::default()
            } else if arguments.three_brokers {
                Schedule::with_brokers_lost()
            } else {
                Schedule::generate(seed, duration)
            },
            arming: Vec::new(),
            owners: Owners::Disputed,
            lingers: None,
        };
        let mut folder = tempfile::Builder::new().prefix("scoresync-chaos.").tempdir()?;
        say(&format!("round of seed {seed}\n{}", plan.schedule));
        let outcome = Round::new(field, folder.path(), &plan).play().await;
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                folder.disable_cleanup(true);
                say(&format!("NOT PLAYED: {error:#}; its files are in {}", folder.path().display()));
                report.add_unplayed();
                continue;
            }
        };
        if !outcome.anomalies.is_empty() {
            folder.disable_cleanup(true);
            say(&format!(
                "BROKEN: {}its files are in {}",
                outcome.told(&plan),
                folder.path().display()
            ));
        }
        report.add(&outcome);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command talks to people")]
fn say(text: &str) {
    println!("{text}");
}
