//! Our subjects: registering their schemas, and checking that the registry has them.

use scoresync_domain::{Employee, EnrichedScore, IdentityAlias, ScoreReport};

use crate::{
    decoder::is_same_schema,
    registry::{Compatibility, Registry, RegistryError},
    topics::{Topic, TopicNames},
    wire::Record,
};

/// A topic's subject and the schema that this program writes to it.
#[derive(Clone, Debug)]
pub struct SubjectSchema {
    /// The topic.
    pub topic: Topic,
    /// `<topic>-value`.
    pub subject: String,
    /// Text of the `.avsc`.
    pub schema: &'static str,
    /// What the subject asks of new versions: others depend on enriched scores, so these must stay readable both ways.
    pub compatibility: Compatibility,
}

/// What the registry has for a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectState {
    /// It has our schema, under this id.
    Registered(u32),
    /// It lacks our schema and would take it.
    Missing,
    /// It lacks our schema and would not take it.
    Incompatible,
}

/// All subjects, for `scoresync schemas`. The topic of dead letters has none: its values are the original bytes.
#[must_use]
pub fn subjects(names: &TopicNames) -> Vec<SubjectSchema> {
    let of = |topic, schema, compatibility| SubjectSchema {
        topic,
        subject: names.subject(topic),
        schema,
        compatibility,
    };
    vec![
        of(Topic::Raw, ScoreReport::SCHEMA, Compatibility::BackwardTransitive),
        of(Topic::Enriched, EnrichedScore::SCHEMA, Compatibility::FullTransitive),
        of(Topic::Employees, Employee::SCHEMA, Compatibility::BackwardTransitive),
        of(Topic::Aliases, IdentityAlias::SCHEMA, Compatibility::BackwardTransitive),
    ]
}

impl SubjectSchema {
    /// Sets the subject's compatibility and registers our schema; doing it again changes nothing. Gives the id.
    ///
    /// # Errors
    /// Where the registry does not answer or does not take it.
    pub async fn register(&self, registry: &Registry) -> Result<u32, RegistryError> {
        let schema_id = registry.register(&self.subject, self.schema).await?;
        registry.set_compatibility(&self.subject, self.compatibility).await?;
        Ok(schema_id)
    }

    /// What the registry has.
    ///
    /// # Errors
    /// Where the registry does not answer.
    pub async fn state(&self, registry: &Registry) -> Result<SubjectState, RegistryError> {
        let versions = registry.versions(&self.subject).await?;
        let ours = versions.iter().find(|version| is_same_schema(&version.schema, self.schema));
        match ours {
            Some(version) => Ok(SubjectState::Registered(version.schema_id)),
            None if versions.is_empty() || registry.is_compatible(&self.subject, self.schema).await? => Ok(SubjectState::Missing),
            None => Ok(SubjectState::Incompatible),
        }
    }
}
