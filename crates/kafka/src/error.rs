//! What can go wrong with Kafka, and whether trying again can help.

use std::path::PathBuf;

use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    types::RDKafkaConfRes,
};

/// A failure of the broker or of the way to it. Never a record's fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A call to the broker failed.
    #[error("kafka could not {action}{}", advice(cause))]
    Client {
        /// What was attempted.
        action: String,
        /// The client library's reason.
        #[source]
        cause: KafkaError,
    },
    /// No broker can be asked, and the client library said why.
    #[error("{0}")]
    Unreachable(String),
    /// The broker tells nothing of a topic's settings, which is how it refuses to, or does not know the topic (yet, or any more).
    #[error(
        "kafka does not tell the settings of the topic {0}: the user needs the right DescribeConfigs on it (docs/security.md lists all \
         rights), unless it was made or deleted this moment"
    )]
    SettingsHidden(String),
    /// A setting that our guarantees rest on may not be changed.
    #[error("kafka.librdkafka.{0} cannot be set: scoresync's guarantees rest on its own value")]
    ProtectedSetting(String),
    /// The client library does not take a setting. Its value is not shown, as it may be a secret.
    #[error("librdkafka does not take the setting {setting}: {problem}; correct it in [kafka.librdkafka] or [kafka.security]")]
    Setting {
        /// Its name.
        setting: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A file that the security settings name cannot be read.
    #[error("kafka.security.{setting} names {}, which cannot be read ({cause}); correct the path or its permissions", .path.display())]
    SecurityFile {
        /// The setting.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The security settings do not fit together.
    #[error("kafka.security: {0}")]
    Security(&'static str),
    /// A topic could not be described.
    #[error("kafka could not describe a topic: {0}")]
    Describe(String),
    /// A topic that is needed does not exist.
    #[error("the topic {0} does not exist; `scoresync topics create` makes it")]
    TopicMissing(String),
    /// The broker's topics are not as they must be.
    #[error("the topics are not as they must be: {}", .0.join("; "))]
    Topics(Vec<String>),
    /// A topic is another one than the positions were recorded for, so that going on could skip or garble something.
    #[error("{topic} is not the topic that the recorded positions belong to: {difference}. A person must decide how to go on")]
    TopicChanged {
        /// The topic's name.
        topic: String,
        /// What differs.
        difference: String,
    },
    /// A recorded position is no longer in the log.
    #[error(
        "{topic}/{partition}: offset {offset} is outside the log ({low} to {high}), so records are missing. A person must decide how to go on"
    )]
    OffsetOutsideLog {
        /// The topic's name.
        topic: String,
        /// The partition.
        partition: i32,
        /// The recorded position.
        offset: i64,
        /// First offset of the log.
        low: i64,
        /// End of the log.
        high: i64,
    },
}

/// Whether trying the same again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It can: time-outs, leader changes, lost connections.
    Transient,
    /// It cannot until a person acts.
    Environment,
}

impl Error {
    pub(crate) fn client(action: &str) -> impl FnOnce(KafkaError) -> Self + use<'_> {
        move |cause| {
            // The library's text shows the value.
            let KafkaError::ClientConfig(result, _, setting, _) = cause else {
                let action = action.to_owned();
                return Self::Client { action, cause };
            };
            let problem = match result {
                RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN => "it has no setting of this name",
                RDKafkaConfRes::RD_KAFKA_CONF_INVALID | RDKafkaConfRes::RD_KAFKA_CONF_OK => "it cannot have this value",
            };
            Self::Setting { setting, problem }
        }
    }

    pub(crate) fn on_topic(action: &str, topic: &str, cause: KafkaError) -> Self {
        Self::Client {
            action: format!("{action} the topic {topic}"),
            cause,
        }
    }

    /// Whether trying the same again can help.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Client { cause, .. } => kind_of(cause),
            Self::Describe(_) | Self::Unreachable(_) => Kind::Transient,
            Self::ProtectedSetting(_)
            | Self::SettingsHidden(_)
            | Self::Setting { .. }
            | Self::SecurityFile { .. }
            | Self::Security(_)
            | Self::TopicMissing(_)
            | Self::Topics(_)
            | Self::TopicChanged { .. }
            | Self::OffsetOutsideLog { .. } => Kind::Environment,
        }
    }
}

