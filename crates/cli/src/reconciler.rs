//! Comparing lists of sources with the archive at the times that `[reconcile]` says.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use scoresync_archive::{Access, Archive, ArchiveError, ReconciliationResult};
use scoresync_domain::Timestamp;
use scoresync_kafka::Topic;
use scoresync_producer::Intake;
use scoresync_reconcile::{Class, Comparison, Difference, Plan};
use scoresync_service::{Shutdown, StageReadiness, now_millis};
use scoresync_spill::scratch_folder;

use crate::{
    process::Shared,
    reconciliation::{Ground, NEEDED, RowsToSend},
    stages::{find, persist, unfit_archive},
    surroundings::Surroundings,
};

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// After so long a run that was begun is taken for one whose process has died.
const FORGOTTEN_MS: i64 = 3_600_000;

/// Waits for the times of the plans, one run after the other, until the end is asked for.
pub(crate) fn run(shared: &Shared, shutdown: &Shutdown, readiness: &StageReadiness) -> anyhow::Result<()> {
    if shared.checked.plans.is_empty() {
        bail!("there is nothing to compare: [reconcile.SOURCE] of the configuration names a source's list and the times");
    }
    let mut was_registered = false;
    let started = persist(shutdown, readiness, || {
        let surroundings = find(shared, &NEEDED, &mut was_registered)?;
        let open = Archive::open(&shared.configuration.archive, Access::Desk);
        let archive = shared.runtime.block_on(open).map_err(unfit_archive)?;
        Ok((surroundings, Arc::new(archive)))
    })?;
    let Some((surroundings, archive)) = started else {
        return Ok(());
    };
    let mut reconciler = Reconciler {
        shared,
        surroundings,
        archive,
        done: BTreeMap::new(),
    };
    for plan in &shared.checked.plans {
        reconciler.recall(plan)?;
    }
    readiness.ready();
    while !shutdown.pause(LOOK) {
        for plan in &shared.checked.plans {
            if !shutdown.is_requested() {
                reconciler.look(plan, shutdown);
            }
        }
    }
    Ok(())
}

struct Reconciler<'s> {
    shared: &'s Shared,
    surroundings: Surroundings,
    archive: Arc<Archive>,
    /// By source, the due time that was looked after.
    done: BTreeMap<String, Timestamp>,
}

