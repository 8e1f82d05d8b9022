//! How to reach Kafka and the schema registry (`[kafka]`, `[topics]`, `[registry]`).

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use scoresync_service::Secret;
use serde::{Deserialize, Serialize};

/// `[kafka]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct KafkaSettings {
    /// Bootstrap servers, `host:port` separated by commas.
    pub brokers: String,
    /// `true` for one broker on a developer's machine: topics with one replica are accepted.
    pub dev: bool,
    /// Name that brokers log and put quotas on.
    pub client_id: String,
    /// Prefix of the consumer groups; the stage's name is appended.
    pub group_prefix: String,
    /// Encryption and login.
    pub security: SecuritySettings,
    /// Any further setting of librdkafka. The ones that our guarantees rest on are refused.
    pub librdkafka: BTreeMap<String, String>,
}

impl Default for KafkaSettings {
    fn default() -> Self {
        Self {
            brokers: "localhost:9092".to_owned(),
            dev: false,
            client_id: "scoresync".to_owned(),
            group_prefix: "scoresync".to_owned(),
            security: SecuritySettings::default(),
            librdkafka: BTreeMap::new(),
        }
    }
}

/// `[kafka.security]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecuritySettings {
    /// Whether to encrypt, and whether to log in.
    pub protocol: Protocol,
    /// Certificates of the authorities that are believed (PEM); the system's where not given.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate (PEM), where the broker asks for one.
    pub certificate_file: Option<PathBuf>,
    /// Key of our own certificate (PEM).
    pub key_file: Option<PathBuf>,
    /// Password of the key.
    pub key_password: Option<Secret>,
    /// How to log in.
    pub mechanism: Option<Mechanism>,
    /// User name for PLAIN and SCRAM, client id for OAUTHBEARER.
    pub username: Option<String>,
    /// Password for PLAIN and SCRAM, client secret for OAUTHBEARER.
    pub password: Option<Secret>,
    /// Where OAUTHBEARER fetches its tokens.
    pub token_endpoint: Option<String>,
    /// Scope of the tokens.
    pub scope: Option<String>,
}

/// `security.protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Neither encryption nor login.
    #[default]
    Plaintext,
    /// TLS.
    Ssl,
    /// Login without encryption.
    SaslPlaintext,
    /// Login over TLS.
    SaslSsl,
}

/// `sasl.mechanism`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Mechanism {
    /// User name and password as they are.
    #[serde(rename = "PLAIN")]
    Plain,
    /// Salted challenge with SHA-256.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// Salted challenge with SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
    /// Tokens of an OpenID provider (client credentials).
    #[serde(rename = "OAUTHBEARER")]
    OauthBearer,
}

/// `[topics]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TopicSettings {
    /// Put before every topic's name, e.g. `hr.`.
    pub prefix: String,
    /// Generation of the score topics. Growing them means new topics with the next generation.
    pub generation: i32,
    /// Partitions of each score topic. The tables of employees and aliases have one.
    pub partitions: i32,
    /// Greatest size of a message in `scores.raw`, in bytes; the topics behind it take 64 KiB more.
    pub max_message_bytes: usize,
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            generation: 1,
            partitions: 8,
            max_message_bytes: 1024 * 1024,
        }
    }
}

/// `[registry]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrySettings {
    /// Address of a registry with Confluent's HTTP interface.
    pub url: String,
    /// User name, where it asks for one.
    pub username: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// How long a call may take, in milliseconds.
    pub timeout_ms: u64,
}

impl Default for RegistrySettings {
    fn default() -> Self {
        Self {
            url: "http://localhost:8081".to_owned(),
            username: None,
            password: None,
            timeout_ms: 5_000,
        }
    }
}

impl RegistrySettings {
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}

/// What to do where no position is recorded for a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstStart {
    /// Begin at the log's beginning.
    #[default]
    Beginning,
    /// Stop: positions must be there, and their absence is an accident.
    Refuse,
}
