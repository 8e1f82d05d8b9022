//! The two layers that settings come from, and which of them wins. The profile of a value's tag tells where it came from.

use std::path::Path;

use figment::{
    Error, Figment, Metadata, Profile, Provider,
    value::{Dict, Map, Tag, Value},
};

const ENVIRONMENT: &str = "environment";

/// The settings as the file and as the environment give them.
#[derive(Clone)]
pub(crate) struct Layers<'a> {
    pub(crate) file_name: Option<&'a Path>,
    pub(crate) file: Dict,
    pub(crate) environment: Dict,
    pub(crate) winner: Winner,
}

/// Which layer hides the other where both set something.
#[derive(Clone, Copy)]
pub(crate) enum Winner {
    Environment,
    File,
}

/// Where a setting stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Environment,
    File,
    Nowhere,
}

impl Layers<'_> {
    /// Figment lays the selected profile over the default one and the global one over both.
    pub(crate) fn figment(&self) -> Figment {
        let file_profile = match self.winner {
            Winner::Environment => Profile::Default,
            Winner::File => Profile::Global,
        };
        Figment::new()
            .merge(Layer(file_profile, &self.file))
            .merge(Layer(Profile::new(ENVIRONMENT), &self.environment))
            .select(ENVIRONMENT)
    }

    /// Takes out what stands at `path`; an array of which an element is meant goes as a whole.
    pub(crate) fn remove(&mut self, path: &[String]) -> bool {
        let from_file = remove(&mut self.file, path);
        remove(&mut self.environment, path) || from_file
    }

    /// A table that both layers fill belongs to the file.
    pub(crate) fn place(&self, path: &[String]) -> Place {
        let (file, environment) = (find(&self.file, path), find(&self.environment, path));
        match (file, environment, self.winner) {
            (Some(Value::Dict(..)), Some(Value::Dict(..)), _) | (Some(_), None, _) | (Some(_), Some(_), Winner::File) => Place::File,
            (Some(_), Some(_), Winner::Environment) | (None, Some(_), _) => Place::Environment,
            (None, None, _) => Place::Nowhere,
        }
    }
}

/// Whether the value was written in the environment. What lost its tag on the way counts as written in the file.
pub(crate) fn is_from_environment(tag: Tag) -> bool {
    tag.profile().is_none()
}

struct Layer<'a>(Profile, &'a Dict);

impl Provider for Layer<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named("settings")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Map::from([(self.0.clone(), self.1.clone())]))
    }
}

fn find<'v>(table: &'v Dict, path: &[String]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    let step = |value: &'v Value, key: &String| match value.as_dict() {
        Some(inner) => inner.get(key),
        None => value.as_array().and_then(|array| array.get(key.parse::<usize>().ok()?)),
    };
    rest.iter().try_fold(table.get(first)?, step)
}

fn remove(table: &mut Dict, path: &[String]) -> bool {
    match path {
        [] => false,
        [last] => table.remove(last).is_some(),
        [first, rest @ ..] => match table.get_mut(first) {
            Some(Value::Dict(_, inner)) => remove(inner, rest),
            Some(_) => table.remove(first).is_some(),
            None => false,
        },
    }
}
