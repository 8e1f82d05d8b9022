//! Why a table cannot be read.

use std::time::Duration;

use crate::{decoder::SchemaLookupError, error::Error};

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The broker.
    #[error("the table {topic} cannot be read")]
    Kafka {
        /// The topic.
        topic: String,
        /// The broker's reason.
        #[source]
        cause: Error,
    },
    /// The registry.
    #[error("the table {topic} cannot be read")]
    Schemas {
        /// The topic.
        topic: String,
        /// The registry's reason.
        #[source]
        cause: SchemaLookupError,
    },
    /// The end was not reached in the time given.
    #[error("the end of the table {topic} was not reached within {limit:?}")]
    TooSlow {
        /// The topic.
        topic: String,
        /// The time given.
        limit: Duration,
    },
}

impl TableError {
    /// Whether the registry may know the schema of the next record in a moment.
    pub(super) const fn is_too_new(&self) -> bool {
        matches!(
            self,
            Self::Schemas {
                cause: SchemaLookupError::TooNew { .. },
                ..
            }
        )
    }
}
