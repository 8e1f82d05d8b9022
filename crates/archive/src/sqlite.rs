//! The embedded archive: one file, one writer, any number of readers.

mod apply;
mod connection;
mod employees;
mod failure;
mod letters;
mod load;
mod read;
mod rows;

pub use connection::SqliteArchive;
