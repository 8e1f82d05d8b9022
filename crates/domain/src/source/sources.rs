//! All sources of an installation, and what those that share a system must agree in.

use std::collections::BTreeMap;

use super::{
    Source, SourceSettings, SourcesSettings,
    compile::compile,
    key,
    problem::{Problem, Problems},
};
use crate::field_mapping::Field;

/// All configured sources.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sources(BTreeMap<String, Source>);

impl Sources {
    /// Checks and compiles the settings of all sources.
    ///
    /// # Errors
    /// Everything that is wrong, of all sources, in the order of their names.
    pub fn compile(settings: &SourcesSettings) -> Result<Self, Vec<Problem>> {
        let mut sources = BTreeMap::new();
        let mut found = Vec::new();
        for (name, source) in settings {
            match compile(name, source) {
                Ok(source) => drop(sources.insert(name.clone(), source)),
                Err(problems) => found.extend(problems),
            }
            found.extend(disagreements(name, source, settings));
        }
        if found.is_empty() { Ok(Self(sources)) } else { Err(found) }
    }

    /// The source of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Source> {
        self.0.get(name)
    }

    /// All sources, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Source> {
        self.0.values()
    }
}

/// What a source says otherwise than the first source of its system.
fn disagreements(name: &str, settings: &SourceSettings, all: &SourcesSettings) -> Vec<Problem> {
    let mut problems = Problems::of_source(name);
    let system = system(name, settings);
    let first = all.iter().find(|(other, settings)| self::system(other, settings) == system);
    let Some((first_name, first)) = first.filter(|(first_name, _)| *first_name != name) else {
        return problems.into_found();
    };
    let mut differs = |setting: &str, what: &str| {
        problems.add(setting, format!("{what} sources.{first_name}, which speaks of the same system"));
    };
    if settings.revision_scheme.unwrap_or(1) != first.revision_scheme.unwrap_or(1) {
        differs("revision_scheme", "differs from");
    }
    match (settings.fields.is_mapped(Field::Revision), first.fields.is_mapped(Field::Revision)) {
        (true, false) => differs("fields.revision", "is mapped, but not in"),
        (false, true) => differs("fields.revision", "is not mapped, but it is in"),
        (true, true) | (false, false) => {}
    }
    if settings.key != first.key {
        differs("key", "differs from");
    } else if learner_kind(settings) != learner_kind(first) {
        differs("key", "takes the learner from another kind of identity than");
    }
    problems.into_found()
}

fn system<'a>(name: &'a str, settings: &'a SourceSettings) -> &'a str {
    settings.system.as_deref().unwrap_or(name)
}

/// The kind of identity that stands for the learner in the key; `None` where no learner does.
fn learner_kind(settings: &SourceSettings) -> Option<Option<crate::IdentityKind>> {
    let in_key = settings.key.iter().any(|part| part == Field::Learner.as_str());
    key::learner(settings).filter(|_| in_key).map(|learner| learner.kind)
}
