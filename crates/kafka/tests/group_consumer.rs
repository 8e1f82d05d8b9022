//! Members of a group that come, go and are lost in the middle of a rebalance, against librdkafka's mock cluster.

#![expect(clippy::unwrap_used, reason = "what a test builds on fails as a test does")]

use std::time::{Duration, Instant};

use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};
use scoresync_kafka::{Event, GroupConsumer, KafkaSettings, Membership, TopicPartition};

const LIMIT: Duration = Duration::from_secs(30);
const TOPIC: &str = "scores.raw";

fn cluster(partitions: i32) -> MockCluster<'static, DefaultProducerContext> {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, partitions, 1).unwrap();
    cluster
}

fn join(cluster: &MockCluster<'static, DefaultProducerContext>) -> GroupConsumer {
    let kafka = KafkaSettings {
        brokers: cluster.bootstrap_servers(),
        ..KafkaSettings::default()
    };
    let membership = Membership {
        group: "g",
        topics: &[TOPIC],
    };
    GroupConsumer::join(&kafka, &membership).unwrap()
}

/// Polls both until the second has an assignment; the first gives up what it has to.
fn until_assigned(first: Option<&GroupConsumer>, second: &GroupConsumer) -> Vec<TopicPartition> {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        if let Some(Event::Revoked(partitions)) = first.map(|first| first.poll(Duration::from_millis(20))) {
            first.unwrap().release(&partitions).unwrap();
        }
        if let Event::Assigned(partitions) = second.poll(Duration::from_millis(20)) {
            return partitions;
        }
    }
    panic!("nothing was assigned within {LIMIT:?}");
}

/// Leaves on a thread of its own, so that a hang fails the test instead of holding it up.
fn leaves(member: GroupConsumer) -> bool {
    let (left, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(member);
        left.send(()).ok();
    });
    heard.recv_timeout(LIMIT).is_ok()
}

#[test]
fn a_member_that_started_nothing_yet_can_leave() {
    let cluster = cluster(1);
    let owner = join(&cluster);
    assert_eq!(until_assigned(None, &owner).len(), 1);
    let spare = join(&cluster);
    assert_eq!(until_assigned(Some(&owner), &spare), []);
    assert!(leaves(spare));
    assert!(leaves(owner));
}

#[test]
fn a_partition_that_is_revoked_before_it_was_started_is_released_without_a_complaint() {
    let cluster = cluster(2);
    let first = join(&cluster);
    let partitions = until_assigned(None, &first);
    first.start(&[(partitions[0].clone(), 0)]).unwrap();
    first.release(&partitions).unwrap();
    first.start(&[(partitions[1].clone(), 0)]).unwrap();
    first.restart(&partitions[1], 0).unwrap();
    assert!(leaves(first));
}

#[test]
fn a_member_that_owes_an_answer_to_a_revocation_can_leave() {
    let cluster = cluster(2);
    let owner = join(&cluster);
    let partitions = until_assigned(None, &owner);
    let both: Vec<_> = partitions.into_iter().map(|place| (place, 0)).collect();
    owner.start(&both).unwrap();
    let other = join(&cluster);
    let begun = Instant::now();
    let is_revoked = || {
        other.poll(Duration::from_millis(20));
        matches!(owner.poll(Duration::from_millis(20)), Event::Revoked(_))
    };
    while !is_revoked() {
        assert!(begun.elapsed() < LIMIT, "nothing is revoked");
    }
    assert!(leaves(owner));
    assert!(leaves(other));
}
