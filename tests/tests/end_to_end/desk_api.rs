//! The desk over HTTP: what may be looked at and done, by whom, what of it stays noted, and what is refused.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use scoresync_kafka::Topic;
use scoresync_tests::{installation::Database, ports::free_address, process::Process};
use serde_json::{Value, json};

use crate::support::{Answer, Bytes, Foreign, Http, SETTLE, START, STOP, Scene, academy, balance, until};

const PAGE_TOKEN: &str = r#"
[tokens.page]
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
rights = ["look"]
"#;

/// Everything in one process, with somebody who may look and somebody who may resolve.
struct Desk {
    scene: Scene,
    process: Process,
    listen: SocketAddr,
}

impl Desk {
    async fn start(database: Database) -> anyhow::Result<Self> {
        let mut scene = Scene::new(database)?;
        scene.configure(PAGE_TOKEN)?;
        let listen = free_address()?;
        scene.installation.set("SCORESYNC_DESK__LISTEN", listen.to_string());
        for name in ["page", "clerk"] {
            scene.installation.make_token(name)?;
        }
        let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
        scene.installation.run(&["employees", "import", &roster])?;
        let mut process = scene.installation.start("up", &["up"])?;
        process.ready(START).await?;
        Ok(Self { scene, process, listen })
    }

    async fn get(&self, token: Option<&str>, address: &str) -> anyhow::Result<Answer> {
        Http::new(&self.scene.installation).look(self.listen, token, address).await
    }

    async fn post(&self, token: Option<&str>, address: &str, body: &Value) -> anyhow::Result<Answer> {
        Http::new(&self.scene.installation).act(self.listen, token, address, body).await
    }

    /// What whoever may look sees.
    async fn seen(&self, address: &str) -> anyhow::Result<Value> {
        let answer = self.get(Some("page"), address).await?;
        ensure!(answer.status == 200, "{address}: {answer:?}");
        Ok(answer.body)
    }

    /// What whoever may resolve has done.
    async fn done(&self, address: &str, body: Value) -> anyhow::Result<Value> {
        let answer = self.post(Some("clerk"), address, &body).await?;
        ensure!(answer.status == 200, "{address}: {answer:?}");
        Ok(answer.body)
    }

    /// Reports of people whom nobody knows, as letters.
    async fn letters_of(&self, people: &[&str]) -> anyhow::Result<()> {
        let foreign = Foreign::of(&self.scene)?;
        for (number, person) in people.iter().enumerate() {
            let report = academy::report(&format!("X-{number}"), &[("工号", person)]);
            let record = Bytes::new("k", foreign.encode(&report).await?);
            foreign.write((Topic::Raw, 0), &record).await?;
        }
        self.until_there_are("open", people.len()).await
    }

    async fn until_there_are(&self, state: &str, letters: usize) -> anyhow::Result<()> {
        until(&format!("{letters} letters are {state}"), SETTLE, async || {
            let stats = self.seen("/v1/dead-letters/stats").await?;
            Ok(stats["states"][state].as_u64().unwrap_or(0) == letters as u64)
        })
        .await
    }

    fn end(self) -> anyhow::Result<()> {
        ensure!(self.process.stop(STOP)?.success(), "it did not end well");
        Ok(())
    }
}

fn names(letters: &Value) -> anyhow::Result<Vec<String>> {
    let letters = letters["letters"].as_array().context("no letters")?;
    letters
        .iter()
        .map(|letter| Ok(letter["letter"].as_str().context("no name")?.to_owned()))
        .collect()
}

