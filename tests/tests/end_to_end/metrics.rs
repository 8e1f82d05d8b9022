//! The metrics are an interface: their names and labels, and what they count.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::ensure;
use scoresync_kafka::Topic;
use scoresync_tests::{
    company::{Company, Size, Truth},
    installation::Database,
    metrics::Metrics,
    process::Process,
};

use crate::support::{Load, START, STOP, Scene, assert_every_fate_is_true, until};

/// Every metric of ours with its labels, in the one process that has it. What counts requests or lives in clients is not listed.
const PRODUCER: &[(&str, &[&str])] = &[("scoresync_reports_received_total", &["format", "source"])];
const MAPPER: &[(&str, &[&str])] = &[
    ("scoresync_reports_total", &["fate", "stage"]),
    ("scoresync_dead_letters_total", &["reason", "source", "stage"]),
    ("scoresync_consumer_lag_records", &["stage", "topic"]),
    ("scoresync_last_progress_timestamp_seconds", &["stage"]),
    ("scoresync_directory_employees", &[]),
];
const SINK: &[(&str, &[&str])] = &[
    ("scoresync_reports_total", &["fate", "stage"]),
    ("scoresync_refused_total", &["reason"]),
    ("scoresync_stage_seconds_bucket", &["le", "stage"]),
    ("scoresync_stage_seconds_sum", &["stage"]),
    ("scoresync_stage_seconds_count", &["stage"]),
    ("scoresync_end_to_end_seconds_bucket", &["le"]),
    ("scoresync_end_to_end_seconds_sum", &[]),
    ("scoresync_end_to_end_seconds_count", &[]),
    ("scoresync_consumer_lag_records", &["stage", "topic"]),
    ("scoresync_last_progress_timestamp_seconds", &["stage"]),
    ("scoresync_oldest_unfiled_timestamp_seconds", &[]),
    ("scoresync_newest_finish_timestamp_seconds", &["source"]),
];
const EVERY: &[(&str, &[&str])] = &[("scoresync_ready", &["stage"]), ("scoresync_build_info", &["version"])];

/// The labels of a sample; none of our values has a quote or a comma.
fn labels(sample: &str) -> BTreeSet<&str> {
    let inside = sample.split_once('{').map_or("", |(_, rest)| rest.trim_end_matches('}'));
    inside
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, _)| name)
        .collect()
}

fn check_names(process: &str, metrics: &Metrics, expected: &[(&str, &[&str])]) -> anyhow::Result<()> {
    for (name, names) in expected.iter().chain(EVERY) {
        let samples: Vec<&str> = metrics.of(name).map(|(sample, _)| sample).collect();
        ensure!(!samples.is_empty(), "{process} does not export {name}");
        let expected: BTreeSet<&str> = names.iter().copied().collect();
        for sample in samples {
            assert_eq!(labels(sample), expected, "{process}: {sample}");
        }
    }
    Ok(())
}

/// How many reports of the company must come to each fate, or dead letter or refusal with its reason.
fn truths(company: &Company) -> BTreeMap<Truth, f64> {
    let mut truths = BTreeMap::new();
    for report in company.deliveries.iter().flat_map(|delivery| &delivery.reports) {
        *truths.entry(report.truth).or_default() += 1.0;
    }
    truths
}

fn check_counts(company: &Company, [producer, mapper, sink]: &[Metrics; 3], imported: usize) -> anyhow::Result<()> {
    let pushed = (company.report_count() - imported) as f64;
    assert_eq!(producer.sum("scoresync_reports_received_total"), pushed);
    let (mut dead, mut refused) = (0.0, 0.0);
    for (truth, count) in truths(company) {
        let (metrics, sample) = match truth {
            Truth::Filed | Truth::Duplicate | Truth::Superseded => {
                (sink, format!("scoresync_reports_total{{fate=\"{}\",stage=\"sink\"}}", truth.fate()))
            }
            Truth::Refused(reason) => {
                refused += count;
                (sink, format!("scoresync_refused_total{{reason=\"{reason}\"}}"))
            }
            Truth::DeadLettered(reason) => {
                dead += count;
                let of_reason = format!("reason=\"{reason}\"");
                let letters = mapper
                    .of("scoresync_dead_letters_total")
                    .filter(|(sample, _)| sample.contains(&of_reason));
                assert_eq!(letters.map(|(_, value)| value).sum::<f64>(), count, "{reason}");
                continue;
            }
        };
        assert_eq!(metrics.get(&sample), Some(count), "{sample}");
    }
    let by_fate = |metrics: &Metrics, fate, stage| metrics.get(&format!("scoresync_reports_total{{fate=\"{fate}\",stage=\"{stage}\"}}"));
    assert_eq!(by_fate(mapper, "dead_lettered", "mapper"), Some(dead));
    assert_eq!(by_fate(sink, "refused", "sink"), Some(refused));
    assert_eq!(sink.get("scoresync_end_to_end_seconds_count"), by_fate(sink, "filed", "sink"));
    let employees = company.employee_nos.len() as f64;
    ensure!(mapper.get("scoresync_directory_employees").is_some_and(|known| known >= employees));
    for (metrics, stage) in [(producer, "producer"), (mapper, "mapper"), (sink, "sink")] {
        assert_eq!(metrics.get(&format!("scoresync_ready{{stage=\"{stage}\"}}")), Some(1.0));
    }
    Ok(())
}

/// Without lag, which is looked at now and then.
async fn without_lag(process: &Process) -> anyhow::Result<Metrics> {
    let scrape = async || Metrics::scrape(process.admin()).await;
    until("no stage lags behind", START, async || {
        Ok(scrape().await?.sum("scoresync_consumer_lag_records") == 0.0)
    })
    .await?;
    scrape().await
}

#[tokio::test(flavor = "multi_thread")]
async fn all_metrics_are_exported_under_their_names_and_labels_and_count_the_truth() -> anyhow::Result<()> {
    let size = Size {
        employees: 150,
        reports: 1_500,
    };
    let company = Company::generate(7, size);
    let scene = Scene::new(Database::Sqlite)?;
    scene.employ(&company)?;
    let start = |stage: &str| scene.installation.start(stage, &["run", stage]);
    let mut running = [start("producer")?, start("mapper")?, start("sink")?];
    for process in &mut running {
        process.ready(START).await?;
    }
    let load = Load::new(&company, &scene.installation)?;
    let sent = load.send_all().await?;
    ensure!(sent.repeated() == 0, "a delivery was not answered, so that nothing can be counted");
    assert_every_fate_is_true(&scene, &company, &sent).await?;
    let metrics = [
        without_lag(&running[0]).await?,
        without_lag(&running[1]).await?,
        without_lag(&running[2]).await?,
    ];
    for ((process, metrics), expected) in ["producer", "mapper", "sink"]
        .into_iter()
        .zip(&metrics)
        .zip([PRODUCER, MAPPER, SINK])
    {
        check_names(process, metrics, expected)?;
    }
    let imported = company.deliveries.iter().filter(|delivery| delivery.origin.source() == "centre");
    check_counts(&company, &metrics, imported.map(|delivery| delivery.reports.len()).sum())?;
    assert_eq!(scene.topics.count(Topic::Raw).await?, company.report_count() as i64);
    for process in running {
        ensure!(process.stop(STOP)?.success());
    }
    Ok(())
}
