//! How long it takes from the start of a request until another connection sees the record in the file.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::ensure;
use scoresync_tests::{archive::Reader, company::LaterReport, sender::Postman};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// 50 reports a second.
const BETWEEN_REPORTS: Duration = Duration::from_millis(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(30);

/// Sends the reports one by one at an even pace; each time is from the start of its request until it was seen, in the order of sending.
pub(crate) async fn measure(postman: &Postman<'_>, archive: &Reader, later: &[LaterReport]) -> anyhow::Result<Vec<Duration>> {
    println!("\nMeasuring the freshness with {} single reports, 50 a second …", later.len());
    let (started, to_see) = unbounded_channel();
    let (_, latencies) = tokio::try_join!(send(postman, later, started), watch(archive, later, to_see))?;
    Ok(latencies)
}

/// Requests overlap where one takes longer than the pace: each begins when it is due.
async fn send(postman: &Postman<'_>, later: &[LaterReport], started: UnboundedSender<(usize, Instant)>) -> anyhow::Result<()> {
    let begin = Instant::now();
    let requests = later.iter().enumerate().map(|(number, report)| {
        let started = started.clone();
        async move {
            tokio::time::sleep_until((begin + BETWEEN_REPORTS * u32::try_from(number)?).into()).await;
            started.send((number, Instant::now()))?;
            postman.send(&report.delivery).await
        }
    });
    futures_util::future::try_join_all(requests).await.map(drop)
}

async fn watch(archive: &Reader, later: &[LaterReport], mut started: UnboundedReceiver<(usize, Instant)>) -> anyhow::Result<Vec<Duration>> {
    let mut seen = vec![None; later.len()];
    let mut waiting: HashMap<usize, Instant> = HashMap::new();
    let mut progressed = Instant::now();
    while seen.iter().any(Option::is_none) {
        while let Ok((number, at)) = started.try_recv() {
            waiting.insert(number, at);
        }
        let numbers: Vec<usize> = waiting.keys().copied().collect();
        for number in numbers {
            if is_filed(archive, &later[number]).await? {
                seen[number] = waiting.remove(&number).map(|at| at.elapsed());
                progressed = Instant::now();
            }
        }
        ensure!(
            progressed.elapsed() < PATIENCE,
            "{} reports do not appear in their files",
            waiting.len()
        );
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(seen.into_iter().flatten().collect())
}

async fn is_filed(archive: &Reader, report: &LaterReport) -> anyhow::Result<bool> {
    let file = archive.file(&report.employee_no).await?;
    let exams = file.iter().filter_map(|record| record.shown.as_ref()?.content.exam_id.as_deref());
    Ok(exams.into_iter().any(|exam_id| exam_id == report.exam_id))
}

/// The median, the 99th percentile and the greatest, in milliseconds.
pub(crate) fn show(mut latencies: Vec<Duration>) {
    latencies.sort();
    let at = |share: f64| {
        let place = (latencies.len() as f64 * share).ceil() as usize;
        latencies
            .get(place.saturating_sub(1))
            .map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
    };
    println!(
        "From the start of a request to the record in the file: p50 {:.0} ms, p99 {:.0} ms, slowest {:.0} ms.",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}
