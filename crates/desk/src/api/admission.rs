//! Who is let in. What a handler takes is read from left to right: one of these comes first, so that nothing is read for anybody else.

use axum::{extract::FromRequestParts, http::request::Parts};
use scoresync_web::{Problem, Right};

use super::{Counter, refusal::Refused};

/// Whose token has the right to look.
pub(super) struct Looker {
    /// Whether it has the right to resolve, too.
    pub(super) may_resolve: bool,
}

/// Whose token has the right to resolve: the name of who does what is done.
pub(super) struct Resolver(pub(super) String);

impl FromRequestParts<Counter> for Looker {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, counter: &Counter) -> Result<Self, Refused> {
        admit((parts, counter), Right::Look)?;
        Ok(Self {
            may_resolve: admit((parts, counter), Right::Resolve).is_ok(),
        })
    }
}

impl FromRequestParts<Counter> for Resolver {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, counter: &Counter) -> Result<Self, Refused> {
        Ok(Self(admit((parts, counter), Right::Resolve)?))
    }
}

fn admit((parts, counter): (&Parts, &Counter), right: Right) -> Result<String, Problem> {
    let token = counter.tokens.authorise(&parts.headers, right)?;
    Ok(format!("token {}", token.name()))
}
