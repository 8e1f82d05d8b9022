//! `[desk]`.

use std::{net::SocketAddr, num::NonZeroU32};

use scoresync_kafka::FirstStart;
use serde::{Deserialize, Serialize};

/// `[desk]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeskSettings {
    /// So many tries a report is worth, the first one included: with fewer it is redriven, by the desk or by a person.
    pub max_attempts: NonZeroU32,
    /// So many letters are redriven in a second at most.
    pub redrives_per_second: NonZeroU32,
    /// Where the desk's HTTP interface listens; nowhere, where it is left out. It speaks plain HTTP: other machines are to reach it through
    /// something that ends TLS. Port 0 takes a free one.
    pub listen: Option<SocketAddr>,
    /// Where a first start begins, when the archive has no position of the desk yet.
    pub first_start: FirstStart,
}

impl Default for DeskSettings {
    fn default() -> Self {
        Self {
            max_attempts: const { NonZeroU32::new(5).unwrap() },
            redrives_per_second: const { NonZeroU32::new(5_000).unwrap() },
            listen: None,
            first_start: FirstStart::default(),
        }
    }
}
