//! The verdict on everything that was sent, where senders and stages may have repeated themselves.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::ensure;
use scoresync_domain::{EnrichedScore, Fate, Origin};
use scoresync_tests::{
    company::Company,
    settle::settle,
    topics::Record,
    verdict::{Expected, Found, Verdict},
};

use super::{SETTLE, Scene, Sent, balance_and_nothing_is_in_flight};

/// Waits until all is settled, then compares every report, every file and every count with the truth.
pub(crate) async fn assert_every_fate_is_true(scene: &Scene, company: &Company, sent: &Sent<'_>) -> anyhow::Result<()> {
    let archive = scene.archive().await?;
    settle((&scene.topics, &archive), (sent.least(), SETTLE), |_| {}).await?;
    let mut found = Found::read(&scene.topics, &archive, &company.employee_nos).await?;
    let enriched = scene.topics.enriched().await?;
    let judged: i64 = found.fates.values().sum();
    ensure!(
        judged == enriched.len() as i64,
        "the fates are those of {judged} records, scores.enriched has {}",
        enriched.len()
    );
    check_dead_letters(&found)?;
    forget_copies(&mut found, &enriched)?;
    let serials = found.serials();
    let (reports, results) = sent.expected(|serial| serials.get(serial).copied().unwrap_or(0));
    let verdict = Verdict::reach(
        Expected {
            reports: &reports,
            results: &results,
        },
        &found,
    );
    ensure!(
        verdict.is_true(),
        "{} things are not as they must be, the first of them: {:#?}\n{:#?}",
        verdict.mismatches.len(),
        &verdict.mismatches[..verdict.mismatches.len().min(20)],
        verdict.counts
    );
    balance_and_nothing_is_in_flight(scene)
}

/// A mapper that was killed writes some outputs twice; the sink counts the second as duplicate, or refuses it like the first.
fn forget_copies(found: &mut Found, enriched: &[Record<EnrichedScore<'_>>]) -> anyhow::Result<()> {
    let mut seen = HashSet::new();
    for record in enriched {
        let Some(score) = &record.value else {
            anyhow::bail!("{}/{} of scores.enriched cannot be decoded", record.partition, record.offset)
        };
        ensure!(
            record.key == Some(score.result_id.to_string()),
            "the key of an enriched score is not its result's id: {:?}",
            record.key
        );
        ensure!(record.headers.is_empty(), "an enriched score has headers: {:?}", record.headers);
        if seen.insert(score.origin) {
            continue;
        }
        let fate = if found.refused.contains_key(&score.origin) {
            Fate::Refused
        } else {
            Fate::Duplicate
        };
        let Some(count) = found.fates.get_mut(&(record.partition, fate)) else {
            anyhow::bail!("a second output of {} was not counted as {fate}", score.origin)
        };
        *count -= 1;
    }
    found.fates.retain(|_, count| *count != 0);
    Ok(())
}

/// Every dead letter is its report, byte by byte and under its key, and two of one report say the same.
fn check_dead_letters(found: &Found) -> anyhow::Result<()> {
    let raw: BTreeMap<Origin, _> = found
        .raw
        .iter()
        .map(|record| {
            let origin = Origin {
                generation: 1,
                partition: record.partition,
                offset: record.offset,
            };
            (origin, record)
        })
        .collect();
    let mut reasons = HashMap::new();
    for letter in &found.dead_letters {
        let Some((origin, report)) = letter.origin_in_header().and_then(|origin| Some((origin, raw.get(&origin)?))) else {
            anyhow::bail!("a dead letter has no origin in scores.raw: {:?}", letter.headers)
        };
        ensure!(
            (&letter.bytes, &letter.key) == (&report.bytes, &report.key),
            "the dead letter of {origin} is not its report"
        );
        let reason = letter.header("scoresync.reason").map(str::to_owned);
        let before = reasons.insert(origin, reason.clone());
        ensure!(before.is_none_or(|before| before == reason), "{origin} has two reasons");
    }
    Ok(())
}
