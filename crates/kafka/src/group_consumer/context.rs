//! What the client tells a member of a group from its own threads and polls: rebalances, stalls, the ends of logs, the connection.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Statistics, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::KafkaError,
    types::RDKafkaRespErr,
};

use super::{TopicPartition, reads::Reads};
use crate::lifeline::Lifeline;

/// Of a member that owes the group no answer any more.
const LEAVING: Duration = Duration::from_millis(50);

/// A change of what is ours, or of how it is read.
pub(super) enum Change {
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
    Stalled(Vec<TopicPartition>),
}

/// What happens between polls.
pub(super) struct Context {
    pub(super) lifeline: Lifeline,
    reads: Mutex<Reads>,
    changes: Mutex<VecDeque<Change>>,
    pub(super) log_ends: Mutex<Vec<(TopicPartition, i64)>>,
    pub(super) disconnected: AtomicBool,
    pub(super) closing: AtomicBool,
}

impl Context {
    pub(super) fn new(lifeline: Lifeline) -> Self {
        Self {
            lifeline,
            reads: Mutex::default(),
            changes: Mutex::default(),
            log_ends: Mutex::default(),
            disconnected: AtomicBool::default(),
            closing: AtomicBool::default(),
        }
    }

    pub(super) fn reads(&self) -> MutexGuard<'_, Reads> {
        self.reads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: Change) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push_back(change);
    }

    /// The group waits for an answer to a rebalance; starting a stalled partition again before it is given would be taken for it.
    pub(super) fn take(&self) -> Option<Change> {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let rebalance = changes.iter().position(|change| !matches!(change, Change::Stalled(_)));
        changes.remove(rebalance.unwrap_or(0))
    }
}

impl ClientContext for Context {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "the consumer has trouble with the broker; it keeps trying");
    }

    fn stats(&self, statistics: Statistics) {
        self.lifeline.look(&statistics);
        let stalled = self.reads().look(&statistics, Instant::now());
        if !stalled.is_empty() {
            self.tell(Change::Stalled(stalled));
        }
        let is_connected = statistics.brokers.values().any(|broker| broker.state == "UP");
        self.disconnected.store(!is_connected, Ordering::Release);
        let ends = statistics.topics.into_values().flat_map(|topic| {
            let name = topic.topic;
            topic
                .partitions
                .into_values()
                .filter(|partition| partition.partition >= 0 && partition.ls_offset >= 0)
                .map(move |partition| {
                    (
                        TopicPartition {
                            topic: name.clone(),
                            partition: partition.partition,
                        },
                        partition.ls_offset,
                    )
                })
        });
        *self.log_ends.lock().unwrap_or_else(PoisonError::into_inner) = ends.collect();
    }
}

impl ConsumerContext for Context {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, reason: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let nothing = TopicPartitionList::new();
        let is_closing = self.closing.load(Ordering::Acquire);
        if is_closing && has_left(consumer) {
            return;
        }
        let partitions = partitions_of(list);
        let (change, answer) = if reason == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            // An assignment without an answer would stop all other partitions, hold the whole group up, and keep us from leaving it.
            (Change::Assigned(partitions), consumer.incremental_assign(&nothing))
        } else if is_closing {
            // What was not started cannot be released, and that is no reason to stay.
            let answer = consumer.incremental_unassign(list);
            (
                Change::Revoked(partitions),
                answer.or_else(|_| consumer.incremental_unassign(&nothing)),
            )
        } else {
            (Change::Revoked(partitions), Ok(()))
        };
        if let Err(error) = answer {
            tracing::warn!(%error, "a rebalance could not be answered");
        }
        if !is_closing {
            self.tell(change);
        }
    }
}

/// Whether a closing member has left its group, or does so within [`LEAVING`]. librdkafka takes no answers to rebalances then, and whoever gives
/// one waits for ever (seen with 2.12): its groups drop what they are asked once they are terminated.
fn has_left(consumer: &BaseConsumer<Context>) -> bool {
    let begun = Instant::now();
    while !consumer.closed() {
        if begun.elapsed() > LEAVING {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
    true
}

fn partitions_of(list: &TopicPartitionList) -> Vec<TopicPartition> {
    let place = |(topic, partition): (String, i32)| TopicPartition { topic, partition };
    list.to_topic_map().into_keys().map(place).collect()
}
