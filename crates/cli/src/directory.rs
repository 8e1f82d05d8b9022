//! The directory of employees as it is now, for a command.

use std::time::Duration;

use scoresync_domain::Region;
use scoresync_kafka::{KafkaSettings, LiveDirectory, Registry, TopicSettings};
use tokio::runtime::Handle;

use crate::command::Context;

const LIMIT: Duration = Duration::from_secs(300);

/// Reading waits for broker and registry, so it has a thread of its own.
pub(crate) async fn read_directory(context: &Context, registry: &Registry) -> anyhow::Result<LiveDirectory> {
    let around = (context.configuration.kafka.clone(), context.configuration.topics.clone());
    let (registry, region, runtime) = (registry.clone(), context.checked.roster.region(), Handle::current());
    tokio::task::spawn_blocking(move || open_directory((&around.0, &around.1), region, (&registry, &runtime))).await?
}

/// The same on a thread that may wait.
pub(crate) fn open_directory(
    (kafka, topics): (&KafkaSettings, &TopicSettings),
    region: Region,
    reach: (&Registry, &Handle),
) -> anyhow::Result<LiveDirectory> {
    let mut live = LiveDirectory::open(kafka, topics, region, reach)?;
    live.read_to_end(LIMIT)?;
    Ok(live)
}
