//! The end of processes: polite under load, hard when asked twice, and with a code of its own where the configuration is wrong.

use std::{collections::BTreeSet, time::Duration};

use anyhow::ensure;
use scoresync_domain::Origin;
use scoresync_kafka::Topic;
use scoresync_tests::{
    company::{Company, Size},
    installation::{Database, Installation},
    process::Process,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::support::{Foreign, Load, START, STOP, Scene, assert_every_fate_is_true, balance_and_nothing_is_in_flight, readiness, until};

const STAGES: [&str; 3] = ["producer", "mapper", "sink"];
/// `shutdown.deadline_seconds` of the configuration.
const DEADLINE: Duration = Duration::from_secs(30);

fn company(seed: u64) -> Company {
    let size = Size {
        employees: 150,
        reports: 2_000,
    };
    Company::generate(seed, size)
}

fn start(installation: &Installation, stage: &str) -> anyhow::Result<Process> {
    installation.start(stage, &["run", stage])
}

async fn start_all(installation: &Installation) -> anyhow::Result<Vec<Process>> {
    let mut running = STAGES
        .map(|stage| start(installation, stage))
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    for process in &mut running {
        process.ready(START).await?;
    }
    Ok(running)
}

/// What a process tells the outside in the course of a test.
#[derive(Default)]
struct Told(String);

impl Told {
    async fn hear(&mut self, process: &Process) -> anyhow::Result<()> {
        self.0.push_str(&process.log());
        self.0
            .push_str(&reqwest::get(format!("http://{}/metrics", process.admin())).await?.text().await?);
        Ok(())
    }

    /// Headers of everything in the topics.
    async fn hear_headers(&mut self, scene: &Scene) -> anyhow::Result<()> {
        let foreign = Foreign::of(scene)?;
        for topic in Topic::ALL {
            for standing in foreign.read(topic).await? {
                self.0.extend(
                    standing
                        .record
                        .headers
                        .into_iter()
                        .map(|(name, value)| format!("{name}: {value}\n")),
                );
            }
        }
        Ok(())
    }
}

/// Texts that only names, phones, numbers, e-mails or tokens contain.
fn secrets(company: &Company, installation: &Installation) -> BTreeSet<String> {
    let rosters = [&company.roster.csv, &company.later_roster.csv];
    let lines = rosters
        .into_iter()
        .flat_map(|csv| csv.lines().skip(1))
        .filter(|line| !line.contains('"'));
    let cells = lines.flat_map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        [0, 1, 4, 5].map(|column| cells.get(column).copied().unwrap_or_default().to_owned())
    });
    let parts = ["1990000", "@company.example", "O'Brien", "Müller", "Siobhán"].map(str::to_owned);
    let all = cells.chain(parts).chain(installation.tokens.values().cloned());
    all.filter(|text| !text.is_empty()).collect()
}

