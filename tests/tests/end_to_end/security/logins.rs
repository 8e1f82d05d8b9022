//! Logins other than a password, and what is said where a login or a certificate is refused.

use std::{process::Command, time::Duration};

use anyhow::ensure;
use scoresync_tests::installation::Installation;

use super::{
    authority::Authority,
    broker::{password_file, password_of},
    least_rights::admit,
    place::{Login, Place, assert_silent},
    rights::of_commands,
    tokens::serve_tokens,
};
use crate::support::{START, STOP, readiness, until};

const SCRAM: &str = "SCRAM-SHA-512";
const CHECK: &str = "topics check, config check --online";

/// Settings below `kafka.` by their environment twins; a setting without a value is taken away.
type Settings<'a> = [(&'a str, Option<String>)];

fn dress(mut command: Command, settings: &Settings<'_>) -> Command {
    for (name, value) in settings {
        let variable = format!("SCORESYNC_KAFKA__{name}");
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    command
}

/// Runs `topics check`; gives whether it succeeded and what it said.
fn check_topics(installation: &Installation, settings: &Settings<'_>) -> anyhow::Result<(bool, String)> {
    let output = dress(installation.command(&["topics", "check"])?, settings).output()?;
    let said = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
    assert_silent(&said, installation)?;
    Ok((output.status.success(), said))
}

/// A mapper with these settings says so on its admin port, waits, and ends when asked to.
async fn assert_mapper_waits(place: &mut Place, settings: &Settings<'_>, words: &[&str]) -> anyhow::Result<()> {
    let name = format!("mapper-{}", words.concat().replace([' ', '/'], "-"));
    for (setting, value) in settings {
        place
            .scene
            .installation
            .set(&format!("SCORESYNC_KAFKA__{setting}"), value.clone().unwrap_or_default());
    }
    let mapper = place.scene.installation.start(&name, &["run", "mapper"])?;
    until(&format!("the mapper says {words:?}"), START, async || {
        let reasons = readiness(mapper.admin()).await.unwrap_or_default();
        let reason = reasons.get("mapper").map(String::as_str).unwrap_or_default();
        Ok(words.iter().all(|word| reason.contains(word)))
    })
    .await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let told = mapper.log();
    let repetitions = told.lines().filter(|line| line.contains("stage mapper is not ready")).count();
    ensure!(repetitions < 4, "the same is told {repetitions} times: {told}");
    assert_silent(&told, &place.scene.installation)?;
    ensure!(mapper.stop(STOP)?.success(), "the mapper did not end well");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_refused_is_told_why_and_what_to_look_at() -> anyhow::Result<()> {
    let mut place = Place::make()?;
    let commands = admit(&place)?;
    let user = &commands[CHECK].user;
    place.log_in(Login { user, mechanism: SCRAM })?;
    let foreign = Authority::create(place.scene.folder(), "foreign")?.file().display().to_string();
    let wrong = password_file(place.scene.folder(), "somebody-else")?.display().to_string();
    let by_name = format!("localhost:{}", place.kafka.login.port());
    let cases: [(&str, Option<String>, &[&str]); 8] = [
        (
            "SECURITY__PASSWORD__FILE",
            Some(wrong.clone()),
            &["Authentication failed", "password"],
        ),
        (
            "SECURITY__MECHANISM",
            Some("PLAIN".to_owned()),
            &["Authentication failed", "mechanism"],
        ),
        (
            "SECURITY__CA_FILE",
            Some(foreign.clone()),
            &["certificate verify failed", "ca_file"],
        ),
        ("SECURITY__CA_FILE", None, &["certificate verify failed", "ca_file"]),
        (
            "SECURITY__CA_FILE",
            Some("no/such.pem".to_owned()),
            &["kafka.security.ca_file names no/such.pem"],
        ),
        (
            "BROKERS",
            Some(by_name),
            &["certificate verify failed", "names each broker as its certificate does"],
        ),
        ("BROKERS", Some("127.0.0.1:1".to_owned()), &["127.0.0.1:1", "Connection refused"]),
        ("SECURITY__PROTOCOL", Some("plaintext".to_owned()), &["mechanism", "protocol"]),
    ];
    for (setting, value, words) in cases {
        let (is_good, said) = check_topics(&place.scene.installation, &[(setting, value)])?;
        ensure!(
            !is_good && words.iter().all(|word| said.contains(word)),
            "{setting}: {words:?} is not in: {said}"
        );
    }
    let right = place.scene.folder().join(format!("{user}.password")).display().to_string();
    assert_mapper_waits(
        &mut place,
        &[("SECURITY__PASSWORD__FILE", Some(wrong))],
        &["Authentication failed", "password"],
    )
    .await?;
    let foreign = [("SECURITY__PASSWORD__FILE", Some(right)), ("SECURITY__CA_FILE", Some(foreign))];
    assert_mapper_waits(&mut place, &foreign, &["certificate verify failed", "ca_file"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_and_tokens_are_logins_too() -> anyhow::Result<()> {
    let mut place = Place::make()?;
    admit(&place)?;
    let (certified, bearer) = ("certified", "scoresync-bearer");
    let rights = of_commands()?.remove(CHECK).unwrap_or_default().rights;
    let principals = [format!("CN={certified}"), bearer.to_owned()];
    let orders = principals.iter().flat_map(|principal| place.orders(principal, "", &rights));
    place.kafka.admit(&[], orders.collect())?;

    let (certificate, key) = place.kafka.authority.sign_into_files(certified)?;
    let settings = [
        ("BROKERS", Some(place.kafka.certificates.to_string())),
        ("SECURITY__PROTOCOL", Some("ssl".to_owned())),
        ("SECURITY__CERTIFICATE_FILE", Some(certificate.display().to_string())),
        ("SECURITY__KEY_FILE", Some(key.display().to_string())),
    ];
    let installation = &place.scene.installation;
    let (is_good, said) = check_topics(installation, &settings)?;
    ensure!(is_good, "a certificate is no login: {said}");
    let (is_good, said) = check_topics(installation, &settings[..2])?;
    ensure!(!is_good && said.contains("certificate required"), "without a certificate: {said}");

    let endpoint = serve_tokens(bearer, password_of(bearer))?;
    place.log_in(Login {
        user: bearer,
        mechanism: "OAUTHBEARER",
    })?;
    let wrong = password_file(place.scene.folder(), "somebody-else")?.display().to_string();
    let settings = [
        ("SECURITY__TOKEN_ENDPOINT", Some(format!("http://{endpoint}/token"))),
        ("SECURITY__SCOPE", Some("scores".to_owned())),
        ("SECURITY__PASSWORD__FILE", Some(wrong)),
    ];
    let (is_good, said) = check_topics(&place.scene.installation, &settings[..2])?;
    ensure!(is_good, "a token is no login: {said}");
    let (is_good, said) = check_topics(&place.scene.installation, &settings)?;
    ensure!(
        !is_good && said.contains("invalid_client") && said.contains("password"),
        "with a wrong secret: {said}"
    );
    Ok(())
}
