//! The number of the employee was read from a wrong column: the examiner's.

use anyhow::{Context, ensure};
use scoresync_domain::ScoreReport;
use scoresync_kafka::Topic;
use scoresync_tests::{installation::Database, process::Process};
use serde_json::Value;

use crate::support::{Bytes, Foreign, SETTLE, Scene, academy, balance_and_nothing_is_in_flight, end, ready, start, until};

/// In the college, the learner is a part of what tells results apart; the institute has an id of each.
const SOURCES: &str = r#"
[sources.college]
mapping_version = 1
repeat = "redelivery"
time_zone = "Asia/Shanghai"
employees_match = ["employee_no"]
key = ["learner", "course_id", "exam_id", "attempt"]
attempt = "field"

[sources.college.fields]
employee_no = "考官"
course_id = "课程编号"
exam_id = "考试编号"
attempt = "次数"
exam_score = "分数"
finish_timestamp = "完成时间"

[sources.institute]
mapping_version = 1
repeat = "redelivery"
time_zone = "Asia/Shanghai"
employees_match = ["employee_no"]
key = ["result"]

[sources.institute.fields]
result = "编号"
employee_no = "考官"
course_id = "课程编号"
exam_id = "考试编号"
exam_score = "分数"
finish_timestamp = "完成时间"
"#;

/// Maps everything of a source anew: the document, and the exit code.
fn replay(scene: &Scene, source: &str, arguments: &[&str]) -> anyhow::Result<(Value, i32)> {
    let all = [&["replay", "--json", "--source", source], arguments].concat();
    let output = scene.installation.output(&all)?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_slice(&output.stdout).with_context(|| format!("no document: {said}"))?;
    Ok((document, output.status.code().context("it was killed")?))
}

/// What becomes of which employee's results.
fn kinds(document: &Value) -> Vec<(String, String)> {
    let rows = document["difference"]["told"].as_array().into_iter().flatten();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or("-").to_owned();
    let mut kinds: Vec<_> = rows.map(|row| (text(row, "kind"), text(row, "employee_no"))).collect();
    kinds.sort_unstable();
    kinds
}

async fn write(scene: &Scene, report: &ScoreReport<'static>) -> anyhow::Result<()> {
    let foreign = Foreign::of(scene)?;
    let value = foreign.encode(report).await?;
    foreign.write((Topic::Raw, 0), &Bytes::new("k", value)).await.map(drop)
}

/// The exams in somebody's file that stand.
async fn exams(scene: &Scene, employee_no: &str) -> anyhow::Result<Vec<String>> {
    let file = scene.archive().await?.file(employee_no).await?;
    let shown = file.into_iter().filter_map(|record| record.shown?.content.exam_id);
    let mut exams: Vec<String> = shown.map(|exam| exam.into_owned()).collect();
    exams.sort_unstable();
    Ok(exams)
}

/// A scene in which one result of each source stands in the examiner's file, and the configuration is right by now.
async fn open() -> anyhow::Result<(Scene, Vec<Process>)> {
    let mut scene = Scene::new(Database::Sqlite)?;
    scene.configure(SOURCES)?;
    let roster = scene.file("roster.csv", format!("{}E200,考官,19900000200\n", academy::ROSTER))?;
    scene.installation.run(&["employees", "import", &roster.display().to_string()])?;
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    for (source, exam) in [("college", "K-1"), ("institute", "I-1")] {
        let mut report = academy::report(exam, &[("考官", "E200"), ("编号", "R-1")]);
        report.source = source.into();
        write(&scene, &report).await?;
    }
    let archive = scene.archive().await?;
    until("both are filed", SETTLE, async || Ok(archive.judged().await? == 2)).await?;
    ensure!(exams(&scene, "E200").await? == ["I-1", "K-1"], "they stand elsewhere");
    end(processes)?;
    let right = ("employee_no = \"考官\"", "employee_no = \"工号\"");
    scene.installation.change(&[right, right])?;
    for source in ["college", "institute"] {
        let [before, after] = [1, 2].map(|version| format!("[sources.{source}]\nmapping_version = {version}"));
        scene.installation.change(&[(&before, &after)])?;
    }
    let mut processes = start(&scene, &["sink", "mapper", "desk"])?;
    ready(&mut processes).await?;
    Ok((scene, processes))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_a_wrong_file_is_filed_anew_or_left_to_a_person() -> anyhow::Result<()> {
    let (scene, processes) = open().await?;
    // It is another result now, and the one of before is taken back.
    let (applied, code) = replay(&scene, "college", &["--apply", "--yes"])?;
    let expected = [("newly_filed", "E100"), ("no_longer_filed", "E200")].map(|(kind, who)| (kind.to_owned(), who.to_owned()));
    ensure!(code == 0 && kinds(&applied) == expected, "{applied:#}");
    ensure!(
        exams(&scene, "E100").await? == ["K-1"] && exams(&scene, "E200").await? == ["I-1"],
        "{applied:#}"
    );
    // It is the same result, and nobody decided: the owner stays, and a person is told.
    let (applied, code) = replay(&scene, "institute", &["--apply", "--yes"])?;
    let expected = [("refused".to_owned(), "E200".to_owned())];
    ensure!(code == 0 && kinds(&applied) == expected, "{applied:#}");
    ensure!(exams(&scene, "E200").await? == ["I-1"], "{applied:#}");
    for source in ["college", "institute"] {
        let (again, code) = replay(&scene, source, &["--apply", "--yes"])?;
        ensure!(code == 0 && again["sent"] == 0, "{again:#}");
    }
    balance_and_nothing_is_in_flight(&scene)?;
    let result = applied["difference"]["told"][0]["result_id"].as_str().context("no result")?;
    let decide = ["dlq", "resolve", "--result", result, "--employee", "E100", "--because", "a test"];
    scene.installation.run(&decide)?;
    until("the decision is followed", SETTLE, async || {
        Ok(exams(&scene, "E100").await? == ["I-1", "K-1"] && exams(&scene, "E200").await?.is_empty())
    })
    .await?;
    balance_and_nothing_is_in_flight(&scene)?;
    end(processes)
}
