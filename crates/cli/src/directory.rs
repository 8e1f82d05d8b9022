//! The directory of employees as it is now, for a command.

use std::time::Duration;

use scoresync_kafka::{LiveDirectory, Registry};
use tokio::runtime::Handle;

use crate::command::Context;

const LIMIT: Duration = Duration::from_secs(300);

/// Reading waits for broker and registry, so it has a thread of its own.
pub(crate) async fn read_directory(context: &Context, registry: &Registry) -> anyhow::Result<LiveDirectory> {
    let (kafka, topics) = (context.configuration.kafka.clone(), context.configuration.topics.clone());
    let (registry, region, runtime) = (registry.clone(), context.checked.roster.region(), Handle::current());
    let reading = tokio::task::spawn_blocking(move || {
        let mut live = LiveDirectory::open(&kafka, &topics, region, (&registry, &runtime))?;
        live.read_to_end(LIMIT)?;
        anyhow::Ok(live)
    });
    reading.await?
}
