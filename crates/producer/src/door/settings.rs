//! The settings of the HTTP door (`[door]`).

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use scoresync_domain::Problem;
use scoresync_kafka::TopicSettings;
use serde::{Deserialize, Serialize};

use crate::{format::Limits, intake::max_value_bytes};

/// `[door]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DoorSettings {
    /// Where to listen. It speaks plain HTTP: other machines are to reach it through something that ends TLS. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Connections that are open at once. For a further one, the one that has been without a request longest is closed; where all have
    /// requests in hand it waits until one ends.
    pub max_connections: NonZeroU32,
    /// Requests whose reports are received at once; further ones wait for up to half a second and are then answered 429.
    pub max_concurrent_requests: NonZeroU32,
    /// Greatest body of JSON or XML, in MiB. NDJSON and CSV are read on without an end.
    pub max_body_mib: NonZeroU32,
    /// Greatest row, in KiB. `topics.max_message_bytes` must be a little more than twice as much.
    pub max_row_kib: NonZeroU32,
    /// Rows of one request.
    pub max_rows: NonZeroU64,
    /// Rows of one request that are on their way to the broker at once; the body is read on when there are less. Times
    /// `max_concurrent_requests` it must fit into the producer's queue (librdkafka's `queue.buffering.max.messages`, 100000), or large
    /// bodies crowd out small ones.
    pub max_rows_in_flight: NonZeroU32,
    /// How long the head of a request may take, and a connection may be idle, in seconds.
    pub header_timeout_seconds: NonZeroU32,
    /// How long a piece of a body may let wait for itself, in seconds.
    pub read_timeout_seconds: NonZeroU32,
    /// How long the broker may take to acknowledge, in seconds; after that the answer is 503.
    pub acknowledge_timeout_seconds: NonZeroU32,
    /// How long bodies may go on arriving when the process is to end, in seconds. With `acknowledge_timeout_seconds` it must stay a little
    /// below `shutdown.deadline_seconds`.
    pub drain_seconds: NonZeroU32,
}

impl Default for DoorSettings {
    fn default() -> Self {
        let number = |number: u32| NonZeroU32::MIN.saturating_add(number - 1);
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8080).into(),
            max_connections: number(1024),
            max_concurrent_requests: number(64),
            max_body_mib: number(32),
            max_row_kib: number(256),
            max_rows: number(5_000_000).into(),
            max_rows_in_flight: number(1024),
            header_timeout_seconds: number(30),
            read_timeout_seconds: number(30),
            acknowledge_timeout_seconds: number(15),
            drain_seconds: number(8),
        }
    }
}

impl DoorSettings {
    /// Whether whatever row is taken, at the door or from a file, can be a record of the topic.
    ///
    /// # Errors
    /// The setting that does not fit.
    pub fn check(&self, topics: &TopicSettings) -> Result<(), Problem> {
        self.check_room(max_value_bytes(topics))
    }

    pub(super) fn check_room(&self, max_value_bytes: usize) -> Result<(), Problem> {
        let needed = self.row_limits().max_report_bytes();
        if needed <= max_value_bytes {
            return Ok(());
        }
        Err(Problem {
            setting: "door.max_row_kib".to_owned(),
            explanation: format!(
                "is too large for topics.max_message_bytes: the report of such a row can have {needed} bytes where {max_value_bytes} are \
                 allowed; lower it, or raise that"
            ),
        })
    }

    pub(super) fn max_body_bytes(&self) -> u64 {
        u64::from(self.max_body_mib.get()) * 1024 * 1024
    }

    /// How much a row may hold, at the door and in a file.
    #[must_use]
    pub fn row_limits(&self) -> Limits {
        Limits {
            max_row_bytes: number(self.max_row_kib).saturating_mul(1024),
            ..Limits::default()
        }
    }
}

/// A setting as a count of things in memory.
pub(super) fn number(setting: NonZeroU32) -> usize {
    usize::try_from(setting.get()).unwrap_or(usize::MAX)
}

/// A setting in seconds as a time.
pub(super) fn seconds(setting: NonZeroU32) -> Duration {
    Duration::from_secs(setting.get().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, is_usable: bool) {
        assert_eq!(toml::from_str::<DoorSettings>(text).is_ok(), is_usable, "{text}");
    }

    #[test]
    fn settings_that_do_not_exist_or_make_no_sense_are_refused() {
        check("", true);
        check("listen = '[::1]:0'\nmax_rows = 1", true);
        check("max_row = 1", false);
        check("max_body_mib = 0", false);
        check("read_timeout_seconds = -1", false);
        check("listen = 'localhost'", false);
    }

    #[test]
    fn a_row_that_may_be_larger_than_the_topic_takes_is_a_problem_of_the_settings() {
        let check = |max_row_kib: u32, is_usable: bool| {
            let settings = DoorSettings {
                max_row_kib: max_row_kib.try_into().unwrap(),
                ..DoorSettings::default()
            };
            let checked = settings.check(&TopicSettings::default());
            assert_eq!(checked.is_ok(), is_usable, "{max_row_kib}: {checked:?}");
            assert!(checked.err().is_none_or(|problem| problem.setting == "door.max_row_kib"));
        };
        check(256, true);
        check(500, true);
        check(512, false);
        check(4096, false);
        check(u32::MAX, false);
    }

    #[test]
    fn by_default_requests_together_do_not_fill_the_queue_of_the_producer() {
        let settings = DoorSettings::default();
        assert!(number(settings.max_rows_in_flight) * number(settings.max_concurrent_requests) < 100_000);
    }

    #[test]
    fn a_row_of_a_file_may_hold_what_it_may_at_the_door() {
        let mut door = DoorSettings::default();
        assert_eq!(door.row_limits(), Limits::default());
        door.max_row_kib = 600.try_into().unwrap();
        assert_eq!(door.row_limits().max_row_bytes, 600 * 1024);
    }
}
