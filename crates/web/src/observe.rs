//! What is done around every request: it is counted, timed, and where it is refused, logged; routes of others have a time limit.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};

use crate::{
    metrics::HttpMetrics,
    problem::{Kind, Problem, Refusal},
    refusal_log::RefusalLog,
};

/// `route` of an address that is none.
const UNMATCHED: &str = "unmatched";

struct Observer {
    metrics: HttpMetrics,
    log: RefusalLog,
}

/// Answers what no route takes, with a hint of what is here, and observes everything.
pub fn observed(routes: Router, metrics: HttpMetrics, hint: &'static str) -> Router {
    let observer = Observer {
        metrics,
        log: RefusalLog::default(),
    };
    routes
        .fallback(move || async move { Problem::new(Kind::UnknownAddress, hint) })
        .method_not_allowed_fallback(|| async {
            Problem::new(Kind::MethodNotAllowed, "the header Allow lists the methods that are taken here")
        })
        .layer(from_fn_with_state(Arc::new(observer), observe))
}

async fn observe(State(observer): State<Arc<Observer>>, matched: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let route = matched.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
    let measured = observer.metrics.begin(route);
    let response = next.run(request).await;
    measured.answer(response.status());
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        observer.log.note(route, refusal);
    }
    response
}

/// Routes of others, whose requests end within `limit` wherever they wait: for their body or for what they do with it.
pub fn limited(routes: Router, limit: Duration) -> Router {
    routes.layer(from_fn_with_state(limit, limit_time))
}

async fn limit_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(limit, next.run(request)).await;
    answered.unwrap_or_else(|_| {
        let detail = "the request was not done in time: send it again without pauses, which is safe";
        Problem::new(Kind::TooSlow, detail).into_response()
    })
}
