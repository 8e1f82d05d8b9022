//! The door: what is acknowledged a second, by the form of the requests and the number of connections.

use std::time::Duration;

use anyhow::Context;
use scoresync_kafka::Topic;
use scoresync_tests::{process::Process, stack::Stack};

use super::{
    http::{Request, connect, request, send_all},
    pace::peak_memory_mib,
    say,
    site::{Site, stop},
    table::{Sample, Table, at_share},
    usage::{self, Stopwatch},
    workload::{Row, Workload},
};

/// Of one request with many.
const ROWS: usize = 500;
const CONNECTIONS: usize = 16;
/// Connections that send single objects, and how many of these.
const SINGLES: [(usize, usize); 3] = [(1, 5_000), (16, 50_000), (128, 100_000)];

/// The forms of many rows.
const FORMS: [(&str, &str); 3] = [
    ("JSON arrays", "application/json"),
    ("NDJSON", "application/x-ndjson"),
    ("CSV", "text/csv"),
];

/// Measures everything so many times.
pub(crate) async fn run(stack: &Stack, (workload, runs): (Workload, usize), table: &mut Table) -> anyhow::Result<()> {
    say("door");
    let site = Site::lay_out(stack, workload)?;
    let token = site.installation.tokens.get("bench").context("there is no token")?;
    let ceiling = ceiling(&site)?;
    let producer = site.start("producer", &["run", "producer"]).await?;
    for _ in 0..runs {
        for (form, content_type) in FORMS {
            let requests: Vec<Request> = (0..workload.reports / 2 / ROWS)
                .map(|number| request(token, content_type, &body(workload, content_type, number * ROWS)))
                .collect();
            let (sample, _) = send(&site, &producer, (CONNECTIONS, &requests, ROWS)).await?;
            let ceiling = Some(ceiling);
            let sample = Sample { ceiling, ..sample };
            table.add(format!("door, {form}, {CONNECTIONS} connections"), "reports/s", sample);
        }
        for (connections, count) in SINGLES {
            let requests: Vec<Request> = (0..count)
                .map(|number| request(token, "application/json", &workload.row(number, 1).json()))
                .collect();
            let (sample, mut latencies) = send(&site, &producer, (connections, &requests, 1)).await?;
            table.add(format!("door, single objects, {connections} connections"), "requests/s", sample);
            latencies.sort();
            let p99 = Sample::of(at_share(&latencies, 0.99));
            table.add(format!("door, single objects, {connections} connections, p99"), "ms", p99);
        }
    }
    stop(vec![producer])
}

/// What can be written a second, in the same surroundings.
fn ceiling(site: &Site<'_>) -> anyhow::Result<f64> {
    site.import("ceiling", 1)?;
    let raw = site.topic(Topic::Raw);
    tokio::task::block_in_place(|| Ok(site.kafka.produce(&raw, &raw)?.per_second))
}

/// Sends all requests, of so many rows each; gives how long each took, too.
async fn send(
    site: &Site<'_>,
    producer: &Process,
    (connections, requests, rows): (usize, &[Request], usize),
) -> anyhow::Result<(Sample, Vec<Duration>)> {
    let opened = connect(site.installation.door, connections).await?;
    let stopwatch = Stopwatch::start(usage::cpu, producer.id())?;
    let latencies = send_all(opened, requests).await?;
    let speed = stopwatch.stop(requests.len() * rows)?;
    let sample = Sample {
        own_cpu_s_per_million: Some(speed.cpu),
        peak_rss_mb: Some(peak_memory_mib(producer)?),
        ..Sample::of(speed.per_second)
    };
    Ok((sample, latencies))
}

fn body(workload: Workload, content_type: &str, first: usize) -> String {
    let rows = (first..first + ROWS).map(|number| workload.row(number, 1));
    match content_type {
        "application/json" => format!("[{}]", rows.map(|row| row.json()).collect::<Vec<_>>().join(",")),
        "text/csv" => std::iter::once(Row::header())
            .chain(rows.map(|row| row.csv()))
            .collect::<Vec<_>>()
            .join("\n"),
        _ => rows.map(|row| row.json()).collect::<Vec<_>>().join("\n"),
    }
}
