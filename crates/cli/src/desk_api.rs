//! The desk's HTTP interface as a stage, once registry and archive are found.

use std::{net::SocketAddr, sync::Arc};

use scoresync_archive::{Access, Archive};
use scoresync_desk::{Api, ApiParts};
use scoresync_kafka::Topic;
use scoresync_service::StageReadiness;
use tokio::task::spawn_blocking;

use crate::{
    office::{office, reach},
    process::Shared,
    stages::{persist, unfit_archive},
    surroundings::{Surroundings, Unfit},
};

/// Serves until the end is asked for.
pub(crate) async fn run(shared: Shared, listen: SocketAddr, readiness: StageReadiness) -> anyhow::Result<()> {
    let (finding, told) = (shared.clone(), readiness.clone());
    let find = move || persist(&finding.shutdown, &told, || finding.runtime.block_on(parts(&finding)));
    let Some(parts) = spawn_blocking(find).await?? else {
        return Ok(());
    };
    let api = Api::bind(listen, parts).await?;
    tracing::info!(address = %api.address(), "the desk's HTTP interface is open");
    readiness.ready();
    api.serve(shared.shutdown.clone()).await;
    Ok(())
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
