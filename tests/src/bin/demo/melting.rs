//! The demo's second half: people whom nobody knew arrive in a new roster, and their dead letters melt away while one looks on.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use scoresync_tests::installation::Installation;
use serde_json::Value;

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// Nothing more comes after so long.
const CALM: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(60);

/// Shows the desk at work.
pub(crate) async fn show(installation: &Installation) -> anyhow::Result<()> {
    let problems = problems(installation, &["--reveal", "the demo makes a roster of them"])?;
    let unknown: Vec<&Value> = problems
        .iter()
        .filter(|problem| problem["reason"] == "unmatched_employee")
        .collect();
    let awaited: u64 = unknown.iter().filter_map(|problem| problem["letters"].as_u64()).sum();
    println!(
        "\nThe desk: {} dead letters are {} problems. {} of them are people whom nobody knows, with {awaited} letters:\n",
        letters(&problems),
        problems.len(),
        unknown.len()
    );
    let groups = installation.run(&["dlq", "groups", "--limit", "5"])?;
    groups.lines().for_each(|line| println!("  {line}"));
    std::fs::write(installation.folder.join("employees-new.csv"), roster(&unknown)?)?;
    println!("\nThe HR system states these people: scoresync employees import employees-new.csv. Nobody touches the letters.");
    installation.run(&["employees", "import", "employees-new.csv"])?;
    watch(installation, awaited).await
}

/// Those people, as an HR system would state them.
fn roster(problems: &[&Value]) -> anyhow::Result<String> {
    let mut roster = "工号,姓名,手机号\n".to_owned();
    for (number, problem) in problems.iter().enumerate() {
        let identities = problem["identities"].as_array().context("a problem without identities")?;
        let value = |kind: &str| {
            identities
                .iter()
                .find(|identity| identity["kind"] == kind)
                .and_then(|identity| identity["value"].as_str())
        };
        let employee_no = value("employee_no").map_or_else(|| format!("NEW{number}"), str::to_owned);
        writeln!(roster, "{employee_no},新来的,{}", value("phone").unwrap_or_default())?;
    }
    Ok(roster)
}

async fn watch(installation: &Installation, awaited: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    let (mut last, mut changed) = (String::new(), begun);
    println!();
    loop {
        let stats: Value = serde_json::from_str(&installation.run(&["dlq", "stats", "--json"])?)?;
        let count = |state: &str| stats["states"][state].as_u64().unwrap_or(0);
        let filed = count("filed");
        let line = format!(
            "open {:>4}   on their way {:>4}   filed {filed:>4}",
            count("open"),
            count("redriven")
        );
        if line != last {
            println!("  after {:>4} ms: {line}", begun.elapsed().as_millis());
            (last, changed) = (line, Instant::now());
        }
        if filed > 0 && count("redriven") == 0 && changed.elapsed() > CALM {
            let left = awaited.saturating_sub(filed);
            println!("\nEach of these is filed once. {left} wait on: their people have another name, or had the phone at another time.");
            return Ok(());
        }
        ensure!(begun.elapsed() < PATIENCE, "no letter is filed: {last}");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

fn problems(installation: &Installation, more: &[&str]) -> anyhow::Result<Vec<Value>> {
    let said = installation.run(&[&["dlq", "groups", "--limit", "100000", "--json"], more].concat())?;
    Ok(serde_json::from_str(&said)?)
}

fn letters(problems: &[Value]) -> u64 {
    problems.iter().filter_map(|problem| problem["letters"].as_u64()).sum()
}