async fn stop_and_start_again(load: &Load<'_>, scene: &Scene, running: &mut Vec<Process>, told: &mut Told) -> anyhow::Result<()> {
    load.reaches(0.5).await;
    for stage in STAGES {
        let process = running.remove(0);
        told.hear(&process).await?;
        let log = scene.folder().join(format!("{stage}.log"));
        let status = process.stop(DEADLINE)?;
        ensure!(status.success(), "{stage} ended with {status}: {}", std::fs::read_to_string(log)?);
        running.push(start(&scene.installation, stage)?);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_that_are_asked_to_end_under_load_finish_what_is_in_hand_and_tell_no_secrets() -> anyhow::Result<()> {
    let company = company(6);
    let scene = Scene::new(Database::Postgres)?;
    scene.employ(&company)?;
    let mut running = start_all(&scene.installation).await?;
    let load = Load::new(&company, &scene.installation)?;
    let mut told = Told::default();
    let (sent, ended) = tokio::join!(load.send_all(), stop_and_start_again(&load, &scene, &mut running, &mut told));
    ended?;
    assert_every_fate_is_true(&scene, &company, &sent?).await?;
    let enriched = scene.topics.enriched().await?;
    let origins: BTreeSet<Origin> = enriched.iter().filter_map(|record| Some(record.value.as_ref()?.origin)).collect();
    assert_eq!(
        enriched.len(),
        origins.len(),
        "the mapper that was started again mapped reports again"
    );
    for process in &running {
        told.hear(process).await?;
    }
    told.hear_headers(&scene).await?;
    ensure!(told.0.len() > 100_000, "{} bytes are not all that was told", told.0.len());
    let secrets = secrets(&company, &scene.installation);
    ensure!(secrets.len() > 400, "{} secrets are not all", secrets.len());
    let leaked: Vec<String> = secrets
        .iter()
        .filter_map(|secret| Some((secret, told.0.lines().find(|line| line.contains(secret.as_str()))?)))
        .map(|(secret, line)| format!("{secret} in: {line}"))
        .collect();
    ensure!(
        leaked.is_empty(),
        "{} secrets are told: {:#?}",
        leaked.len(),
        &leaked[..leaked.len().min(5)]
    );
    for process in running {
        ensure!(process.stop(STOP)?.success());
    }
    balance_and_nothing_is_in_flight(&scene)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_process_that_is_still_busy_with_code_1() -> anyhow::Result<()> {
    let scene = Scene::new(Database::Sqlite)?;
    let mut producer = start(&scene.installation, "producer")?;
    producer.ready(START).await?;
    let admin = producer.admin();
    let token = &scene.installation.tokens["academy"];
    let mut slow = TcpStream::connect(scene.installation.door).await?;
    let head = format!(
        "POST /v1/sources/academy/reports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n{{"
    );
    slow.write_all(head.as_bytes()).await?;
    // The request is in the process when its head was answered by nothing and another one, sent later, is answered.
    reqwest::get(format!("http://{}/", scene.installation.door)).await?;
    producer.signal("TERM")?;
    until("the process says that it shuts down", START, async || {
        Ok(readiness(admin).await?.values().any(|reason| reason.contains("shutting down")))
    })
    .await?;
    let status = producer.stop(Duration::from_secs(5))?;
    assert_eq!(status.code(), Some(1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_ends_everything_with_code_78_and_lists_all_that_is_wrong() -> anyhow::Result<()> {
    let mut scene = Scene::new(Database::Sqlite)?;
    scene.configure(
        "[tokens.lonely]\nsha256 = \"short\"\nsources = [\"no-such-source\"]\n\n\
         [sources.unfinished]\nmapping_version = 0\n\n[sources.unfinished.fields]\nexam_score = \"score\"\n",
    )?;
    let problems = [
        "tokens.lonely.sha256",
        "tokens.lonely.sources",
        "sources.unfinished.mapping_version",
        "sources.unfinished.key",
    ];
    for arguments in [
        &["config", "check"][..],
        &["up"],
        &["run", "mapper"],
        &["mapping", "try", "academy", "x.csv"],
    ] {
        let output = scene.installation.output(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{arguments:?}: {said}");
        for problem in problems {
            ensure!(said.contains(problem), "{arguments:?} does not tell {problem}: {said}");
        }
    }
    for (variable, value, named) in [
        ("SCORESYNC_DOOR__LISTEN", "nowhere", "door.listen"),
        ("SCORESYNC_SINK__MAX_BATCH_RECORDS", "0", "sink.max_batch_records"),
        ("SCORESYNC_KAFKA__LIBRDKAFKA", "{acks = \"1\"}", "acks"),
        ("SCORESYNC_NO_SUCH_SETTING", "1", "no_such_setting"),
    ] {
        let mut scene = Scene::new(Database::Sqlite)?;
        scene.installation.set(variable, value);
        let output = scene.installation.output(&["up"])?;
        let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert_eq!(output.status.code(), Some(78), "{variable}: {said}");
        ensure!(said.contains(named), "{variable} is not told: {said}");
    }
    Ok(())
}
