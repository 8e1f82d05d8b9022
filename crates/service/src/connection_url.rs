//! Addresses of servers. One with a password in it is a secret: it comes from the environment, never from the configuration file.

use figment::value::Value;
use serde::{Deserialize, Deserializer, de::Error};

use crate::{layers, redacted_dump::holds_secret};

/// The problem with an address whose password does not come from the environment.
pub(crate) const PASSWORD_IN_FILE: &str = "an address with a password must not be written here";

/// Reads an address, for `#[serde(deserialize_with)]`; the setting of the password is expected beside it, as `password`.
///
/// # Errors
/// No text, or a password in the configuration file. The errors do not quote the address.
pub fn connection_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let no_address = || D::Error::custom("expected an address as text");
    // Errors of the value itself could quote it.
    let value = <Value as Deserialize>::deserialize(deserializer).map_err(|_| no_address())?;
    let address = value.as_str().ok_or_else(no_address)?;
    if holds_secret(address) && !layers::is_from_environment(value.tag()) {
        return Err(D::Error::custom(PASSWORD_IN_FILE));
    }
    Ok(address.to_owned())
}
