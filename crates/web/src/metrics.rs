//! What is counted of requests.

use std::time::Instant;

use axum::http::StatusCode;
use prometheus::{HistogramVec, IntCounterVec, Registry};
use scoresync_service::{Labelled, Named};

/// `status` of a request whose sender went away before the answer.
const ABANDONED: &str = "abandoned";

/// The metrics of requests. Routes are the patterns of addresses, `unmatched` for all that is none.
#[derive(Clone)]
pub struct HttpMetrics {
    /// `scoresync_http_requests_total{route,status}`: requests by their answer; `abandoned` where nobody waited for it.
    pub requests: Labelled<IntCounterVec, 2>,
    /// `scoresync_http_request_seconds{route}`: from the head of a request to its answer.
    pub request_seconds: Labelled<HistogramVec, 1>,
}

impl HttpMetrics {
    /// Registers them.
    ///
    /// # Errors
    /// Refuses a registry that has them already.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let requests = Named {
            name: "scoresync_http_requests_total",
            help: "HTTP requests by route and status of the answer.",
        };
        let request_seconds = Named {
            name: "scoresync_http_request_seconds",
            help: "Time from the head of an HTTP request to its answer.",
        };
        Ok(Self {
            requests: Labelled::register(registry, requests, ["route", "status"])?,
            request_seconds: Labelled::register(registry, request_seconds, ["route"])?,
        })
    }

    /// Begins to measure a request.
    pub(crate) fn begin(&self, route: &str) -> MeasuredRequest<'_> {
        MeasuredRequest {
            metrics: self,
            route: route.to_owned(),
            begun: Instant::now(),
            status: None,
        }
    }
}

/// A request that is being answered; counted when it is dropped, so that one whose sender went away is counted too.
pub(crate) struct MeasuredRequest<'a> {
    metrics: &'a HttpMetrics,
    route: String,
    begun: Instant,
    status: Option<StatusCode>,
}

impl MeasuredRequest<'_> {
    pub(crate) fn answer(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for MeasuredRequest<'_> {
    fn drop(&mut self) {
        let status = self.status.as_ref().map_or(ABANDONED, StatusCode::as_str);
        self.metrics.requests.get([&self.route, status]).inc();
        self.metrics
            .request_seconds
            .get([&self.route])
            .observe(self.begun.elapsed().as_secs_f64());
    }
}
