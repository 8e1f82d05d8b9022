//! Whether each stage of the process can do its work, and why not.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use prometheus::IntGauge;
use serde::Serialize;
use tracing::{info, warn};

use crate::ProcessMetrics;

/// The stages of the process. Clones share them.
#[derive(Clone)]
pub struct Readiness {
    stages: Arc<Mutex<BTreeMap<String, StageReadiness>>>,
    metrics: ProcessMetrics,
}

/// What one stage says of itself. Cheap to clone; cheap to tell what it knows already.
#[derive(Clone)]
pub struct StageReadiness(Arc<Stage>);

struct Stage {
    name: String,
    gauge: IntGauge,
    /// Mirrors `obstacle`, so that a ready stage can say so for every record.
    is_ready: AtomicBool,
    obstacle: Mutex<Option<String>>,
}

/// The state of one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StageReport {
    /// Its name.
    pub stage: String,
    /// Whether it can do its work.
    pub ready: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Readiness {
    /// No stages yet: not ready.
    #[must_use]
    pub fn new(metrics: ProcessMetrics) -> Self {
        Self {
            stages: Arc::default(),
            metrics,
        }
    }

    /// The stage of this name, not ready (`starting`) when it is asked for the first time.
    #[must_use]
    pub fn stage(&self, name: &str) -> StageReadiness {
        let make = || {
            let gauge = self.metrics.ready.get([name]);
            gauge.set(0);
            StageReadiness(Arc::new(Stage {
                name: name.to_owned(),
                gauge,
                is_ready: AtomicBool::new(false),
                obstacle: Mutex::new(Some("starting".to_owned())),
            }))
        };
        lock(&self.stages).entry(name.to_owned()).or_insert_with(make).clone()
    }

    /// All stages, by name.
    #[must_use]
    pub fn report(&self) -> Vec<StageReport> {
        lock(&self.stages).values().map(StageReadiness::report).collect()
    }
}

impl StageReadiness {
    /// The stage can do its work.
    pub fn ready(&self) {
        if !self.0.is_ready.load(Ordering::Acquire) {
            self.change(None, false);
        }
    }

    /// The stage cannot do its work, and a person may have to look. A reason without numbers that change is logged once, not every time.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.change(Some(reason.into()), true);
    }

    /// The stage cannot do its work in the ordinary course of things: it starts, or it ends.
    pub fn in_transition(&self, reason: impl Into<String>) {
        self.change(Some(reason.into()), false);
    }

    fn change(&self, obstacle: Option<String>, is_trouble: bool) {
        let stage = &self.0;
        let mut present = lock(&stage.obstacle);
        if *present == obstacle {
            return;
        }
        match &obstacle {
            None => info!(stage = stage.name, "stage {} is ready", stage.name),
            Some(reason) if !is_trouble => info!(stage = stage.name, reason, "stage {} is not ready: {reason}", stage.name),
            Some(reason) => warn!(stage = stage.name, reason, "stage {} is not ready: {reason}", stage.name),
        }
        stage.gauge.set(i64::from(obstacle.is_none()));
        stage.is_ready.store(obstacle.is_none(), Ordering::Release);
        *present = obstacle;
    }

    fn report(&self) -> StageReport {
        let reason = lock(&self.0.obstacle).clone();
        StageReport {
            stage: self.0.name.clone(),
            ready: reason.is_none(),
            reason,
        }
    }
}

impl fmt::Debug for StageReadiness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report().fmt(formatter)
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report().fmt(formatter)
    }
}

/// A panic elsewhere leaves these states whole: each is written in one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::Registry;

    fn readiness() -> Readiness {
        Readiness::new(ProcessMetrics::register(&Registry::new(), "1.2.3").unwrap())
    }

    fn state(readiness: &Readiness, stage: &str) -> (bool, Option<String>, i64) {
        let report = readiness.report().into_iter().find(|report| report.stage == stage).unwrap();
        (report.ready, report.reason, readiness.metrics.ready.get([stage]).get())
    }

    #[test]
    fn a_stage_is_not_ready_until_it_says_so() {
        let readiness = readiness();
        let stage = readiness.stage("mapper");
        assert_eq!(state(&readiness, "mapper"), (false, Some("starting".to_owned()), 0));
        stage.ready();
        assert_eq!(state(&readiness, "mapper"), (true, None, 1));
        stage.not_ready("the broker does not answer");
        assert_eq!(
            state(&readiness, "mapper"),
            (false, Some("the broker does not answer".to_owned()), 0)
        );
        stage.ready();
        assert_eq!(state(&readiness, "mapper"), (true, None, 1));
    }

    #[test]
    fn asking_twice_for_a_stage_gives_the_same_one() {
        let readiness = readiness();
        readiness.stage("sink").ready();
        let _same = readiness.stage("sink");
        assert_eq!(state(&readiness, "sink"), (true, None, 1));
        assert_eq!(readiness.report().len(), 1);
    }
}
