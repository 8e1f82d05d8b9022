//! Whether the variables that scripts, documents and tests set are ones that the program knows.

use std::collections::BTreeSet;

use scoresync_service::NOT_SETTINGS;
use scoresync_tests::configuration;

use crate::{check, files};

const PREFIX: &str = "SCORESYNC_";
/// Where variables are named that are meant to work. (Unit tests of the crates invent some that must not.)
const PLACES: [&str; 9] = [
    "dev/",
    "docs/",
    "examples/",
    ".github/",
    "tests/src/",
    "Dockerfile",
    "docker-compose.yml",
    "README.md",
    "ARCHITECTURE.md",
];

/// Whole names; what ends in an underscore is the beginning of names that are put together elsewhere.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    let rest = |found: &str| found.split(|letter| !is_part(letter)).next().unwrap_or_default().to_owned();
    let names = text.split(PREFIX).skip(1).map(rest);
    names
        .filter(|name| !name.is_empty() && !name.ends_with('_'))
        .map(|name| PREFIX.to_owned() + &name)
        .collect()
}

/// Whether the program has a setting of that name. A value that does not fit is no matter here.
fn is_setting(name: &str) -> bool {
    match configuration::load(None, &[(name.to_owned(), "1".to_owned())]) {
        Ok(_) => true,
        Err(error) => !error.to_string().contains("no such setting"),
    }
}

#[test]
fn variables_are_found_in_text_and_known_ones_told_from_others() {
    let found = names("export SCORESYNC_KAFKA__BROKERS=x ${SCORESYNC_LOG:-} SCORESYNC_TOKENS__$NAME SCORESYNC_");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["SCORESYNC_KAFKA__BROKERS", "SCORESYNC_LOG"]);
    assert!(is_setting("SCORESYNC_KAFKA__BROKERS"));
    assert!(is_setting("SCORESYNC_TOPICS__PARTITIONS"));
    assert!(is_setting("SCORESYNC_ARCHIVE__POSTGRES__POOL_SIZE"));
    assert!(!is_setting("SCORESYNC_KAFKA__BROKER"));
    assert!(!is_setting("SCORESYNC_STACK"));
}

#[test]
fn every_variable_that_is_named_is_a_setting_or_known_as_none() {
    let mut problems = Vec::new();
    for (path, text) in files::text_files() {
        if PLACES.iter().any(|place| path.starts_with(place)) {
            let unknown = names(&text)
                .into_iter()
                .filter(|name| !NOT_SETTINGS.contains(&name.as_str()) && !is_setting(name));
            problems.extend(unknown.map(|name| format!("{path} names {name}, which is no setting")));
        }
    }
    check(problems);
}
