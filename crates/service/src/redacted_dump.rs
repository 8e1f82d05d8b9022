//! The effective settings as text for the log at start, without secrets.

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

/// The settings as TOML. Redacted are each [`Secret`](crate::Secret), each text whose key ends like one, and passwords in URLs.
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
        let key = key.to_lowercase();
        redact(value, SECRET_ENDS.iter().any(|end| key.ends_with(end)));
    }
}

fn redact(value: &mut Value, is_secret: bool) {
    match value {
        Value::String(text) if is_secret => REDACTED.clone_into(text),
        Value::String(text) => *text = redact_connection(text),
        Value::Array(elements) => elements.iter_mut().for_each(|element| redact(element, is_secret)),
        Value::Table(table) => redact_table(table),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

/// Whether something of the text would not be shown.
pub(crate) fn holds_secret(text: &str) -> bool {
    redact_connection(text) != text
}

/// `scheme://user:password@host` without its password, which may hold any sign: up to the last `@`. Connection texts that name a password
/// among other things go as a whole.
fn redact_connection(text: &str) -> String {
    let lower_case = text.to_lowercase();
    if SECRET_ENDS.iter().any(|end| lower_case.contains(&format!("{end}="))) {
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
            replica: "host=db.example Password=tr0ub4dor",
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
            r#"registry = "http://registry.example/v7""#,
            r#"key = "[redacted]""#,
            r#""linger.ms" = "5""#,
        ] {
            assert!(dump.contains(kept), "{kept} in\n{dump}");
        }
    }
}
