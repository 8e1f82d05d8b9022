//! Freshness: from the moment at which a request is due until another connection to the database sees the row.
//!
//! The load is open: requests begin when they are due, whatever became of those before, and their time counts from then.

use std::{
    collections::HashMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, anyhow, ensure};
use scoresync_domain::{Fields, Source, Sources};
use scoresync_kafka::Topic;
use scoresync_tests::{configuration, stack::Stack};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_postgres::NoTls;
use uuid::Uuid;

use super::{
    http::{connect, request},
    say,
    site::{Site, stop},
    table::{Sample, Table, at_share},
    workload::Workload,
};

/// Reports a second.
const RATES: [u32; 3] = [50, 1_000, 5_000];
const DURATION: Duration = Duration::from_secs(10);
/// More than are ever busy.
const CONNECTIONS: usize = 512;
const BETWEEN_LOOKS: Duration = Duration::from_micros(500);
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures each rate so many times.
pub(crate) async fn run(stack: &Stack, (workload, runs): (Workload, usize), table: &mut Table) -> anyhow::Result<()> {
    say("freshness");
    let site = Site::lay_out(stack, workload)?;
    let mut stages = Vec::new();
    for stage in ["sink", "mapper", "producer"] {
        stages.push(site.start(stage, &["run", stage]).await?);
    }
    let source = source(&site)?;
    let mut next = 0;
    // A broker that has just started compiles itself while it is measured.
    measure(&site, &source, (RATES[1], &mut next)).await?;
    for _ in 0..runs {
        for rate in RATES {
            let (seen, answered) = measure(&site, &source, (rate, &mut next)).await?;
            for (share, name) in [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9"), (1.0, "slowest")] {
                let times = sorted(seen.iter().map(|seen| seen.after));
                table.add(format!("freshness at {rate}/s, {name}"), "ms", Sample::of(at_share(&times, share)));
            }
            table.add(
                format!("answered at {rate}/s, p50"),
                "ms",
                Sample::of(at_share(&sorted(answered.into_iter()), 0.5)),
            );
            for (stage, times) in tokio::task::block_in_place(|| shares(&site, &seen))? {
                for (share, name) in [(0.5, "p50"), (0.99, "p99")] {
                    table.add(
                        format!("freshness at {rate}/s, of it the {stage}, {name}"),
                        "ms",
                        Sample::of(at_share(&times, share)),
                    );
                }
            }
        }
    }
    stop(stages)
}

/// That which the configuration has for the reports.
fn source(site: &Site<'_>) -> anyhow::Result<Source> {
    let variables: Vec<(String, String)> = site
        .installation
        .variables()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let file = site.installation.folder.join("scoresync.toml");
    let configuration = configuration::load(Some(&file), &variables)?;
    let sources = Sources::compile(&configuration.sources).map_err(|problems| anyhow!("{problems:?}"))?;
    sources.get("bench").cloned().context("there is no source")
}

/// A report on its way: its result, and when its request was due.
type Sent = (Uuid, Instant);

/// A report in the file.
struct Seen {
    result_id: Uuid,
    /// After its request was due.
    after: Duration,
    at: SystemTime,
}

/// What of it each stage took, sorted: until the broker had the report, from there until the mapper gave its enriched score to its producer,
/// and from there until the row was seen. Kafka's clock has milliseconds.
fn shares(site: &Site<'_>, seen: &[Seen]) -> anyhow::Result<[(&'static str, Vec<Duration>); 3]> {
    let (raw, enriched) = (
        site.kafka.written(&site.topic(Topic::Raw))?,
        site.kafka.written(&site.topic(Topic::Enriched))?,
    );
    let mut shares = [("door", Vec::new()), ("mapper", Vec::new()), ("sink", Vec::new())];
    for seen in seen {
        let (Some(raw), Some(enriched)) = (raw.get(&seen.result_id), enriched.get(&seen.result_id)) else {
            continue;
        };
        let at = seen.at.duration_since(UNIX_EPOCH)?;
        let moments = [at.saturating_sub(seen.after), millis(*raw)?, millis(*enriched)?, at];
        for ((_, times), moments) in shares.iter_mut().zip(moments.windows(2)) {
            times.push(moments[1].saturating_sub(moments[0]));
        }
    }
    shares.iter_mut().for_each(|(_, times)| times.sort());
    Ok(shares)
}

