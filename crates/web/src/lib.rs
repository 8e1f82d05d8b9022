//! What every HTTP interface of scoresync has: bearer tokens and their rights, refusals as documents of RFC 9457, connections that keep nobody
//! out, and what is counted and logged of requests.

mod connections;
mod linger;
mod metrics;
mod observe;
mod problem;
mod refusal_log;
mod silence;
mod tokens;

pub use connections::{ConnectionLimits, Connections};
pub use linger::linger;
pub use metrics::HttpMetrics;
pub use observe::{limited, observed};
pub use problem::{Kind, Problem};
pub use tokens::{NewToken, Right, Token, TokenSettings, Tokens, TokensSettings, new_token};
