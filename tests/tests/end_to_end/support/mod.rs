//! What the tests of this folder share beside the harness.

pub(crate) mod academy;
mod books;
mod foreign;
mod http;
mod letters;
mod load;
mod python;
mod readiness;
mod scene;
mod stages;
mod truth;
mod wait;

pub(crate) use books::{audit, balance, balance_and_nothing_is_in_flight, is_named};
pub(crate) use foreign::{Bytes, Foreign};
pub(crate) use http::{Answer, Http};
pub(crate) use letters::state_of_letter;
pub(crate) use load::{Load, Sent};
pub(crate) use python::python;
pub(crate) use readiness::{NotReady, readiness};
pub(crate) use scene::Scene;
pub(crate) use stages::{end, ready, start};
pub(crate) use truth::assert_every_fate_is_true;
pub(crate) use wait::until;

use std::time::Duration;

/// For a process to become ready, on a busy machine.
pub(crate) const START: Duration = Duration::from_secs(60);
/// For a process to end when asked to; longer than its own deadline.
pub(crate) const STOP: Duration = Duration::from_secs(40);
/// For everything that was sent to come to a fate, a group's wait for a killed member included.
pub(crate) const SETTLE: Duration = Duration::from_secs(120);