/// Whether the client library's failure can pass by itself.
#[must_use]
pub fn kind_of(cause: &KafkaError) -> Kind {
    let is_lasting_failure = matches!(
        cause,
        KafkaError::MessageConsumptionFatal(_) | KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_)
    );
    let has_lasting_code = code_of(cause).is_some_and(|code| LASTING.contains(&code));
    if is_lasting_failure || has_lasting_code {
        Kind::Environment
    } else {
        Kind::Transient
    }
}

fn code_of(cause: &KafkaError) -> Option<RDKafkaErrorCode> {
    if let KafkaError::AdminOp(code) = cause {
        return Some(*code);
    }
    cause.rdkafka_error_code()
}

/// What a person can do about a refused right.
pub(crate) fn advice(cause: &KafkaError) -> &'static str {
    match code_of(cause) {
        // A producer asks for this right of the cluster where it may write to no topic.
        Some(RDKafkaErrorCode::ClusterAuthorizationFailed) => {
            " (the user lacks the right Write on the topic; docs/security.md lists all rights)"
        }
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => " (the user lacks a right on the topic; docs/security.md lists all rights)",
        Some(RDKafkaErrorCode::GroupAuthorizationFailed) => {
            " (the user lacks the right Read on the consumer group; docs/security.md lists all rights)"
        }
        Some(_) | None => "",
    }
}

/// Whether the client library says that a topic is not there or has nothing at a position: it is gone, made anew or cut off, or a broker does
/// not know it yet.
///
/// Reading on could be reading another topic: partitions have to be started anew, which compares the topic with the recorded positions.
#[must_use]
pub fn doubts_positions(cause: &KafkaError) -> bool {
    cause.rdkafka_error_code().is_some_and(|code| DOUBTING.contains(&code))
}

const DOUBTING: [RDKafkaErrorCode; 5] = [
    RDKafkaErrorCode::UnknownTopicOrPartition,
    RDKafkaErrorCode::UnknownTopic,
    RDKafkaErrorCode::UnknownPartition,
    RDKafkaErrorCode::AutoOffsetReset,
    RDKafkaErrorCode::OffsetOutOfRange,
];

/// Codes that stay until a person acts: rights, a client that cannot go on.
///
/// Not among them is what the client says while brokers restart, too: a login that broke off or found no token, and a topic that a broker
/// does not know (yet), see [`doubts_positions`].
const LASTING: [RDKafkaErrorCode; 6] = [
    RDKafkaErrorCode::TopicAuthorizationFailed,
    RDKafkaErrorCode::GroupAuthorizationFailed,
    RDKafkaErrorCode::ClusterAuthorizationFailed,
    RDKafkaErrorCode::Fatal,
    RDKafkaErrorCode::UnsupportedVersion,
    RDKafkaErrorCode::InvalidConfig,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_restarting_broker_says_passes_and_a_refused_right_does_not() {
        let check = |code: RDKafkaErrorCode, expected| {
            assert_eq!(kind_of(&KafkaError::MessageConsumption(code)), expected, "{code:?}");
        };
        for passing in [
            RDKafkaErrorCode::Authentication,
            RDKafkaErrorCode::UnknownTopicOrPartition,
            RDKafkaErrorCode::UnknownTopic,
            RDKafkaErrorCode::UnknownPartition,
            RDKafkaErrorCode::CoordinatorLoadInProgress,
            RDKafkaErrorCode::AllBrokersDown,
        ] {
            check(passing, Kind::Transient);
        }
        for lasting in LASTING {
            check(lasting, Kind::Environment);
            assert_eq!(kind_of(&KafkaError::AdminOp(lasting)), Kind::Environment, "{lasting:?}");
        }
    }

    #[test]
    fn a_topic_that_is_gone_or_cut_off_makes_positions_doubtful_and_a_broker_that_is_away_does_not() {
        let check = |code: RDKafkaErrorCode, expected| {
            assert_eq!(doubts_positions(&KafkaError::MessageConsumption(code)), expected, "{code:?}");
        };
        check(RDKafkaErrorCode::UnknownTopicOrPartition, true);
        check(RDKafkaErrorCode::AutoOffsetReset, true);
        check(RDKafkaErrorCode::AllBrokersDown, false);
        check(RDKafkaErrorCode::TopicAuthorizationFailed, false);
    }
}
