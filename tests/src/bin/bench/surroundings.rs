//! With which settings broker and database were measured, as they say themselves.

use std::fs;

use anyhow::Context;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, ResourceSpecifier},
    client::DefaultClientContext,
};
use scoresync_tests::stack::{Part, Stack};
use tokio_postgres::NoTls;

/// Of the broker.
const BROKER: [&str; 6] = [
    "num.network.threads",
    "num.io.threads",
    "default.replication.factor",
    "min.insync.replicas",
    "log.flush.interval.messages",
    "socket.send.buffer.bytes",
];
/// Of the database.
const DATABASE: [&str; 9] = [
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "wal_level",
    "max_wal_size",
    "checkpoint_timeout",
    "autovacuum",
];

/// One line for each.
pub(crate) async fn describe(stack: &Stack) -> anyhow::Result<Vec<String>> {
    let broker = broker(stack).await?;
    Ok(vec![format!("Broker: {broker}."), format!("Database: {}.", database(stack).await?)])
}

async fn broker(stack: &Stack) -> anyhow::Result<String> {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", &stack.brokers).create()?;
    let described = admin
        .describe_configs(&[ResourceSpecifier::Broker(1)], &AdminOptions::new())
        .await?;
    let resource = described.into_iter().next().context("the broker does not describe itself")??;
    let value = |name: &&str| {
        let entry = resource.entries.iter().find(|entry| entry.name == *name);
        format!("{name} {}", entry.and_then(|entry| entry.value.as_deref()).unwrap_or("unknown"))
    };
    let mut settings: Vec<String> = BROKER.iter().map(value).collect();
    let command = fs::read(format!("/proc/{}/cmdline", stack.process_id(Part::Kafka)?))?;
    let heap = command.split(|byte| *byte == 0).find(|argument| argument.starts_with(b"-Xmx"));
    settings.push(heap.map_or("heap unknown".to_owned(), |heap| String::from_utf8_lossy(heap).into_owned()));
    Ok(settings.join(", "))
}

async fn database(stack: &Stack) -> anyhow::Result<String> {
    let url = stack.postgres_url.as_deref().context("no database is started")?;
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let mut settings = Vec::new();
    for name in DATABASE {
        let value: String = client.query_one("SELECT current_setting($1)", &[&name]).await?.get(0);
        settings.push(format!("{name} {value}"));
    }
    Ok(settings.join(", "))
}