/// A letter's name as a part of an address.
fn address(letter: &str) -> String {
    format!("/v1/dead-letters/{}", letter.replace('/', "%2F"))
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_looked_at_page_by_page_and_nobody_is_revealed_unnoted() -> anyhow::Result<()> {
    let desk = Desk::start(Database::Postgres).await?;
    desk.letters_of(&["WRONG1", "WRONG2", "WRONG1", "E1O0", "WRONG1"]).await?;
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = desk.seen(&format!("/v1/dead-letters?limit=2{after}")).await?;
        all.extend(names(&page)?);
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    all.sort();
    all.dedup();
    ensure!(all.len() == 5, "{all:?}");
    let of_one = desk.seen("/v1/dead-letters?employee=wrong2").await?;
    let [letter] = &names(&of_one)?[..] else {
        anyhow::bail!("{of_one}")
    };
    ensure!(!of_one.to_string().contains("WRONG2"), "{of_one}");
    let filtered = "/v1/dead-letters?source=academy&reason=unmatched_employee&text=wrong1";
    let searched = desk.get(Some("clerk"), filtered).await?.body;
    ensure!(names(&searched)?.len() == 3, "{searched}");
    ensure!(
        names(&desk.seen("/v1/dead-letters?state=filed").await?)?.is_empty(),
        "none is filed"
    );
    ensure!(
        names(&desk.seen("/v1/dead-letters?newer_than_seconds=0").await?)?.is_empty(),
        "none is so new"
    );
    let groups = desk.seen("/v1/dead-letters/groups").await?;
    ensure!(
        groups.as_array().is_some_and(|all| all.len() == 3) && groups[0]["letters"] == 3,
        "{groups}"
    );
    ensure!(groups[0]["identities"][0]["value"] == "W•••1", "{groups}");
    let shown = desk.seen(&address(letter)).await?;
    ensure!(shown["fields"]["工号"] == "W•••2" && shown["fields"]["分数"] == "85.5", "{shown}");
    ensure!(shown["advice"].as_str().is_some_and(|advice| advice.len() > 20), "{shown}");
    let revealed = desk
        .done(&format!("{}/reveal", address(letter)), json!({ "because": "who is this?" }))
        .await?;
    ensure!(revealed["fields"]["工号"] == "WRONG2", "{revealed}");
    ensure!(
        revealed["value_hex"].as_str().is_some_and(|hex| hex.starts_with("00")) && shown["value_hex"].is_null(),
        "{revealed}"
    );
    let noted = &revealed["history"];
    ensure!(noted.as_array().is_some_and(|all| all.len() == 1), "{noted}");
    ensure!(
        noted[0]["actor"] == "token clerk" && noted[0]["action"] == "reveal" && noted[0]["reason"] == "who is this?",
        "{noted}"
    );
    let mistyped = names(&desk.seen("/v1/dead-letters?employee=e1o0").await?)?;
    let suggested = format!("{}/candidates", address(&mistyped[0]));
    let candidates = desk.get(Some("clerk"), &suggested).await?.body;
    ensure!(
        candidates[0]["employee_no"] == "E100" && candidates[0]["name"] == "测•••员",
        "{candidates}"
    );
    balance(&desk.scene)?;
    desk.end()
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_are_sent_again_decided_about_discarded_and_forgotten() -> anyhow::Result<()> {
    let desk = Desk::start(Database::Postgres).await?;
    desk.letters_of(&["WRONG1", "WRONG2", "WRONG3"]).await?;
    let letter_of = async |person: &str| -> anyhow::Result<String> {
        let found = names(&desk.seen(&format!("/v1/dead-letters?employee={person}&state=all")).await?)?;
        found.into_iter().next().context("no letter")
    };
    let [first, second, third] = [letter_of("WRONG1").await?, letter_of("WRONG2").await?, letter_of("WRONG3").await?];
    // Tried, then done.
    let redrive = |dry_run: bool| json!({ "letters": [first, first], "rate": 50, "dry_run": dry_run });
    let tried = desk.done("/v1/dead-letters/redrive", redrive(true)).await?;
    ensure!(tried["done"] == 1 && tried["dry_run"] == true, "{tried}");
    let untouched = desk.seen(&address(&first)).await?;
    ensure!(
        untouched["state"] == "open" && untouched["history"] == json!([]),
        "a trial changed something: {untouched}"
    );
    let sent = desk.done("/v1/dead-letters/redrive", redrive(false)).await?;
    ensure!(sent["done"] == 1 && sent["meant"] == 1, "{sent}");
    until("it failed again", SETTLE, async || {
        let letter = desk.seen(&address(&first)).await?;
        Ok(letter["attempt"] == 2 && letter["state"] == "open")
    })
    .await?;
    let decision = |dry_run: bool| json!({ "letter": first, "employee_no": "E100", "because": "mistyped", "dry_run": dry_run });
    let tried = desk.done("/v1/dead-letters/resolve", decision(true)).await?;
    ensure!(
        tried["about"] == "employee_no W•••1 in academy" && tried["dry_run"] == true,
        "{tried}"
    );
    ensure!(desk.scene.topics.count(Topic::Aliases).await? == 0, "a trial decided something");
    desk.done("/v1/dead-letters/resolve", decision(false)).await?;
    desk.until_there_are("filed", 1).await?;
    let problem = desk.seen(&address(&second)).await?["problem"].clone();
    let nobody = desk
        .done(
            "/v1/dead-letters/resolve",
            json!({ "problem": problem, "because": "a test account" }),
        )
        .await?;
    ensure!(nobody["discarded"] == 1 && nobody["employee_no"].is_null(), "{nobody}");
    let discarded = desk
        .done(
            "/v1/dead-letters/discard",
            json!({ "which": { "employee": "WRONG3" }, "because": "no exam" }),
        )
        .await?;
    ensure!(discarded["done"] == 1, "{discarded}");
    let closed = desk.seen(&address(&third)).await?;
    ensure!(
        closed["state"] == "discarded" && closed["closed_by"] == "token clerk" && closed["closing_reason"] == "no exam",
        "{closed}"
    );
    let because = "the year is over";
    for (seconds, dry_run, forgotten) in [(3_600, false, 0), (0, true, 3), (0, false, 3), (0, false, 0)] {
        let forget = json!({ "closed_before_seconds": seconds, "because": because, "dry_run": dry_run });
        let told = desk.done("/v1/dead-letters/purge", forget.clone()).await?;
        ensure!(told["forgotten"] == forgotten, "{forget}: {told}");
    }
    ensure!(names(&desk.seen("/v1/dead-letters?state=all").await?)?.is_empty(), "some are left");
    balance(&desk.scene)?;
    desk.end()
}

/// A refusal that says what to do.
fn is_refused(answer: &Answer, status: StatusCode, problem: &str) -> bool {
    answer.is_problem(status, problem) && answer.body["detail"].as_str().is_some_and(|detail| detail.len() > 15)
}

const SENSELESS: (StatusCode, &str) = (StatusCode::BAD_REQUEST, "invalid-request");
const FORBIDDEN: (StatusCode, &str) = (StatusCode::FORBIDDEN, "forbidden");
const UNDECIDABLE: (StatusCode, &str) = (StatusCode::UNPROCESSABLE_ENTITY, "undecidable");

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_listed_masked_and_taken_back() -> anyhow::Result<()> {
    let desk = Desk::start(Database::Sqlite).await?;
    desk.letters_of(&["WRONG1"]).await?;
    let letter = names(&desk.seen("/v1/dead-letters").await?)?.remove(0);
    let decision = json!({ "letter": letter, "employee_no": "E100", "because": "mistyped" });
    desk.done("/v1/dead-letters/resolve", decision).await?;
    desk.until_there_are("filed", 1).await?;
    let listed = desk.seen("/v1/aliases").await?;
    ensure!(listed[0]["subject"] == "identity/academy/employee_no/W•••1", "{listed}");
    ensure!(
        listed[0]["employee_no"] == "E100" && listed[0]["decided_by"] == "token clerk",
        "{listed}"
    );
    let revealed = desk.done("/v1/aliases/reveal", json!({ "because": "which one?" })).await?;
    let subject = revealed[0]["subject"].as_str().context("no subject")?;
    ensure!(subject == "identity/academy/employee_no/WRONG1", "{revealed}");
    let take_back = json!({ "subject": subject, "because": "it was not" });
    let revoked = desk.done("/v1/aliases/revoke", take_back.clone()).await?;
    ensure!(
        revoked["revoked_by"] == "token clerk" && revoked["revoke_reason"] == "it was not",
        "{revoked}"
    );
    let again = desk.post(Some("clerk"), "/v1/aliases/revoke", &take_back).await?;
    ensure!(again.is_problem(StatusCode::NOT_FOUND, "unknown-decision"), "{again:?}");
    balance(&desk.scene)?;
    desk.end()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_looked_at_is_refused_with_what_to_do() -> anyhow::Result<()> {
    let desk = Desk::start(Database::Sqlite).await?;
    let list = "/v1/dead-letters";
    for (token, address, (status, problem)) in [
        (Some("guess"), list, (StatusCode::UNAUTHORIZED, "unknown-token")),
        (Some("page"), "/v1/dead-letters?limit=0", SENSELESS),
        (Some("page"), "/v1/dead-letters?limit=many", SENSELESS),
        (Some("page"), "/v1/dead-letters?state=closed", SENSELESS),
        (Some("page"), "/v1/dead-letters?after=somewhere", SENSELESS),
        (Some("page"), "/v1/dead-letters?employe=E100", SENSELESS),
        (Some("page"), "/v1/dead-letters?source=", SENSELESS),
        (Some("page"), "/v1/dead-letters?source=%00", SENSELESS),
        (Some("page"), "/v1/dead-letters?text=wrong", FORBIDDEN),
        (Some("page"), "/v1/dead-letters/%FF", SENSELESS),
        (Some("page"), "/v1/dead-letters/groups?source=academy", SENSELESS),
        (Some("page"), "/v1/dead-letters?problem=1", SENSELESS),
        (Some("page"), "/v1/dead-letters?older_mapping=true", SENSELESS),
        (Some("page"), "/v1/dead-letters/nonsense", SENSELESS),
        (
            Some("page"),
            "/v1/dead-letters/0%2F0%2F999",
            (StatusCode::NOT_FOUND, "unknown-letter"),
        ),
        (Some("page"), "/v1/letters", (StatusCode::NOT_FOUND, "unknown-address")),
    ] {
        let answer = desk.get(token, address).await?;
        ensure!(is_refused(&answer, status, problem), "{address}: {answer:?}");
    }
    desk.end()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_done_is_refused_with_what_to_do_and_changes_nothing() -> anyhow::Result<()> {
    let desk = Desk::start(Database::Sqlite).await?;
    desk.letters_of(&["WRONG1"]).await?;
    let letter = names(&desk.seen("/v1/dead-letters").await?)?.remove(0);
    let told = address(&letter);
    let reveal = format!("{told}/reveal");
    let acts = ["redrive", "discard", "resolve"].map(|act| format!("/v1/dead-letters/{act}"));
    let [redrive, discard, resolve] = &acts;
    let because = "a test";
    for (token, address, body, (status, problem)) in [
        ("clerk", &reveal, json!({ "because": " " }), SENSELESS),
        ("clerk", &reveal, json!({}), SENSELESS),
        ("clerk", redrive, json!({}), SENSELESS),
        ("clerk", redrive, json!({ "which": {} }), SENSELESS),
        ("clerk", redrive, json!({ "letters": [letter], "all": true }), SENSELESS),
        ("clerk", redrive, json!({ "letters": [letter], "rate": 0 }), SENSELESS),
        (
            "clerk",
            discard,
            json!({ "letters": [letter], "which": { "source": "academy" }, "because": because }),
            SENSELESS,
        ),
        ("clerk", discard, json!({ "which": { "text": "" }, "because": because }), SENSELESS),
        ("clerk", discard, json!({ "letters": [letter], "because": "\u{0}" }), SENSELESS),
        ("clerk", redrive, json!({ "letter": letter }), SENSELESS),
        (
            "clerk",
            redrive,
            json!({ "which": { "source": "academy", "employe": "E100" } }),
            SENSELESS,
        ),
        ("clerk", discard, json!({ "letters": [letter] }), SENSELESS),
        ("clerk", resolve, json!({ "because": because }), SENSELESS),
        (
            "clerk",
            resolve,
            json!({ "letter": letter, "problem": "0", "because": because }),
            SENSELESS,
        ),
        (
            "clerk",
            resolve,
            json!({ "letter": letter, "employee_no": "NOBODY", "because": because }),
            UNDECIDABLE,
        ),
        (
            "clerk",
            resolve,
            json!({ "letter": letter, "kind": "phone", "because": because }),
            UNDECIDABLE,
        ),
    ] {
        let answer = desk.post(Some(token), address, &body).await?;
        ensure!(is_refused(&answer, status, problem), "{address} {body}: {answer:?}");
    }
    let letter = desk.seen(&told).await?;
    ensure!(
        letter["state"] == "open" && letter["history"] == json!([]),
        "a refused request changed something: {letter}"
    );
    ensure!(
        desk.scene.topics.count(Topic::Aliases).await? == 0,
        "a refused request decided something"
    );
    desk.end()
}

/// Whatever is described is closed to whoever has no token, and to whoever has not the right that its tag names, before anything is read.
#[tokio::test(flavor = "multi_thread")]
async fn every_address_that_is_described_asks_for_its_right_first() -> anyhow::Result<()> {
    let desk = Desk::start(Database::Sqlite).await?;
    let document = desk.get(None, "/v1/openapi.json").await?.body;
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().context("no paths")? {
        for (method, operation) in methods.as_object().context("no methods")? {
            // Neither the address nor the body is one that makes sense.
            let address = format!("{}?nonsense=1", path.replace("{letter}", "nonsense"));
            let lacking = if operation["tags"][0] == "look" { "academy" } else { "page" };
            for (token, status, problem) in [
                (None, StatusCode::UNAUTHORIZED, "no-token"),
                (Some(lacking), StatusCode::FORBIDDEN, "forbidden"),
            ] {
                let answer = match method.as_str() {
                    "get" => desk.get(token, &address).await?,
                    _ => desk.post(token, &address, &json!("nonsense")).await?,
                };
                ensure!(is_refused(&answer, status, problem), "{method} {path} {token:?}: {answer:?}");
                tried += 1;
            }
        }
    }
    ensure!(tried == 26, "{tried} were tried");
    desk.end()
}
