//! `[sink]`.

use std::num::NonZeroUsize;

use scoresync_kafka::FirstStart;
use serde::{Deserialize, Serialize};

/// `[sink]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SinkSettings {
    /// Records that one transaction takes at most. A smaller batch never waits for more.
    pub max_batch_records: NonZeroUsize,
    /// Bytes that one batch takes at most, in MiB.
    pub max_batch_mib: NonZeroUsize,
    /// Where a first start begins, when the archive has no position yet.
    pub first_start: FirstStart,
}

impl Default for SinkSettings {
    fn default() -> Self {
        Self {
            max_batch_records: const { NonZeroUsize::new(5_000).unwrap() },
            max_batch_mib: const { NonZeroUsize::new(8).unwrap() },
            first_start: FirstStart::default(),
        }
    }
}
