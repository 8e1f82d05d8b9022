//! One TOML file and the environment, read into the settings of a process. The environment wins; all problems are listed at once.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use figment::value::Dict;
use serde::de::DeserializeOwned;

use crate::{
    environment,
    layers::{Layers, Winner},
    problem::Problem,
};

/// Why the settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}; check that it exists and that this user may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no TOML. The text of the line is not shown, as it may hold a secret.
    #[error("the configuration file {} is not valid TOML: line {line}, column {column}: {message}", path.display())]
    NoToml {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Counted from 1, in characters.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// Settings that are unknown, missing or invalid.
    #[error("the configuration is not usable:{}", list(.0))]
    Problems(Vec<Problem>),
    /// The settings cannot be written down.
    #[error("cannot write the effective configuration as TOML")]
    Dump(#[source] toml::ser::Error),
}

/// Reads the settings from `file` and from the process's environment.
///
/// `SCORESYNC_KAFKA__BROKERS` is `brokers` in `[kafka]`. A value from the environment is text, read as what the setting wants (number,
/// yes or no, …); arrays and tables are written as in TOML. Structures refuse unknown keys only with `deny_unknown_fields`.
///
/// # Errors
/// All problems that can be found, each with its key, where it stands, what was expected; never a value.
pub fn load<T: DeserializeOwned>(file: Option<&Path>) -> Result<T, ConfigurationError> {
    load_with(file, std::env::vars_os())
}

/// Like [`load`], with the environment as given.
///
/// # Errors
/// As [`load`].
pub fn load_with<T, N, V>(file: Option<&Path>, environment: impl IntoIterator<Item = (N, V)>) -> Result<T, ConfigurationError>
where
    T: DeserializeOwned,
    N: Into<OsString>,
    V: Into<OsString>,
{
    let file_settings = file.map(read).transpose()?.unwrap_or_default();
    let pairs = environment.into_iter().map(|(name, value)| (name.into(), value.into()));
    let (environment, mut problems) = environment::settings(pairs, &file_settings);
    let layers = Layers {
        file_name: file,
        file: file_settings,
        environment,
        winner: Winner::Environment,
    };
    let (settings, found) = survey::<T>(layers.clone());
    problems.extend(found);
    // A secret in the file is refused even where the environment hides it.
    let winner = Winner::File;
    let (_, hidden) = survey::<T>(Layers { winner, ..layers });
    for problem in hidden.into_iter().filter(Problem::is_secret_in_file) {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    match settings {
        Some(settings) if problems.is_empty() => Ok(settings),
        Some(_) | None => Err(ConfigurationError::Problems(problems)),
    }
}

/// Reads the settings; whatever cannot be read is noted, taken out and the rest is tried again, so that one run lists all problems.
fn survey<T: DeserializeOwned>(mut layers: Layers<'_>) -> (Option<T>, Vec<Problem>) {
    let (mut problems, mut removed) = (Vec::new(), Vec::<Vec<String>>::new());
    loop {
        let error = match layers.figment().extract_lossy::<T>() {
            Ok(settings) => return (Some(settings).filter(|_| problems.is_empty()), problems),
            Err(error) => error,
        };
        let mut path = Problem::path(&error);
        let is_consequence = removed.iter().any(|earlier| earlier.starts_with(&path));
        if !is_consequence {
            problems.push(Problem::new(&error, &layers));
        }
        // Serde tells what is missing in a table last, when all that stands in it was read: the table has nothing more to say.
        if error.missing() {
            path.pop();
        }
        if !layers.remove(&path) {
            return (None, problems);
        }
        removed.push(path);
    }
}

fn read(path: &Path) -> Result<Dict, ConfigurationError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigurationError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|error| {
        let before = text.get(..error.span().map_or(0, |span| span.start)).unwrap_or(&text);
        let last_line = before.rsplit('\n').next().unwrap_or(before);
        ConfigurationError::NoToml {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: last_line.chars().count() + 1,
            message: error.message().to_owned(),
        }
    })
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  - {problem}")).collect()
}

#[cfg(test)]
mod tests;
