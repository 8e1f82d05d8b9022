//! A source's own list beside the archive: every class of difference, and how it is mended.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use scoresync_domain::Status;
use scoresync_fault_points::Point;
use scoresync_kafka::Topic;
use scoresync_tests::{installation::Database, metrics::Metrics, process::Process};
use serde_json::Value;

use super::exams;
use crate::support::{SETTLE, Scene, academy, balance, balance_and_nothing_is_in_flight, end, ready, start, until};

/// A source that has an id for each result, numbers its revisions, and exports everything.
const SOURCE: &str = r#"
[sources.lists]
mapping_version = 1
repeat = "correction"
time_zone = "Asia/Shanghai"
employees_match = ["employee_no"]
key = ["result"]

[sources.lists.fields]
result = "id"
employee_no = "employee"
course_id = "course"
exam_score = "score"
finish_timestamp = "finished"
revision = "revision"
"#;

/// A row: id, employee, course, score, revision.
type Row = (&'static str, &'static str, &'static str, u32, u32);

/// What was reported before.
const REPORTED: [Row; 9] = [
    ("same", "E100", "C-1", 80, 1),
    ("score", "E100", "C-1", 70, 1),
    ("person", "E100", "C-1", 71, 1),
    ("behind", "E100", "C-1", 60, 1),
    ("ahead", "E100", "C-1", 65, 5),
    ("extra", "E100", "C-1", 50, 1),
    ("nobody", "NOBODY", "C-1", 40, 1),
    ("elsewhere", "E100", "C-2", 55, 1),
    ("many", "E100", "C-1", 33, 1),
];

/// What the list says.
const LISTED: [Row; 12] = [
    ("same", "E100", "C-1", 80, 1),
    ("score", "E100", "C-1", 75, 1),
    ("person", "E200", "C-1", 71, 1),
    ("behind", "E100", "C-1", 90, 2),
    ("ahead", "E100", "C-1", 64, 4),
    ("nobody", "NOBODY", "C-1", 40, 1),
    ("missing", "E100", "C-1", 88, 1),
    ("unfit", "NEITHER", "C-1", 10, 1),
    ("flight", "E100", "C-1", 77, 1),
    ("absent", "E100", "C-2", 20, 1),
    // The greater revision counts, wherever it stands.
    ("many", "E100", "C-1", 33, 1),
    ("many", "E100", "C-1", 1, 0),
];

/// In which way each of them differs, in course C-1.
const DIFFERING: [(&str, &str); 8] = [
    ("ahead", "stale_revision"),
    ("behind", "stale_revision"),
    ("extra", "extra"),
    ("flight", "in_flight"),
    ("missing", "missing"),
    ("nobody", "waiting"),
    ("person", "different_person"),
    ("score", "different"),
];

fn list(rows: &[Row]) -> String {
    let line = |(id, employee, course, score, revision): &Row| format!("{id},{employee},{course},{score},2026-03-01 09:30:00,{revision}\n");
    std::iter::once("id,employee,course,score,finished,revision\n".to_owned())
        .chain(rows.iter().map(line))
        .collect()
}

struct Lists {
    scene: Scene,
    processes: Vec<Process>,
}

impl Lists {
    async fn open(more: &str) -> anyhow::Result<Self> {
        let mut scene = Scene::new(Database::Sqlite)?;
        scene.configure(&format!("{SOURCE}{more}"))?;
        let roster = scene.file("roster.csv", format!("{}E200,另一人,19900000200\n", academy::ROSTER))?;
        scene.installation.run(&["employees", "import", &roster.display().to_string()])?;
        let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
        ready(&mut processes).await?;
        let lists = Self { scene, processes };
        lists.import("reported.csv", &REPORTED)?;
        let archive = lists.scene.archive().await?;
        until("what was reported is filed", SETTLE, async || {
            let letters = lists.scene.installation.run(&["dlq", "list", "--json"])?;
            Ok(archive.file("E100").await?.len() == REPORTED.len() - 1 && letters.contains("\"lists\""))
        })
        .await?;
        Ok(lists)
    }

    fn file(&self, name: &str, rows: &[Row]) -> anyhow::Result<String> {
        Ok(self.scene.file(name, list(rows))?.display().to_string())
    }

    fn import(&self, name: &str, rows: &[Row]) -> anyhow::Result<()> {
        let file = self.file(name, rows)?;
        self.scene.installation.run(&["import", "lists", &file]).map(drop)
    }

    /// Compares, and gives what it says; the exit code says the same.
    fn reconcile(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self
            .scene
            .installation
            .output(&[&["reconcile", "lists"], arguments, &["--json"]].concat())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let document: Value = serde_json::from_slice(&output.stdout).with_context(|| format!("no document: {said}"))?;
        let code = if document["agrees"] == true { 0 } else { 1 };
        ensure!(output.status.code() == Some(code), "{}: {document:#}", output.status);
        Ok(document)
    }

    /// What it says to people where it does nothing.
    fn refused(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.scene.installation.output(&[&["reconcile", "lists"], arguments].concat())?;
        ensure!(output.status.code() == Some(1), "{arguments:?}: {}", output.status);
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    async fn reports(&self) -> anyhow::Result<i64> {
        self.scene.topics.count(Topic::Raw).await
    }
}

/// The results that differ, by their ids in the source, and in which way.
fn differing(document: &Value) -> anyhow::Result<BTreeMap<String, String>> {
    let by_id = |id: &'static str| (scoresync_domain::ResultId::from_key("lists", [id]).to_string(), id);
    let ids: BTreeMap<String, &str> = REPORTED.iter().chain(&LISTED).map(|(id, ..)| by_id(id)).collect();
    let differences = document["differences"].as_array().context("no differences")?;
    let told = differences.iter().map(|difference| {
        let result_id = difference["result_id"].as_str().unwrap_or_default();
        let id = ids.get(result_id).with_context(|| format!("of no row: {difference:#}"))?;
        Ok(((*id).to_owned(), difference["class"].as_str().unwrap_or_default().to_owned()))
    });
    let told: BTreeMap<String, String> = told.collect::<anyhow::Result<_>>()?;
    ensure!(told.len() == differences.len(), "one is told twice: {document:#}");
    Ok(told)
}

fn expected(others: &[(&str, &str)], gone: &[&str]) -> BTreeMap<String, String> {
    let kept = DIFFERING.iter().filter(|(id, _)| !gone.contains(id));
    kept.chain(others)
        .map(|(id, class)| ((*id).to_owned(), (*class).to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_class_of_difference_is_found_and_no_other_and_a_backfill_mends_what_is_behind() -> anyhow::Result<()> {
    let mut lists = Lists::open("").await?;
    let listed = lists.file("list.csv", &LISTED)?;
    // Something is on its way while the sink is away.
    ensure!(lists.processes.remove(0).stop(crate::support::STOP)?.success());
    let outputs = lists.scene.topics.count(Topic::Enriched).await?;
    lists.import("flight.csv", &[("flight", "E100", "C-1", 77, 1)])?;
    until("it is mapped", SETTLE, async || {
        Ok(lists.scene.topics.count(Topic::Enriched).await? > outputs)
    })
    .await?;
    let csv = lists.scene.folder().join("differences.csv");
    let found = lists.reconcile(&[&listed, "--course", "C-1", "--csv", &csv.display().to_string()])?;
    let unfit = [("unfit", "missing")];
    ensure!(differing(&found)? == expected(&unfit, &[]), "{found:#}");
    let told = std::fs::read_to_string(&csv)?;
    ensure!(
        told.contains(",exam_score,75,70,") && told.contains(",revision,2,1,") && told.contains(",employee_no,E200,E100,"),
        "{told}"
    );
    // A time in which nothing was finished has no differences.
    let agreed = lists.reconcile(&[&listed, "--from", "2026-04-01", "--course", "C-1"])?;
    ensure!(agreed["agrees"] == true, "{agreed:#}");

    let mut sink = start(&lists.scene, &["sink"])?;
    ready(&mut sink).await?;
    lists.processes.extend(sink);
    // From here on others report as much as they can.
    let load = lists.scene.file("exams.csv", exams(20_000))?.display().to_string();
    let mut load = lists.scene.installation.start("import", &["import", "academy", &load])?;
    let mended = lists.reconcile(&[&listed, "--course", "C-1", "--backfill"])?;
    ensure!(mended["sent"] == 3, "{mended:#}");
    let waiting = [("unfit", "waiting")];
    ensure!(
        differing(&mended)? == expected(&waiting, &["behind", "missing", "flight"]),
        "{mended:#}"
    );
    ensure!(load.ended(SETTLE)?.is_some_and(|status| status.success()), "the import failed");
    let corrected = lists.reconcile(&[&listed, "--course", "C-1", "--backfill", "--correct"])?;
    ensure!(corrected["sent"] == 1, "{corrected:#}");
    ensure!(
        differing(&corrected)? == expected(&waiting, &["behind", "missing", "flight", "score"]),
        "{corrected:#}"
    );
    // It is done: once more changes nothing.
    let reports = lists.reports().await?;
    let again = lists.reconcile(&[&listed, "--course", "C-1", "--backfill", "--correct"])?;
    ensure!(again["sent"] == 0 && again["differences"] == corrected["differences"], "{again:#}");
    ensure!(lists.reports().await? == reports, "something was sent");
    balance(&lists.scene)?;
    end(lists.processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_leaves_nothing_and_what_is_too_much_is_withdrawn_within_a_limit() -> anyhow::Result<()> {
    let lists = Lists::open("").await?;
    let present = REPORTED.iter().filter(|(id, ..)| *id != "nobody" && *id != "extra").copied();
    let missing = (0..50).map(|number| (["m-0", "m-1", "m-2", "m-3", "m-4"][number % 5], "E100", "C-3", 61, 1));
    let rows: Vec<Row> = present.chain(missing).collect();
    let listed = lists.file("list.csv", &rows)?;
    let behind = lists.refused(&[&listed, "--withdraw-extra"])?;
    ensure!(behind.contains("--yes"), "{behind}");
    let limited = lists.refused(&[&listed, "--withdraw-extra", "--yes", "--at-most", "0"])?;
    ensure!(limited.contains("more than 0"), "{limited}");
    // A comma too many, and the list does not say any more that it has the result; an empty list says nothing.
    let garbled = list(&[rows.as_slice(), &REPORTED[5..6]].concat()).replace("extra,E100,", "extra,E100,,");
    let garbled = lists.scene.file("garbled.csv", garbled)?.display().to_string();
    let untold = lists.refused(&[&garbled, "--withdraw-extra", "--yes"])?;
    ensure!(untold.contains("do not say which result"), "{untold}");
    let empty = lists.file("empty.csv", &[])?;
    let everything = lists.refused(&[&empty, "--withdraw-extra", "--yes"])?;
    ensure!(everything.contains("the list is empty"), "{everything}");
    // What was received since the list was made is not looked for in it.
    let early = lists.reconcile(&[&listed, "--as-of", "2026-01-01", "--course", "C-1"])?;
    ensure!(early["classes"]["extra"] == 0 && early["received_since"] == 1, "{early:#}");
    let reports = lists.reports().await?;
    let found = lists.reconcile(&[&listed])?;
    ensure!(found["classes"]["missing"] == 5 && found["classes"]["extra"] == 1, "{found:#}");
    ensure!(lists.reports().await? == reports, "something was sent");

    let mended = lists.reconcile(&[&listed, "--backfill", "--withdraw-extra", "--yes"])?;
    ensure!(
        mended["agrees"] == true && mended["sent"] == 5 && mended["withdrawn"] == 1,
        "{mended:#}"
    );
    let reports = lists.reports().await?;
    let again = lists.reconcile(&[&listed, "--backfill", "--withdraw-extra", "--yes"])?;
    ensure!(
        again["agrees"] == true && again["sent"] == 0 && again["withdrawn"] == 0,
        "{again:#}"
    );
    ensure!(lists.reports().await? == reports, "something was sent");
    let extra = scoresync_domain::ResultId::from_key("lists", ["extra"]);
    let file = lists.scene.archive().await?.file("E100").await?;
    let record = file.iter().find(|record| record.result_id == extra).context("it is gone")?;
    ensure!(record.head.status == Status::Withdrawn && !record.history.is_empty(), "{record:?}");
    balance(&lists.scene)?;
    end(lists.processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconciliation_that_dies_anywhere_is_finished_by_the_next() -> anyhow::Result<()> {
    let lists = Lists::open("").await?;
    let present = REPORTED
        .iter()
        .filter(|(id, ..)| !["nobody", "extra", "score"].contains(id))
        .copied();
    let missing = ["m-0", "m-1", "m-2", "m-3"].map(|id| (id, "E100", "C-3", 61, 1));
    let listed = lists.file("list.csv", &present.chain(missing).collect::<Vec<_>>())?;
    let mend = ["reconcile", "lists", &listed, "--backfill", "--withdraw-extra", "--yes"];
    let reports = lists.reports().await?;
    let died = [
        (Point::ListedRowQueued, 2, 2),
        (Point::WithdrawalQueued, 1, missing.len() as i64 + 1),
    ];
    for (point, times, sent) in died {
        lists.scene.installation.crash_when_sent(&mend, (point, times))?;
        ensure!(lists.reports().await? == reports + sent, "nobody died between two reports");
        until("what was sent is filed", SETTLE, async || {
            Ok(balance_and_nothing_is_in_flight(&lists.scene).is_ok())
        })
        .await?;
    }
    let mended = lists.reconcile(&mend[2..])?;
    ensure!(
        mended["agrees"] == true && mended["sent"] == 0 && mended["withdrawn"] == 1,
        "{mended:#}"
    );
    ensure!(
        lists.reports().await? == reports + missing.len() as i64 + 2,
        "something was sent twice"
    );
    let file = lists.scene.archive().await?.file("E100").await?;
    let is = |id: &str, status| {
        let result_id = scoresync_domain::ResultId::from_key("lists", [id]);
        file.iter()
            .any(|record| record.result_id == result_id && record.head.status == status)
    };
    ensure!(missing.iter().all(|(id, ..)| is(id, Status::Final)), "{file:#?}");
    ensure!(["extra", "score"].iter().all(|id| is(id, Status::Withdrawn)), "{file:#?}");
    balance(&lists.scene)?;
    end(lists.processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_by_itself_is_done_once_noted_and_told_in_metrics() -> anyhow::Result<()> {
    let plan = "[reconcile.lists]\nfiles = [\"list.csv\"]\nat = [\"00:00\"]\ncourses = [\"C-1\"]\nbackfill = true\n";
    let mut lists = Lists::open(plan).await?;
    let missed = lists.scene.installation.run(&["reconcile", "history"])?;
    ensure!(missed.contains("no comparison has run"), "{missed}");
    lists.file("list.csv", &LISTED)?;
    // The time of today has come before it was started: it is made up for, by one of the two.
    let mut both = Vec::new();
    for name in ["reconciler-1", "reconciler-2"] {
        both.push(lists.scene.installation.start(name, &["run", "reconciler"])?);
    }
    ready(&mut both).await?;
    let history = || -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&lists.scene.installation.run(&[
            "reconcile",
            "history",
            "--json",
        ])?)?)
    };
    until("it has run", SETTLE, async || Ok(history()?[0]["ended"].is_string())).await?;
    let runs = history()?;
    let run = &runs[0];
    ensure!(runs.as_array().is_some_and(|runs| runs.len() == 1), "{runs:#}");
    ensure!(run["outcome"] == "differs" && run["sent"] == 4 && run["listed"] == 12, "{run:#}");
    ensure!(
        run["classes"]["waiting"] == 2 && run["classes"]["missing"] == Value::Null,
        "{run:#}"
    );
    // Whoever starts again knows it.
    for process in both.drain(..) {
        ensure!(process.stop(crate::support::STOP)?.success());
    }
    let mut again = start(&lists.scene, &["reconciler"])?;
    ready(&mut again).await?;
    let metrics = Metrics::scrape(again[0].admin()).await?;
    let sample = |name: &str| metrics.get(name).with_context(|| format!("there is no {name}"));
    ensure!(sample("scoresync_reconcile_agreed{source=\"lists\"}")? == 0.0);
    ensure!(metrics.sum("scoresync_reconcile_differences") == 6.0, "{metrics:?}");
    ensure!(sample("scoresync_reconcile_last_run_timestamp_seconds{source=\"lists\"}")? > 1.0e9);
    ensure!(history()? == runs, "it ran twice");
    let said = lists.scene.installation.run(&["reconcile", "history"])?;
    ensure!(said.contains("differs") && said.contains("2 waiting"), "{said}");
    lists.processes.extend(again);
    balance(&lists.scene)?;
    end(lists.processes)
}
