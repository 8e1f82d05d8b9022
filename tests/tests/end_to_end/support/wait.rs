//! Waiting for a condition, with a deadline.

use std::time::{Duration, Instant};

use anyhow::ensure;

/// Asks again and again until it is so.
pub(crate) async fn until(what: &str, deadline: Duration, mut is_so: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let end = Instant::now() + deadline;
    while !is_so().await? {
        ensure!(Instant::now() < end, "not within {deadline:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
