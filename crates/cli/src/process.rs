//! A process: its logs, metrics, admin port and signals, and the stages that it runs.

use std::sync::Arc;

use anyhow::Context as _;
use prometheus::Registry;
use scoresync_desk::DeskMetrics;
use scoresync_mapper::MapperMetrics;
use scoresync_producer::ProducerMetrics;
use scoresync_reconcile::ReconcileMetrics;
use scoresync_service::{AdminServer, Exit, ProcessMetrics, Readiness, Shutdown, StageMetrics, Stages, redacted_dump, start_telemetry};
use scoresync_sink::SinkMetrics;
use scoresync_web::HttpMetrics;

use crate::{
    arguments::Stage,
    command::Context,
    configuration::{Checked, Configuration},
    failure::Failure,
    stages,
};

/// What every stage of a process shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) configuration: Arc<Configuration>,
    pub(crate) checked: Arc<Checked>,
    pub(crate) readiness: Readiness,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
    pub(crate) runtime: tokio::runtime::Handle,
}

/// All metrics of a process, whichever stages it runs.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) registry: Registry,
    pub(crate) process: ProcessMetrics,
    pub(crate) producer: ProducerMetrics,
    pub(crate) http: HttpMetrics,
    pub(crate) mapper: MapperMetrics,
    pub(crate) sink: SinkMetrics,
    pub(crate) desk: DeskMetrics,
    pub(crate) reconcile: ReconcileMetrics,
}

impl Metrics {
    fn register() -> anyhow::Result<Self> {
        let registry = Registry::new();
        let process = ProcessMetrics::register(&registry, env!("CARGO_PKG_VERSION"))?;
        let stage = StageMetrics::register(&registry)?;
        Ok(Self {
            process,
            producer: ProducerMetrics::register(&registry, stage.clone())?,
            http: HttpMetrics::register(&registry)?,
            mapper: MapperMetrics::register(&registry, stage.clone())?,
            sink: SinkMetrics::register(&registry, stage.clone())?,
            desk: DeskMetrics::register(&registry, stage)?,
            reconcile: ReconcileMetrics::register(&registry)?,
            registry,
        })
    }
}

/// Runs the stages until a signal, or until one of them fails.
pub(crate) fn run(context: Context, which: &[Stage]) -> Result<Exit, Failure> {
    let (configuration, checked) = (Arc::new(context.configuration), Arc::new(context.checked));
    start_telemetry(&configuration.log)?;
    let shutdown = Shutdown::of_process(&configuration.shutdown).context("take over the signals")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let metrics = Metrics::register()?;
    let shared = Shared {
        configuration,
        checked,
        readiness: Readiness::new(metrics.process.clone()),
        metrics,
        shutdown,
        runtime: runtime.handle().clone(),
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        configuration = redacted_dump(&*shared.configuration)?,
        "starting"
    );
    runtime.block_on(serve(shared, which))?;
    tracing::info!("ended in good order");
    Ok(Exit::Ok)
}

async fn serve(shared: Shared, which: &[Stage]) -> anyhow::Result<()> {
    let admin = AdminServer::bind(
        &shared.configuration.admin,
        shared.readiness.clone(),
        shared.metrics.registry.clone(),
    )
    .await?;
    tracing::info!(address = %admin.address(), "the admin port is open: /livez, /readyz, /metrics");
    let (stages_ended, end) = tokio::sync::oneshot::channel::<()>();
    let admin = tokio::spawn(admin.serve_until(async {
        // Either way the stages are over.
        drop(end.await);
    }));
    let mut stages = Stages::new(shared.shutdown.clone());
    for stage in which {
        match stage {
            Stage::Producer => stages::start_producer(&mut stages, &shared),
            Stage::Mapper => stages::start_mapper(&mut stages, &shared),
            Stage::Sink => stages::start_sink(&mut stages, &shared),
            Stage::Desk => stages::start_desk(&mut stages, &shared),
            Stage::Reconciler => stages::start_reconciler(&mut stages, &shared),
        }
    }
    let outcome = stages.finish().await;
    drop(stages_ended);
    admin.await??;
    Ok(outcome?)
}
