//! Where the log of a partition begins and ends.

use std::time::Duration;

use rdkafka::{
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
};

/// First offset and end of a partition's log, from its leader. Waits for up to three times `timeout`.
///
/// A client that does not read the topic remembers a moment in which the partition had no leader, says that it does not know the partition, and
/// looks again only after minutes (librdkafka 2.12). Told to look, it finds the new leader.
pub(crate) fn log_bounds<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
    timeout: Duration,
) -> Result<(i64, i64), KafkaError> {
    let bounds = consumer.fetch_watermarks(topic, partition, timeout);
    if !bounds.as_ref().is_err_and(is_unknown_partition) {
        return bounds;
    }
    consumer.fetch_metadata(Some(topic), timeout)?;
    consumer.fetch_watermarks(topic, partition, timeout)
}

fn is_unknown_partition(cause: &KafkaError) -> bool {
    cause.rdkafka_error_code() == Some(RDKafkaErrorCode::UnknownPartition)
}

#[cfg(test)]
mod tests {
    use rdkafka::{ClientConfig, mocking::MockCluster};

    use super::*;

    #[test]
    fn a_leader_that_was_away_is_found_again() {
        const TOPIC: &str = "t";
        const TIMEOUT: Duration = Duration::from_secs(10);
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 1, 1).unwrap();
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("group.id", "g")
            .create()
            .unwrap();
        let bounds = || log_bounds(&consumer, TOPIC, 0, TIMEOUT);
        assert_eq!(bounds(), Ok((0, 0)));
        cluster.partition_leader(TOPIC, 0, None).unwrap();
        consumer.fetch_metadata(Some(TOPIC), TIMEOUT).unwrap();
        assert!(bounds().is_err_and(|cause| is_unknown_partition(&cause)), "there is no leader");
        cluster.partition_leader(TOPIC, 0, Some(1)).unwrap();
        let remembered = consumer.fetch_watermarks(TOPIC, 0, TIMEOUT);
        assert!(
            remembered.is_err_and(|cause| is_unknown_partition(&cause)),
            "the client finds it by itself"
        );
        assert_eq!(bounds(), Ok((0, 0)));
    }
}
