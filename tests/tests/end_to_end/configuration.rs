//! What is said of a configuration that cannot be used, and of surroundings that are not ready yet; never a secret.

use anyhow::ensure;
use scoresync_tests::installation::Database;

use crate::support::Scene;

const POSTGRES_URL: &str = "SCORESYNC_ARCHIVE__POSTGRES__URL";

const COMMANDS: [&[&str]; 5] = [
    &["config", "check"],
    &["topics", "check"],
    &["schemas", "check"],
    &["records", "E1001"],
    &["run", "producer"],
];

/// Runs a command: its exit code, and all that it said.
fn said(scene: &Scene, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let output = scene.installation.output(arguments)?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.code(), String::from_utf8_lossy(&text).into_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_no_sink_has_prepared_yet_is_no_problem_and_one_that_is_away_is() -> anyhow::Result<()> {
    for database in [Database::Sqlite, Database::Postgres] {
        let mut scene = Scene::new(database)?;
        let (code, text) = said(&scene, &["config", "check", "--online"])?;
        ensure!(code == Some(0) && text.contains("no sink has prepared it yet"), "{code:?} {text}");
        scene
            .installation
            .set(POSTGRES_URL, "postgresql://scoresync:SECRETPW@127.0.0.1:1/scoresync");
        let (code, text) = said(&scene, &["config", "check", "--online"])?;
        ensure!(
            code == Some(1) && text.contains("archive") && !text.contains("SECRETPW"),
            "{code:?} {text}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_where_none_belongs_is_refused_without_being_shown() -> anyhow::Result<()> {
    let file = "[archive.postgres]\nurl = \"postgresql://scoresync:SECRETPW@localhost/scoresync\"\n";
    let login = ("SCORESYNC_REGISTRY__URL", "http://u:SECRETPW@localhost:1");
    let check = |text: &str, variable: Option<(&str, &str)>, arguments: &[&str], (code, part): (i32, &str)| {
        let mut scene = Scene::new(Database::Sqlite)?;
        scene.configure(text)?;
        if let Some((name, value)) = variable {
            scene.installation.set(name, value);
        }
        let (got, said) = said(&scene, arguments)?;
        ensure!(
            got == Some(code) && said.contains(part) && !said.contains("SECRET"),
            "{got:?} {said}"
        );
        anyhow::Ok(())
    };
    check(file, None, &["config", "check"], (78, "archive.postgres.password"))?;
    check(file, None, &["config", "check"], (78, POSTGRES_URL))?;
    let librdkafka = "[kafka.librdkafka]\n\"linger.ms\" = \"SECRETX\"\n";
    for command in COMMANDS {
        check("", Some(login), command, (78, "registry.password"))?;
        check(librdkafka, None, command, (78, "linger.ms"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_right_is_told_by_every_command_before_it_does_anything() -> anyhow::Result<()> {
    for (name, value, setting) in [
        ("SCORESYNC_DOOR__MAX_ROW_KIB", "4096", "door.max_row_kib"),
        (POSTGRES_URL, "SECRETNONSENSE", "archive.postgres.url"),
    ] {
        let mut scene = Scene::new(Database::Sqlite)?;
        scene.installation.set(name, value);
        for command in COMMANDS {
            let (code, said) = said(&scene, command)?;
            ensure!(
                code == Some(78) && said.contains(setting) && !said.contains("SECRET"),
                "{command:?} {code:?} {said}"
            );
        }
    }
    Ok(())
}
