//! The bearer tokens of the doors: who may send what. Only their hashes are configured, and only their hashes are kept.

mod new_token;
mod right;
mod settings;

use axum::http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::problem::{Kind, Problem};

pub use new_token::{NewToken, new_token};
pub use right::Right;
pub use settings::{TokenSettings, TokensSettings};

/// All tokens that open the doors. Made by [`Tokens::compile`] alone.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Vec<Token>);

/// One token, without itself.
#[derive(Clone, Debug)]
pub struct Token {
    name: String,
    sha256: [u8; 32],
    sources: SourceScope,
    rights: Vec<Right>,
}

#[derive(Clone, Debug)]
enum SourceScope {
    All,
    Listed(Vec<String>),
}

impl Tokens {
    /// The token that a request carries, if it has the right.
    ///
    /// Every known hash is compared in full, so that the time it takes tells nothing of them.
    ///
    /// # Errors
    /// The answer to a request without a token, with one that nobody knows, or with one that lacks the right.
    pub fn authorise(&self, headers: &HeaderMap, right: Right) -> Result<&Token, Problem> {
        let presented: [u8; 32] = Sha256::digest(bearer(headers)?).into();
        let known = self.0.iter().fold(None, |found, token| {
            let is_same: bool = token.sha256.ct_eq(&presented).into();
            if is_same { Some(token) } else { found }
        });
        let token = known.ok_or_else(|| {
            let detail = "the token is not known here: check that it was copied whole, and that its hash is a tokens.NAME.sha256 of the configuration";
            Problem::new(Kind::UnknownToken, detail)
        })?;
        if !token.rights.contains(&right) {
            let detail = format!("the token lacks the right `{right}`: add it to the rights of the token in the configuration");
            return Err(Problem::new(Kind::Forbidden, detail));
        }
        Ok(token)
    }

    /// Whether no token is configured, so that nobody can enter.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Token {
    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it may send what `source` says.
    #[must_use]
    pub fn may_speak_for(&self, source: &str) -> bool {
        match &self.sources {
            SourceScope::All => true,
            SourceScope::Listed(names) => names.iter().any(|name| name == source),
        }
    }

    /// Whether it may speak for any source at all.
    #[must_use]
    pub fn may_speak_for_some(&self) -> bool {
        match &self.sources {
            SourceScope::All => true,
            SourceScope::Listed(names) => !names.is_empty(),
        }
    }
}

/// The credentials of `Authorization: Bearer …` (RFC 6750 section 2.1; the scheme in any case, RFC 9110 section 11.1).
fn bearer(headers: &HeaderMap) -> Result<&[u8], Problem> {
    let refused = |detail: &str| Problem::new(Kind::NoToken, detail);
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, another) = (values.next(), values.next());
    let value = value.ok_or_else(|| refused("send the token as the header `Authorization: Bearer TOKEN`"))?;
    if another.is_some() {
        return Err(refused("send one header `Authorization`, not several"));
    }
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len()).unwrap_or_default();
    let token = token.trim_ascii();
    if !scheme.eq_ignore_ascii_case(b"Bearer ") || token.is_empty() {
        return Err(refused(
            "the header `Authorization` is no bearer token: send `Authorization: Bearer TOKEN`",
        ));
    }
    Ok(token)
}

#[cfg(test)]
mod tests;
