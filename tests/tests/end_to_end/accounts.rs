//! The books: they balance after whatever happens, and whatever is wrong in them is named.

mod mappers;
mod reconcile;
mod repair;
mod replay;
mod successors;

use std::time::Duration;

use anyhow::{Context, ensure};
use scoresync_domain::Origin;
use scoresync_kafka::{Topic, TopicNames};
use scoresync_tests::{installation::Database, process::Process};
use tokio_postgres::{Client, NoTls};

use crate::support::{SETTLE, STOP, Scene, academy, academy::write, audit, balance, end, is_named, ready, start, until};

/// Reports of E100, one of them corrected, and one of nobody: six reports in all.
const RESULTS: usize = 4;
/// Where stages stand among the processes.
const SINK: usize = 0;
const MAPPER: usize = 1;

/// A scene in which something of everything has happened, and all of it is done.
struct Accounts {
    scene: Scene,
    processes: Vec<Process>,
    database: Client,
    /// A result that was corrected, as the database knows it.
    corrected: String,
    /// The report that is about nobody.
    letter: Origin,
}

impl Accounts {
    async fn open() -> anyhow::Result<Self> {
        let scene = Scene::new(Database::Postgres)?;
        let roster = scene.file("roster.csv", format!("{}E200,另一人,19900000200\n", academy::ROSTER))?;
        scene.installation.run(&["employees", "import", &roster.display().to_string()])?;
        let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
        ready(&mut processes).await?;
        for number in 0..RESULTS {
            write(&scene, &format!("X-{number}"), &[]).await?;
        }
        write(&scene, "X-0", &[("版本", "2"), ("分数", "99")]).await?;
        let letter = write(&scene, "X-9", &[("工号", "NOBODY")]).await?;
        let archive = scene.archive().await?;
        until("everything is done", SETTLE, async || {
            let letters = scene.installation.run(&["dlq", "list", "--json"])?;
            Ok(archive.judged().await? == RESULTS as i64 + 1 && letters.contains("NOBODY") | letters.contains(&letter.to_string()))
        })
        .await?;
        let file = archive.file("E100").await?;
        let corrected = file
            .iter()
            .find(|record| !record.history.is_empty())
            .context("nothing was corrected")?;
        let corrected = corrected.result_id.to_string();
        let settings = scene.installation.archive.postgres.as_ref().context("no PostgreSQL")?;
        let (database, connection) = tokio_postgres::connect(&settings.url, NoTls).await?;
        tokio::spawn(connection);
        Ok(Self {
            scene,
            processes,
            database,
            corrected,
            letter,
        })
    }

