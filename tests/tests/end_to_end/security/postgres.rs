//! PostgreSQL that takes encrypted connections with a password alone, and the roles of `docs/security.md` in it.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
};

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use scoresync_tests::{
    installation::Database,
    stack::{Part, Stack, project},
};
use tokio_postgres::{Client, NoTls, error::SqlState};

use super::{
    authority::Authority,
    broker::{password_file, password_of},
    place::{assert_silent, run},
};
use crate::support::{Http, SETTLE, START, STOP, Scene, academy, balance_and_nothing_is_in_flight, until};

const SINK: &str = "scoresync_sink";
const READER: &str = "scoresync_reader";

/// Who may connect how. The users without a password are the test's administrator, and whom `dev/stack` asks as whether the server answers.
const CONNECTIONS: &str =
    "local all all trust\nhost all postgres,scoresync 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";

/// The server, as long as this lives.
struct SecuredPostgres {
    _stack: Stack,
    port: String,
    authority: Authority,
}

impl SecuredPostgres {
    async fn start(folder: &Path) -> anyhow::Result<Self> {
        let stack = Stack::start_parts(&[Part::Postgres])?;
        let authority = Authority::create(folder, "authority")?;
        let place = stack.folder()?.join("postgres");
        let port = fs::read_to_string(place.join("port"))?.trim().to_owned();
        let postgres = Self {
            _stack: stack,
            port,
            authority,
        };
        let (data, signed) = (place.join("data"), postgres.authority.sign("127.0.0.1")?);
        let owner = fs::metadata(&data)?;
        for (name, content) in [("server.crt", signed.certificate), ("server.key", signed.key)] {
            let path = data.join(name);
            fs::write(&path, content)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            chown(&path, Some(owner.uid()), Some(owner.gid()))?;
        }
        fs::write(data.join("pg_hba.conf"), CONNECTIONS)?;
        postgres.execute("postgres", "ALTER SYSTEM SET ssl = on").await?;
        postgres.execute("postgres", "DROP DATABASE scoresync").await?;
        postgres.execute("postgres", "SELECT pg_reload_conf()").await?;
        postgres.make_roles().await?;
        Ok(postgres)
    }

    /// Runs the document's statements as they stand there, with passwords in the place of `…`.
    async fn make_roles(&self) -> anyhow::Result<()> {
        let document = fs::read_to_string(project().join("docs/security.md"))?;
        let block = document.split_once("```sql\n").and_then(|(_, rest)| rest.split_once("```"));
        let (statements, _) = block.context("the document has no statements")?;
        let mut database = "postgres";
        for line in statements.lines().filter(|line| !line.is_empty()) {
            if let Some(next) = line.strip_prefix("\\connect ") {
                database = next;
                continue;
            }
            let user = line.split(' ').nth(2).unwrap_or_default();
            self.execute(database, &line.replace('…', &password_of(user))).await?;
        }
        Ok(())
    }

    async fn execute(&self, database: &str, statement: &str) -> anyhow::Result<()> {
        let client = self.administrator(database).await?;
        client.batch_execute(statement).await.with_context(|| format!("run {statement}"))
    }

