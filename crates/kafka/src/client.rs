//! The settings of every Kafka client: safe ones set explicitly, the user's own added, the ones that our guarantees rest on protected.

use std::{fs::File, path::Path};

use rdkafka::ClientConfig;
use scoresync_fault_points::{self as fault_points, Bug};

use crate::{
    error::Error,
    settings::{KafkaSettings, Mechanism, Protocol, SecuritySettings, TopicSettings},
    topics::Specification,
};

/// What no user setting may change, for either kind of client.
const PROTECTED: [&str; 19] = [
    "acks",
    "allow.auto.create.topics",
    "auto.offset.reset",
    "batch.size",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "group.protocol",
    "isolation.level",
    "message.timeout.ms",
    "partition.assignment.strategy",
    "partitioner",
    "queuing.strategy",
    "retries",
    "statistics.interval.ms",
    "transactional.id",
];

/// librdkafka's own default (CONFIGURATION.md, `batch.size`).
const GREATEST_BATCH_BYTES: usize = 1_000_000;

/// Settings with two names (librdkafka's CONFIGURATION.md, "Alias for"), and which of them is used here: of two that are set, either could win.
const SYNONYMS: [(&str, &str); 9] = [
    ("auto.commit.enable", "enable.auto.commit"),
    ("compression.codec", "compression.type"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("max.partition.fetch.bytes", "fetch.message.max.bytes"),
    ("message.send.max.retries", "retries"),
    ("metadata.broker.list", "bootstrap.servers"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("request.required.acks", "acks"),
    ("sasl.mechanisms", "sasl.mechanism"),
];

/// Settings that all clients share.
///
/// # Errors
/// A protected setting in `kafka.librdkafka`, or security settings that do not fit together.
pub(crate) fn base(kafka: &KafkaSettings) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &kafka.brokers).set("client.id", &kafka.client_id);
    // A connection that a firewall dropped silently is noticed within a minute, and a returning broker within a second.
    config
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.max.ms", "1000")
        .set("allow.auto.create.topics", "false");
    secure(&mut config, &kafka.security)?;
    for (setting, value) in &kafka.librdkafka {
        let name = used_name(setting);
        if PROTECTED.contains(&name) {
            return Err(Error::ProtectedSetting(setting.clone()));
        }
        config.set(name, value);
    }
    Ok(config)
}

fn used_name(setting: &str) -> &str {
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == setting);
    synonym.map_or(setting, |(_, used)| used)
}

/// An idempotent producer that never gives a record up by itself: order and completeness outlast any outage.
pub(crate) fn producer(kafka: &KafkaSettings, topics: &TopicSettings) -> Result<ClientConfig, Error> {
    let greatest_message = Specification::greatest_message_bytes(topics) + 1024;
    // A record that is larger than the queue would wait for ever.
    let queue_kbytes = (2 * greatest_message / 1024).max(8_192).to_string();
    let defaults = [
        ("compression.type", "lz4"),
        ("linger.ms", "0.2"),
        ("queue.buffering.max.kbytes", queue_kbytes.as_str()),
    ];
    let mut config = with_defaults(kafka, &defaults)?;
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("partitioner", "murmur2_random")
        .set("message.timeout.ms", "0")
        // A topic refuses a batch that is larger than its records may be.
        .set("batch.size", topics.max_message_bytes.min(GREATEST_BATCH_BYTES).to_string())
        .set("message.max.bytes", greatest_message.to_string());
    Ok(config)
}

/// How much of each partition an answer of the broker brings, compressed; a batch that is larger comes alone (KIP-74). All of an answer is
/// unpacked at once, so it decides how much memory a consumer takes (figures are in docs/performance.md).
const FETCH_BYTES: &str = "131072";

/// A consumer of whole topics that commits nothing by itself and stops where the log does not hold what it should read next.
pub(crate) fn consumer(kafka: &KafkaSettings, group: &str) -> Result<ClientConfig, Error> {
    let defaults = [
        ("fetch.wait.max.ms", "100"),
        ("fetch.error.backoff.ms", "100"),
        ("queued.max.messages.kbytes", "8192"),
        ("fetch.message.max.bytes", FETCH_BYTES),
        // Where that much waits, how long until the next look whether there is room again.
        ("fetch.queue.backoff.ms", "5"),
        ("session.timeout.ms", "10000"),
        ("heartbeat.interval.ms", "2000"),
    ];
    let mut config = with_defaults(kafka, &defaults)?;
    config
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("enable.partition.eof", "false")
        .set("isolation.level", "read_committed")
        .set("partition.assignment.strategy", "cooperative-sticky");
    if fault_points::has(Bug::AutoCommit) {
        config
            .set("enable.auto.commit", "true")
            .set("enable.auto.offset.store", "true")
            .set("auto.commit.interval.ms", "20");
    }
    Ok(config)
}

