//! A configuration file: the one input whose writer is trusted, but not to make no mistakes.

use std::{fs, path::Path};

use scoresync_domain::Sources;
use scoresync_producer::{RosterRules, format_settings_of};
use scoresync_service::ConfigurationError;
use scoresync_web::Tokens;
use toml::{Table, Value};

use super::{Cost, Target};
use crate::configuration::{Configuration, load};

/// Every file is read or refused with all that is wrong; no refusal shows a value; what can be used can be compiled or is refused as well.
pub const CONFIGURATION: Target = Target {
    name: "configuration",
    check,
    costs: &[Cost {
        read,
        multiple: 400,
        constant_bytes: 256 * 1_024,
    }],
};

/// In a value it is a secret, which no problem may show.
const SECRET: &str = "hunter2";

fn check(text: &[u8]) -> bool {
    match in_file(text, |file| load(Some(file), &[])) {
        Ok(configuration) => problems_of(&configuration).is_empty(),
        Err(error) => {
            let told = error.to_string();
            let table = std::str::from_utf8(text).ok().and_then(|text| text.parse::<Table>().ok());
            let is_in_values_alone = table.is_some_and(|table| !is_in_a_key(&Value::Table(table)));
            assert!(!(is_in_values_alone && told.contains(SECRET)), "a problem shows a value: {told}");
            false
        }
    }
}

fn read(text: &[u8]) {
    if let Ok(configuration) = in_file(text, |file| load(Some(file), &[])) {
        drop(problems_of(&configuration));
    }
}

fn in_file<T>(text: &[u8], read: impl FnOnce(&Path) -> Result<T, ConfigurationError>) -> Result<T, ConfigurationError> {
    let unreadable = |source| ConfigurationError::Unreadable {
        path: "a temporary file".into(),
        source,
    };
    let file = tempfile::NamedTempFile::new().map_err(unreadable)?;
    fs::write(file.path(), text).map_err(unreadable)?;
    read(file.path())
}

/// What the program would say at its start of settings that can be read one by one.
fn problems_of(configuration: &Configuration) -> Vec<String> {
    let sources = Sources::compile(&configuration.sources);
    let tokens = Tokens::compile(&configuration.tokens, |name| configuration.sources.contains_key(name));
    let roster = RosterRules::new(&configuration.roster);
    let formats = sources
        .iter()
        .flat_map(Sources::iter)
        .filter_map(|source| format_settings_of(source).err());
    let mut problems: Vec<String> = formats.map(|problem| problem.to_string()).collect();
    let listed = [sources.as_ref().err(), tokens.as_ref().err()];
    problems.extend(listed.into_iter().flatten().flatten().map(ToString::to_string));
    problems.extend(roster.err().map(|error| error.to_string()));
    problems
}

fn is_in_a_key(value: &Value) -> bool {
    match value {
        Value::Table(table) => table.iter().any(|(key, value)| key.contains(SECRET) || is_in_a_key(value)),
        Value::Array(items) => items.iter().any(is_in_a_key),
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => false,
    }
}
