//! End to end on a real Kafka, registry and PostgreSQL: the promises, each tested by what would break it.
//!
//! `dev/test` starts a stack and names it in the environment. Every test has topics, groups, a database and ports of its own, so that
//! tests run side by side; those that stop a part of a stack start one of their own.

mod accounts;
mod configuration;
mod desk;
mod desk_api;
mod door;
mod foreign_records;
mod hostile_http;
mod import;
mod interop;
mod kill;
mod metrics;
mod outages;
mod schema_ids;
mod security;
mod shutdown;
mod support;
mod topic_changes;
