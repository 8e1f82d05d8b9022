//! One thing that is wrong with the settings, said without showing any value: a misplaced value may be a secret.

use std::fmt;

use figment::error::{Actual, Error, Kind, OneOf};

use crate::{
    connection_url::{NO_URL_IN_FILE, PASSWORD_IN_FILE},
    environment::twin,
    layers::{Layers, Place},
    secret,
};

/// One setting that is unknown, missing or invalid, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The setting, dotted: `kafka.brokers`.
    pub setting: String,
    /// The file or the environment variable that it stands in, or could stand in.
    pub place: String,
    /// What is wrong and what to do.
    pub complaint: String,
}

impl Problem {
    pub(crate) fn new(error: &Error, layers: &Layers<'_>) -> Self {
        let path = Self::path(error);
        let file = layers.file_name.map(|file| file.display().to_string());
        let stands = layers.place(&path);
        let place = match (stands, file) {
            (Place::Environment, _) => format!("the environment variable {}", twin(&path)),
            (Place::File, Some(file)) => file,
            (Place::Nowhere, Some(file)) => format!("{file} or as {}", twin(&path)),
            (Place::File | Place::Nowhere, None) => format!("a configuration file or as {}", twin(&path)),
        };
        Self {
            setting: dotted(&path),
            complaint: misplaced(&error.kind, &path, stands).unwrap_or_else(|| complaint(&error.kind)),
            place,
        }
    }

    pub(crate) fn in_environment(path: &[String], variable: &str, complaint: &str) -> Self {
        Self {
            setting: dotted(path),
            place: format!("the environment variable {variable}"),
            complaint: complaint.to_owned(),
        }
    }

    /// Where the problem is; of something missing, where it ought to be.
    pub(crate) fn path(error: &Error) -> Vec<String> {
        let mut path = error.path.clone();
        if let Kind::MissingField(name) = &error.kind {
            path.push(name.clone().into_owned());
        }
        path
    }

    pub(crate) fn is_secret_in_file(&self) -> bool {
        [secret::IN_FILE, PASSWORD_IN_FILE, NO_URL_IN_FILE]
            .iter()
            .any(|text| self.complaint.starts_with(text))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} in {}: {}", self.setting, self.place, self.complaint)
    }
}

fn dotted(path: &[String]) -> String {
    if path.is_empty() {
        return "the settings as a whole".to_owned();
    }
    format!("`{}`", path.join("."))
}

/// The complaint about a secret that stands where it must not.
fn misplaced(kind: &Kind, path: &[String], stands: Place) -> Option<String> {
    let Kind::Message(message) = kind else { return None };
    match message.as_str() {
        secret::IN_FILE => Some(misplaced_secret(stands, &twin(path))),
        PASSWORD_IN_FILE => Some(misplaced_address(PASSWORD_IN_FILE, "take the password out", path)),
        NO_URL_IN_FILE => Some(misplaced_address(NO_URL_IN_FILE, "take any password out", path)),
        _ => None,
    }
}

fn misplaced_secret(stands: Place, twin: &str) -> String {
    match stands {
        Place::Environment => format!("this secret is only read from a file; set {twin}__FILE to its path instead"),
        Place::File | Place::Nowhere => format!("{} or set {twin}", secret::IN_FILE),
    }
}

fn misplaced_address(problem: &str, advice: &str, path: &[String]) -> String {
    let mut password = path.to_vec();
    password.pop();
    password.push("password".to_owned());
    format!(
        "{problem}; {advice} and set {}, which is read from the environment or from a file of its own, or set the whole address as {}",
        dotted(&password),
        twin(path)
    )
}

fn complaint(kind: &Kind) -> String {
    match kind {
        Kind::Message(message) => message.clone(),
        Kind::InvalidType(actual, expected) => format!("expected {expected}, found {}; correct it there", kind_of(actual)),
        Kind::InvalidValue(_, expected) => format!("expected {expected}, found a value that is out of its range; correct it there"),
        Kind::InvalidLength(length, expected) => format!("expected {expected}, found {length} elements; correct it there"),
        Kind::UnknownVariant(_, known) => format!("expected {}, found something else; correct it there", OneOf(known)),
        Kind::UnknownField(_, known) => format!("no such setting, known here: {}; correct the name or remove it", OneOf(known)),
        Kind::MissingField(_) => "it is required and not set; set it there".to_owned(),
        Kind::DuplicateField(_) => "set twice; remove one of them".to_owned(),
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "the number is out of range; correct it there".to_owned(),
        Kind::Unsupported(actual) => format!("{} cannot stand here; correct it there", kind_of(actual)),
        Kind::UnsupportedKey(actual, expected) => format!("expected {expected} as a key, found {}; correct it there", kind_of(actual)),
    }
}

/// What was found, without its value.
fn kind_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "a boolean",
        Actual::Unsigned(_) | Actual::Signed(_) => "a whole number",
        Actual::Float(_) => "a decimal number",
        Actual::Char(_) | Actual::Str(_) => "text",
        Actual::Bytes(_) => "bytes",
        Actual::Unit | Actual::Option => "nothing",
        Actual::Seq => "an array",
        Actual::Map | Actual::NewtypeStruct => "a table",
        Actual::Enum | Actual::UnitVariant | Actual::NewtypeVariant | Actual::TupleVariant | Actual::StructVariant => "a variant",
        Actual::Other(_) => "something else",
    }
}
