//! `/v1/dead-letters…` and `/v1/aliases…`: the desk over HTTP, for pages and programs. The document that describes it is made from this code.

mod acts;
mod admission;
mod aliases;
mod look;
mod query;
mod refusal;
mod server;

use std::sync::Arc;

use axum::{Json, Router, extract::DefaultBodyLimit, routing::get};
use scoresync_web::Tokens;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::office::{Office, Reach};

pub use server::{Api, ApiError, ApiParts};

/// Room for thousands of names of letters.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// What every request works with.
#[derive(Clone)]
struct Counter {
    office: Office,
    reach: Reach,
    tokens: Arc<Tokens>,
}

/// Whoever calls has a bearer token: the right `look` is for all that changes and reveals nothing, `resolve` for all else.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "The dead-letter desk of scoresync",
        description = "What could not be filed, why, and how to mend it. Moments are in UTC. Refusals are documents of RFC 9457 (application/problem+json) \
                       whose `detail` says what to do."
    ),
    modifiers(&BearerTokens),
    tags((name = "look", description = "Needs a token with the right `look`."), (name = "resolve", description = "Needs a token with the right `resolve`."))
)]
struct Description;

struct BearerTokens;

impl Modify for BearerTokens {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        // The project names none, and an empty name would be taken for one.
        openapi.info.license = None;
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        openapi.components.get_or_insert_default().add_security_scheme("token", bearer);
    }
}

fn described() -> (Router<Counter>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(look::list))
        .routes(routes!(look::stats))
        .routes(routes!(look::groups))
        .routes(routes!(look::show))
        .routes(routes!(acts::candidates))
        .routes(routes!(acts::reveal))
        .routes(routes!(acts::redrive))
        .routes(routes!(acts::discard))
        .routes(routes!(acts::resolve))
        .routes(routes!(acts::purge))
        .routes(routes!(aliases::list))
        .routes(routes!(aliases::reveal))
        .routes(routes!(aliases::revoke))
        .split_for_parts()
}

/// The OpenAPI document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().1
}

fn routes(counter: Counter) -> Router {
    let (routes, openapi) = described();
    let document = get(move || {
        let openapi = openapi.clone();
        async move { Json(openapi) }
    });
    routes
        .route("/v1/openapi.json", document)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(counter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_in_the_docs_is_the_one_of_this_code() {
        let written = include_str!("../../../docs/dead-letters.openapi.json");
        let described = openapi().to_pretty_json().unwrap();
        assert!(
            written.trim_end() == described,
            "write it anew: cargo run -q -p scoresync-desk --example openapi > docs/dead-letters.openapi.json"
        );
    }
}