/// Settings that are as good as possible unless the user knows better.
fn with_defaults(kafka: &KafkaSettings, defaults: &[(&str, &str)]) -> Result<ClientConfig, Error> {
    let mut config = base(kafka)?;
    // Lag, the connection and a lost broker are read from them.
    config.set("statistics.interval.ms", "1000");
    for (setting, value) in defaults {
        if config.get(setting).is_none() {
            config.set(*setting, *value);
        }
    }
    Ok(config)
}

/// Whether clients can be made of these settings; nothing is connected.
///
/// # Errors
/// A protected or unknown setting in `kafka.librdkafka`, or security settings that do not fit together.
pub fn check_settings(kafka: &KafkaSettings, topics: &TopicSettings) -> Result<(), Error> {
    for config in [producer(kafka, topics)?, consumer(kafka, "check")?] {
        config
            .create_native_config()
            .map_err(Error::client("use the settings of [kafka]"))?;
    }
    Ok(())
}

fn secure(config: &mut ClientConfig, security: &SecuritySettings) -> Result<(), Error> {
    let protocol = match security.protocol {
        Protocol::Plaintext => "plaintext",
        Protocol::Ssl => "ssl",
        Protocol::SaslPlaintext => "sasl_plaintext",
        Protocol::SaslSsl => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    for (name, setting, path) in [
        ("ca_file", "ssl.ca.location", &security.ca_file),
        ("certificate_file", "ssl.certificate.location", &security.certificate_file),
        ("key_file", "ssl.key.location", &security.key_file),
    ] {
        if let Some(path) = path {
            config.set(setting, readable(name, path)?);
        }
    }
    if let Some(password) = &security.key_password {
        config.set("ssl.key.password", password.expose());
    }
    match (security.protocol, security.mechanism) {
        (Protocol::Plaintext | Protocol::Ssl, None) => Ok(()),
        (Protocol::Plaintext | Protocol::Ssl, Some(_)) => {
            Err(Error::Security("a mechanism needs protocol = \"sasl_ssl\" or \"sasl_plaintext\""))
        }
        (Protocol::SaslPlaintext | Protocol::SaslSsl, None) => Err(Error::Security(
            "the protocol needs a mechanism (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER)",
        )),
        (Protocol::SaslPlaintext | Protocol::SaslSsl, Some(mechanism)) => log_in(config, security, mechanism),
    }
}

/// The client library says of a file that it cannot read only that a system library failed.
fn readable(setting: &'static str, path: &Path) -> Result<String, Error> {
    let unreadable = |cause| Error::SecurityFile {
        setting,
        path: path.to_owned(),
        cause,
    };
    File::open(path).map_err(unreadable)?;
    let text = path.to_str().ok_or_else(|| std::io::Error::other("its name is not UTF-8"));
    text.map(str::to_owned).map_err(unreadable)
}

fn log_in(config: &mut ClientConfig, security: &SecuritySettings, mechanism: Mechanism) -> Result<(), Error> {
    let (Some(username), Some(password)) = (&security.username, &security.password) else {
        return Err(Error::Security(
            "the mechanism needs username and password (password from SCORESYNC_KAFKA__SECURITY__PASSWORD or a file)",
        ));
    };
    let name = match mechanism {
        Mechanism::Plain => "PLAIN",
        Mechanism::ScramSha256 => "SCRAM-SHA-256",
        Mechanism::ScramSha512 => "SCRAM-SHA-512",
        Mechanism::OauthBearer => "OAUTHBEARER",
    };
    config.set("sasl.mechanism", name);
    if mechanism == Mechanism::OauthBearer {
        let Some(endpoint) = &security.token_endpoint else {
            return Err(Error::Security("OAUTHBEARER needs token_endpoint"));
        };
        config
            .set("sasl.oauthbearer.method", "oidc")
            .set("sasl.oauthbearer.token.endpoint.url", endpoint);
        config
            .set("sasl.oauthbearer.client.id", username)
            .set("sasl.oauthbearer.client.secret", password.expose());
        if let Some(scope) = &security.scope {
            config.set("sasl.oauthbearer.scope", scope);
        }
    } else {
        config.set("sasl.username", username).set("sasl.password", password.expose());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(librdkafka: &[(&str, &str)]) -> KafkaSettings {
        let librdkafka = librdkafka
            .iter()
            .map(|(setting, value)| ((*setting).to_owned(), (*value).to_owned()))
            .collect();
        KafkaSettings {
            librdkafka,
            ..KafkaSettings::default()
        }
    }

    #[test]
    fn unsafe_defaults_of_the_library_are_overridden() {
        let consumer = consumer(&settings(&[]), "g").unwrap();
        for (setting, value) in [
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "error"),
        ] {
            assert_eq!(consumer.get(setting), Some(value), "{setting}");
        }
        let producer = producer(&settings(&[]), &TopicSettings::default()).unwrap();
        for (setting, value) in [
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("partitioner", "murmur2_random"),
            ("message.timeout.ms", "0"),
        ] {
            assert_eq!(producer.get(setting), Some(value), "{setting}");
        }
    }

    #[test]
    fn a_user_setting_is_taken_unless_a_guarantee_rests_on_it() {
        let producer = producer(&settings(&[("linger.ms", "20")]), &TopicSettings::default()).unwrap();
        assert_eq!(producer.get("linger.ms"), Some("20"));
        let aliases = [
            "request.required.acks",
            "delivery.timeout.ms",
            "metadata.broker.list",
            "message.send.max.retries",
        ];
        for setting in PROTECTED.into_iter().chain(aliases) {
            let refused = base(&settings(&[(setting, "x")])).unwrap_err();
            assert!(refused.to_string().contains(setting), "{refused}");
        }
    }

    #[test]
    fn a_setting_under_its_other_name_takes_the_place_of_our_default() {
        let user = settings(&[("queue.buffering.max.ms", "20"), ("compression.codec", "zstd")]);
        let producer = producer(&user, &TopicSettings::default()).unwrap();
        let get = |setting| producer.get(setting);
        assert_eq!((get("linger.ms"), get("queue.buffering.max.ms")), (Some("20"), None));
        assert_eq!((get("compression.type"), get("compression.codec")), (Some("zstd"), None));
        producer.create::<rdkafka::producer::BaseProducer>().unwrap();
    }

    #[test]
    fn every_client_logs_in_with_the_password_itself() {
        let mut kafka = settings(&[]);
        kafka.security.protocol = Protocol::SaslSsl;
        kafka.security.mechanism = Some(Mechanism::ScramSha512);
        kafka.security.username = Some("scoresync".to_owned());
        kafka.security.password = Some(scoresync_service::Secret::new("made up"));
        let topics = TopicSettings::default();
        for config in [base(&kafka), producer(&kafka, &topics), consumer(&kafka, "g")] {
            assert_eq!(config.unwrap().get("sasl.password"), Some("made up"));
        }
    }

    #[test]
    fn settings_that_no_client_can_be_made_of_are_noticed_without_a_broker() {
        let topics = TopicSettings::default();
        assert!(check_settings(&settings(&[("linger.ms", "20")]), &topics).is_ok());
        assert!(check_settings(&settings(&[("linger.ms", "soon")]), &topics).is_err());
        assert!(check_settings(&settings(&[("no.such.setting", "1")]), &topics).is_err());
    }

    #[test]
    fn what_is_wrong_with_a_setting_is_said_without_its_value() {
        for (setting, value, part) in [
            ("linger.ms", "SECRETX", "value"),
            ("compression.type", "SECRETX", "value"),
            ("no.such.setting", "SECRETX", "no setting"),
        ] {
            let error = check_settings(&settings(&[(setting, value)]), &TopicSettings::default()).unwrap_err();
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let shown = format!("{error} {error:?} {cause:?}");
            assert!(
                shown.contains(setting) && shown.contains(part) && !shown.contains("SECRETX"),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named_with_its_setting() {
        let mut kafka = settings(&[]);
        kafka.security.protocol = Protocol::Ssl;
        kafka.security.ca_file = Some("no/such/authority.pem".into());
        let said = check_settings(&kafka, &TopicSettings::default()).unwrap_err().to_string();
        assert!(said.contains("kafka.security.ca_file names no/such/authority.pem"), "{said}");
    }

    #[test]
    fn a_login_without_its_parts_is_refused() {
        let mut kafka = settings(&[]);
        kafka.security.protocol = Protocol::SaslSsl;
        assert!(matches!(base(&kafka), Err(Error::Security(_))));
        kafka.security.mechanism = Some(Mechanism::ScramSha512);
        assert!(matches!(base(&kafka), Err(Error::Security(_))));
    }
}
