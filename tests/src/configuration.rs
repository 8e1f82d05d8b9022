//! Whether the program would take a setting: the settings of all parts put together as the command line does.

use std::path::Path;

use scoresync_archive::ArchiveSettings;
use scoresync_desk::DeskSettings;
use scoresync_domain::SourcesSettings;
use scoresync_kafka::{KafkaSettings, RegistrySettings, TopicSettings};
use scoresync_mapper::MapperSettings;
use scoresync_producer::{DoorSettings, RosterSettings};
use scoresync_reconcile::ReconcileSettings;
use scoresync_service::{AdminSettings, ConfigurationError, LogSettings, ShutdownSettings, load_with};
use scoresync_sink::SinkSettings;
use scoresync_web::TokensSettings;
use serde::Deserialize;

/// The tables of a configuration file. `the_tables_are_those_of_the_command_line` keeps them honest.
#[expect(missing_docs, reason = "the settings themselves say what they are")]
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Configuration {
    pub kafka: KafkaSettings,
    pub topics: TopicSettings,
    pub registry: RegistrySettings,
    pub archive: ArchiveSettings,
    pub door: DoorSettings,
    pub tokens: TokensSettings,
    pub roster: RosterSettings,
    pub mapper: MapperSettings,
    pub sink: SinkSettings,
    pub desk: DeskSettings,
    pub reconcile: ReconcileSettings,
    pub admin: AdminSettings,
    pub log: LogSettings,
    pub shutdown: ShutdownSettings,
    pub sources: SourcesSettings,
}

/// Reads a file and variables as the program would at its start.
///
/// # Errors
/// All problems, as the program would list them.
pub fn load(file: Option<&Path>, environment: &[(String, String)]) -> Result<Configuration, ConfigurationError> {
    load_with(file, environment.iter().cloned())
}

#[cfg(test)]
mod tests {
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
                .map(|line| line.trim_start_matches("pub(crate) ").trim_start_matches("pub ").to_owned())
                .collect()
        };
        let ours = tables(include_str!("configuration.rs"));
        assert!(ours.len() > 5, "{ours:?}");
        let program = crate::stack::project().join("crates/cli/src/configuration.rs");
        assert_eq!(ours, tables(&std::fs::read_to_string(program).unwrap()));
    }
}
