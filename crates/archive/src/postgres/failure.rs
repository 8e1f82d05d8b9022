//! Which kind of failure an error of PostgreSQL, its driver or the pool is.

use std::{error::Error as _, io};

use deadpool_postgres::{HookError, PoolError};
use tokio_postgres::{
    Error,
    error::{DbError, SqlState},
};

use crate::error::{DatabaseError, Failure};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Some(said) = error.as_db_error() {
            return by_state(said);
        }
        let because = error.source().map(|source| format!("{error}: {source}"));
        let mut text = because.unwrap_or_else(|| error.to_string());
        if text.starts_with("error performing TLS handshake") {
            text.push_str("; check archive.postgres.ca_file, and that its url names the server as the server's certificate does");
        }
        let cause = DatabaseError::new(text);
        if error.is_closed() || is_about_the_network(&error) {
            Self::Transient(cause)
        } else {
            Self::Environment(cause)
        }
    }
}

/// A server that cannot be reached or stops answering; a certificate or password that is wrong has another cause.
fn is_about_the_network(error: &Error) -> bool {
    let io_error = error.source().is_some_and(|source| source.is::<io::Error>());
    // The driver has no other way to tell a time-out or a name that cannot be looked up from a wrong configuration.
    let text = error.to_string();
    io_error || text.starts_with("timeout") || text.starts_with("error connecting")
}

/// The message without its detail: that quotes the values of rows.
fn by_state(said: &DbError) -> Failure {
    let cause = DatabaseError {
        code: Some(said.code().code().to_owned()),
        text: said.message().to_owned() + advice(said.code()),
    };
    let code = said.code();
    let transient = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::IDLE_SESSION_TIMEOUT,
    ];
    let class = code.code().get(..2).unwrap_or_default();
    if transient.contains(code) || ["08", "40", "53", "58"].contains(&class) {
        Failure::Transient(cause)
    } else if ["22", "23", "54"].contains(&class) {
        // 54 is a row that does not fit into an index.
        Failure::Rejected(cause)
    } else {
        Failure::Environment(cause)
    }
}

/// What a person can do about a refused login or right. Which of the two it is that a server asks for, encryption or a known user, it says.
fn advice(code: &SqlState) -> &'static str {
    if *code == SqlState::INVALID_PASSWORD {
        "; check archive.postgres.password and the user in its url"
    } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        "; where the server asks for encryption, set archive.postgres.tls = \"verify-full\""
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        "; docs/security.md has the rights of each role"
    } else {
        ""
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => error.into(),
            PoolError::Timeout(_) => Self::Transient(DatabaseError::new("no connection was to be had in time")),
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(HookError::Message(_)) => {
                Self::environment(error.to_string())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_is_not_there_is_transient() {
        let nobody_listens = "host=127.0.0.1 port=1 user=nobody connect_timeout=2";
        let error = tokio_postgres::connect(nobody_listens, tokio_postgres::NoTls).await.err();
        assert!(matches!(error.map(Failure::from), Some(Failure::Transient(_))));
    }
}
