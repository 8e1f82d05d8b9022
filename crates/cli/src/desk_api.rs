//! The desk's HTTP interface as a stage, once registry and archive are found.

use std::{net::SocketAddr, sync::Arc};

use scoresync_archive::{Access, Archive};
use scoresync_desk::{Api, ApiParts};
use scoresync_kafka::Topic;
use scoresync_service::{Backoff, BackoffLimits, StageReadiness};

use crate::{
    office::{office, reach},
    process::Shared,
    stages::unfit_archive,
    surroundings::{Surroundings, Unfit},
};

/// Serves until the end is asked for.
pub(crate) async fn run(shared: Shared, listen: SocketAddr, readiness: StageReadiness) -> anyhow::Result<()> {
    let Some(parts) = find(&shared, &readiness).await? else {
        return Ok(());
    };
    let api = Api::bind(listen, parts).await?;
    tracing::info!(address = %api.address(), "the desk's HTTP interface is open");
    readiness.ready();
    api.serve(shared.shutdown.clone()).await;
    Ok(())
}

/// Asks until all answer, or the end is asked for (`None`).
async fn find(shared: &Shared, readiness: &StageReadiness) -> anyhow::Result<Option<ApiParts>> {
    let mut backoff = Backoff::new(BackoffLimits::default());
    loop {
        let error = match parts(shared).await {
            Ok(parts) => return Ok(Some(parts)),
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

async fn parts(shared: &Shared) -> Result<ApiParts, Unfit> {
    let configuration = &shared.configuration;
    let surroundings = Surroundings::find(configuration, &[Topic::Raw, Topic::Employees, Topic::Aliases]).await?;
    let archive = Archive::open(&configuration.archive, Access::Desk).await.map_err(unfit_archive)?;
    Ok(ApiParts {
        office: office(archive, configuration, &shared.checked),
        reach: reach(surroundings, configuration, &shared.checked).map_err(Unfit::Lasting)?,
        tokens: Arc::new(shared.checked.tokens.clone()),
        metrics: shared.metrics.http.clone(),
    })
}
