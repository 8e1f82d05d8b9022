//! The office of the configured archive and sources, for commands and for the desk's HTTP interface.

use std::sync::Arc;

use scoresync_archive::Archive;
use scoresync_desk::office::{Office, Reach, Rules};
use scoresync_kafka::Topic;

use crate::{
    configuration::{Checked, Configuration},
    surroundings::Surroundings,
};

/// Of an open archive.
pub(crate) fn office(archive: Archive, configuration: &Configuration, checked: &Checked) -> Office {
    Office {
        archive: Arc::new(archive),
        rules: rules(configuration, checked),
    }
}

/// By which letters are found and told.
pub(crate) fn rules(configuration: &Configuration, checked: &Checked) -> Rules {
    Rules {
        sources: checked.sources.clone(),
        mappings: configuration.sources.clone(),
        region: checked.roster.region(),
        max_attempts: configuration.desk.max_attempts.get(),
    }
}

/// In surroundings with the topic of decisions.
pub(crate) fn reach(surroundings: Surroundings, configuration: &Configuration, checked: &Checked) -> anyhow::Result<Reach> {
    let alias_schema_id = surroundings.schema_id(Topic::Aliases)?;
    Ok(Reach::new(
        (configuration.kafka.clone(), configuration.topics.clone()),
        (surroundings.registry, alias_schema_id),
        checked.roster.region(),
    ))
}
