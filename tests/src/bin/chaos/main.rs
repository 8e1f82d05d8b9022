//! `dev/chaos`: rounds of faults, each with a fresh installation, until the time is over.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use scoresync_tests::chaos::{Field, Plan, Player, Round, Schedule, report::Report};
use tokio::signal::unix::{SignalKind, signal};

/// Breaks whatever can break around and inside scoresync, and checks each promise afterwards.
#[derive(Parser)]
struct Arguments {
    /// How long to go on; a round that has begun is finished.
    seconds: u64,
    /// Of the first round; each further one has the next.
    seed: u64,
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
    let arguments = Arguments::parse();
    // What was started is ended when the rounds are dropped.
    tokio::select! {
        played = play(&arguments) => played,
        () = interrupted() => anyhow::bail!("interrupted"),
    }
}

async fn interrupted() {
    let mut terminated = match signal(SignalKind::terminate()) {
        Ok(terminated) => terminated,
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        _ = terminated.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

async fn play(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (field, mut report) = (Field::open().await?, Report::default());
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    for seed in arguments.seed.. {
        let duration = Duration::from_secs(arguments.round_seconds);
        let plan = Plan {
            seed,
            duration,
            rows: arguments.rows,
            players: Player::usual(),
            schedule: if arguments.calm {
                Schedule::default()
            } else {
                Schedule::generate(seed, duration)
            },
            arming: Vec::new(),
            lingers: None,
        };
        let mut folder = tempfile::Builder::new().prefix("scoresync-chaos.").tempdir()?;
        say(&format!("round of seed {seed}\n{}", plan.schedule));
        let outcome = Round::new(&field, folder.path(), &plan).play().await;
        let outcome = outcome.inspect_err(|_| folder.disable_cleanup(true))?;
        if !outcome.anomalies.is_empty() {
            folder.disable_cleanup(true);
            let anomalies: String = outcome.anomalies.iter().take(20).map(|anomaly| format!("  {anomaly}\n")).collect();
            say(&format!(
                "ANOMALIES in the round of seed {seed}: {}, the first of them:\n{anomalies}its files are in {}",
                outcome.anomalies.len(),
                folder.path().display()
            ));
        }
        report.add(&outcome);
        if Instant::now() > end {
            break;
        }
    }
    say(&format!("\n{report}"));
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "a command talks to people")]
fn say(text: &str) {
    println!("{text}");
}
