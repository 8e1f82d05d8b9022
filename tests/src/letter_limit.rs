//! How large dead letters may be: none gets into a topic that takes only smaller ones.

use std::time::Duration;

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
};
use scoresync_kafka::{Specification, Topic, TopicNames};

use crate::installation::Installation;

/// Lets the topic of dead letters take records of so many bytes, or as many as it should.
///
/// # Errors
/// No broker takes the setting within some tries.
pub async fn limit_letters(installation: &Installation, bytes: Option<usize>) -> anyhow::Result<()> {
    let (kafka, topics) = (&installation.kafka, &installation.topics);
    let mut specification = Specification::of(Topic::DeadLetters, kafka, topics);
    if let Some(bytes) = bytes {
        specification.configuration.insert("max.message.bytes", bytes.to_string());
    }
    let name = TopicNames::new(topics).name(Topic::DeadLetters);
    let settings = specification.configuration.iter();
    let altered = settings.fold(AlterConfig::new(ResourceSpecifier::Topic(&name)), |altered, (setting, value)| {
        altered.set(setting, value)
    });
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", &kafka.brokers).create()?;
    // A broker that is away is asked again.
    for _ in 0..10 {
        let answered = admin.alter_configs([&altered], &AdminOptions::new()).await;
        if answered.is_ok_and(|answers| answers.iter().all(Result::is_ok)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    anyhow::bail!("the settings of {name} could not be changed")
}
