//! The archive of a larger installation: PostgreSQL, shared by any number of sinks, a partition each.

mod apply;
mod connection;
mod employees;
mod failure;
mod letters;
mod load;
mod migrate;
mod read;
mod rows;
mod transaction;

pub use connection::PostgresArchive;
