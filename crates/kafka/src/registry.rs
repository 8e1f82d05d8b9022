//! The schema registry: which schemas our subjects have, and registering them. HTTP is `schema_registry_converter`'s.

use std::time::Duration;

use reqwest::StatusCode;
use schema_registry_converter::{
    async_impl::schema_registry::{SrSettings, get_all_versions, get_schema_by_subject_and_version, is_compatible_schema, post_schema},
    error::SRCError,
    schema_registry_common::{RawError, SchemaType, SuppliedSchema},
};
use serde::Serialize;
use tokio::time::{sleep, timeout};

use crate::settings::RegistrySettings;

/// How often a registry may say that somebody else is in the way, and how long that takes.
const CONFLICTS: usize = 5;
const AFTER_CONFLICT: Duration = Duration::from_millis(200);

/// A connection to the registry; cheap to clone.
#[derive(Clone)]
pub struct Registry {
    calls: SrSettings,
    http: reqwest::Client,
    settings: RegistrySettings,
    /// Its address as it is shown.
    address: String,
}

/// One version that a subject has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectVersion {
    /// The id that values carry.
    pub schema_id: u32,
    /// Number of the version in its subject.
    pub version: u32,
    /// The schema's text as the registry gives it.
    pub schema: String,
}

/// What a subject asks of new versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Compatibility {
    /// Old and new readers read old and new data.
    FullTransitive,
    /// New readers read all old data.
    BackwardTransitive,
}

/// Why the registry did not answer as asked.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It could not be reached, was too slow, or had a fault of its own: try again.
    #[error("the schema registry at {url} could not {action}: {problem}")]
    Unavailable {
        /// Its address.
        url: String,
        /// What was attempted.
        action: String,
        /// Its answer, without bodies.
        problem: String,
    },
    /// It answered that this must not be: a person must act.
    #[error("the schema registry at {url} refused to {action}: {problem}")]
    Refused {
        /// Its address.
        url: String,
        /// What was attempted.
        action: String,
        /// Its answer, without bodies.
        problem: String,
    },
    /// The settings do not make an HTTP client.
    #[error("the settings of the schema registry cannot be used: {0}")]
    Settings(String),
}

impl Registry {
    /// Prepares calls; nothing is sent yet.
    ///
    /// # Errors
    /// Where the settings make no HTTP client, or a password stands in the address.
    pub fn new(settings: &RegistrySettings) -> Result<Self, RegistryError> {
        let address = address(&settings.url)?;
        let mut builder = SrSettings::new_builder(settings.url.trim_end_matches('/').to_owned());
        builder.set_timeout(settings.timeout());
        if let Some(username) = &settings.username {
            builder.set_basic_authorization(username, settings.password.as_ref().map(|password| password.expose()));
        }
        let calls = builder.build().map_err(|error| RegistryError::Settings(error.error))?;
        let http = reqwest::Client::builder().timeout(settings.timeout()).build();
        let http = http.map_err(|error| RegistryError::Settings(error.without_url().to_string()))?;
        Ok(Self {
            calls,
            http,
            settings: settings.clone(),
            address,
        })
    }

    /// All versions of a subject; none where the registry does not know it.
    ///
    /// # Errors
    /// Where the registry does not answer.
    pub async fn versions(&self, subject: &str) -> Result<Vec<SubjectVersion>, RegistryError> {
        let action = format!("list the versions of {subject}");
        let numbers = match self.bounded(&action, get_all_versions(&self.calls, subject.to_owned())).await? {
            Err(error) if status(&error) == Some(404) => return Ok(Vec::new()),
            answer => answer.map_err(|error| self.error(&action, &error))?,
        };
        let mut versions = Vec::with_capacity(numbers.len());
        for version in numbers {
            let call = get_schema_by_subject_and_version(&self.calls, subject, Some(version));
            let found = self.bounded(&action, call).await?.map_err(|error| self.error(&action, &error))?;
            versions.push(SubjectVersion {
                schema_id: found.id,
                version,
                schema: found.schema,
            });
        }
        Ok(versions)
    }

    /// Registers a schema (the same one again changes nothing) and gives its id.
    ///
    /// # Errors
    /// Where the registry does not answer, or the schema is not compatible with the subject's other versions.
    pub async fn register(&self, subject: &str, schema: &str) -> Result<u32, RegistryError> {
        let action = format!("register a schema for {subject}");
        let call = post_schema(&self.calls, subject.to_owned(), avro(schema));
        let registered = self.bounded(&action, call).await?.map_err(|error| self.error(&action, &error))?;
        Ok(registered.id)
    }

    /// Whether the subject would take the schema.
    ///
    /// # Errors
    /// Where the registry does not answer.
    pub async fn is_compatible(&self, subject: &str, schema: &str) -> Result<bool, RegistryError> {
        let action = format!("compare a schema with {subject}");
        let call = is_compatible_schema(&self.calls, subject.to_owned(), avro(schema));
        self.bounded(&action, call).await?.map_err(|error| self.error(&action, &error))
    }

