//! Starting each stage: again and again while its surroundings may still come, at once where a person must mend them.

use std::sync::Arc;

use scoresync_archive::{Access, Archive, ArchiveError};
use scoresync_desk::{Desk, DeskError};
use scoresync_kafka::{Kind, Topic};
use scoresync_mapper::{Mapper, MapperError};
use scoresync_producer::{RosterFollower, RosterSurroundings, roster_writer};
use scoresync_service::{Backoff, BackoffLimits, Shutdown, StageReadiness, Stages};
use scoresync_sink::{Sink, SinkError};

use crate::{
    process::Shared,
    surroundings::{Surroundings, Unfit},
};

/// The HTTP door, and the thread that writes single employees for it.
pub(crate) fn start_producer(stages: &mut Stages, shared: &Shared) {
    let (writer, follower) = roster_writer();
    let readiness = shared.readiness.stage(scoresync_producer::STAGE);
    stages.task(scoresync_producer::STAGE, crate::producer::run(shared.clone(), readiness, writer));
    let readiness = shared.readiness.stage("roster");
    let shared = shared.clone();
    stages.thread("roster", move |shutdown| run_roster(&shared, follower, &shutdown, &readiness));
}

/// The mapper.
pub(crate) fn start_mapper(stages: &mut Stages, shared: &Shared) {
    let readiness = shared.readiness.stage("mapper");
    let shared = shared.clone();
    stages.thread("mapper", move |shutdown| run_mapper(&shared, &shutdown, &readiness));
}

/// The sink.
pub(crate) fn start_sink(stages: &mut Stages, shared: &Shared) {
    let readiness = shared.readiness.stage("sink");
    let shared = shared.clone();
    stages.thread("sink", move |shutdown| run_sink(&shared, &shutdown, &readiness));
}

/// The desk, and its HTTP interface where one is configured.
pub(crate) fn start_desk(stages: &mut Stages, shared: &Shared) {
    if let Some(listen) = shared.configuration.desk.listen {
        let readiness = shared.readiness.stage("desk-api");
        stages.task("desk-api", crate::desk_api::run(shared.clone(), listen, readiness));
    }
    let readiness = shared.readiness.stage("desk");
    let shared = shared.clone();
    stages.thread("desk", move |shutdown| run_desk(&shared, &shutdown, &readiness));
}

/// What compares lists with the archive by itself.
pub(crate) fn start_reconciler(stages: &mut Stages, shared: &Shared) {
    let readiness = shared.readiness.stage("reconciler");
    let shared = shared.clone();
    stages.thread("reconciler", move |shutdown| crate::reconciler::run(&shared, &shutdown, &readiness));
}

fn run_roster(shared: &Shared, follower: RosterFollower, shutdown: &Shutdown, readiness: &StageReadiness) -> anyhow::Result<()> {
    let configuration = &shared.configuration;
    let find = || shared.runtime.block_on(Surroundings::find(configuration, &[Topic::Employees]));
    let Some(surroundings) = persist(shutdown, readiness, find)? else {
        return Ok(());
    };
    let around = RosterSurroundings {
        kafka: &configuration.kafka,
        topics: &configuration.topics,
        registry: &surroundings.registry,
        runtime: &shared.runtime,
        employee_schema_id: surroundings.schema_id(Topic::Employees)?,
        region: shared.checked.roster.region(),
    };
    Ok(follower.run(&around, readiness, shutdown)?)
}

fn run_mapper(shared: &Shared, shutdown: &Shutdown, readiness: &StageReadiness) -> anyhow::Result<()> {
    let configuration = &shared.configuration;
    let needed = [Topic::Raw, Topic::Enriched, Topic::DeadLetters, Topic::Employees, Topic::Aliases];
    let mut was_registered = false;
    let started = persist(shutdown, readiness, || {
        let surroundings = find(shared, &needed, &mut was_registered)?;
        let around = scoresync_mapper::Surroundings {
            kafka: &configuration.kafka,
            topics: &configuration.topics,
            registry: &surroundings.registry,
            runtime: &shared.runtime,
            enriched_schema_id: surroundings.schema_id(Topic::Enriched).map_err(Unfit::Lasting)?,
            region: shared.checked.roster.region(),
        };
        let observed = (shared.metrics.mapper.clone(), readiness.clone());
        Mapper::start(&around, configuration.mapper.clone(), shared.checked.sources.clone(), observed).map_err(|error: MapperError| {
            match error.kind() {
                Kind::Transient => Unfit::Passing(error.into()),
                Kind::Environment => Unfit::Lasting(error.into()),
            }
        })
    })?;
    match started {
        Some(mapper) => Ok(mapper.run(shutdown)?),
        None => Ok(()),
    }
}

