//! An installation on a secured Kafka: who logs in, and what is never to be seen.

use std::{fs, sync::Arc};

use anyhow::ensure;
use scoresync_kafka::Topic;
use scoresync_tests::{
    installation::{Database, Installation},
    process::Process,
    topics::Topics,
};
use serde_json::Value;

use super::{
    broker::{SecuredKafka, password_file, password_of},
    rights::Right,
};
use crate::support::Scene;

/// The installation and its Kafka.
pub(super) struct Place {
    pub(super) scene: Scene,
    pub(super) kafka: Arc<SecuredKafka>,
}

/// How somebody logs in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Login<'a> {
    pub(super) user: &'a str,
    pub(super) mechanism: &'a str,
}

impl Place {
    /// The administrator has made the topics. What is started from now on meets the listener for users.
    pub(super) fn make() -> anyhow::Result<Self> {
        let kafka = SecuredKafka::shared()?;
        let mut scene = Scene::on(&kafka.stack, Database::Sqlite)?;
        let security = [
            ("SCORESYNC_KAFKA__BROKERS", kafka.login.to_string()),
            ("SCORESYNC_KAFKA__SECURITY__PROTOCOL", "sasl_ssl".to_owned()),
            ("SCORESYNC_KAFKA__SECURITY__CA_FILE", kafka.authority.file().display().to_string()),
        ];
        for (variable, value) in security {
            scene.installation.set(variable, value);
        }
        Ok(Self { scene, kafka })
    }

    pub(super) fn topics(&self) -> &Topics {
        &self.scene.topics
    }

    /// Logs in what is started from now on, with the password in a file.
    pub(super) fn log_in(&mut self, login: Login<'_>) -> anyhow::Result<()> {
        let file = password_file(self.scene.folder(), login.user)?;
        let installation = &mut self.scene.installation;
        installation.set("SCORESYNC_KAFKA__SECURITY__USERNAME", login.user);
        installation.set("SCORESYNC_KAFKA__SECURITY__MECHANISM", login.mechanism);
        installation.set("SCORESYNC_KAFKA__SECURITY__PASSWORD__FILE", file.display().to_string());
        Ok(())
    }

    /// Rights for a user as the administrator's script takes them, in this installation and under this prefix of groups.
    pub(super) fn orders<'a>(&self, user: &str, group_prefix: &str, rights: impl IntoIterator<Item = &'a Right>) -> Vec<Value> {
        let installation = &self.scene.installation;
        let order = |right: &Right| right.order(&format!("User:{user}"), &right.name_in(installation, group_prefix));
        rights.into_iter().map(order).collect()
    }

    /// Everything that was logged by this installation, save by the broker.
    pub(super) fn told(&self) -> anyhow::Result<String> {
        let mut told = String::new();
        for entry in fs::read_dir(self.scene.folder())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                told.push_str(&fs::read_to_string(path)?);
            }
        }
        Ok(told)
    }

    pub(super) async fn dead_letters(&self) -> anyhow::Result<i64> {
        self.topics().count(Topic::DeadLetters).await
    }
}

/// That nobody told a password or a token.
pub(super) fn assert_silent(told: &str, installation: &Installation) -> anyhow::Result<()> {
    let secrets = [password_of(""), "s3cret".to_owned()];
    for secret in secrets.iter().chain(installation.tokens.values()) {
        let line = told.lines().find(|line| line.contains(secret.as_str()));
        ensure!(line.is_none(), "a secret is told: {line:?}");
    }
    Ok(())
}

/// Starts `run STAGE` under a name of its own.
pub(super) fn run(installation: &Installation, stage: &str, name: &str) -> anyhow::Result<Process> {
    installation.start(name, &["run", stage])
}
