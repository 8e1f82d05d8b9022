//! One run of the stages: the ceilings, then import, mapper and sink, each beside them.

use scoresync_kafka::Topic;
use scoresync_tests::{
    installation::Database,
    stack::{Part, Stack},
};

use super::{
    bare_table::BareTable,
    pace::Pace,
    say,
    site::Site,
    table::{Sample, Table},
    usage::Speed,
    workload::Workload,
};

/// Measures everything once.
pub(crate) async fn run(stack: &Stack, workload: Workload, table: &mut Table) -> anyhow::Result<()> {
    say("  employees and reports");
    let site = Site::lay_out(stack, workload)?;
    for (name, database) in DATABASES {
        let pace = site.file_employees(database).await?;
        table.add(format!("sink, {name}, employees"), "rows/s", with(&pace, None));
    }
    let import = site.import("fresh", 1)?;
    let copy = ceilings(&site, &import, table).await?;
    say("  mapper");
    let mapped = site.map(1).await?;
    table.add("mapper", "reports/s", with(&mapped, Some(&copy)));
    let (upsert, with_history) = file_fresh(&site, table).await?;
    for (what, revision, ceiling) in [("corrections", 2, &with_history), ("duplicates", 2, &upsert)] {
        say(&format!("  {what}"));
        site.import(what, revision)?;
        site.map(1).await?;
        for (name, database) in DATABASES {
            let pace = site.file(database, (1, workload.enriched())).await?;
            let ceiling = (database == Database::Postgres).then_some(ceiling);
            table.add(format!("sink, {name}, {what}"), "rows/s", with(&pace, ceiling));
        }
    }
    Ok(())
}

const DATABASES: [(&str, Database); 2] = [("PostgreSQL", Database::Postgres), ("SQLite", Database::Sqlite)];

async fn ceilings(site: &Site<'_>, import: &Speed, table: &mut Table) -> anyhow::Result<Speed> {
    say("  ceilings");
    let raw = site.topic(Topic::Raw);
    let [warm, copied, produced] = ["warm", "copied", "produced"].map(|name| format!("{raw}.{name}"));
    for topic in [&warm, &copied, &produced] {
        site.kafka.create(topic).await?;
    }
    tokio::task::block_in_place(|| {
        // A broker that has just started compiles itself while it is measured.
        site.kafka.copy(&raw, &warm)?;
        let drain = site.kafka.drain(&raw)?;
        table.add("ceiling: drain of scores.raw", "records/s", bare(&drain));
        let copy = site.kafka.copy(&raw, &copied)?;
        table.add("ceiling: bare copy", "records/s", bare(&copy));
        let produce = site.kafka.produce(&raw, &produced)?;
        table.add("ceiling: bare produce", "records/s", bare(&produce));
        let sample = Sample {
            ceiling: Some(produce.per_second),
            ..bare(import)
        };
        table.add("file import", "reports/s", sample);
        Ok(copy)
    })
}

/// Gives the ceilings of the sink: the same rows, ready, into the same tables, without and with their history.
async fn file_fresh(site: &Site<'_>, table: &mut Table) -> anyhow::Result<(Speed, Speed)> {
    say("  sink, fresh rows");
    let scores = (1, site.workload.enriched());
    let filed = site.file(Database::Postgres, scores).await?;
    let mut ready = BareTable::read(site.database_url()?, site.server(Part::Postgres)?).await?;
    let upsert = ready.upsert().await?;
    table.add("ceiling: bare upsert", "rows/s", of_server(&upsert));
    let again = ready.upsert_again().await?;
    table.add("ceiling: bare upsert of rows that are there", "rows/s", of_server(&again));
    let with_history = ready.upsert_with_history().await?;
    table.add("ceiling: bare upsert with a row of history", "rows/s", of_server(&with_history));
    let copy = ready.copy().await?;
    table.add("ceiling: COPY", "rows/s", of_server(&copy));
    table.add("sink, PostgreSQL, fresh rows", "rows/s", with(&filed, Some(&upsert)));
    let filed = site.file(Database::Sqlite, scores).await?;
    table.add("sink, SQLite, fresh rows", "rows/s", with(&filed, None));
    Ok((upsert, with_history))
}

pub(crate) fn with(pace: &Pace, ceiling: Option<&Speed>) -> Sample {
    Sample {
        value: pace.per_second,
        ceiling: ceiling.map(|ceiling| ceiling.per_second),
        own_cpu_s_per_million: Some(pace.own_cpu),
        others_cpu_s_per_million: (pace.others_cpu > 0.0).then_some(pace.others_cpu),
        peak_rss_mb: Some(pace.peak_memory_mib),
    }
}

fn bare(bare: &Speed) -> Sample {
    Sample {
        own_cpu_s_per_million: Some(bare.cpu),
        ..Sample::of(bare.per_second)
    }
}

fn of_server(bare: &Speed) -> Sample {
    Sample {
        others_cpu_s_per_million: Some(bare.cpu),
        ..Sample::of(bare.per_second)
    }
}
