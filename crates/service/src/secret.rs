//! Secrets: they come from the environment or from files of their own, and are shown to nobody.

use std::{fmt, path::Path};

use figment::value::{Dict, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::layers;

/// What is shown instead of a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// The problem with a secret whose text does not come from the environment.
pub(crate) const IN_FILE: &str = "a secret must not be written as text here; write { file = \"path\" }";

const NO_SECRET: &str = "expected a secret: text from the environment, or a table { file = \"path\" } with nothing else in it";

/// A secret. `Debug`, `Display` and serialisation show `[redacted]`.
///
/// [`load`](crate::load) reads it from text in the environment, or from `{ file = "path" }` anywhere (relative to the working directory,
/// newlines at the end of the file cut off). Text in the configuration file is refused. Inside of flattened, untagged or internally tagged
/// parts of the settings serde hides where text came from, so that there only `{ file = "path" }` is accepted.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A secret that is known already.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself. Keep it out of logs and errors.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Errors of the value itself could quote it.
        let value = <Value as Deserialize>::deserialize(deserializer).map_err(|_| D::Error::custom(NO_SECRET))?;
        let text = match (value.as_str(), value.as_dict()) {
            (Some(_), _) if !layers::is_from_environment(value.tag()) => return Err(D::Error::custom(IN_FILE)),
            (Some(text), _) => text.to_owned(),
            (None, Some(table)) => read_file(file_name(table).ok_or_else(|| D::Error::custom(NO_SECRET))?).map_err(D::Error::custom)?,
            (None, None) => return Err(D::Error::custom(NO_SECRET)),
        };
        match text.as_str() {
            "" => Err(D::Error::custom("the secret is empty; give it a value, or remove the setting")),
            _ => Ok(Self(text)),
        }
    }
}

fn file_name(table: &Dict) -> Option<&Path> {
    let name = table.get("file").filter(|_| table.len() == 1);
    name.and_then(Value::as_str).map(Path::new)
}

fn read_file(path: &Path) -> Result<String, String> {
    let explain = |error| {
        format!(
            "cannot read the secret's file {}: {error}; correct the path or its permissions",
            path.display()
        )
    };
    let text = std::fs::read_to_string(path).map_err(explain)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_only_when_asked() {
        let secret = Secret::new("tr0ub4dor");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "[redacted] [redacted] Some([redacted])"
        );
        assert_eq!(serde_json::to_string(&secret).unwrap(), r#""[redacted]""#);
        assert_eq!(secret.expose(), "tr0ub4dor");
    }

    #[test]
    fn text_of_unknown_provenance_is_refused_without_being_quoted() {
        for json in [r#""tr0ub4dor""#, r#"["tr0ub4dor"]"#, r#"{"tr0ub4dor": 1}"#, "80411", "null"] {
            let error = serde_json::from_str::<Secret>(json).unwrap_err().to_string();
            assert!(
                error.contains("secret") && !error.contains("tr0ub4dor") && !error.contains("80411"),
                "{error}"
            );
        }
    }
}
