//! Which partitions a topic has, and in how many copies.

use std::{collections::BTreeMap, time::Duration};

use rdkafka::{
    client::{Client, ClientContext},
    error::{KafkaError, RDKafkaErrorCode},
};

use crate::error::Error;

/// How many replicas each partition has; `None` where there is no such topic. Asks the broker and waits.
///
/// # Errors
/// Where the broker does not answer, or answers that it cannot say (missing rights, no leader yet): that is no missing topic.
pub(crate) fn partition_replicas<C: ClientContext>(
    client: &Client<C>,
    name: &str,
    timeout: Duration,
) -> Result<Option<BTreeMap<i32, usize>>, Error> {
    let failed = |cause| Error::on_topic("ask for the partitions of", name, cause);
    let metadata = client.fetch_metadata(Some(name), timeout).map_err(failed)?;
    let Some(found) = metadata.topics().iter().find(|topic| topic.name() == name) else {
        return Ok(None);
    };
    match found.error().map(RDKafkaErrorCode::from) {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(None),
        Some(code) => Err(failed(KafkaError::MetadataFetch(code))),
        None => {
            let partitions = found.partitions().iter();
            Ok(Some(
                partitions.map(|partition| (partition.id(), partition.replicas().len())).collect(),
            ))
        }
    }
}
