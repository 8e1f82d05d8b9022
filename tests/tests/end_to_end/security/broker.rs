//! A Kafka of the test's own in which everybody but its administrator logs in, and may do what was granted.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use anyhow::{Context, ensure};
use scoresync_tests::{
    ports::free_address,
    stack::{Part, Stack},
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::authority::Authority;
use crate::support::python;

/// The one user whom the broker knows for PLAIN, by its settings.
pub(super) const PLAIN_USER: &str = "scoresync-producer";

/// The broker. Its listener without a login belongs to the administrator, who may do everything.
pub(super) struct SecuredKafka {
    pub(super) stack: Stack,
    /// Who signed the broker's certificate.
    pub(super) authority: Authority,
    /// Where users log in over TLS.
    pub(super) login: SocketAddr,
    /// Where certificates are the login.
    pub(super) certificates: SocketAddr,
    _folder: TempDir,
}

/// The one that runs, if any test needs it at present.
static RUNNING: Mutex<Weak<SecuredKafka>> = Mutex::new(Weak::new());

impl SecuredKafka {
    /// One for all tests that run at the same time: each has topics of its own. The last one of them ends it.
    pub(super) fn shared() -> anyhow::Result<Arc<Self>> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kafka) = running.upgrade() {
            return Ok(kafka);
        }
        let kafka = Arc::new(Self::start()?);
        *running = Arc::downgrade(&kafka);
        Ok(kafka)
    }

    fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("scoresync-secured.").tempdir()?;
        let stack = Stack::start_parts(&[Part::Kafka])?;
        let kafka = Self {
            authority: Authority::create(folder.path(), "authority")?,
            login: free_address()?,
            certificates: free_address()?,
            stack,
            _folder: folder,
        };
        kafka.stack.stop(Part::Kafka)?;
        let path = kafka.stack.folder()?.join("kafka/server.properties");
        let present = fs::read_to_string(&path)?;
        fs::write(&path, format!("{present}{}", kafka.properties(&present)?))?;
        kafka.stack.start_again(Part::Kafka)?;
        Ok(kafka)
    }

    /// What is added to the broker's settings; of two settings of one name, the later counts.
    fn properties(&self, present: &str) -> anyhow::Result<String> {
        let value = |name: &str| {
            let mut lines = present.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            lines.next().with_context(|| format!("the broker's settings have no {name}"))
        };
        let signed = self.authority.sign(&self.login.ip().to_string())?;
        let store = self.authority.file().with_file_name("broker.pem");
        fs::write(&store, signed.key + &signed.certificate)?;
        let added = format!("LOGIN://{},CERTIFICATES://{}", self.login, self.certificates);
        let mut properties = String::new();
        for (name, value) in [
            ("listeners", format!("{},{added}", value("listeners")?)),
            ("advertised.listeners", format!("{},{added}", value("advertised.listeners")?)),
            (
                "listener.security.protocol.map",
                format!("{},LOGIN:SASL_SSL,CERTIFICATES:SSL", value("listener.security.protocol.map")?),
            ),
            ("ssl.keystore.location", store.display().to_string()),
            ("ssl.truststore.location", self.authority.file().display().to_string()),
            (
                "listener.name.login.plain.sasl.jaas.config",
                format!(
                    "org.apache.kafka.common.security.plain.PlainLoginModule required user_{PLAIN_USER}=\"{}\";",
                    password_of(PLAIN_USER)
                ),
            ),
        ] {
            writeln!(properties, "{name}={value}")?;
        }
        Ok(properties + PROPERTIES)
    }

    /// Makes users, each with [`password_of`] its name, and gives them rights (see `administer_kafka.py`).
    pub(super) fn admit(&self, users: &[&str], grants: Vec<Value>) -> anyhow::Result<()> {
        let passwords: Map<String, Value> = users.iter().map(|user| ((*user).to_owned(), password_of(user).into())).collect();
        self.administer(&json!({ "users": passwords, "grant": grants }))
    }

    /// Takes rights away.
    pub(super) fn revoke(&self, rights: Vec<Value>) -> anyhow::Result<()> {
        self.administer(&json!({ "revoke": rights }))
    }

    fn administer(&self, orders: &Value) -> anyhow::Result<()> {
        let mut script = python("administer_kafka.py")?;
        script.arg(&self.stack.brokers).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut running = script.spawn().context("start python3")?;
        let mut input = running.stdin.take().context("python3 has no input")?;
        input.write_all(orders.to_string().as_bytes())?;
        drop(input);
        let output = running.wait_with_output()?;
        ensure!(
            output.status.success(),
            "administer_kafka.py failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    /// The lines in which the broker says what it denied in the installation with this prefix.
    pub(super) fn denials(&self, prefix: &str) -> anyhow::Result<Vec<String>> {
        let log = fs::read_to_string(self.stack.folder()?.join("kafka.log"))?;
        let is_meant = |line: &&str| line.contains(" is Denied ") && line.contains(prefix);
        Ok(log.lines().filter(is_meant).map(str::to_owned).collect())
    }
}

/// A password that nothing but a leak would write anywhere.
pub(super) fn password_of(user: &str) -> String {
    format!("hunter2-of-{user}")
}

/// A file with the password of a user.
pub(super) fn password_file(folder: &Path, user: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join(format!("{user}.password"));
    fs::write(&path, password_of(user) + "\n")?;
    Ok(path)
}

const PROPERTIES: &str = "\
ssl.keystore.type=PEM
ssl.truststore.type=PEM
listener.name.certificates.ssl.client.auth=required
listener.name.login.sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN,OAUTHBEARER
listener.name.login.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.login.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.login.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
";
