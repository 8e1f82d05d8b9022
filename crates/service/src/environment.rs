//! The environment twins of settings: `SCORESYNC_KAFKA__BROKERS` is `brokers` in `[kafka]`.

use std::ffi::OsString;

use figment::value::{Dict, Value};
use serde::Deserialize;

use crate::problem::Problem;

const PREFIX: &str = "SCORESYNC_";

/// Variables with the prefix that are no settings: path of the configuration file, log filter, folder for the state of imports, and what
/// the local stack uses.
pub const NOT_SETTINGS: [&str; 5] = [
    "SCORESYNC_CONFIG",
    "SCORESYNC_LOG",
    "SCORESYNC_STATE_DIR",
    "SCORESYNC_CACHE",
    "SCORESYNC_STACK_DIR",
];

/// The variable that sets what stands at `path`.
pub(crate) fn twin(path: &[String]) -> String {
    let segments: Vec<String> = path.iter().map(|key| fold(key).to_uppercase()).collect();
    PREFIX.to_owned() + &segments.join("__")
}

/// The settings that the variables give. Keys take the spelling that the file has, as no variable can be called `MY-LMS` or `linger.ms`.
pub(crate) fn settings(variables: impl Iterator<Item = (OsString, OsString)>, file: &Dict) -> (Dict, Vec<Problem>) {
    let (mut settings, mut problems) = (Dict::new(), Vec::new());
    let mut ours: Vec<(String, OsString)> = variables
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
        .filter(|(name, _)| name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name.as_str()))
        .collect();
    ours.sort();
    for (name, value) in ours {
        let path = path(&name, file);
        let Some(text) = value.to_str() else {
            problems.push(Problem::in_environment(
                &path,
                &name,
                "its value is not valid UTF-8; correct it there",
            ));
            continue;
        };
        if !insert(&mut settings, &path, read(text)) {
            let complaint = "another variable sets the same or a part of the same; remove one of them";
            problems.push(Problem::in_environment(&path, &name, complaint));
        }
    }
    (settings, problems)
}

fn path(name: &str, file: &Dict) -> Vec<String> {
    let mut level = Some(file);
    let segments = name.strip_prefix(PREFIX).unwrap_or(name).split("__");
    let key = |segment: &str| {
        let key = spelling(level, segment);
        level = level.and_then(|table| table.get(&key)).and_then(Value::as_dict);
        key
    };
    segments.map(key).collect()
}

/// The one key of the file that `segment` can mean, otherwise the segment itself.
fn spelling(level: Option<&Dict>, segment: &str) -> String {
    let wanted = segment.to_lowercase();
    let keys = || level.into_iter().flat_map(Dict::keys);
    let candidates: Vec<&String> = keys().filter(|key| fold(key) == wanted).collect();
    match candidates.as_slice() {
        [only] => (*only).clone(),
        [] | [_, _, ..] => wanted,
    }
}

fn fold(key: &str) -> String {
    let fold = |letter: char| if letter.is_alphanumeric() { letter } else { '_' };
    key.chars().map(fold).collect::<String>().to_lowercase()
}

/// Text stays text (a password of digits keeps its zeros); the setting's type decides later. Only arrays and tables are parsed.
fn read(text: &str) -> Value {
    let parsed = text
        .trim_start()
        .starts_with(['[', '{'])
        .then(|| toml::de::ValueDeserializer::parse(text).and_then(<Value as Deserialize>::deserialize));
    match parsed {
        Some(Ok(value)) => value,
        Some(Err(_)) | None => Value::from(text),
    }
}

/// Whether there was room: nothing is there yet, and no text stands where a table is needed.
fn insert(table: &mut Dict, path: &[String], value: Value) -> bool {
    match path {
        [] => false,
        [last] => match table.contains_key(last) {
            true => false,
            false => table.insert(last.clone(), value).is_none(),
        },
        [first, rest @ ..] => {
            let inner = table.entry(first.clone()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, inner) = inner {
                insert(inner, rest, value)
            } else {
                false
            }
        }
    }
}
