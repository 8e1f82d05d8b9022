//! What the demo and the end-to-end tests share: a company with the truth about it, and handles on the program and its surroundings.
//!
//! A test usually takes [`stack::Stack::of_environment`], lays out an [`installation::Installation`] in a temporary folder, starts a
//! [`process::Process`], sends with [`sender::Postman`], waits with [`settle::settle`], and looks with [`topics::Topics`],
//! [`archive::Reader`], [`metrics::Metrics`], or at everything at once with [`verdict::Verdict`].

pub mod archive;
pub mod books;
pub mod chaos;
pub mod company;
pub mod configuration;
pub mod hostile;
pub mod installation;
pub mod interruption;
pub mod letter_limit;
pub mod metrics;
mod owned;
pub mod ports;
pub mod process;
mod schema;
pub mod sender;
pub mod settle;
pub mod stack;
pub mod topics;
pub mod verdict;
