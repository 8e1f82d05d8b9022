//! The effective settings as text for the log at start, without secrets.

use percent_encoding::percent_decode_str;
use serde::Serialize;
use toml::{Table, Value};

use crate::{ConfigurationError, secret::REDACTED};

/// Ends of keys whose text is a secret: free tables, which are handed on to libraries, have no [`Secret`](crate::Secret) in them.
/// Only ends, as `token_endpoint` and `password_file` are none.
const SECRET_ENDS: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "credentials",
    "pem",
    "jaas.config",
];

/// What a setting's key says of its text.
#[derive(Clone, Copy)]
enum Meaning {
    Secret,
    Address,
    Other,
}

/// The settings as TOML. Redacted are each [`Secret`](crate::Secret), each text whose key ends like one, passwords in URLs, and addresses
/// that are no URL.
///
/// # Errors
/// Fails for settings that TOML cannot express (whole numbers beyond 64 bits, tables with keys that are no text).
pub fn redacted_dump(settings: &impl Serialize) -> Result<String, ConfigurationError> {
    let mut table = Table::try_from(settings).map_err(ConfigurationError::Dump)?;
    redact_table(&mut table);
    toml::to_string_pretty(&table).map_err(ConfigurationError::Dump)
}

fn redact_table(table: &mut Table) {
    for (key, value) in table.iter_mut() {
        redact(value, Meaning::of(&key.to_lowercase()));
    }
}

impl Meaning {
    fn of(key: &str) -> Self {
        if SECRET_ENDS.iter().any(|end| key.ends_with(end)) {
            Self::Secret
        } else if key.ends_with("url") {
            Self::Address
        } else {
            Self::Other
        }
    }
}

fn redact(value: &mut Value, meaning: Meaning) {
    match (value, meaning) {
        (Value::String(text), Meaning::Secret) => REDACTED.clone_into(text),
        (Value::String(text), Meaning::Address) => *text = redact_address(text),
        (Value::String(text), Meaning::Other) => *text = redact_connection(text),
        (Value::Array(elements), meaning) => elements.iter_mut().for_each(|element| redact(element, meaning)),
        (Value::Table(table), _) => redact_table(table),
        (Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_), _) => {}
    }
}

/// Whether something of the text would not be shown.
pub(crate) fn holds_secret(text: &str) -> bool {
    redact_address(text) != text
}

/// Drivers understand other forms than URLs, each in its own way: nothing of them is shown.
fn redact_address(text: &str) -> String {
    let is_in_scheme = |character: char| character.is_ascii_alphanumeric() || "+-.".contains(character);
    match text.split_once("://") {
        Some((scheme, _)) if scheme.chars().all(is_in_scheme) => redact_connection(text),
        Some(_) | None => REDACTED.to_owned(),
    }
}

/// `scheme://user:password@host` without its password, which may hold any sign: up to the last `@`. Connection texts that name a password
/// among other things go as a whole.
fn redact_connection(text: &str) -> String {
    if names_secret(text) {
        return REDACTED.to_owned();
    }
    let parts = text.split_once("://").and_then(|(scheme, rest)| {
        let (credentials, host) = rest.rsplit_once('@')?;
        Some((scheme, credentials.split_once(':')?.0, host))
    });
    match parts {
        Some((scheme, user, host)) => format!("{scheme}://{user}:{REDACTED}@{host}"),
        None => text.to_owned(),
    }
}

/// Also where the name is written as drivers read it and people do not: with percent signs, or blanks before `=`.
fn names_secret(text: &str) -> bool {
    let mut plain = percent_decode_str(text).decode_utf8_lossy().to_lowercase();
    plain.retain(|character| !character.is_whitespace());
    SECRET_ENDS.iter().any(|end| plain.contains(&format!("{end}=")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[derive(Serialize)]
    struct Settings {
        name: &'static str,
        token_seconds: u32,
        token_endpoint: &'static str,
        database: &'static str,
        replica: &'static str,
        standby_url: &'static str,
        socket_url: &'static str,
        registry: Option<&'static str>,
        key: Secret,
        librdkafka: Vec<Table>,
    }

    #[test]
    fn no_secret_is_dumped_and_all_else_is() {
        let settings = Settings {
            name: "plant 7",
            token_seconds: 30,
            token_endpoint: "https://login.example/token",
            database: "postgres://filer:tr0ub4dor/@tr0ub4dor@db.example:5432/files",
            replica: "host=db.example Password = tr0ub4dor",
            standby_url: "postgres://db.example/files?pass%77ord=tr0ub4dor",
            socket_url: "user=filer application_name=tr0ub4dor",
            registry: Some("http://registry.example/v7"),
            key: Secret::new("tr0ub4dor"),
            librdkafka: vec![toml::from_str("'sasl.password' = 'tr0ub4dor'\n'linger.ms' = '5'\nssl.Key-Password = ['tr0ub4dor']").unwrap()],
        };
        let dump = redacted_dump(&settings).unwrap();
        assert!(!dump.contains("tr0ub4dor"), "{dump}");
        for kept in [
            r#"name = "plant 7""#,
            "token_seconds = 30",
            r#"token_endpoint = "https://login.example/token""#,
            r#"database = "postgres://filer:[redacted]@db.example:5432/files""#,
            r#"replica = "[redacted]""#,
            r#"standby_url = "[redacted]""#,
            r#"registry = "http://registry.example/v7""#,
            r#"key = "[redacted]""#,
            r#""linger.ms" = "5""#,
        ] {
            assert!(dump.contains(kept), "{kept} in\n{dump}");
        }
    }
}
