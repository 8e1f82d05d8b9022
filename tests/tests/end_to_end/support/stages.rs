//! Stages of a scene, each a process of its own.

use anyhow::ensure;
use scoresync_tests::process::Process;

use super::{START, STOP, Scene};

/// Starts them, one after the other.
pub(crate) fn start(scene: &Scene, stages: &[&str]) -> anyhow::Result<Vec<Process>> {
    let start = |stage: &&str| scene.installation.start(stage, &["run", stage]);
    stages.iter().map(start).collect()
}

/// Waits until all are ready.
pub(crate) async fn ready(processes: &mut [Process]) -> anyhow::Result<()> {
    for process in processes {
        process.ready(START).await?;
    }
    Ok(())
}

/// Ends them, each of which has to end well.
pub(crate) fn end(processes: Vec<Process>) -> anyhow::Result<()> {
    for process in processes {
        ensure!(process.stop(STOP)?.success(), "a stage did not end well");
    }
    Ok(())
}
