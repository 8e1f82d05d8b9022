//! What is done around every request: it is counted, timed, and where it is refused, logged.

use std::sync::Arc;

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};

use super::{
    metrics::DoorMetrics,
    problem::{Kind, Problem, Refusal},
    refusal_log::RefusalLog,
};

/// `route` of an address that is none.
const UNMATCHED: &str = "unmatched";

struct Observer {
    metrics: DoorMetrics,
    log: RefusalLog,
}

/// Answers what no route takes, and observes everything.
pub(super) fn observed(routes: Router, metrics: DoorMetrics) -> Router {
    let observer = Observer {
        metrics,
        log: RefusalLog::default(),
    };
    routes
        .fallback(|| async { Problem::new(Kind::UnknownAddress, "reports are sent with POST to /v1/sources/NAME/reports") })
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
