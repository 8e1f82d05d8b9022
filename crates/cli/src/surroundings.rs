//! What stands around every command that works online: the registry, its ids of our schemas, and topics that are as they must be.

use anyhow::{Context, anyhow};
use scoresync_kafka::{Registry, SubjectState, Topic, TopicNames, subjects, verify_topics};

use crate::configuration::Configuration;

/// The registry and our schemas in it.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) registry: Registry,
    schema_ids: Vec<(Topic, u32)>,
}

/// Why the surroundings are not fit to begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    /// They may be, in a while.
    #[error("{0:#}")]
    Passing(anyhow::Error),
    /// A person must mend them.
    #[error("{0:#}")]
    Lasting(anyhow::Error),
    /// The registry lacks a schema of ours: a person must register it, or is about to, where it was there before.
    #[error("{0:#}")]
    Unregistered(anyhow::Error),
}

impl Unfit {
    /// What a schema that is gone again means: somebody is putting the registry right, which is waited for.
    pub(crate) fn after_registration(self) -> Self {
        match self {
            Self::Unregistered(error) => Self::Passing(error),
            Self::Passing(_) | Self::Lasting(_) => self,
        }
    }
}

impl Surroundings {
    /// Asks registry and broker, and compares the topics that are needed.
    pub(crate) async fn find(configuration: &Configuration, needed: &[Topic]) -> Result<Self, Unfit> {
        let registry = Registry::new(&configuration.registry).map_err(|error| Unfit::Lasting(error.into()))?;
        let problems = verify_topics(needed, &configuration.kafka, &configuration.topics)
            .await
            .map_err(|error| match error.kind() {
                scoresync_kafka::Kind::Transient => Unfit::Passing(error.into()),
                scoresync_kafka::Kind::Environment => Unfit::Lasting(error.into()),
            })?;
        if !problems.is_empty() {
            return Err(Unfit::Lasting(scoresync_kafka::Error::Topics(problems).into()));
        }
        let mut schema_ids = Vec::new();
        for subject in subjects(&TopicNames::new(&configuration.topics))
            .into_iter()
            .filter(|subject| needed.contains(&subject.topic))
        {
            match subject.state(&registry).await {
                Ok(SubjectState::Registered(schema_id)) => schema_ids.push((subject.topic, schema_id)),
                Ok(SubjectState::Missing | SubjectState::Incompatible) => {
                    let advice = format!(
                        "the registry does not have our schema of {}; run `scoresync schemas register`",
                        subject.subject
                    );
                    return Err(Unfit::Unregistered(anyhow!(advice)));
                }
                Err(error @ scoresync_kafka::RegistryError::Unavailable { .. }) => return Err(Unfit::Passing(error.into())),
                Err(error) => return Err(Unfit::Lasting(error.into())),
            }
        }
        Ok(Self { registry, schema_ids })
    }

    /// The registry's id of our schema for a topic.
    pub(crate) fn schema_id(&self, topic: Topic) -> anyhow::Result<u32> {
        let found = self.schema_ids.iter().find(|(known, _)| *known == topic);
        found.map(|(_, schema_id)| *schema_id).context("a schema was not looked up")
    }
}