fn millis(since_epoch: i64) -> anyhow::Result<Duration> {
    Ok(Duration::from_millis(since_epoch.try_into()?))
}

fn sorted(times: impl Iterator<Item = Duration>) -> Vec<Duration> {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times
}

/// When each was seen, and how long each took until its request was answered.
async fn measure(site: &Site<'_>, source: &Source, (rate, next): (u32, &mut usize)) -> anyhow::Result<(Vec<Seen>, Vec<Duration>)> {
    let count = rate as usize * DURATION.as_secs() as usize;
    let numbers: Vec<usize> = (*next..).filter(|number| site.workload.is_enriched(*number)).take(count).collect();
    *next = numbers.last().map_or(*next, |last| last + 1);
    let token = site.installation.tokens.get("bench").context("there is no token")?;
    let requests: Vec<(Uuid, Vec<u8>)> = numbers
        .iter()
        .map(|number| {
            let row = site.workload.row(*number, 1);
            let mut fields = Fields::default();
            row.present().for_each(|(name, value)| fields.push(name, Some(value)));
            let id = source.result_key(&fields).map_err(|problem| anyhow!("{problem:?}"))?;
            Ok((*id.as_uuid(), request(token, "application/json", &row.json())))
        })
        .collect::<anyhow::Result<_>>()?;
    let (sender, receiver) = unbounded_channel();
    let watching = tokio::spawn(watch(site.database_url()?.to_owned(), count, receiver));
    let answered = send(site, (requests, rate), sender).await?;
    let seen = watching.await??;
    Ok((seen, answered))
}

async fn send(
    site: &Site<'_>,
    (requests, rate): (Vec<(Uuid, Vec<u8>)>, u32),
    sent: UnboundedSender<Sent>,
) -> anyhow::Result<Vec<Duration>> {
    // Where the door does not keep up, what is due waits for a connection, and its time counts.
    let (give_back, mut free) = unbounded_channel();
    for connection in connect(site.installation.door, CONNECTIONS.min(requests.len())).await? {
        give_back.send(connection)?;
    }
    let (begun, between) = (Instant::now(), Duration::from_secs(1) / rate);
    let mut under_way = tokio::task::JoinSet::new();
    for (number, (id, request)) in requests.into_iter().enumerate() {
        let due = begun + between * u32::try_from(number)?;
        pause(due.saturating_duration_since(Instant::now()));
        let mut connection = free.recv().await.context("no connection is left")?;
        sent.send((id, due))?;
        let give_back = give_back.clone();
        under_way.spawn(async move {
            connection.send(&request).await?;
            let answered = due.elapsed();
            give_back.send(connection)?;
            anyhow::Ok(answered)
        });
    }
    under_way.join_all().await.into_iter().collect()
}

/// The runtime's own timers have milliseconds, and would add about one to each measurement, and one again to each look.
fn pause(time: Duration) {
    tokio::task::block_in_place(|| std::thread::sleep(time));
}

async fn watch(url: String, count: usize, mut sent: UnboundedReceiver<Sent>) -> anyhow::Result<Vec<Seen>> {
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    let statement = client
        .prepare("SELECT result_id FROM training_record WHERE result_id = ANY($1)")
        .await?;
    let (mut waiting, mut seen): (HashMap<Uuid, Instant>, Vec<Seen>) = (HashMap::new(), Vec::with_capacity(count));
    let mut progressed = Instant::now();
    while seen.len() < count {
        while let Ok((id, due)) = sent.try_recv() {
            waiting.insert(id, due);
        }
        let ids: Vec<Uuid> = waiting.keys().copied().collect();
        for row in client.query(&statement, &[&ids]).await? {
            let result_id = row.try_get(0)?;
            progressed = Instant::now();
            seen.extend(waiting.remove(&result_id).map(|due| Seen {
                result_id,
                after: progressed.duration_since(due),
                at: SystemTime::now(),
            }));
        }
        ensure!(progressed.elapsed() < PATIENCE, "{} reports are not filed", waiting.len());
        pause(BETWEEN_LOOKS);
    }
    Ok(seen)
}
