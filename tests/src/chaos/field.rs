//! Where a round is fought: a stack of its own, links that can fail between it and the processes, and a fresh installation.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use tokio::sync::Mutex;

use super::{
    cluster::Broker,
    frail_link::{FrailLink, Weather},
    small_disk::SmallDisk,
};
use crate::{
    installation::{Database, Installation},
    ports::free_address,
    stack::{Part, Stack},
    topics::Topics,
};

/// What is around the processes. The fields are dropped in this order.
pub struct Field {
    /// Brokers beside the stack's.
    brokers: Arc<Mutex<Vec<Broker>>>,
    /// Disks that can be filled.
    pub(super) disks: Vec<(Part, SmallDisk)>,
    /// A stack that may be harmed.
    pub stack: Stack,
    /// Between processes and the broker.
    pub(super) to_kafka: FrailLink,
    /// Between processes and the registry.
    pub(super) to_registry: FrailLink,
    /// Between sinks and the database.
    pub(super) to_postgres: FrailLink,
}

impl Field {
    /// Starts a stack whose broker sends its clients through a link. Takes 10 to 20 seconds.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn open() -> anyhow::Result<Self> {
        let gate = free_address()?;
        let (stack, behind) = tokio::task::spawn_blocking(move || Stack::start_behind(gate)).await??;
        let links = (
            FrailLink::open(gate, behind).await?,
            FrailLink::open(free_address()?, address_in(&stack.registry_url)?).await?,
            FrailLink::open(free_address()?, address_in(stack.postgres_url.as_deref().unwrap_or_default())?).await?,
        );
        let (to_kafka, to_registry, to_postgres) = links;
        Ok(Self {
            brokers: Arc::default(),
            disks: Vec::new(),
            stack,
            to_kafka,
            to_registry,
            to_postgres,
        })
    }

    /// One with three brokers, of which two can be lost: topics have three replicas, two of which must be in sync to write.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn open_with_three_brokers() -> anyhow::Result<Self> {
        let mut field = Self::open().await?;
        tokio::task::block_in_place(|| {
            let properties = field.stack.folder()?.join("kafka/server.properties");
            let text = std::fs::read_to_string(&properties)?;
            field.stack.stop(Part::Kafka)?;
            std::fs::write(properties, text.replace("topic.replication.factor=1", "topic.replication.factor=3"))?;
            field.stack.start_again(Part::Kafka)?;
            let brokers = [2, 3].map(|number| Broker::join(&field.stack, number));
            field.brokers = Arc::new(Mutex::new(brokers.into_iter().collect::<anyhow::Result<_>>()?));
            Ok(field)
        })
    }

    /// One whose broker and database have disks that can be filled.
    ///
    /// # Errors
    /// Something does not start, or no disk can be mounted.
    pub async fn open_on_small_disks() -> anyhow::Result<Self> {
        let mut field = Self::open().await?;
        tokio::task::block_in_place(|| {
            let disks = [Part::Kafka, Part::Postgres].map(|part| Ok((part, SmallDisk::under(&field.stack, part, DISK_MIB)?)));
            field.disks = disks.into_iter().collect::<anyhow::Result<_>>()?;
            Ok(field)
        })
    }

    /// Does something with so many of the brokers beside the stack's.
    pub(super) async fn further_brokers(&self, count: usize, act: fn(&mut Broker) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut brokers = Arc::clone(&self.brokers).lock_owned().await;
        ensure!(brokers.len() >= count, "the field has not so many brokers");
        tokio::task::spawn_blocking(move || brokers.iter_mut().take(count).try_for_each(act)).await?
    }

    /// An installation with topics and schemas, whose processes reach everything through the links.
    ///
    /// # Errors
    /// A command fails.
    pub async fn install(&self, folder: &Path) -> anyhow::Result<(Installation, Topics)> {
        let mut installation = Installation::new(&self.stack, folder, Database::Postgres)?;
        if !self.brokers.lock().await.is_empty() {
            installation.kafka.dev = false;
            installation.set("SCORESYNC_KAFKA__DEV", "false");
        }
        installation.append(include_str!("sources.toml"))?;
        installation.make_token("chaos")?;
        for (setting, value) in SETTINGS {
            installation.set(setting, *value);
        }
        installation.create()?;
        // What prepares the database for readers is a sink, and here the first one that starts can be killed at once.
        let mut sink = installation.start("sink-1", &["run", "sink"])?;
        sink.ready(Duration::from_secs(60)).await?;
        sink.stop(Duration::from_secs(40))?;
        let topics = Topics::of(&installation)?;
        self.lead_through_links(&mut installation);
        Ok((installation, topics))
    }

    /// Processes that are started from now on come through the links.
    fn lead_through_links(&self, installation: &mut Installation) {
        let through = |url: &str, link: &FrailLink| {
            let direct = address_in(url).map(|address| address.to_string()).unwrap_or_default();
            url.replacen(&direct, &link.address().to_string(), 1)
        };
        let registry = through(&self.stack.registry_url, &self.to_registry);
        installation.set("SCORESYNC_KAFKA__BROKERS", self.to_kafka.address().to_string());
        installation.set("SCORESYNC_REGISTRY__URL", registry);
        if let Some(postgres) = installation.archive.postgres.as_ref().map(|postgres| postgres.url.clone()) {
            installation.set("SCORESYNC_ARCHIVE__POSTGRES__URL", through(&postgres, &self.to_postgres));
        }
    }

    /// Whatever the weather was.
    pub(super) fn calm(&self) {
        for link in [&self.to_kafka, &self.to_registry, &self.to_postgres] {
            link.set(Weather::Fair);
        }
    }
}

/// More than a round needs.
const DISK_MIB: usize = 256;

/// So that a round sees a group time a member out, and a door give up.
const SETTINGS: &[(&str, &str)] = &[
    ("SCORESYNC_DOOR__ACKNOWLEDGE_TIMEOUT_SECONDS", "3"),
    ("SCORESYNC_TOPICS__PARTITIONS", "4"),
    ("SCORESYNC_SINK__MAX_BATCH_RECORDS", "200"),
    ("SCORESYNC_ARCHIVE__POSTGRES__LOCK_TIMEOUT_MS", "1500"),
    ("SCORESYNC_ARCHIVE__POSTGRES__IDLE_IN_TRANSACTION_TIMEOUT_MS", "3000"),
];

/// The `127.0.0.1:PORT` in an address.
fn address_in(url: &str) -> anyhow::Result<SocketAddr> {
    let from = url
        .find("127.0.0.1:")
        .with_context(|| format!("{url:?} is not an address of this machine"))?;
    let address: String = url[from..].chars().take_while(|letter| !['/', '?'].contains(letter)).collect();
    address.parse().with_context(|| format!("read {address}"))
}
