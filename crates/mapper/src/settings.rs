//! `[mapper]`.

use std::{num::NonZeroUsize, time::Duration};

use scoresync_kafka::FirstStart;
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

    /// The name of this instance, of this host and process where none is set.
    pub(crate) fn instance_name(&self) -> String {
        if self.instance.is_empty() {
            format!("{}-{}", host_name(), std::process::id())
        } else {
            self.instance.clone()
        }
    }
}

/// What the system says; the standard library does not know it.
fn host_name() -> String {
    let told = std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    let told = told.map(|text| text.trim().to_owned()).unwrap_or_default();
    if told.is_empty() { "mapper".to_owned() } else { told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_without_a_name_is_called_by_its_host_and_process() {
        let unnamed = MapperSettings::default().instance_name();
        let process = format!("-{}", std::process::id());
        assert!(unnamed.ends_with(&process) && unnamed.len() > process.len(), "{unnamed}");
        let instance = "mapper-7".to_owned();
        let named = MapperSettings {
            instance,
            ..MapperSettings::default()
        };
        assert_eq!(named.instance_name(), "mapper-7");
    }
}
