//! What two processes of a stage do together, and what a record costs where there is ten times as much already.

use std::time::Instant;

use scoresync_tests::{installation::Database, stack::Stack};

use super::{
    pace::{Pace, peak_memory_mib},
    say,
    site::{Site, stop},
    stages::with,
    table::{Sample, Table},
    workload::Workload,
};

/// Measures everything once.
pub(crate) async fn run(stack: &Stack, workload: Workload, table: &mut Table) -> anyhow::Result<()> {
    let one = processes(stack, workload, table).await?;
    employees(stack, workload, (&one, table)).await?;
    rows(stack, workload, table).await
}

/// Beside another pace, which bounds it or which it should keep.
fn beside(pace: &Pace, other: &Pace) -> Sample {
    Sample {
        ceiling: Some(other.per_second),
        ..with(pace, None)
    }
}

/// One process of each stage, then two of each, with other reports. Gives the one mapper.
async fn processes(stack: &Stack, workload: Workload, table: &mut Table) -> anyhow::Result<Pace> {
    say("  one and two mappers and sinks");
    let mut site = Site::lay_out(stack, workload)?;
    site.file_employees(Database::Postgres).await?;
    let (mut mappers, mut sinks) = (Vec::new(), Vec::new());
    for count in [1, 2] {
        site.import("fresh", 1)?;
        mappers.push(site.map(count).await?);
        sinks.push(site.file(Database::Postgres, (count, site.workload.enriched())).await?);
        site.workload = site.workload.next();
    }
    table.add("1 mapper", "reports/s", with(&mappers[0], None));
    table.add("2 mappers", "reports/s", beside(&mappers[1], &mappers[0]));
    table.add("1 sink, PostgreSQL, fresh rows", "rows/s", with(&sinks[0], None));
    table.add("2 sinks, PostgreSQL, fresh rows", "rows/s", beside(&sinks[1], &sinks[0]));
    Ok(mappers.swap_remove(0))
}

async fn employees(stack: &Stack, workload: Workload, (one, table): (&Pace, &mut Table)) -> anyhow::Result<()> {
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
    table.add("mapper with 10 times the employees", "reports/s", beside(&site.map(1).await?, one));
    Ok(())
}

/// A tenth of the reports, filed where there are as many rows and where there are ten times as many.
async fn rows(stack: &Stack, workload: Workload, table: &mut Table) -> anyhow::Result<()> {
    let tenth = Workload {
        reports: workload.reports / 10,
        ..workload
    };
    say(&format!("  on {} rows and on {}", tenth.reports, workload.reports));
    let mut site = Site::lay_out(stack, tenth)?;
    let mut paces = Vec::new();
    for _ in 0..=10 {
        site.import("fresh", 1)?;
        site.map(1).await?;
        paces.push(site.file(Database::Postgres, (1, site.workload.enriched())).await?);
        site.workload = site.workload.next();
    }
    table.add("sink, PostgreSQL, on a tenth of the rows", "rows/s", with(&paces[1], None));
    table.add("sink, PostgreSQL, on 10 times as many", "rows/s", beside(&paces[10], &paces[1]));
    Ok(())
}
