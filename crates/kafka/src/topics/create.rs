//! `topics create`: makes what is missing, changes nothing that is there.

use std::time::{Duration, Instant};

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    error::{KafkaError, RDKafkaErrorCode},
};

use super::{Specification, Topic, TopicNames, layout::partition_replicas};
use crate::{
    client,
    error::Error,
    first_contact::FirstContact,
    settings::{KafkaSettings, TopicSettings},
};

const TIMEOUT: Duration = Duration::from_secs(30);
const BEAT: Duration = Duration::from_millis(50);

/// What became of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It was made.
    Created(String),
    /// It was there before.
    Present(String),
}

/// Makes each topic that is not there.
///
/// # Errors
/// The first topic that the broker did not make, and why.
pub async fn create_topics(kafka: &KafkaSettings, topics: &TopicSettings) -> Result<Vec<Creation>, Error> {
    let admin: AdminClient<DefaultClientContext> = client::base(kafka)?.create().map_err(Error::client("make an admin client"))?;
    let names = TopicNames::new(topics);
    let failed = || Error::client("create the topics");
    // An admin client alone would not hear why brokers refuse it.
    FirstContact::new(kafka)?.ask(|client, timeout| client.fetch_metadata(Some(&names.name(Topic::Raw)), timeout).map_err(failed()))?;
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT)).request_timeout(Some(TIMEOUT));
    let mut creations = Vec::new();
    for topic in Topic::ALL {
        let name = names.name(topic);
        let specification = Specification::of(topic, kafka, topics);
        let replication = TopicReplication::Fixed(specification.replication);
        let mut new_topic = NewTopic::new(&name, specification.partitions, replication);
        for (setting, value) in &specification.configuration {
            new_topic = new_topic.set(setting, value);
        }
        let answers = admin.create_topics([&new_topic], &options).await.map_err(failed())?;
        creations.push(match answers.into_iter().next() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Creation::Present(name),
            Some(Err((_, code))) => return Err(Error::on_topic("create", &name, KafkaError::AdminOp(code))),
            Some(Ok(_)) | None => Creation::Created(name),
        });
    }
    await_topics(kafka, &names).await?;
    Ok(creations)
}

/// The controller makes a topic, and the brokers hear of it later, each in its time: whoever asks one of them at once would not find it.
async fn await_topics(kafka: &KafkaSettings, names: &TopicNames) -> Result<(), Error> {
    let end = Instant::now() + TIMEOUT;
    for broker in brokers(kafka)? {
        // What is made is made, and a broker that has just gone away misleads nobody.
        if let Err(error) = await_topics_at(&broker, kafka, (names, end)).await {
            tracing::warn!(broker, %error, "it is not certain that a broker knows the topics by now");
        }
    }
    Ok(())
}

async fn await_topics_at(broker: &str, kafka: &KafkaSettings, (names, end): (&TopicNames, Instant)) -> Result<(), Error> {
    // A client that knows of no other broker asks this one.
    let contact = FirstContact::new(&KafkaSettings {
        brokers: broker.to_owned(),
        ..kafka.clone()
    })?;
    for name in Topic::ALL.map(|topic| names.name(topic)) {
        while contact.ask(|client, timeout| partition_replicas(client, &name, timeout))?.is_none() {
            if Instant::now() > end {
                return Err(Error::TopicMissing(name));
            }
            tokio::time::sleep(BEAT).await;
        }
    }
    Ok(())
}

/// Where each broker of the cluster is to be found.
fn brokers(kafka: &KafkaSettings) -> Result<Vec<String>, Error> {
    let metadata = FirstContact::new(kafka)?.ask(|client, timeout| {
        let asked = client.fetch_metadata(None, timeout);
        asked.map_err(Error::client("ask for the brokers"))
    })?;
    let brokers = metadata.brokers().iter();
    Ok(brokers.map(|broker| address(broker.host(), broker.port())).collect())
}

/// As it is written in `kafka.brokers`.
fn address(host: &str, port: i32) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_of_version_6_is_told_from_its_port() {
        assert_eq!(address("broker.example", 9092), "broker.example:9092");
        assert_eq!(address("2001:db8::1", 9092), "[2001:db8::1]:9092");
    }
}
