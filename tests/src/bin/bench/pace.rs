//! How fast a stage works: a count that grows, looked at until it has reached its end.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use scoresync_tests::process::Process;

use super::usage;

const BEAT: Duration = Duration::from_millis(50);
/// Without any progress.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) per_second: f64,
    /// Seconds of processor for a million: of the process itself, and of the one that it works with.
    pub(crate) own_cpu: f64,
    pub(crate) others_cpu: f64,
    pub(crate) peak_memory_mib: f64,
}

/// Whose use is measured.
#[derive(Debug)]
pub(crate) struct Parties<'a> {
    pub(crate) processes: &'a [Process],
    /// With all that it has started.
    pub(crate) other: Option<u32>,
}

impl Parties<'_> {
    fn peak_memory_mib(&self) -> anyhow::Result<f64> {
        self.processes.iter().map(peak_memory_mib).sum()
    }
}

/// In MiB.
pub(crate) fn peak_memory_mib(process: &Process) -> anyhow::Result<f64> {
    Ok(process.peak_memory_kib()? as f64 / 1024.0)
}

struct Look {
    at: Instant,
    count: i64,
    own: Duration,
    others: Duration,
}

/// Measures from the first progress that is seen to the end, so that no start is in it.
pub(crate) async fn measure(
    parties: &Parties<'_>,
    (from, to): (i64, i64),
    mut count: impl AsyncFnMut() -> anyhow::Result<i64>,
) -> anyhow::Result<Pace> {
    let mut look = async || -> anyhow::Result<Look> {
        let count = count().await?;
        Ok(Look {
            at: Instant::now(),
            count,
            own: parties
                .processes
                .iter()
                .map(|process| usage::cpu(process.id()))
                .sum::<anyhow::Result<_>>()?,
            others: parties.other.map_or(Ok(Duration::ZERO), usage::cpu_with_children)?,
        })
    };
    let mut first: Option<Look> = None;
    let mut progressed = (Instant::now(), from);
    loop {
        let now = look().await?;
        if now.count > progressed.1 {
            progressed = (now.at, now.count);
        }
        ensure!(progressed.0.elapsed() < PATIENCE, "nothing moves: {} of {to}", now.count);
        if now.count >= to {
            let first = first.context("it was done before it could be looked at twice; measure with more --reports")?;
            return Ok(between(&first, &now, parties.peak_memory_mib()?));
        }
        if now.count > from && first.is_none() {
            first = Some(now);
        }
        tokio::time::sleep(BEAT).await;
    }
}

fn between(first: &Look, last: &Look, peak_memory_mib: f64) -> Pace {
    let count = (last.count - first.count) as f64;
    let a_million = |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() / count * 1e6;
    Pace {
        per_second: count / last.at.duration_since(first.at).as_secs_f64(),
        own_cpu: a_million(first.own, last.own),
        others_cpu: a_million(first.others, last.others),
        peak_memory_mib,
    }
}
