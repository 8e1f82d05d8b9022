//! Freshness: from the moment at which a request is due until another connection to the database sees the row.
//!
//! The load is open: requests begin when they are due, whatever became of those before, and their time counts from then.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, ensure};
use scoresync_domain::{Fields, Source, Sources};
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
    for _ in 0..runs {
        for rate in RATES {
            let (seen, answered) = measure(&site, &source, (rate, &mut next)).await?;
            for (share, name) in [(0.5, "p50"), (0.99, "p99"), (0.999, "p99.9"), (1.0, "slowest")] {
                table.add(format!("freshness at {rate}/s, {name}"), "ms", Sample::of(at_share(&seen, share)));
            }
            table.add(format!("answered at {rate}/s, p50"), "ms", Sample::of(at_share(&answered, 0.5)));
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

/// How long each took until it was seen, and until its request was answered; both sorted.
async fn measure(site: &Site<'_>, source: &Source, (rate, next): (u32, &mut usize)) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
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
    let (mut answered, mut seen) = tokio::try_join!(send(site, (requests, rate), sender), watch(site.database_url()?, count, receiver))?;
    answered.sort();
    seen.sort();
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
        tokio::time::sleep_until(due.into()).await;
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

async fn watch(url: &str, count: usize, mut sent: UnboundedReceiver<Sent>) -> anyhow::Result<Vec<Duration>> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let statement = client
        .prepare("SELECT result_id FROM training_record WHERE result_id = ANY($1)")
        .await?;
    let (mut waiting, mut seen): (HashMap<Uuid, Instant>, Vec<Duration>) = (HashMap::new(), Vec::with_capacity(count));
    let mut progressed = Instant::now();
    while seen.len() < count {
        while let Ok((id, due)) = sent.try_recv() {
            waiting.insert(id, due);
        }
        let ids: Vec<Uuid> = waiting.keys().copied().collect();
        for row in client.query(&statement, &[&ids]).await? {
            seen.extend(waiting.remove(&row.try_get(0)?).map(|due| due.elapsed()));
            progressed = Instant::now();
        }
        ensure!(progressed.elapsed() < PATIENCE, "{} reports are not filed", waiting.len());
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(seen)
}
