//! Whether the program would take a setting: the settings of all parts put together as the command line does.

use std::path::Path;

use scoresync_archive::ArchiveSettings;
use scoresync_domain::SourcesSettings;
use scoresync_kafka::{KafkaSettings, RegistrySettings, TopicSettings};
use scoresync_mapper::MapperSettings;
use scoresync_producer::{DoorSettings, RosterSettings, TokensSettings};
use scoresync_service::{AdminSettings, ConfigurationError, LogSettings, ShutdownSettings, load_with};
use scoresync_sink::SinkSettings;
use serde::Deserialize;

use crate::project;

/// The tables of a configuration file. `the_tables_are_those_of_the_command_line` keeps them honest.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Configuration {
    kafka: KafkaSettings,
    topics: TopicSettings,
    registry: RegistrySettings,
    archive: ArchiveSettings,
    door: DoorSettings,
    tokens: TokensSettings,
    roster: RosterSettings,
    mapper: MapperSettings,
    sink: SinkSettings,
    admin: AdminSettings,
    log: LogSettings,
    shutdown: ShutdownSettings,
    sources: SourcesSettings,
}

/// Reads a file and variables as the program would at its start.
pub(crate) fn load(file: Option<&Path>, environment: &[(String, String)]) -> Result<Configuration, ConfigurationError> {
    load_with(file, environment.iter().cloned())
}

#[test]
fn the_tables_are_those_of_the_command_line() {
    let tables = |text: &str| -> Vec<String> {
        let (_, after) = text.split_once("struct Configuration {").unwrap();
        let fields = after
            .split_once("\n}")
            .unwrap()
            .0
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with(['/', '#']));
        fields
            .filter(|line| !line.is_empty())
            .map(|line| line.trim_start_matches("pub(crate) ").to_owned())
            .collect()
    };
    let ours = tables(include_str!("configuration.rs"));
    assert!(ours.len() > 5, "{ours:?}");
    assert_eq!(ours, tables(&project::read("crates/cli/src/configuration.rs")));
}
