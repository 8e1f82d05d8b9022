//! What two processes of a stage do together, and what a record costs where there is ten times as much already.

use std::time::Instant;

use scoresync_tests::{installation::Database, stack::Stack};

use super::{
    pace::peak_memory_mib,
    say,
    site::{Site, stop},
    stages::with,
    table::{Sample, Table},
    workload::Workload,
};

/// Measures everything once.
pub(crate) async fn run(stack: &Stack, workload: Workload, table: &mut Table) -> anyhow::Result<()> {
    say("  two mappers and two sinks");
    let site = Site::lay_out(stack, workload)?;
    site.import("fresh", 1)?;
    table.add("2 mappers", "reports/s", with(&site.map(2).await?, None));
    let filed = site.file(Database::Postgres, (2, workload.enriched())).await?;
    table.add("2 sinks, PostgreSQL, fresh rows", "rows/s", with(&filed, None));
    drop(site);
    let tenfold = Workload {
        employees: workload.employees * 10,
        ..workload
    };
    say(&format!("  {} employees", tenfold.employees));
    let site = Site::lay_out(stack, tenfold)?;
    let begun = Instant::now();
    let mapper = site.start("mapper-0", &["run", "mapper"]).await?;
    let sample = Sample {
        peak_rss_mb: Some(peak_memory_mib(&mapper)?),
        ..Sample::of(begun.elapsed().as_secs_f64() * 1000.0)
    };
    table.add("mapper, time to ready with 10 times the employees", "ms", sample);
    stop(vec![mapper])?;
    site.import("fresh", 1)?;
    table.add("mapper with 10 times the employees", "reports/s", with(&site.map(1).await?, None));
    Ok(())
}
