//! What time it is, and which moments cannot be meant.

use scoresync_domain::Timestamp;
use scoresync_service::now_millis;

/// How far a moment that somebody states may be ahead of this clock.
const MAX_AHEAD_MS: i64 = 24 * 60 * 60 * 1_000;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(now_millis())
}

/// Whether a moment is so far ahead that it must be a slip. As a record's moment it would keep all later statements out.
pub(crate) fn is_far_ahead(moment: Timestamp) -> bool {
    moment.as_millis() > now().as_millis().saturating_add(MAX_AHEAD_MS)
}
