//! What is wrong with a configuration, setting by setting.

use std::fmt;

/// One thing that is wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting's place in the configuration, such as `sources.academy.fields.exam_score`.
    pub setting: String,
    /// What is wrong, and what would be right.
    pub explanation: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.setting, self.explanation)
    }
}

impl std::error::Error for Problem {}

/// Collects the problems of one source.
pub(super) struct Problems {
    source: String,
    found: Vec<Problem>,
}

impl Problems {
    pub(super) fn of_source(name: &str) -> Self {
        Self {
            source: name.to_owned(),
            found: Vec::new(),
        }
    }

    /// Adds a problem of a setting of the source; an empty setting is the source itself.
    pub(super) fn add(&mut self, setting: impl fmt::Display, explanation: impl Into<String>) {
        let setting = setting.to_string();
        let dot = if setting.is_empty() { "" } else { "." };
        self.found.push(Problem {
            setting: format!("sources.{}{dot}{setting}", self.source),
            explanation: explanation.into(),
        });
    }

    pub(super) fn into_found(self) -> Vec<Problem> {
        self.found
    }
}
