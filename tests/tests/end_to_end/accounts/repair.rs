//! What is missing or altered is made anew.

use anyhow::{Context, ensure};
use scoresync_domain::Origin;
use scoresync_fault_points::{Bug, Point};
use scoresync_kafka::Topic;

use super::{Accounts, MAPPER, SINK, exams};
use crate::support::{SETTLE, academy::write, balance, end, ready, start, state_of_letter, until};

/// Everything that stands in files, as text.
const ARCHIVED: &str = "SELECT coalesce(string_agg(line, E'\n' ORDER BY line), '') FROM (
    SELECT 'record ' || row(record.*)::text AS line FROM training_record AS record WHERE result_id IN (SELECT result_id FROM known)
    UNION ALL SELECT 'history ' || row(history.*)::text FROM score_history AS history WHERE result_id IN (SELECT result_id FROM known)
) AS archived";

/// What was before much was broken.
struct Spoilt {
    before: String,
    closed: Origin,
}

impl Accounts {
    /// Breaks much at once: a row gone, scores and owners changed, history lost, a row that nobody said, counts wrong, a letter swallowed, another
    /// one closed. Gives what a repair has to bring back.
    async fn spoil(&self) -> anyhow::Result<Spoilt> {
        let known = "CREATE TABLE known AS SELECT result_id FROM training_record";
        self.database.batch_execute(known).await?;
        let before = self.archived().await?;
        let closed = write(&self.scene, "X-8", &[("工号", "NOBODY")]).await?;
        until("the desk has its letter", SETTLE, async || {
            Ok(self
                .scene
                .installation
                .run(&["dlq", "list", "--json"])?
                .contains(&format!("\"{closed}\"")))
        })
        .await?;
        let (corrected, place, partition) = (&self.corrected, self.letter.offset, self.letter.partition);
        let wrong = format!(
            "DELETE FROM training_record WHERE result_id = (SELECT result_id FROM known WHERE result_id <> '{corrected}' ORDER BY 1 LIMIT 1);
            UPDATE training_record SET exam_score_millionths = 1 WHERE result_id = '{corrected}';
            UPDATE training_record SET owner_employee_no = 'E200' WHERE result_id = (SELECT max(result_id::text)::uuid FROM known);
            DELETE FROM score_history WHERE result_id = '{corrected}';
            CREATE TABLE more AS SELECT * FROM training_record LIMIT 1;
            UPDATE more SET result_id = '00000000-0000-0000-0000-000000000001';
            INSERT INTO training_record SELECT * FROM more;
            UPDATE fate_count SET count = count + 3 WHERE fate = 'filed' AND count > 0;
            DELETE FROM dead_letter WHERE topic = '' AND place = {place} AND partition = {partition};
            UPDATE dead_letter SET state = 'filed' WHERE topic = '' AND place = {} AND partition = {}",
            closed.offset, closed.partition
        );
        self.database.batch_execute(&wrong).await?;
        Ok(Spoilt { before, closed })
    }

    /// Nothing of what was spoilt is left.
    async fn expect_repaired(&self, Spoilt { before, closed }: &Spoilt) -> anyhow::Result<()> {
        let archived = self.archived().await?;
        ensure!(archived == *before, "{archived}\n{before}");
        ensure!(state_of_letter(&self.scene, *closed)? == "open", "a letter is closed");
        Ok(())
    }

    async fn archived(&self) -> anyhow::Result<String> {
        Ok(self.database.query_one(ARCHIVED, &[]).await?.get(0))
    }

