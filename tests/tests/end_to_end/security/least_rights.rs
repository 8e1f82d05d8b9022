//! One user for each process, with exactly the rights that the document gives, works; without any one of them it does not, and says so.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use rdkafka::{
    ClientConfig, Message as _,
    consumer::{BaseConsumer, Consumer},
};
use reqwest::StatusCode;
use scoresync_tests::settle::settle;
use serde_json::json;

use super::{
    broker::{PLAIN_USER, password_of},
    place::{Login, Place, assert_silent, run},
    rights::{Grants, Kind, Right, Who, of_commands},
};
use crate::support::{Http, SETTLE, START, STOP, academy, balance_and_nothing_is_in_flight, readiness, until};

const SCRAM: &str = "SCRAM-SHA-512";
const STAGES: [&str; 3] = ["producer", "mapper", "sink"];
/// A file of two reports: one that can be filed, and one about nobody that there is.
pub(super) fn score_file() -> String {
    let (good, mut bad) = (academy::json("X-1"), academy::json("X-2"));
    bad["工号"] = "E404".into();
    format!("{good}\n{bad}\n")
}

/// Admits the users of the document with their rights.
pub(super) fn admit(place: &Place) -> anyhow::Result<BTreeMap<Who, Grants>> {
    let commands = of_commands()?;
    let prefix = place.scene.installation.kafka.group_prefix.clone();
    let orders = commands
        .values()
        .flat_map(|grants| place.orders(&grants.user, &prefix, &grants.rights));
    let users: Vec<&str> = commands.values().map(|grants| grants.user.as_str()).collect();
    place.kafka.admit(&users, orders.collect())?;
    Ok(commands)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_works_as_a_user_of_its_own_with_the_rights_of_the_document() -> anyhow::Result<()> {
    let mut place = Place::make()?;
    place.scene.installation.make_token("hr")?;
    let commands = admit(&place)?;
    let roster = place.scene.file("roster.csv", academy::ROSTER)?.display().to_string();
    let scores = place.scene.file("scores.ndjson", score_file())?.display().to_string();
    let mut said = String::new();
    let mut play = |place: &mut Place, who: &str, arguments: &[&str], mechanism| -> anyhow::Result<()> {
        let user = &commands
            .get(who)
            .with_context(|| format!("the document has no commands for {who}"))?
            .user;
        place.log_in(Login { user, mechanism })?;
        let output = place.scene.installation.output(arguments)?;
        let text = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
        ensure!(
            output.status.success(),
            "{arguments:?} as {user} ended with {}: {text}",
            output.status
        );
        said.push_str(&text);
        Ok(())
    };
    play(&mut place, "topics create", &["topics", "create"], SCRAM)?;
    play(&mut place, "employees import", &["employees", "import", &roster], "SCRAM-SHA-256")?;
    play(&mut place, "import --dry-run", &["import", "academy", &scores, "--dry-run"], SCRAM)?;
    play(&mut place, "import", &["import", "academy", &scores], SCRAM)?;
    let check = "topics check, config check --online";
    play(&mut place, check, &["topics", "check"], SCRAM)?;
    play(&mut place, check, &["config", "check", "--online"], SCRAM)?;
    let mut running = Vec::new();
    for stage in STAGES {
        let user = &commands[&format!("run {stage}")].user;
        let mechanism = if user == PLAIN_USER { "PLAIN" } else { SCRAM };
        place.log_in(Login { user, mechanism })?;
        running.push(run(&place.scene.installation, stage, stage)?);
    }
    for process in &mut running {
        process.ready(START).await?;
    }
    push_and_update(&place).await?;
    let archive = place.scene.archive().await?;
    settle((place.topics(), &archive), (3, SETTLE), |_| {}).await?;
    ensure!(archive.file(academy::EMPLOYEE_NO).await?.len() == 2, "not all was filed");
    ensure!(place.dead_letters().await? == 1, "the row of nobody is the one dead letter");
    subscribe(&place, &commands["a subscriber"].user)?;
    for process in running {
        ensure!(process.stop(STOP)?.success(), "a stage did not end well");
    }
    audit_as_a_user_of_its_own(&mut place)?;
    let denials = place.kafka.denials(&place.scene.installation.topics.prefix)?;
    ensure!(denials.is_empty(), "the broker denied: {denials:#?}");
    let told = place.told()?;
    ensure!(told.len() > 3_000, "{} bytes are not all that was told", told.len());
    assert_silent(&(told + &said), &place.scene.installation)
}

/// A report and an employee, both through the door.
async fn push_and_update(place: &Place) -> anyhow::Result<()> {
    let http = Http::new(&place.scene.installation);
    let report = academy::json("X-3").to_string();
    let answer = http.push(("academy", Some("academy")), "application/json", report).await?;
    ensure!(answer.status == StatusCode::ACCEPTED.as_u16(), "{answer:?}");
    let employee = json!({ "name": "测试员二", "identities": [{ "kind": "phone", "value": "19900000101" }] });
    let answer = http.put("E101", Some("hr"), &employee).await?;
    ensure!((200..300).contains(&answer.status), "{answer:?}");
    Ok(())
}

/// With the rights that the document gives in words.
fn audit_as_a_user_of_its_own(place: &mut Place) -> anyhow::Result<()> {
    const USER: &str = "scoresync-audit";
    let right = |(kind, name, operation): (Kind, &str, &str)| Right {
        kind,
        name: name.to_owned(),
        operation: operation.to_owned(),
    };
    let topics = ["scores.raw", "scores.enriched", "scores.dlq"];
    let on_topics = topics
        .iter()
        .flat_map(|topic| ["Read", "DescribeConfigs"].map(|operation| (Kind::Topic, *topic, operation)));
    let in_groups = [
        (Kind::Group, "scoresync-table", "Read"),
        (Kind::Group, "scoresync.mapper", "Describe"),
    ];
    let rights: Vec<Right> = on_topics.chain(in_groups).map(right).collect();
    let orders = place.orders(USER, &place.scene.installation.kafka.group_prefix, &rights);
    place.kafka.admit(&[USER], orders)?;
    place.log_in(Login {
        user: USER,
        mechanism: SCRAM,
    })?;
    balance_and_nothing_is_in_flight(&place.scene)
}

/// Reads as another system would, with a client that is not ours.
fn subscribe(place: &Place, user: &str) -> anyhow::Result<()> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", place.kafka.login.to_string()).set("group.id", user);
    config.set("security.protocol", "sasl_ssl").set("sasl.mechanism", SCRAM);
    config.set("ssl.ca.location", place.kafka.authority.file().display().to_string());
    config
        .set("sasl.username", user)
        .set("sasl.password", password_of(user))
        .set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create()?;
    let topic = format!("{}scores.enriched", place.scene.installation.topics.prefix);
    consumer.subscribe(&[&topic])?;
    let deadline = Instant::now() + START;
    loop {
        ensure!(Instant::now() < deadline, "the subscriber got nothing");
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            ensure!(message?.topic() == topic);
            return Ok(());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_taken_away_ends_a_running_mapper_which_says_so_and_loses_nothing() -> anyhow::Result<()> {
    let mut place = Place::make()?;
    let commands = admit(&place)?;
    let mut start = async |stage: &str| {
        let user = &commands[&format!("run {stage}")].user;
        place.log_in(Login { user, mechanism: SCRAM })?;
        let mut process = run(&place.scene.installation, stage, stage)?;
        process.ready(START).await?;
        anyhow::Ok(process)
    };
    let (producer, mut mapper) = (start("producer").await?, start("mapper").await?);
    let Grants { user, rights } = &commands["run mapper"];
    let write = rights
        .iter()
        .filter(|right| right.name == "scores.dlq" && right.operation == "Write");
    let orders = place.orders(user, &place.scene.installation.kafka.group_prefix, write);
    place.kafka.revoke(orders.clone())?;
    let http = Http::new(&place.scene.installation);
    let answer = http
        .push(("academy", Some("academy")), "application/x-ndjson", score_file())
        .await?;
    ensure!(answer.status == StatusCode::ACCEPTED.as_u16(), "{answer:?}");
    let ended = mapper.ended(START)?;
    let said = mapper.log();
    let status = ended.with_context(|| format!("the mapper goes on: {said}"))?;
    ensure!(status.code() == Some(1), "{status}: {said}");
    let topic = format!("{}scores.dlq", place.scene.installation.topics.prefix);
    let named = said.lines().any(|line| line.contains(&topic) && line.contains("docs/security.md"));
    ensure!(named, "the mapper does not say what it lacks: {said}");
    ensure!(place.dead_letters().await? == 0, "a dead letter without the right to write one");

    place.kafka.admit(&[], orders)?;
    let mapper = run(&place.scene.installation, "mapper", "mapper")?;
    until("both reports, which are about nobody, are dead letters", SETTLE, async || {
        Ok(place.dead_letters().await? == 2)
    })
    .await?;
    for process in [producer, mapper] {
        ensure!(process.stop(STOP)?.success(), "a stage did not end well");
    }
    assert_silent(&place.told()?, &place.scene.installation)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_may_no_longer_write_employees_is_not_ready_and_goes_on_by_itself_when_it_may() -> anyhow::Result<()> {
    let mut place = Place::make()?;
    place.scene.installation.make_token("hr")?;
    let commands = admit(&place)?;
    let Grants { user, rights } = &commands["run producer"];
    place.log_in(Login { user, mechanism: SCRAM })?;
    let mut producer = run(&place.scene.installation, "producer", "producer")?;
    producer.ready(START).await?;
    push_and_update(&place).await?;
    let write = rights
        .iter()
        .filter(|right| right.name == "employees" && right.operation == "Write");
    let orders = place.orders(user, &place.scene.installation.kafka.group_prefix, write);
    place.kafka.revoke(orders.clone())?;
    let http = Http::new(&place.scene.installation);
    let put = async |number: usize| {
        http.put("E101", Some("hr"), &json!({ "name": format!("测试员{number}"), "identities": [] }))
            .await
    };
    for number in 0..4 {
        let answer = put(number).await?;
        ensure!(answer.status == StatusCode::SERVICE_UNAVAILABLE.as_u16(), "{answer:?}");
        let not_ready = readiness(producer.admin()).await?;
        let reason = not_ready.get("roster").context("the stage is ready")?;
        let topic = format!("{}employees", place.scene.installation.topics.prefix);
        ensure!(reason.contains(&topic) && reason.contains("docs/security.md"), "{reason}");
    }
    place.kafka.admit(&[], orders)?;
    until("an update is taken again", SETTLE, async || Ok(put(9).await?.status == 200)).await?;
    producer.ready(START).await?;
    ensure!(producer.stop(STOP)?.success(), "the producer did not end well");
    assert_silent(&place.told()?, &place.scene.installation)
}
