//! The configuration file as a whole: every part's settings, and everything that is wrong with them at once.

use std::path::Path;

use scoresync_archive::ArchiveSettings;
use scoresync_desk::DeskSettings;
use scoresync_domain::{Problem, Sources, SourcesSettings};
use scoresync_kafka::{KafkaSettings, Registry, RegistrySettings, TopicSettings, check_settings};
use scoresync_mapper::MapperSettings;
use scoresync_producer::{DoorSettings, RosterRules, RosterSettings, format_settings_of};
use scoresync_reconcile::{Plan, ReconcileSettings};
use scoresync_service::{AdminSettings, LogSettings, ShutdownSettings, load};
use scoresync_sink::SinkSettings;
use scoresync_web::{Tokens, TokensSettings};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The tables of the configuration file.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Configuration {
    pub(crate) kafka: KafkaSettings,
    pub(crate) topics: TopicSettings,
    pub(crate) registry: RegistrySettings,
    pub(crate) archive: ArchiveSettings,
    pub(crate) door: DoorSettings,
    pub(crate) tokens: TokensSettings,
    pub(crate) roster: RosterSettings,
    pub(crate) mapper: MapperSettings,
    pub(crate) sink: SinkSettings,
    pub(crate) desk: DeskSettings,
    pub(crate) reconcile: ReconcileSettings,
    pub(crate) admin: AdminSettings,
    pub(crate) log: LogSettings,
    pub(crate) shutdown: ShutdownSettings,
    /// Left out of the dump at the start: long, and known to `config check`.
    #[serde(skip_serializing)]
    pub(crate) sources: SourcesSettings,
}

/// What the tables say, once it is known to make sense.
#[derive(Clone)]
pub(crate) struct Checked {
    pub(crate) sources: Sources,
    pub(crate) tokens: Tokens,
    pub(crate) roster: RosterRules,
    pub(crate) plans: Vec<Plan>,
}

/// Reads the file and the environment.
pub(crate) fn read(file: Option<&Path>) -> Result<Configuration, Failure> {
    load(file).map_err(|error| Failure::Configuration(lines(&error)))
}

impl Configuration {
    /// Compiles sources, tokens and the roster's rules, and tries the settings of formats, door, Kafka and registry; lists all problems at
    /// once.
    pub(crate) fn check(&self) -> Result<Checked, Failure> {
        let known = |name: &str| self.sources.contains_key(name);
        let texts = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
        let sources = Sources::compile(&self.sources).map_err(texts);
        let tokens = Tokens::compile(&self.tokens, known).map_err(texts);
        let roster = RosterRules::new(&self.roster).map_err(|error| error.0);
        let plans = Plan::compile(&self.reconcile, known).map_err(texts);
        let kafka = check_settings(&self.kafka, &self.topics)
            .err()
            .map(|error| format!("{:#}", anyhow::Error::new(error)));
        let registry = Registry::new(&self.registry).err().map(|error| error.to_string());
        let formats: Vec<Problem> = sources
            .iter()
            .flat_map(Sources::iter)
            .filter_map(|source| format_settings_of(source).err())
            .collect();
        let door = self.door.check(&self.topics).err().into_iter().collect();
        let others: Vec<String> = kafka.into_iter().chain(registry).chain(texts(door)).chain(texts(formats)).collect();
        match (sources, tokens, roster, plans) {
            (Ok(sources), Ok(tokens), Ok(roster), Ok(plans)) if others.is_empty() => Ok(Checked {
                sources,
                tokens,
                roster,
                plans,
            }),
            (sources, tokens, roster, plans) => {
                let found = [sources.err(), tokens.err(), roster.err(), plans.err(), Some(others)];
                Err(Failure::Configuration(found.into_iter().flatten().flatten().collect()))
            }
        }
    }
}

fn lines(error: &dyn std::error::Error) -> Vec<String> {
    error.to_string().lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_of_all_parts_are_listed_at_once_and_none_shows_a_value() {
        let mut configuration = Configuration::default();
        configuration.kafka.librdkafka.insert("linger.ms".to_owned(), "SECRETX".to_owned());
        configuration.registry.url = "http://u:SECRETPW@localhost:1".to_owned();
        configuration.roster.region = "SECRETLAND".to_owned();
        configuration.door.max_row_kib = 4096.try_into().unwrap();
        let Err(Failure::Configuration(problems)) = configuration.check().map(drop) else {
            panic!("the configuration can be used")
        };
        let all = problems.join("\n");
        assert_eq!(problems.len(), 4, "{all}");
        assert!(
            ["linger.ms", "registry.password", "roster.region", "door.max_row_kib"]
                .iter()
                .all(|part| all.contains(part)),
            "{all}"
        );
        assert!(!all.contains("SECRET"), "{all}");
    }
}
