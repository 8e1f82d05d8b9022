//! A scene in which a source's score and maximum were swapped in its field mapping.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use scoresync_archive::TrainingRecord;
use scoresync_domain::{Origin, ScoreReport, Timestamp};
use scoresync_kafka::Topic;
use scoresync_tests::{installation::Database, process::Process};
use serde_json::Value;

use crate::support::{Bytes, Foreign, SETTLE, Scene, academy, end, ready, start, state_of_letter, until};

/// The time whose reports are mapped anew.
const FROM: &str = "2026-03-01T00:00:00Z";
/// Its end: whatever is imported now is behind it.
pub(super) const TO: &str = "2026-03-02";

const RIGHT: &str = "exam_score = [\"分数\", \"exam_score\"]\nmax_score = [\"满分\", \"max_score\"]";
const SWAPPED: &str = "exam_score = [\"满分\", \"max_score\"]\nmax_score = [\"分数\", \"exam_score\"]";

/// Another system, whose mapping is as wrong, and stays so.
const COLLEGE: &str = r#"
[sources.college]
mapping_version = 1
repeat = "redelivery"
time_zone = "Asia/Shanghai"
employees_match = ["employee_no"]
key = ["learner", "course_id", "exam_id", "attempt"]
attempt = "field"

[sources.college.fields]
employee_no = "工号"
course_id = "课程编号"
exam_id = "考试编号"
attempt = "次数"
exam_score = "满分"
max_score = "分数"
finish_timestamp = "完成时间"
"#;

/// The scene, with all reports filed by the wrong mapping.
pub(super) struct WrongMapping {
    pub(super) scene: Scene,
    /// Sink, desk and mapper, in this order.
    pub(super) processes: Vec<Process>,
    /// Reports that are dead letters, or become it, by exam.
    pub(super) letters: BTreeMap<&'static str, Origin>,
    version: i32,
}

impl WrongMapping {
    pub(super) async fn open(database: Database) -> anyhow::Result<Self> {
        let mut scene = Scene::new(database)?;
        scene.configure(COLLEGE)?;
        scene.installation.change(&[(RIGHT, SWAPPED)])?;
        let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
        scene.installation.run(&["employees", "import", &roster])?;
        let mut processes = start(&scene, &["sink", "desk", "mapper"])?;
        ready(&mut processes).await?;
        let mut wrong = Self {
            scene,
            processes,
            letters: BTreeMap::new(),
            version: 1,
        };
        wrong.report().await?;
        Ok(wrong)
    }

    async fn report(&mut self) -> anyhow::Result<()> {
        let said = |exam: &str, score: &str, maximum: &str| academy::report(exam, &[("分数", score), ("满分", maximum)]);
        let revised = |exam: &str, score: &str| academy::report(exam, &[("分数", score), ("满分", "100"), ("版本", "2")]);
        let mut earlier = said("EARLIER", "83", "100");
        earlier.received_at = Timestamp::parse_rfc3339("2026-02-28T23:59:59Z").context("no time")?;
        let mut elsewhere = said("ELSEWHERE", "84", "100");
        elsewhere.source = "college".into();
        let reports = [
            said("A-0", "80", "100"),
            said("A-1", "81", "100"),
            said("A-2", "82", "100"),
            said("EQUAL", "90", "90"),
            said("TWICE", "70", "100"),
            revised("TWICE", "75"),
            said("ABOVE", "120", "100"),
            said("FALLS-BACK", "60", "100"),
            revised("FALLS-BACK", "130"),
            earlier,
            elsewhere,
        ];
        let mut places = Vec::new();
        for report in &reports {
            places.push(self.write(report).await?);
        }
        let above = reports
            .iter()
            .position(|report| report.fields.get("考试编号") == Some(Some("ABOVE")));
        let above = above.context("no such report")?;
        // The swapped mapping finds no score in them; the right one finds none in the second.
        for (exam, score) in [("LETTER", "85"), ("HOPELESS", "many"), ("NOTHING", "86")] {
            let origin = self.write(&academy::report(exam, &[("分数", score)])).await?;
            self.letters.insert(exam, origin);
        }
        let archive = self.scene.archive().await?;
        let installation = &self.scene.installation;
        until("everything is done", SETTLE, async || {
            let letters = installation.run(&["dlq", "list", "--json"])?;
            let are_kept = self.letters.values().all(|origin| letters.contains(&format!("\"{origin}\"")));
            Ok(archive.judged().await? == reports.len() as i64 && are_kept)
        })
        .await?;
        self.letters.insert("ABOVE", places[above]);
        let nothing = self.letters["NOTHING"].to_string();
        installation.run(&["dlq", "discard", &nothing, "--because", "a test"]).map(drop)
    }

