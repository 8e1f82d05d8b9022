//! `[mapper]`.

use std::{num::NonZeroUsize, time::Duration};

use serde::{Deserialize, Serialize};

/// `[mapper]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MapperSettings {
    /// Reports of one partition that may wait for the broker's acknowledgement; more pause the partition.
    pub max_in_flight: NonZeroUsize,
    /// How long reading the whole directory may take at the start, in seconds.
    pub directory_timeout_seconds: u64,
    /// Where a first start begins, when the group has no position yet: `beginning`. There is no other safe place.
    pub first_start: FirstStart,
    /// Name of this instance in dead letters; the host's name and the process id where it is empty.
    pub instance: String,
}

/// What to do when the group has no position for a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstStart {
    /// Begin at the log's beginning.
    #[default]
    Beginning,
    /// Stop: positions must be there, and their absence is an accident.
    Refuse,
}

impl Default for MapperSettings {
    fn default() -> Self {
        Self {
            max_in_flight: const { NonZeroUsize::new(8_192).unwrap() },
            directory_timeout_seconds: 300,
            first_start: FirstStart::default(),
            instance: String::new(),
        }
    }
}

impl MapperSettings {
    pub(crate) const fn directory_timeout(&self) -> Duration {
        Duration::from_secs(self.directory_timeout_seconds)
    }
}
