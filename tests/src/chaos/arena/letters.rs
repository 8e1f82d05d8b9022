//! A topic of dead letters that takes none.

use std::time::Duration;

use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier},
    client::DefaultClientContext,
};
use scoresync_kafka::{Specification, Topic, TopicNames};

use super::Arena;

/// What a mapper says that is started meanwhile, and ends: somebody has to put the topic right.
const EXPLANATION: &str = "scores.dlq has max.message.bytes = 100";

impl Arena<'_> {
    pub(super) async fn refuse_letters(&self, duration: Duration) -> anyhow::Result<()> {
        self.fleet.lock().await.expect(EXPLANATION);
        self.limit_letters(Some(100)).await?;
        tokio::time::sleep(duration).await;
        self.limit_letters(None).await?;
        // Whoever found it so may still be about to end.
        tokio::time::sleep(duration).await;
        self.fleet.lock().await.expect_no_more(EXPLANATION);
        Ok(())
    }

    /// Lets the topic of dead letters take records of so many bytes, or as many as it should.
    async fn limit_letters(&self, bytes: Option<usize>) -> anyhow::Result<()> {
        let (kafka, topics) = (&self.installation.kafka, &self.installation.topics);
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
}
