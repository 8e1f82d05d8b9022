//! What each process needs around its work: configuration, logs, metrics, admin endpoints, an honest end. Knows no business.

mod admin;
mod backoff;
mod clock;
mod configuration;
mod connection_url;
mod environment;
mod exit;
mod layers;
mod metrics;
mod problem;
mod readiness;
mod redacted_dump;
mod secret;
mod shutdown;
mod signals;
mod stage;
mod stage_metrics;
mod telemetry;

pub use admin::{AdminError, AdminServer, AdminSettings};
pub use backoff::{Backoff, BackoffLimits, Loudness};
pub use clock::{now_millis, now_seconds};
pub use configuration::{ConfigurationError, load, load_with};
pub use connection_url::connection_url;
pub use environment::NOT_SETTINGS;
pub use exit::Exit;
pub use metrics::{Family, LATENCY_BUCKETS_SECONDS, Labelled, Named, ProcessMetrics, register};
pub use problem::Problem;
pub use readiness::{Readiness, StageReadiness, StageReport};
pub use redacted_dump::redacted_dump;
pub use secret::Secret;
pub use shutdown::{Shutdown, ShutdownSettings, Unfinished};
pub use stage::{BoxError, StageFailure, Stages};
pub use stage_metrics::StageMetrics;
pub use telemetry::{LogFormat, LogSettings, TelemetryError, start_telemetry};
