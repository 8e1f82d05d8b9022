//! The address of a database. One with a password in it is a secret: it comes from the environment, never from the configuration file.

use figment::value::Value;
use serde::{Deserialize, Deserializer, de::Error};

use crate::{layers, redacted_dump::holds_secret};

/// The problem with an address whose password does not come from the environment.
pub(crate) const PASSWORD_IN_FILE: &str = "an address with a password must not be written here";

/// The problem with an address in the file of which nobody can say whether a password is in it.
pub(crate) const NO_URL_IN_FILE: &str = "an address must be written as postgresql://user@host:port/database here";

const NO_ADDRESS: &str = "expected an address: postgresql://user@host:port/database";

/// Reads an address, for `#[serde(deserialize_with)]`; the setting of the password is expected beside it, as `password`.
///
/// The file holds URLs alone; the environment may hold `host=… user=…` as well.
///
/// # Errors
/// No address; in the configuration file also a password or another form than a URL. The errors do not quote the address.
pub fn connection_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let no_address = || D::Error::custom(NO_ADDRESS);
    // Errors of the value itself could quote it.
    let value = <Value as Deserialize>::deserialize(deserializer).map_err(|_| no_address())?;
    let address = value.as_str().ok_or_else(no_address)?;
    let is_url = ["postgresql://", "postgres://"].iter().any(|scheme| address.starts_with(scheme));
    let is_from_file = !layers::is_from_environment(value.tag());
    if !is_url && !address.contains('=') {
        return Err(no_address());
    }
    if is_from_file && !is_url {
        return Err(D::Error::custom(NO_URL_IN_FILE));
    }
    if is_from_file && holds_secret(address) {
        return Err(D::Error::custom(PASSWORD_IN_FILE));
    }
    Ok(address.to_owned())
}
