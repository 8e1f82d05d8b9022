//! The audit of everything that was filed.

use std::time::Duration;

use anyhow::{Context, ensure};
use scoresync_tests::{installation::Database, stack::Stack};

use super::{
    pace::peak_memory_mib,
    say,
    site::Site,
    table::{Sample, Table},
    usage::{self, Stopwatch},
    workload::Workload,
};

const BEAT: Duration = Duration::from_millis(20);

/// Measures it once.
pub(crate) async fn run(stack: &Stack, workload: Workload, table: &mut Table) -> anyhow::Result<()> {
    say(&format!("  the books of {} reports", workload.reports));
    let site = Site::lay_out(stack, workload)?;
    site.file_employees(Database::Postgres).await?;
    site.import("fresh", 1)?;
    site.map(1).await?;
    site.file(Database::Postgres, (1, workload.enriched())).await?;
    let stopwatch = Stopwatch::start(usage::cpu_with_children, std::process::id())?;
    let mut audit = site.installation.start("audit", &["audit"])?;
    let mut peak: f64 = 0.0;
    let status = loop {
        // It is gone at any moment, and what it has used with it.
        peak = peak_memory_mib(&audit).unwrap_or(peak).max(peak);
        if let Some(status) = audit.ended(Duration::ZERO)? {
            break status;
        }
        tokio::time::sleep(BEAT).await;
    };
    let speed = stopwatch.stop(workload.reports)?;
    ensure!(status.success(), "the books do not balance:\n{}", audit.log());
    let last = audit.log();
    last.lines()
        .last()
        .filter(|line| *line == "the books balance")
        .context("it says nothing")?;
    let sample = Sample {
        own_cpu_s_per_million: Some(speed.cpu),
        peak_rss_mb: Some(peak),
        ..Sample::of(speed.per_second)
    };
    table.add(format!("audit of {} reports, PostgreSQL", workload.reports), "reports/s", sample);
    Ok(())
}
