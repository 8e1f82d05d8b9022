//! TLS, logins and rights as `docs/security.md` describes them, on a Kafka and a PostgreSQL of the tests' own that demand them.

mod authority;
mod broker;
mod least_rights;
mod logins;
mod missing_rights;
mod place;
mod postgres;
mod rights;
mod tokens;
