//! The producer's stage: the door, once the broker's topics and the registry's schemas are found.

use std::sync::Arc;

use scoresync_kafka::Topic;
use scoresync_producer::{Door, DoorParts, Intake, RosterWriter, roster_router};
use scoresync_service::{Backoff, BackoffLimits, StageReadiness};

use crate::{
    process::Shared,
    surroundings::{Surroundings, Unfit},
};

/// Serves until the end is asked for.
pub(crate) async fn run(shared: Shared, readiness: StageReadiness, writer: RosterWriter) -> anyhow::Result<()> {
    let Some(surroundings) = find_surroundings(&shared, &readiness).await? else {
        return Ok(());
    };
    let configuration = &shared.configuration;
    let raw_schema_id = surroundings.schema_id(Topic::Raw)?;
    let metrics = &shared.metrics;
    let intake = Intake::new(&configuration.kafka, &configuration.topics, raw_schema_id, metrics.producer.clone())?;
    let tokens = Arc::new(shared.checked.tokens.clone());
    let parts = DoorParts {
        intake: Arc::new(intake),
        tokens: Arc::clone(&tokens),
        sources: Arc::new(shared.checked.sources.clone()),
        metrics: metrics.http.clone(),
        readiness,
    };
    let door = Door::bind(&configuration.door, parts, roster_router(writer, tokens)).await?;
    tracing::info!(address = %door.address(), "the door is open");
    Ok(door.serve(shared.shutdown.clone()).await?)
}

/// Asks until broker and registry answer, or the end is asked for (`None`).
async fn find_surroundings(shared: &Shared, readiness: &StageReadiness) -> anyhow::Result<Option<Surroundings>> {
    let mut backoff = Backoff::new(BackoffLimits::default());
    loop {
        let error = match Surroundings::find(&shared.configuration, &[Topic::Raw, Topic::Employees]).await {
            Ok(surroundings) => return Ok(Some(surroundings)),
            Err(Unfit::Lasting(error) | Unfit::Unregistered(error)) => return Err(error),
            Err(Unfit::Passing(error)) => error,
        };
        readiness.not_ready(format!("cannot start yet: {error:#}"));
        tokio::select! {
            () = tokio::time::sleep(backoff.next_delay()) => {}
            () = shared.shutdown.wait() => return Ok(None),
        }
    }
}
