//! Which topics there are, and what they are called.

use crate::settings::TopicSettings;

/// The topics of scoresync, a closed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Score reports.
    Raw,
    /// Mapped and matched reports.
    Enriched,
    /// Reports that could not be mapped or matched.
    DeadLetters,
    /// Employees, compacted.
    Employees,
    /// Decisions about identities, compacted.
    Aliases,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 5] = [Self::Raw, Self::Enriched, Self::DeadLetters, Self::Employees, Self::Aliases];

    const fn base_name(self) -> &'static str {
        match self {
            Self::Raw => "scores.raw",
            Self::Enriched => "scores.enriched",
            Self::DeadLetters => "scores.dlq",
            Self::Employees => "employees",
            Self::Aliases => "employees.aliases",
        }
    }

    /// Whether a larger topic takes its place under the next generation.
    const fn has_generations(self) -> bool {
        match self {
            Self::Raw | Self::Enriched | Self::DeadLetters => true,
            Self::Employees | Self::Aliases => false,
        }
    }
}

/// The names that the topics have in this installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicNames {
    prefix: String,
    generation: i32,
}

impl TopicNames {
    /// Names under the settings' prefix and generation.
    #[must_use]
    pub fn new(settings: &TopicSettings) -> Self {
        Self {
            prefix: settings.prefix.clone(),
            generation: settings.generation,
        }
    }

    /// The same for another generation than the settings'.
    #[must_use]
    pub fn of_generation(settings: &TopicSettings, generation: i32) -> Self {
        Self {
            generation,
            ..Self::new(settings)
        }
    }

    /// `<prefix>scores.raw`; from the second generation of a score topic on, `<prefix>scores.raw.g2`.
    #[must_use]
    pub fn name(&self, topic: Topic) -> String {
        match self.generation {
            generation if generation > 1 && topic.has_generations() => format!("{}{}.g{generation}", self.prefix, topic.base_name()),
            _ => format!("{}{}", self.prefix, topic.base_name()),
        }
    }

    /// The subject of the topic's values in the schema registry; the same for all generations.
    #[must_use]
    pub fn subject(&self, topic: Topic) -> String {
        format!("{}{}-value", self.prefix, topic.base_name())
    }

    /// The generation that score topics are in.
    #[must_use]
    pub const fn generation(&self) -> i32 {
        self.generation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_score_topics_have_generations() {
        let settings = TopicSettings {
            prefix: "hr.".to_owned(),
            generation: 2,
            ..TopicSettings::default()
        };
        let names = TopicNames::new(&settings);
        assert_eq!(names.name(Topic::Raw), "hr.scores.raw.g2");
        assert_eq!(names.name(Topic::Employees), "hr.employees");
        assert_eq!(names.subject(Topic::Raw), "hr.scores.raw-value");
        assert_eq!(TopicNames::new(&TopicSettings::default()).name(Topic::DeadLetters), "scores.dlq");
    }
}