impl Reconciler<'_> {
    /// Tells in metrics what the latest run of a plan came to, and before it the latest that could compare: a failed one leaves its counts.
    fn recall(&self, plan: &Plan) -> Result<(), ArchiveError> {
        let runs = self.archive.reconciliations(Some(&plan.source), 10);
        let runs = self.shared.runtime.block_on(runs)?;
        let results: Vec<ReconciliationResult> = runs.into_iter().filter_map(|run| run.result).collect();
        let compared = results.iter().find(|result| result.outcome != FAILED);
        for result in compared.into_iter().chain(results.first()) {
            let classes: BTreeMap<String, u64> = serde_json::from_str(&result.classes).unwrap_or_default();
            let count = |class: Class| (class, classes.get(class.as_str()).copied().unwrap_or(0));
            let comparison = Comparison {
                classes: Class::ALL.into_iter().map(count).collect(),
                ..Comparison::default()
            };
            let comparison = (result.outcome != FAILED).then_some(&comparison);
            self.shared.metrics.reconcile.ended(&plan.source, result.ended, comparison);
        }
        Ok(())
    }

    /// Runs what is due of a plan, unless another process does.
    fn look(&mut self, plan: &Plan, shutdown: &Shutdown) {
        let now = Timestamp::from_millis(now_millis());
        let Some(due) = plan.last_due(now) else { return };
        if self.done.get(&plan.source) == Some(&due) {
            return;
        }
        let forgotten = Timestamp::from_millis(now.as_millis() - FORGOTTEN_MS);
        match self.take(plan, (due, now, forgotten), shutdown) {
            Ok(true) => drop(self.done.insert(plan.source.clone(), due)),
            Ok(false) => {}
            Err(error) => {
                let source = &plan.source;
                tracing::warn!(%source, cause = %error, "a comparison of the list of {source} with the archive has to wait: {error}");
            }
        }
    }

    /// Says whether the run has ended, ours or somebody else's.
    fn take(&self, plan: &Plan, moments: (Timestamp, Timestamp, Timestamp), shutdown: &Shutdown) -> Result<bool, ArchiveError> {
        let (runtime, source, due) = (&self.shared.runtime, &plan.source, moments.0);
        if runtime.block_on(self.archive.begin_reconciliation(source, moments))? {
            self.run(plan, due, shutdown)?;
            return Ok(true);
        }
        let runs = runtime.block_on(self.archive.reconciliations(Some(source), 10))?;
        let has_ended = runs.iter().any(|run| run.due == due && run.result.is_some());
        if has_ended {
            // Somebody else's run is told by everybody.
            self.recall(plan)?;
        }
        Ok(has_ended)
    }

    fn run(&self, plan: &Plan, due: Timestamp, shutdown: &Shutdown) -> Result<(), ArchiveError> {
        let (source, runtime) = (&plan.source, &self.shared.runtime);
        tracing::info!(%source, "comparing the list of {source} with the archive");
        let mut sent = 0;
        let compared = self.compare(plan, (due, &mut sent), shutdown);
        if compared.is_err() && shutdown.is_requested() {
            return runtime.block_on(self.archive.give_back_reconciliation((source, due)));
        }
        let (comparison, problem) = match compared {
            Ok(comparison) => (Some(comparison), None),
            Err(error) => (None, Some(format!("{error:#}"))),
        };
        let ended = Timestamp::from_millis(now_millis());
        let result = result_of((comparison.as_ref(), sent, problem), ended);
        tell(source, &result);
        self.shared.metrics.reconcile.ended(source, ended, comparison.as_ref());
        runtime.block_on(self.archive.end_reconciliation((source, due), &result))
    }

    /// Compares, sends what is missing where the plan says so, and compares again; `sent` says how much was sent, also where that fails.
    fn compare(&self, plan: &Plan, (due, sent): (Timestamp, &mut u64), shutdown: &Shutdown) -> anyhow::Result<Comparison> {
        let shared = self.shared;
        let source = shared.checked.sources.get(&plan.source).context("there is no such source")?;
        let ground = Ground {
            configuration: Arc::clone(&shared.configuration),
            checked: Arc::clone(&shared.checked),
            source: source.clone(),
            files: plan.files.clone(),
            format: None,
            scope: plan.scope(due),
            as_of: None,
            scratch: scratch_folder(),
            registry: self.surroundings.registry.clone(),
            archive: Arc::clone(&self.archive),
            runtime: shared.runtime.clone(),
        };
        let mut missing = RowsToSend::new();
        let mut collect = |difference: Difference| {
            if difference.is_backfilled() {
                missing.extend(difference.row.map(|row| (row, difference.result_id)));
            }
            Ok(())
        };
        let mut go_on = |_| shutdown.flow();
        let comparison = ground.compare(&mut collect, &mut go_on)?;
        if !plan.backfill || missing.is_empty() {
            return Ok(comparison);
        }
        let (kafka, topics) = (&shared.configuration.kafka, &shared.configuration.topics);
        let intake = Intake::new(
            kafka,
            topics,
            self.surroundings.schema_id(Topic::Raw)?,
            shared.metrics.producer.clone(),
        )?;
        *sent = ground.send(&missing, &intake)?;
        ground.settle(&mut || !shutdown.is_requested())?;
        ground.compare(&mut |_| Ok(()), &mut go_on)
    }
}

const AGREED: &str = "agreed";
const DIFFERS: &str = "differs";
const FAILED: &str = "failed";

fn result_of((comparison, sent, problem): (Option<&Comparison>, u64, Option<String>), ended: Timestamp) -> ReconciliationResult {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let classes = comparison.map(|comparison| &comparison.classes);
    let classes: BTreeMap<&str, u64> = classes
        .into_iter()
        .flatten()
        .map(|(class, count)| (class.as_str(), *count))
        .collect();
    let outcome = match comparison {
        Some(comparison) if comparison.agrees() => AGREED,
        Some(_) => DIFFERS,
        None => FAILED,
    };
    ReconciliationResult {
        ended,
        outcome: outcome.to_owned(),
        listed: comparison.map_or(0, |comparison| number(comparison.listed)),
        archived: comparison.map_or(0, |comparison| number(comparison.archived)),
        classes: serde_json::json!(classes).to_string(),
        sent: number(sent),
        problem,
    }
}

fn tell(source: &str, result: &ReconciliationResult) {
    let (listed, sent) = (result.listed, result.sent);
    match (result.outcome.as_str(), &result.problem) {
        (_, Some(problem)) => {
            tracing::error!(%source, cause = problem, "the list of {source} could not be compared with the archive: {problem}");
        }
        (AGREED, None) => tracing::info!(%source, listed, sent, "the list of {source} and the archive agree about {listed} rows"),
        (_, None) => {
            let classes = &result.classes;
            tracing::warn!(%source, listed, sent, classes, "the list of {source} and the archive differ: {classes}");
        }
    }
}