    async fn administrator(&self, database: &str) -> anyhow::Result<Client> {
        let url = format!("postgresql://postgres@127.0.0.1:{}/{database}", self.port);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// The settings with which a role connects as it should.
    fn settings(&self, scene: &Scene, role: &str) -> anyhow::Result<[(&'static str, String); 4]> {
        Ok([
            ("URL", format!("postgresql://{role}@127.0.0.1:{}/scoresync", self.port)),
            ("TLS", "verify-full".to_owned()),
            ("CA_FILE", self.authority.file().display().to_string()),
            ("PASSWORD__FILE", password_file(scene.folder(), role)?.display().to_string()),
        ])
    }
}

/// What is started from now on has its archive there.
fn set(scene: &mut Scene, settings: &[(&'static str, String)]) {
    for (name, value) in settings {
        scene.installation.set(&format!("SCORESYNC_ARCHIVE__POSTGRES__{name}"), value);
    }
}

/// A sink with one setting that is wrong ends with 1 and says so.
fn assert_sink_ends(scene: &mut Scene, (name, value): (&'static str, String), words: &[&str]) -> anyhow::Result<()> {
    set(scene, &[(name, value)]);
    let mut sink = run(&scene.installation, "sink", &format!("sink-{}", words[0].replace([' ', '/'], "-")))?;
    let status = sink.ended(START)?.with_context(|| format!("the sink goes on: {}", sink.log()))?;
    let said = sink.log();
    let last = said.lines().last().unwrap_or_default();
    ensure!(status.code() == Some(1), "{name}: {status}: {said}");
    ensure!(words.iter().all(|word| last.contains(word)), "{name}: {words:?} is not in: {last}");
    assert_silent(&said, &scene.installation)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sink_files_over_a_verified_connection_and_the_reader_may_only_read() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let postgres = SecuredPostgres::start(folder.path()).await?;
    let mut scene = Scene::new(Database::Sqlite)?;
    let roster = scene.file("roster.csv", academy::ROSTER)?.display().to_string();
    scene.installation.run(&["employees", "import", &roster])?;
    let (as_sink, as_reader) = (postgres.settings(&scene, SINK)?, postgres.settings(&scene, READER)?);
    set(&mut scene, &as_sink);
    let mut up = scene.installation.start("up", &["up"])?;
    up.ready(START).await?;
    let report = academy::json("X-1").to_string();
    let http = Http::new(&scene.installation);
    let answer = http.push(("academy", Some("academy")), "application/json", report).await?;
    ensure!(answer.status == StatusCode::ACCEPTED.as_u16(), "{answer:?}");

    set(&mut scene, &as_reader);
    let mut shown = String::new();
    until("the reader sees the record", SETTLE, async || {
        shown = scene.installation.run(&["records", academy::EMPLOYEE_NO])?;
        Ok(shown.contains("85.5"))
    })
    .await?;
    let administrator = postgres.administrator("scoresync").await?;
    let encrypted =
        "SELECT count(*) > 0 AND bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'scoresync_sink'";
    ensure!(
        administrator.query_one(encrypted, &[]).await?.get::<_, bool>(0),
        "the sink's connections are not encrypted"
    );
    administrator.batch_execute(&format!("SET ROLE {READER}")).await?;
    for statement in ["SELECT count(*) FROM training_records", "SELECT count(*) FROM refused_scores"] {
        administrator.batch_execute(statement).await.with_context(|| statement.to_owned())?;
    }
    for statement in [
        "DELETE FROM training_record",
        "UPDATE employee SET name = 'x'",
        "CREATE TABLE mine ()",
    ] {
        let refused = administrator.batch_execute(statement).await.err().context("the reader may write")?;
        ensure!(refused.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{statement}: {refused}");
    }
    ensure!(up.stop(STOP)?.success());
    balance_and_nothing_is_in_flight(&scene)?;
    let told = fs::read_to_string(scene.folder().join("up.log"))?;
    assert_silent(&told, &scene.installation)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_cannot_be_trusted_or_is_refused_ends_the_sink_with_the_reason() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let postgres = SecuredPostgres::start(folder.path()).await?;
    let mut scene = Scene::new(Database::Sqlite)?;
    let settings = postgres.settings(&scene, SINK)?;
    let foreign = Authority::create(folder.path(), "foreign")?.file().display().to_string();
    let wrong = password_file(scene.folder(), "somebody-else")?.display().to_string();
    let by_name = format!("postgresql://{SINK}@localhost:{}/scoresync", postgres.port);
    let cases: [(&'static str, String, &[&str]); 6] = [
        ("CA_FILE", foreign, &["certificate verify failed", "ca_file"]),
        ("CA_FILE", "no/such.pem".to_owned(), &["its ca_file no/such.pem cannot be read"]),
        ("URL", by_name, &["certificate verify failed", "ca_file"]),
        ("PASSWORD__FILE", wrong, &["password authentication failed", SINK]),
        ("TLS", "disable".to_owned(), &["no encryption", "verify-full"]),
        (
            "URL",
            settings[0].1.replace(SINK, READER),
            &["password authentication failed", READER],
        ),
    ];
    for (name, value, words) in cases {
        set(&mut scene, &settings);
        assert_sink_ends(&mut scene, (name, value), words)?;
    }
    Ok(())
}
