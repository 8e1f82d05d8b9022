//! The HTTP door of a running installation under clients that mean it ill: others are served meanwhile, and memory stays flat.

#[path = "hostile_http/attacks.rs"]
mod attacks;
#[path = "hostile_http/target.rs"]
mod target;

use anyhow::ensure;
use scoresync_kafka::Topic;
use scoresync_tests::settle::settle;

use crate::support::{SETTLE, STOP, academy, balance};
use attacks::{Attack, attacks};
use target::Target;

/// What the process may hold at any moment of the attacks beyond what it held at most before them.
const MAX_GROWTH_KIB: u64 = 48 * 1_024;

#[tokio::test(flavor = "multi_thread")]
async fn under_every_attack_others_are_served_in_time_and_memory_stays_flat() -> anyhow::Result<()> {
    let target = Target::start().await?;
    target.warm_up().await?;
    let before = target.process.peak_memory_kib()?;
    for Attack { name, run } in attacks() {
        let begun = std::time::Instant::now();
        target.withstands(name, run(target.place())).await?;
        let peak_kib = target.process.peak_memory_kib()?;
        println!("{name}: {:?}, {peak_kib} KiB after {before} KiB", begun.elapsed());
        ensure!(
            peak_kib < before + MAX_GROWTH_KIB,
            "{name}: {peak_kib} KiB were held, {before} KiB before all attacks"
        );
    }
    ensure!(!target.process.log().contains("panicked"), "{}", target.process.log());
    ensure!(target.process.stop(STOP)?.success());
    balance(&target.scene)
}

/// Names that turn the direction of writing, are written from right to left, or are of no letters.
const NAMES: [&str; 5] = [
    "زيد بن علي",
    "\u{202e}evil\u{202c}",
    "\u{2066}דוד\u{2069} (HR)",
    "👩‍💻",
    "\u{feff}е\u{301}",
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_title_is_made_of_it_is_filed_and_shown_as_it_was_sent() -> anyhow::Result<()> {
    let target = Target::start().await?;
    for (number, name) in NAMES.iter().enumerate() {
        let mut row = academy::json(&format!("N-{number}"));
        row["课程名称"] = (*name).into();
        row["姓名"] = (*name).into();
        target.is_accepted(row.to_string()).await?;
    }
    let archive = target.scene.archive().await?;
    settle((&target.scene.topics, &archive), (NAMES.len(), SETTLE), |_| {}).await?;
    let listed: serde_json::Value = serde_json::from_str(&target.scene.installation.run(&["records", academy::EMPLOYEE_NO, "--json"])?)?;
    let shown = target.scene.installation.run(&["records", academy::EMPLOYEE_NO])?;
    for name in NAMES {
        let in_json = serde_json::to_string(name)?;
        ensure!(listed.to_string().contains(&in_json), "{in_json} is not in {listed}");
    }
    ensure!(
        !shown.contains(['\u{202e}', '\u{2066}']),
        "what turns the direction of writing reaches the terminal: {shown:?}"
    );
    assert_eq!(target.scene.topics.count(Topic::DeadLetters).await?, 0);
    ensure!(target.process.stop(STOP)?.success());
    balance(&target.scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_score_is_a_dead_letter_or_refused_and_never_a_number() -> anyhow::Result<()> {
    let target = Target::start().await?;
    let row = |exam: &str, score: &str| academy::json(exam).to_string().replace("\"85.5\"", score);
    let no_utf_8 = |row: String| {
        row.into_bytes()
            .into_iter()
            .map(|byte| if byte == b'~' { 0xff } else { byte })
            .collect::<Vec<u8>>()
    };
    let mut letters = 0;
    for (exam, score, reason) in [
        ("B-1", "1e400", "invalid_field"),
        ("B-2", "\"NaN\"", "invalid_field"),
        ("B-3", "\"-Infinity\"", "invalid_field"),
        ("B-4", "\"8\\u00005\"", "invalid_field"),
        ("B-5", "\"60\",\"分数\":\"100\"", "ambiguous_field"),
        ("B-6", "[[85]]", "missing_field"),
        ("B-7", "\"\0\"", "unparsed"),
        ("B-7", "\"~\"", "unparsed"),
    ] {
        target.is_accepted(no_utf_8(row(exam, score))).await?;
        letters += 1;
        let archive = target.scene.archive().await?;
        settle((&target.scene.topics, &archive), (letters, SETTLE), |_| {}).await?;
        let found = target.scene.topics.dead_letters().await?;
        ensure!(
            found
                .iter()
                .filter(|letter| letter.header("scoresync.reason") == Some(reason))
                .count()
                > 0
                && found.len() == letters,
            "{score}: {:?}",
            found.iter().map(|letter| letter.header("scoresync.reason")).collect::<Vec<_>>()
        );
    }
    for score in ["NaN", "-Infinity", "0x1F", "085"] {
        target.is_refused(&row("B-8", score)).await?;
    }
    assert_eq!(target.scene.topics.count(Topic::Enriched).await?, 0);
    ensure!(target.process.stop(STOP)?.success());
    balance(&target.scene)
}