    async fn write(&self, report: &ScoreReport<'static>) -> anyhow::Result<Origin> {
        let foreign = Foreign::of(&self.scene)?;
        let value = foreign.encode(report).await?;
        let offset = foreign.write((Topic::Raw, 0), &Bytes::new("k", value)).await?;
        Ok(Origin {
            generation: 1,
            partition: 0,
            offset,
        })
    }

    /// Puts the field mapping right, and refuses scores above the maximum, without another version.
    pub(super) fn correct(&mut self) -> anyhow::Result<()> {
        let version = "mapping_version = 1";
        let stricter = format!("score_above_maximum = \"refuse\"\n{version}");
        self.scene.installation.change(&[(SWAPPED, RIGHT), (version, &stricter)])
    }

    /// Raises the version of the field mapping, and starts desk and mapper anew with it.
    pub(super) async fn raise_version(&mut self) -> anyhow::Result<()> {
        let [before, after] = [self.version, self.version + 1].map(|version| format!("mapping_version = {version}"));
        self.scene.installation.change(&[(&before, &after)])?;
        self.version += 1;
        end(self.processes.split_off(self.processes.len() - 2))?;
        let mut processes = start(&self.scene, &["desk", "mapper"])?;
        ready(&mut processes).await?;
        self.processes.extend(processes);
        Ok(())
    }

    /// Begins to import as many reports, each about a result of its own, over and over until it is told to stop.
    pub(super) fn import(&self, rows: usize) -> anyhow::Result<Process> {
        let names: Vec<&str> = academy::fields("").into_iter().map(|(name, _)| name).collect();
        let line = |number: usize| {
            let fields = academy::fields(&format!("X-{number}"));
            fields.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(",")
        };
        let lines: Vec<String> = std::iter::once(names.join(",")).chain((0..rows).map(line)).collect();
        self.scene.file("exams.csv", lines.join("\n"))?;
        let installation = &self.scene.installation;
        let import = installation.command(&["import", "academy", "exams.csv", "--restart"])?;
        let mut command = Command::new("sh");
        command
            .args(["-c", "while [ ! -e stop ]; do \"$@\" || exit 1; done", "import"])
            .arg(import.get_program())
            .args(import.get_args())
            .envs(installation.variables())
            .current_dir(self.scene.folder())
            .stdin(Stdio::null());
        installation.start_command("import", command)
    }

    /// Waits until the last import is over.
    pub(super) fn stop_importing(&self, mut import: Process) -> anyhow::Result<()> {
        ensure!(import.ended(Duration::ZERO)?.is_none(), "an import failed: {}", import.end_of_log());
        self.scene.file("stop", "")?;
        let ended = import.ended(SETTLE)?.context("the import does not end")?;
        ensure!(ended.success(), "an import failed: {}", import.end_of_log());
        Ok(())
    }

    /// Her file but for what was imported, by exam.
    pub(super) async fn file(&self) -> anyhow::Result<BTreeMap<String, TrainingRecord>> {
        let records = self.scene.archive().await?.file(academy::EMPLOYEE_NO).await?;
        let exam = |record: &TrainingRecord| {
            let shown = record.shown.as_ref().map(|shown| &shown.content);
            let content = shown.or_else(|| record.history.first().map(|said| &said.content));
            content
                .and_then(|content| content.exam_id.as_deref())
                .unwrap_or_default()
                .to_owned()
        };
        let by_exam = records.into_iter().map(|record| (exam(&record), record));
        Ok(by_exam.filter(|(exam, _)| !exam.starts_with("X-")).collect())
    }

    /// Whether the desk says so of letters, each given by its exam.
    pub(super) fn are_letters(&self, expected: &[(&str, &str)]) -> anyhow::Result<bool> {
        for (exam, state) in expected {
            if state_of_letter(&self.scene, self.letters[*exam])? != *state {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Maps the time's reports of the academy anew: the document, and the exit code.
    pub(super) fn replay(&self, arguments: &[&str]) -> anyhow::Result<(Value, i32)> {
        let output = self.scene.installation.output(&[COMMAND, arguments].concat())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let document = serde_json::from_slice(&output.stdout).with_context(|| format!("no document: {said}"))?;
        Ok((document, output.status.code().context("it was killed")?))
    }
}

/// Maps the time's reports of the academy anew.
pub(super) const COMMAND: &[&str] = &["replay", "--json", "--source", "academy", "--from", FROM, "--to", TO];