    /// Sets what the subject asks of new versions.
    ///
    /// # Errors
    /// Where the registry does not answer or does not allow it.
    pub async fn set_compatibility(&self, subject: &str, compatibility: Compatibility) -> Result<(), RegistryError> {
        let action = format!("set the compatibility of {subject}");
        let mut status = self.put_compatibility(subject, compatibility, &action).await?;
        for _ in 0..CONFLICTS {
            if status != StatusCode::CONFLICT {
                break;
            }
            // Somebody sets it at this moment, too.
            sleep(AFTER_CONFLICT).await;
            status = self.put_compatibility(subject, compatibility, &action).await?;
        }
        if status.is_success() {
            Ok(())
        } else if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            Err(self.unavailable(&action, status.to_string()))
        } else {
            Err(self.refused(&action, status.to_string()))
        }
    }

    async fn put_compatibility(&self, subject: &str, compatibility: Compatibility, action: &str) -> Result<StatusCode, RegistryError> {
        let url = format!("{}/config/{subject}", self.settings.url.trim_end_matches('/'));
        let body = serde_json::json!({ "compatibility": compatibility });
        let mut request = self.http.put(url).json(&body);
        if let Some(username) = &self.settings.username {
            request = request.basic_auth(username, self.settings.password.as_ref().map(|password| password.expose()));
        }
        let answer = request.send().await;
        answer
            .map(|answer| answer.status())
            .map_err(|error| self.unavailable(action, reason(&error)))
    }

    /// A call that hangs in spite of its own time-out ends here.
    async fn bounded<T>(&self, action: &str, call: impl Future<Output = T>) -> Result<T, RegistryError> {
        let limit = self.settings.timeout() + Duration::from_secs(1);
        timeout(limit, call)
            .await
            .map_err(|_| self.unavailable(action, format!("no answer within {limit:?}")))
    }

    fn error(&self, action: &str, error: &SRCError) -> RegistryError {
        let source = std::error::Error::source(error);
        let answer = source
            .and_then(|source| source.downcast_ref::<RawError>())
            .map(|answer| answer.message.clone());
        let failure = || source.and_then(|source| source.downcast_ref::<reqwest::Error>()).map(reason);
        let problem = match answer.or_else(failure) {
            Some(more) => format!("{} ({more})", error.error),
            None => error.error.clone(),
        };
        match status(error) {
            Some(401 | 403 | 404 | 405 | 409 | 422) => self.refused(action, problem),
            _ => self.unavailable(action, problem),
        }
    }

    fn unavailable(&self, action: &str, problem: String) -> RegistryError {
        RegistryError::Unavailable {
            url: self.address.clone(),
            action: action.to_owned(),
            problem,
        }
    }

    fn refused(&self, action: &str, problem: String) -> RegistryError {
        RegistryError::Refused {
            url: self.address.clone(),
            action: action.to_owned(),
            problem,
        }
    }
}

/// The registry's address as it may be shown: without a query, which can hold a key.
fn address(url: &str) -> Result<String, RegistryError> {
    let refused = |problem: &str| RegistryError::Settings(problem.to_owned());
    let url = reqwest::Url::parse(url).map_err(|_| refused("registry.url is no URL such as https://registry.example:8081"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("registry.url begins with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused(
            "registry.url holds a user name or a password; leave them out of it, and set registry.username and registry.password",
        ));
    }
    Ok(format!(
        "{}{}",
        url.origin().ascii_serialization(),
        url.path().trim_end_matches('/')
    ))
}

/// What kept a request from being answered: the library says "error sending request", and the rest in its sources. The URL is in none of them.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time; registry.timeout_ms says how long it is waited for".to_owned();
    }
    let sources = std::iter::successors(std::error::Error::source(error), |source| source.source());
    let mut texts: Vec<String> = sources.map(ToString::to_string).collect();
    texts.dedup();
    match texts.is_empty() {
        true if error.is_decode() => "the answer is not what a registry says".to_owned(),
        true => "the request could not be sent".to_owned(),
        false => texts.join(": "),
    }
}

fn avro(schema: &str) -> SuppliedSchema {
    SuppliedSchema::new(None, SchemaType::Avro, schema.to_owned())
}

/// The HTTP status, which the library tells in its message alone.
fn status(error: &SRCError) -> Option<u16> {
    let (_, after) = error.error.split_once("with status ")?;
    after.get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    fn settings(url: &str) -> RegistrySettings {
        RegistrySettings {
            url: url.to_owned(),
            timeout_ms: 200,
            ..RegistrySettings::default()
        }
    }

    #[test]
    fn an_address_with_a_login_or_of_another_kind_is_refused_without_being_shown() {
        for (url, part) in [
            ("http://u:SECRETPW@localhost:1", "registry.password"),
            ("http://SECRETPW@localhost:1", "registry.username"),
            ("SECRETPW", "no URL"),
            ("ftp://localhost/SECRETPW", "begins with http"),
        ] {
            let error = Registry::new(&settings(url)).err().unwrap();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(part) && !shown.contains("SECRETPW"), "{shown}");
        }
    }

    /// What both ways of asking say of a registry at this address.
    async fn problems(url: &str) -> [String; 2] {
        let registry = Registry::new(&settings(url)).unwrap();
        let listed = registry.versions("s").await.unwrap_err().to_string();
        let set = registry.set_compatibility("s", Compatibility::FullTransitive).await.unwrap_err();
        [listed, set.to_string()]
    }

    #[tokio::test]
    async fn an_unanswered_request_says_what_kept_it_from_being_answered() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for problem in problems(&format!("http://{closed}/?key=SECRETKEY")).await {
            assert!(problem.contains(&closed.to_string()), "{problem}");
            assert!(problem.contains("refused") && !problem.contains("SECRETKEY"), "{problem}");
        }
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        for problem in problems(&format!("http://{}", silent.local_addr().unwrap())).await {
            assert!(problem.contains("no answer in time"), "{problem}");
        }
        let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = plain.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in plain.incoming() {
                let mut stream = stream.unwrap();
                drop(stream.read(&mut [0; 1024]));
                drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
            }
        });
        for problem in problems(&format!("https://{address}")).await {
            assert!(problem.to_lowercase().contains("ssl"), "{problem}");
        }
    }
}
