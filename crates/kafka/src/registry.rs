//! The schema registry: which schemas our subjects have, and registering them. HTTP is `schema_registry_converter`'s.

use std::time::Duration;

use schema_registry_converter::{
    async_impl::schema_registry::{SrSettings, get_all_versions, get_schema_by_subject_and_version, is_compatible_schema, post_schema},
    error::SRCError,
    schema_registry_common::{RawError, SchemaType, SuppliedSchema},
};
use serde::Serialize;
use tokio::time::timeout;

use crate::settings::RegistrySettings;

/// A connection to the registry; cheap to clone.
#[derive(Clone)]
pub struct Registry {
    calls: SrSettings,
    http: reqwest::Client,
    settings: RegistrySettings,
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
    /// Where the settings make no HTTP client.
    pub fn new(settings: &RegistrySettings) -> Result<Self, RegistryError> {
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
        let url = format!("{}/config/{subject}", self.settings.url.trim_end_matches('/'));
        let body = serde_json::json!({ "compatibility": compatibility });
        let mut request = self.http.put(url).json(&body);
        if let Some(username) = &self.settings.username {
            request = request.basic_auth(username, self.settings.password.as_ref().map(|password| password.expose()));
        }
        let answer = request
            .send()
            .await
            .map_err(|error| self.unavailable(&action, error.without_url().to_string()))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status if status.is_server_error() || status.as_u16() == 429 => Err(self.unavailable(&action, status.to_string())),
            status => Err(self.refused(&action, status.to_string())),
        }
    }

    /// A call that hangs in spite of its own time-out ends here.
    async fn bounded<T>(&self, action: &str, call: impl Future<Output = T>) -> Result<T, RegistryError> {
        let limit = self.settings.timeout() + Duration::from_secs(1);
        timeout(limit, call)
            .await
            .map_err(|_| self.unavailable(action, format!("no answer within {limit:?}")))
    }

    fn error(&self, action: &str, error: &SRCError) -> RegistryError {
        let answer = std::error::Error::source(error).and_then(|source| source.downcast_ref::<RawError>());
        let problem = answer.map_or_else(|| error.error.clone(), |answer| format!("{} ({})", error.error, answer.message));
        match status(error) {
            Some(401 | 403 | 404 | 405 | 409 | 422) => self.refused(action, problem),
            _ => self.unavailable(action, problem),
        }
    }

    fn unavailable(&self, action: &str, problem: String) -> RegistryError {
        RegistryError::Unavailable {
            url: self.settings.url.clone(),
            action: action.to_owned(),
            problem,
        }
    }

    fn refused(&self, action: &str, problem: String) -> RegistryError {
        RegistryError::Refused {
            url: self.settings.url.clone(),
            action: action.to_owned(),
            problem,
        }
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
