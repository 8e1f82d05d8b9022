//! The configuration file as a whole: every part's settings, and everything that is wrong with them at once.

use std::path::Path;

use scoresync_archive::ArchiveSettings;
use scoresync_domain::{Sources, SourcesSettings};
use scoresync_kafka::{KafkaSettings, RegistrySettings, TopicSettings};
use scoresync_mapper::MapperSettings;
use scoresync_producer::{DoorSettings, RosterSettings, Tokens, TokensSettings};
use scoresync_service::{AdminSettings, LogSettings, ShutdownSettings, load};
use scoresync_sink::SinkSettings;
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
    pub(crate) admin: AdminSettings,
    pub(crate) log: LogSettings,
    pub(crate) shutdown: ShutdownSettings,
    pub(crate) sources: SourcesSettings,
}

/// What the tables say, once it is known to make sense.
#[derive(Clone)]
pub(crate) struct Checked {
    pub(crate) sources: Sources,
    pub(crate) tokens: Tokens,
}

/// Reads the file and the environment.
pub(crate) fn read(file: Option<&Path>) -> Result<Configuration, Failure> {
    load(file).map_err(|error| Failure::Configuration(lines(&error)))
}

impl Configuration {
    /// Compiles sources and tokens, listing all problems of both.
    pub(crate) fn check(&self) -> Result<Checked, Failure> {
        let mut problems = Vec::new();
        let sources = Sources::compile(&self.sources).unwrap_or_else(|found| {
            problems.extend(found.iter().map(ToString::to_string));
            Sources::default()
        });
        let known = |name: &str| self.sources.contains_key(name);
        let tokens = Tokens::compile(&self.tokens, known).unwrap_or_else(|found| {
            problems.extend(found.iter().map(ToString::to_string));
            Tokens::default()
        });
        if problems.is_empty() { Ok(Checked { sources, tokens }) } else { Err(Failure::Configuration(problems)) }
    }
}

fn lines(error: &dyn std::error::Error) -> Vec<String> {
    error.to_string().lines().map(str::to_owned).collect()
}