    /// Breaks something, looks at what the audit says of it, and puts it right.
    async fn check(&self, (wrong, right): (&str, &str), (kind, item): (&str, &str)) -> anyhow::Result<()> {
        self.database.batch_execute(wrong).await.with_context(|| wrong.to_owned())?;
        let books = audit(&self.scene)?;
        is_named(&books, (kind, item)).with_context(|| wrong.to_owned())?;
        self.database.batch_execute(right).await.with_context(|| right.to_owned())?;
        balance(&self.scene).with_context(|| format!("after {right}"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_altered_in_the_archive_by_hand_is_named() -> anyhow::Result<()> {
    let accounts = Accounts::open().await?;
    balance(&accounts.scene)?;
    let result = format!("result {}", accounts.corrected);
    let this = format!("WHERE result_id = '{}'", accounts.corrected);
    let taken_from = |table: &str, condition: &str| {
        let wrong = format!("CREATE TABLE kept AS SELECT * FROM {table} {condition}; DELETE FROM {table} {condition}");
        (wrong, format!("INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept"))
    };
    let updated = |table: &str, [wrong, right]: [&str; 2], condition: &str| {
        let update = |assignment: &str| format!("UPDATE {table} SET {assignment} {condition}");
        (update(wrong), update(right))
    };
    let score = [
        "exam_score_millionths = exam_score_millionths + 1000000",
        "exam_score_millionths = exam_score_millionths - 1000000",
    ];
    let counted = ["count = count + 1", "count = count - 1"];
    let letter = format!("WHERE topic = '' AND place = {}", accounts.letter.offset);
    let faults = [
        (taken_from("training_record", &this), "missing_record", result.clone()),
        (updated("training_record", score, &this), "altered_record", result.clone()),
        (
            updated(
                "training_record",
                ["owner_employee_no = 'E200'", "owner_employee_no = 'E100'"],
                &this,
            ),
            "altered_record",
            result.clone(),
        ),
        (taken_from("score_history", &this), "missing_history", result.clone()),
        (
            updated("fate_count", counted, "WHERE fate = 'filed' AND count > 0"),
            "fates",
            String::new(),
        ),
        (
            taken_from("dead_letter", &letter),
            "missing_letter",
            format!("letter {}", accounts.letter),
        ),
        (
            updated("dead_letter", ["state = 'filed'", "state = 'open'"], &letter),
            "unfiled_letter",
            format!("letter {}", accounts.letter),
        ),
    ];
    for ((wrong, right), kind, item) in &faults {
        let partition = accounts.partition().await?;
        let item = if *kind == "fates" { &partition } else { item };
        accounts.check((wrong, right), (kind, item)).await?;
    }
    let Accounts { scene, processes, .. } = accounts;
    // It says so to people, too.
    let said = scene.installation.run(&["audit"])?;
    ensure!(said.contains("the books balance"), "{said}");
    end(processes)
}

impl Accounts {
    /// The partition in which something was filed.
    async fn partition(&self) -> anyhow::Result<String> {
        let row = self.database.query_one(
            "SELECT generation, partition FROM fate_count WHERE fate = 'filed' AND count > 0 LIMIT 1",
            &[],
        );
        let row = row.await?;
        Ok(format!("scores.enriched:{}/{}", row.get::<_, i32>(0), row.get::<_, i32>(1)))
    }

    fn stop(&mut self, stage: usize) -> anyhow::Result<()> {
        ensure!(self.processes.remove(stage).stop(STOP)?.success(), "a stage did not end well");
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_that_were_moved_past_something_are_named_with_it() -> anyhow::Result<()> {
    let mut accounts = Accounts::open().await?;
    balance(&accounts.scene)?;
    // The sink is away, and a score comes that it has not read: in flight, until somebody moves its position past it.
    accounts.stop(SINK)?;
    let outputs = accounts.scene.topics.count(Topic::Enriched).await?;
    write(&accounts.scene, "X-20", &[]).await?;
    until("it is mapped", SETTLE, async || {
        Ok(accounts.scene.topics.count(Topic::Enriched).await? > outputs)
    })
    .await?;
    balance(&accounts.scene)?;
    let scores = accounts.scene.topics.enriched().await?;
    let latest = scores
        .iter()
        .filter_map(|record| record.value.as_ref())
        .max_by_key(|score| score.origin);
    let latest = latest.context("no score")?.result_id.to_string();
    let partition = scores
        .iter()
        .find(|record| record.key.as_deref() == Some(&latest))
        .context("no record")?
        .partition;
    let moved = |by: &str| {
        format!(
            "UPDATE consumer_position SET next_offset = next_offset {by} WHERE topic LIKE '%scores.enriched' AND partition = {partition}"
        )
    };
    let past_it = (moved("+ 1"), moved("- 1"));
    accounts
        .check((&past_it.0, &past_it.1), ("missing_record", &format!("result {latest}")))
        .await?;
    accounts
        .check((&past_it.0, &past_it.1), ("fates", &format!("scores.enriched:1/{partition}")))
        .await?;
    let enriched = TopicNames::new(&accounts.scene.installation.topics).name(Topic::Enriched);
    accounts
        .check((&moved("+ 9"), &moved("- 9")), ("position", &format!("{enriched}:1/{partition}")))
        .await?;
    end(accounts.processes)
}

/// Exams of E100, some of which are sent twice.
fn exams(rows: usize) -> String {
    let names: Vec<&str> = academy::fields("").into_iter().map(|(name, _)| name).collect();
    let line = |number: usize| {
        let fields = academy::fields(&format!("L-{}", number % (rows * 9 / 10)));
        fields.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(",")
    };
    let lines: Vec<String> = std::iter::once(names.join(",")).chain((0..rows).map(line)).collect();
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_books_balance_at_any_moment_under_load() -> anyhow::Result<()> {
    const ROWS: usize = 40_000;
    let scene = Scene::new(Database::Sqlite)?;
    let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
    scene.installation.run(&["employees", "import", &roster])?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    let file = scene.file("exams.csv", exams(ROWS))?.display().to_string();
    // While the sink sleeps, whatever is sent is on its way: the first look is in the middle of it on any machine.
    let sink = &processes[SINK];
    sink.signal("STOP")?;
    let mut import = scene.installation.start("import", &["import", "academy", &file])?;
    until("reports come", SETTLE, async || Ok(scene.topics.count(Topic::Raw).await? > 0)).await?;
    let (mut seen, mut is_sent) = (Vec::new(), false);
    loop {
        let books = audit(&scene)?;
        ensure!(books["balance"] == true, "{books:#}");
        let [reports, in_flight] = ["reports", "in_flight"].map(|name| books["total"][name].as_u64().unwrap_or_default());
        let is_done = is_sent && in_flight == 0;
        seen.push((reports, in_flight));
        sink.signal("CONT")?;
        if is_done {
            break;
        }
        is_sent = is_sent || import.ended(Duration::ZERO)?.is_some();
    }
    ensure!(seen.last() == Some(&(ROWS as u64, 0)), "{seen:?}");
    ensure!(
        seen.first().is_some_and(|(_, in_flight)| *in_flight > 0),
        "nothing was on its way: {seen:?}"
    );
    end(processes)
}
