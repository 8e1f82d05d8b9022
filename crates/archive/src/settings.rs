//! The archive's part of the configuration file.

use std::path::PathBuf;

use scoresync_service::Secret;
use serde::{Deserialize, Serialize};

/// Which database holds the training records: PostgreSQL where it is configured, otherwise the embedded SQLite.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ArchiveSettings {
    /// The embedded database.
    pub sqlite: SqliteSettings,
    /// The database of a larger installation.
    pub postgres: Option<PostgresSettings>,
}

/// The embedded database: one file, one sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SqliteSettings {
    /// The database's file. Beside it are its journal and a lock file.
    pub path: PathBuf,
}

impl Default for SqliteSettings {
    fn default() -> Self {
        Self {
            path: PathBuf::from("scoresync.db"),
        }
    }
}

/// A PostgreSQL server.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresSettings {
    /// `postgresql://user@host:port/database`. It holds no password: that is `password`, or in the URL of the environment alone.
    #[serde(deserialize_with = "scoresync_service::connection_url")]
    pub url: String,
    /// The user's password, from the environment or a file of its own.
    #[serde(default)]
    pub password: Option<Secret>,
    /// How the connection is encrypted; where nothing is said, it is verified unless the server is this machine.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// PEM file of the authority that signed the server's certificate; otherwise the system's authorities.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Connections at most, but for the one or two of a sink's writing thread.
    #[serde(default = "defaults::pool_size")]
    pub pool_size: usize,
    /// Longest wait for a connection.
    #[serde(default = "defaults::connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// Longest run of one statement, ended by the server.
    #[serde(default = "defaults::statement_timeout_ms")]
    pub statement_timeout_ms: u64,
    /// Longest wait for a lock.
    #[serde(default = "defaults::lock_timeout_ms")]
    pub lock_timeout_ms: u64,
    /// Longest pause inside a transaction: how long a frozen sink can hold up its successor.
    #[serde(default = "defaults::idle_in_transaction_timeout_ms")]
    pub idle_in_transaction_timeout_ms: u64,
}

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// Not at all.
    Disable,
    /// Encrypted, the certificate and the server's name verified.
    VerifyFull,
}

impl PostgresSettings {
    /// The settings for one server, all else as it is where nothing is said.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            password: None,
            tls: None,
            ca_file: None,
            pool_size: defaults::pool_size(),
            connect_timeout_ms: defaults::connect_timeout_ms(),
            statement_timeout_ms: defaults::statement_timeout_ms(),
            lock_timeout_ms: defaults::lock_timeout_ms(),
            idle_in_transaction_timeout_ms: defaults::idle_in_transaction_timeout_ms(),
        }
    }
}

impl std::fmt::Debug for PostgresSettings {
    /// Everything but the URL, which may hold a password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PostgresSettings")
            .field("tls", &self.tls)
            .field("ca_file", &self.ca_file)
            .field("pool_size", &self.pool_size)
            .finish_non_exhaustive()
    }
}

mod defaults {
    pub(super) fn pool_size() -> usize {
        4
    }

    pub(super) fn connect_timeout_ms() -> u64 {
        10_000
    }

    pub(super) fn statement_timeout_ms() -> u64 {
        30_000
    }

    pub(super) fn lock_timeout_ms() -> u64 {
        10_000
    }

    pub(super) fn idle_in_transaction_timeout_ms() -> u64 {
        30_000
    }
}

/// What the archive is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Bringing the schema up to date, and writing. SQLite takes one writer at a time.
    Writer,
    /// Bringing the schema up to date, and writing letters, beside whoever writes records.
    Desk,
    /// Reading beside whoever writes.
    Reader,
}
