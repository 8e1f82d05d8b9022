//! What each topic must be like.

use std::collections::BTreeMap;

use super::Topic;
use crate::settings::{KafkaSettings, TopicSettings};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Room that an enriched score or a dead letter may need beyond its report.
const HEADROOM_BYTES: usize = 64 * 1024;

/// Room for the framing of a record, and for the key of an enriched score.
const RECORD_OVERHEAD_BYTES: usize = 1024;

/// What a topic must be like for the promises to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Specification {
    /// Partitions that it is made with.
    pub partitions: i32,
    /// Copies of each partition.
    pub replication: i32,
    /// The broker's settings of the topic.
    pub configuration: BTreeMap<&'static str, String>,
}

impl Specification {
    /// Of a topic under these settings.
    #[must_use]
    pub fn of(topic: Topic, kafka: &KafkaSettings, topics: &TopicSettings) -> Self {
        let (replication, in_sync) = if kafka.dev { (1, 1) } else { (3, 2) };
        let max_message_bytes = match topic {
            Topic::Enriched | Topic::DeadLetters => topics.max_message_bytes + HEADROOM_BYTES,
            Topic::Raw | Topic::Employees | Topic::Aliases => topics.max_message_bytes,
        };
        let mut configuration = BTreeMap::from([
            ("min.insync.replicas", in_sync.to_string()),
            ("unclean.leader.election.enable", "false".to_owned()),
            ("max.message.bytes", max_message_bytes.to_string()),
        ]);
        match topic {
            Topic::Raw | Topic::DeadLetters => {
                configuration.insert("cleanup.policy", "delete".to_owned());
                configuration.insert("retention.ms", (400 * DAY_MS).to_string());
            }
            Topic::Enriched => {
                configuration.insert("cleanup.policy", "delete".to_owned());
                configuration.insert("retention.ms", "-1".to_owned());
            }
            Topic::Employees | Topic::Aliases => {
                configuration.insert("cleanup.policy", "compact".to_owned());
            }
        }
        if topic == Topic::Raw {
            configuration.insert("message.timestamp.type", "LogAppendTime".to_owned());
        }
        // One partition gives the tables one order, and lets whoever reads them know their end with one question.
        let partitions = match topic {
            Topic::Raw | Topic::Enriched | Topic::DeadLetters => topics.partitions,
            Topic::Employees | Topic::Aliases => 1,
        };
        Self {
            partitions,
            replication,
            configuration,
        }
    }

    /// The greatest value of an output of the mapper, beside its framing and its key. No topic of ours takes a larger one.
    #[must_use]
    pub const fn greatest_output_bytes(topics: &TopicSettings) -> usize {
        Self::greatest_message_bytes(topics) - RECORD_OVERHEAD_BYTES
    }

    /// The greatest message that any of our topics takes.
    #[must_use]
    pub const fn greatest_message_bytes(topics: &TopicSettings) -> usize {
        topics.max_message_bytes + HEADROOM_BYTES
    }
}