    fn repair(&self, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
        let output = self.scene.installation.output(&[&["audit", "--repair"], arguments].concat())?;
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8_lossy(&said).into_owned()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_altered_is_made_anew_while_reports_go_on() -> anyhow::Result<()> {
    let accounts = Accounts::open().await?;
    balance(&accounts.scene)?;
    let database = &accounts.database;
    let spoilt = accounts.spoil().await?;
    let broken = accounts.archived().await?;
    let file = accounts.scene.file("exams.csv", exams(20_000))?.display().to_string();
    let mut import = accounts.scene.installation.start("import", &["import", "academy", &file])?;

    let (code, said) = accounts.repair(&[])?;
    ensure!(
        code == Some(1) && said.contains("results are made anew") && said.contains("nothing was done"),
        "{said}"
    );
    ensure!(
        accounts.archived().await? == broken,
        "it was not asked to, and changed something: {said}"
    );

    let (code, said) = accounts.repair(&["--yes"])?;
    ensure!(code == Some(0) && said.contains("the books balance"), "{code:?}: {said}");
    accounts.expect_repaired(&spoilt).await?;
    let invented = "SELECT count(*) FROM training_record WHERE result_id = '00000000-0000-0000-0000-000000000001'";
    ensure!(database.query_one(invented, &[]).await?.get::<_, i64>(0) == 0, "{said}");
    ensure!(import.ended(SETTLE)?.is_some_and(|status| status.success()), "the import failed");
    balance(&accounts.scene)?;
    let (code, said) = accounts.repair(&["--yes"])?;
    ensure!(code == Some(0) && said.contains("there is nothing to repair"), "{code:?}: {said}");
    end(accounts.processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repair_that_dies_anywhere_is_finished_by_the_next() -> anyhow::Result<()> {
    let accounts = Accounts::open().await?;
    let spoilt = accounts.spoil().await?;
    for point in [Point::ResultsRebuilt, Point::FatesCorrected, Point::LostReportSent] {
        accounts.scene.installation.crash(&["audit", "--repair", "--yes"], (point, 1))?;
    }
    until("what it sent has come to something", SETTLE, async || {
        let (code, said) = accounts.repair(&[])?;
        Ok(code == Some(0) && said.contains("there is nothing to repair"))
    })
    .await?;
    accounts.expect_repaired(&spoilt).await?;
    balance(&accounts.scene)?;
    end(accounts.processes)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sink_and_mapper_passed_over_is_filed_by_a_repair() -> anyhow::Result<()> {
    let mut accounts = Accounts::open().await?;
    let archive = accounts.scene.archive().await?;
    let filed = archive.file("E100").await?.len();
    accounts.map_with(Bug::ReportPassedOver).await?;
    for number in 20..30 {
        write(&accounts.scene, &format!("X-{number}"), &[]).await?;
    }
    accounts.until_mapped().await?;
    let lost = accounts.lost()?.len();
    ensure!(lost > 0, "nothing was passed over");
    until("the others are filed", SETTLE, async || {
        Ok(archive.file("E100").await?.len() == filed + 10 - lost)
    })
    .await?;
    accounts.stop(MAPPER)?;
    let mut mapper = start(&accounts.scene, &["mapper"])?;
    ready(&mut mapper).await?;
    // A score comes while the sink is away, and its position is moved past it.
    accounts.stop(SINK)?;
    let outputs = accounts.scene.topics.count(Topic::Enriched).await?;
    write(&accounts.scene, "X-40", &[]).await?;
    until("it is mapped", SETTLE, async || {
        Ok(accounts.scene.topics.count(Topic::Enriched).await? > outputs)
    })
    .await?;
    let scores = accounts.scene.topics.enriched().await?;
    let last = scores.iter().max_by_key(|record| record.value.as_ref().map(|score| score.origin));
    let partition = last.context("no score")?.partition;
    let past_it = "UPDATE consumer_position SET next_offset = next_offset + 1 WHERE topic LIKE '%scores.enriched' AND partition = ";
    accounts.database.batch_execute(&format!("{past_it}{partition}")).await?;
    let mut sink = start(&accounts.scene, &["sink"])?;
    ready(&mut sink).await?;

    ensure!(lost > 1, "too little was passed over");
    let repair = ["audit", "--repair", "--yes"];
    accounts.scene.installation.crash(&repair, (Point::LostReportSent, 1))?;
    until("what was sent is mapped", SETTLE, async || Ok(accounts.lost()?.len() == lost - 1)).await?;
    let (code, said) = accounts.repair(&["--yes"])?;
    ensure!(
        code == Some(0) && said.contains(&format!("{} reports were sent again", lost - 1)),
        "{code:?}: {said}"
    );
    until(
        "all are filed",
        SETTLE,
        async || Ok(archive.file("E100").await?.len() == filed + 11),
    )
    .await?;
    balance(&accounts.scene)?;
    end([accounts.processes, mapper, sink].into_iter().flatten().collect())
}
