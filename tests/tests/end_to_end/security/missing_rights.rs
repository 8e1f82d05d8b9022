//! Without any one of the rights that the document gives, the process does not do its work, and says which right it lacks.

use std::{
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::ensure;
use futures_util::{StreamExt, stream};
use scoresync_tests::{ports::free_address, process::Process};
use serde_json::json;

use super::{
    broker::password_file,
    least_rights::{admit, score_file},
    place::{Login, Place, assert_silent},
    rights::{Grants, Kind, Right, of_commands},
};
use crate::support::{START, academy, readiness};

/// How many processes run at once.
const AT_ONCE: usize = 10;

/// Somebody who lacks one right, in groups, ports and files of their own.
struct Lacking {
    command: String,
    right: Right,
    /// The topic or group as the broker knows it.
    resource: String,
    name: String,
    user: String,
    group_prefix: String,
    door: SocketAddr,
    admin: SocketAddr,
}

impl Lacking {
    fn new(place: &Place, (who, grants): (&str, &Grants), right: &Right) -> anyhow::Result<Self> {
        let kind = match right.kind {
            Kind::Topic => "on",
            Kind::Group => "in",
        };
        let name = format!("{}-without-{}-{kind}-{}", grants.user, right.operation, right.name);
        let group_prefix = format!("{}{name}", place.scene.installation.topics.prefix);
        Ok(Self {
            command: who.split(',').next().unwrap_or(who).to_owned(),
            right: right.clone(),
            resource: right.name_in(&place.scene.installation, &group_prefix),
            user: name.clone(),
            name,
            group_prefix,
            door: free_address()?,
            admin: free_address()?,
        })
    }

    /// What it is started with.
    fn command(&self, place: &Place) -> anyhow::Result<Command> {
        let folder = place.scene.folder();
        let employee = format!("工号,姓名\n{},新\n", self.name);
        let files = [
            place.scene.file(&format!("{}.csv", self.name), employee)?,
            place.scene.file(&format!("{}.ndjson", self.name), score_file())?,
        ];
        let [roster, scores] = files.each_ref().map(|path| path.to_str().unwrap_or_default());
        let arguments: Vec<&str> = match self.command.as_str() {
            "employees import" => vec!["employees", "import", roster],
            "import" => vec!["import", "academy", scores],
            "import --dry-run" => vec!["import", "academy", scores, "--dry-run"],
            other => other.split(' ').collect(),
        };
        let mut command = place.scene.installation.command(&arguments)?;
        command
            .env("SCORESYNC_KAFKA__SECURITY__USERNAME", &self.user)
            .env("SCORESYNC_KAFKA__SECURITY__PASSWORD__FILE", password_file(folder, &self.user)?)
            .env("SCORESYNC_KAFKA__GROUP_PREFIX", &self.group_prefix)
            .env("SCORESYNC_DOOR__LISTEN", self.door.to_string())
            .env("SCORESYNC_ADMIN__LISTEN", self.admin.to_string())
            .env("SCORESYNC_ARCHIVE__SQLITE__PATH", folder.join(format!("{}.db", self.name)));
        Ok(command)
    }

    /// Runs it until it complains, and gives all that it said.
    async fn complain(&self, place: &Place) -> anyhow::Result<String> {
        let log = place.scene.folder().join(format!("{}.log", self.name));
        let mut process = Process::start(self.command(place)?, log, self.admin)?;
        let end = Instant::now() + START;
        loop {
            if let Some(status) = process.ended(Duration::ZERO)? {
                ensure!(status.code() == Some(1), "{} ended with {status}: {}", self.name, process.log());
                return Ok(process.log());
            }
            if self.right.operation == "Write" && self.command == "run producer" && self.is_refused(place).await {
                return Ok(process.log());
            }
            ensure!(Instant::now() < end, "{} does not complain: {}", self.name, process.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether somebody who sends an employee is told to come again because the broker refuses it.
    async fn is_refused(&self, place: &Place) -> bool {
        let Ok(ready) = readiness(self.admin).await else { return false };
        if ready.contains_key("roster") {
            return ready["roster"].contains("authorization");
        }
        let url = format!("http://{}/v1/employees/{}", self.door, academy::EMPLOYEE_NO);
        let token = &place.scene.installation.tokens["hr"];
        let request = reqwest::Client::new()
            .put(url)
            .bearer_auth(token)
            .json(&json!({ "name": "新", "identities": [] }));
        request.send().await.is_ok_and(|answer| answer.status() == 503)
    }

    /// That a newcomer can tell from what was said which right is missing.
    fn check(&self, said: String) -> anyhow::Result<String> {
        let names_it = match self.right.kind {
            Kind::Topic => said.contains(&self.resource),
            Kind::Group => said.contains("the right Read on the consumer group"),
        };
        ensure!(names_it, "{} does not say what it lacks: {said}", self.name);
        ensure!(said.contains("docs/security.md"), "{} does not say what to do: {said}", self.name);
        Ok(said)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_lacks_any_right_of_the_document_does_not_work_and_says_so() -> anyhow::Result<()> {
    let mut place = Place::make()?;
    place.scene.installation.make_token("hr")?;
    let commands = admit(&place)?;
    place.log_in(Login {
        user: &commands["employees import"].user,
        mechanism: "SCRAM-SHA-512",
    })?;
    let roster = place.scene.file("roster.csv", academy::ROSTER)?.display().to_string();
    place.scene.installation.run(&["employees", "import", &roster])?;
    let (mut all, mut orders) = (Vec::new(), Vec::new());
    for (who, grants) in of_commands()?.iter().filter(|(who, _)| *who != "a subscriber") {
        // The commands about topics do the same with each.
        let is_repetition = |right: &Right| who.starts_with("topics ") && right.name != "scores.raw";
        for right in grants.rights.iter().filter(|right| !is_repetition(right)) {
            let lacking = Lacking::new(&place, (who, grants), right)?;
            let others = grants.rights.iter().filter(|other| *other != right);
            orders.extend(place.orders(&lacking.user, &lacking.group_prefix, others));
            all.push(lacking);
        }
    }
    let users: Vec<&str> = all.iter().map(|lacking| lacking.user.as_str()).collect();
    place.kafka.admit(&users, orders)?;
    let shared = &place;
    let told: Vec<anyhow::Result<String>> = stream::iter(&all)
        .map(|lacking| async move { lacking.complain(shared).await.and_then(|said| lacking.check(said)) })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    ensure!(told.len() > 35, "only {} rights were tried", told.len());
    let silent: Vec<String> = told.iter().filter_map(|said| Some(said.as_ref().err()?.to_string())).collect();
    ensure!(silent.is_empty(), "{} do not say what they lack: {silent:#?}", silent.len());
    let told: String = told.into_iter().flatten().collect();
    ensure!(place.dead_letters().await? == 0, "a missing right made a dead letter");
    let installation = &place.scene.installation;
    let denials = place.kafka.denials(&installation.topics.prefix)?;
    ensure!(denials.len() >= all.len() / 2, "the broker says of {} denials only", denials.len());
    assert_silent(&told, installation)
}
