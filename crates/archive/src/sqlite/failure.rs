//! Which kind of failure an error of SQLite is.

use rusqlite::{Error, ErrorCode};

use crate::error::{DatabaseError, Failure};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let Error::SqliteFailure(code, text) = &error else {
            return Self::environment(error.to_string());
        };
        let cause = DatabaseError {
            code: Some(code.extended_code.to_string()),
            text: text.clone().unwrap_or_else(|| code.to_string()),
        };
        let is = |codes: &[ErrorCode]| codes.contains(&code.code);
        if is(&[ErrorCode::ConstraintViolation, ErrorCode::TooBig, ErrorCode::TypeMismatch]) {
            Self::Rejected(cause)
        } else if is(&[ErrorCode::DatabaseBusy, ErrorCode::DatabaseLocked, ErrorCode::OperationInterrupted]) {
            Self::Transient(cause)
        } else {
            Self::Environment(cause)
        }
    }
}
