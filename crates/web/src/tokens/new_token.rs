//! Making a token: for the one who will send it, and its hash for the configuration.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// Begins every token, so that scanners of leaked secrets know one when they see it.
const PREFIX: &str = "ss_";

/// A token that exists nowhere else yet. It has no `Debug`, as it is to be shown once, to the one who will send it.
pub struct NewToken {
    /// The token: 256 random bits.
    pub text: String,
    /// What goes into the configuration as `tokens.NAME.sha256`.
    pub sha256: String,
}

/// Makes a token from a generator fit for secrets, which the system seeds.
#[must_use]
pub fn new_token() -> NewToken {
    let random: [u8; 32] = rand::random();
    let text = format!("{PREFIX}{}", hexadecimal(&random));
    NewToken {
        sha256: hexadecimal(&Sha256::digest(&text)),
        text,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
