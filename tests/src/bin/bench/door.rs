//! The door: what is acknowledged a second, by the form of the requests and the number of connections.

use std::time::Duration;

use anyhow::Context;
use scoresync_kafka::Topic;
use scoresync_tests::stack::Stack;

use super::{
    http::{Request, request, send_all},
    say,
    site::{Site, stop},
    table::{Sample, Table, at_share},
    usage,
    workload::{Row, Workload},
};

/// Of one request with many.
const ROWS: usize = 500;
const CONNECTIONS: usize = 16;
/// For the ceiling.
const PRODUCED: usize = 300_000;
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
            let before = usage::cpu(producer.id())?;
            let (elapsed, _) = send_all(site.installation.door, CONNECTIONS, &requests).await?;
            let rows = (requests.len() * ROWS) as f64;
            let sample = Sample {
                ceiling: Some(ceiling),
                own_cpu_s_per_million: Some(a_million(usage::cpu(producer.id())?.saturating_sub(before), rows)),
                peak_rss_mb: Some(usage::peak_memory_mib(producer.id())?),
                ..Sample::of(rows / elapsed.as_secs_f64())
            };
            table.add(format!("door, {form}, {CONNECTIONS} connections"), "reports/s", sample);
        }
        for (connections, count) in SINGLES {
            let requests: Vec<Request> = (0..count)
                .map(|number| request(token, "application/json", &workload.row(number, 1).json()))
                .collect();
            let before = usage::cpu(producer.id())?;
            let (elapsed, mut latencies) = send_all(site.installation.door, connections, &requests).await?;
            let sample = Sample {
                own_cpu_s_per_million: Some(a_million(usage::cpu(producer.id())?.saturating_sub(before), count as f64)),
                peak_rss_mb: Some(usage::peak_memory_mib(producer.id())?),
                ..Sample::of(count as f64 / elapsed.as_secs_f64())
            };
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
    tokio::task::block_in_place(|| {
        let records = site.kafka.records(&raw, PRODUCED)?;
        Ok(site.kafka.produce(&raw, &records)?.per_second)
    })
}

fn a_million(cpu: Duration, count: f64) -> f64 {
    cpu.as_secs_f64() / count * 1e6
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