fn run_sink(shared: &Shared, shutdown: &Shutdown, readiness: &StageReadiness) -> anyhow::Result<()> {
    let configuration = &shared.configuration;
    let mut was_registered = false;
    let started = persist(shutdown, readiness, || {
        let surroundings = find(shared, &[Topic::Enriched, Topic::Employees], &mut was_registered)?;
        let archive = shared
            .runtime
            .block_on(Archive::open(&configuration.archive, Access::Writer))
            .map_err(unfit_archive)?;
        let around = scoresync_sink::Surroundings {
            kafka: &configuration.kafka,
            topics: &configuration.topics,
            registry: &surroundings.registry,
            runtime: &shared.runtime,
            archive: Arc::new(archive),
        };
        Sink::start(
            &around,
            configuration.sink.clone(),
            (shared.metrics.sink.clone(), readiness.clone()),
        )
        .map_err(|error: SinkError| match error.kind() {
            Kind::Transient => Unfit::Passing(error.into()),
            Kind::Environment => Unfit::Lasting(error.into()),
        })
    })?;
    match started {
        Some(sink) => Ok(sink.run(shutdown)?),
        None => Ok(()),
    }
}

fn run_desk(shared: &Shared, shutdown: &Shutdown, readiness: &StageReadiness) -> anyhow::Result<()> {
    let configuration = &shared.configuration;
    let needed = [Topic::Raw, Topic::Enriched, Topic::DeadLetters, Topic::Employees, Topic::Aliases];
    let mut was_registered = false;
    let started = persist(shutdown, readiness, || {
        let surroundings = find(shared, &needed, &mut was_registered)?;
        let archive = shared
            .runtime
            .block_on(Archive::open(&configuration.archive, Access::Desk))
            .map_err(unfit_archive)?;
        let around = scoresync_desk::Surroundings {
            kafka: &configuration.kafka,
            topics: &configuration.topics,
            registry: &surroundings.registry,
            runtime: &shared.runtime,
            archive: Arc::new(archive),
            region: shared.checked.roster.region(),
        };
        let observed = (shared.metrics.desk.clone(), readiness.clone());
        Desk::start(&around, configuration.desk.clone(), shared.checked.sources.clone(), observed).map_err(|error: DeskError| {
            match error.kind() {
                Kind::Transient => Unfit::Passing(error.into()),
                Kind::Environment => Unfit::Lasting(error.into()),
            }
        })
    })?;
    match started {
        Some(desk) => Ok(desk.run(shutdown)?),
        None => Ok(()),
    }
}

/// A registry that had our schemas once and lost them is waited for: a stage that remembers other ids lives on while it is put right.
pub(crate) fn find(shared: &Shared, needed: &[Topic], was_registered: &mut bool) -> Result<Surroundings, Unfit> {
    let found = shared.runtime.block_on(Surroundings::find(&shared.configuration, needed));
    let found = found.map_err(|unfit| if *was_registered { unfit.after_registration() } else { unfit })?;
    *was_registered = true;
    Ok(found)
}

pub(crate) fn unfit_archive(error: ArchiveError) -> Unfit {
    match error {
        ArchiveError::Environment { .. } => Unfit::Lasting(error.into()),
        ArchiveError::Transient { .. } | ArchiveError::LostPosition { .. } | ArchiveError::WouldRefuse | ArchiveError::Overtaken => {
            Unfit::Passing(error.into())
        }
    }
}

/// Tries until it succeeds, the end is asked for (`None`), or a person must act.
pub(crate) fn persist<T>(
    shutdown: &Shutdown,
    readiness: &StageReadiness,
    mut attempt: impl FnMut() -> Result<T, Unfit>,
) -> anyhow::Result<Option<T>> {
    let mut backoff = Backoff::new(BackoffLimits::default());
    while !shutdown.is_requested() {
        match attempt() {
            Ok(done) => return Ok(Some(done)),
            Err(Unfit::Lasting(error) | Unfit::Unregistered(error)) => return Err(error),
            Err(Unfit::Passing(error)) => {
                readiness.not_ready(format!("cannot start yet: {error:#}"));
                tracing::warn!(cause = format!("{error:#}"), "a stage cannot start yet; trying again");
                if shutdown.pause(backoff.next_delay()) {
                    break;
                }
            }
        }
    }
    Ok(None)
}
