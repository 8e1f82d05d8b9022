//! What is still on its way when a request is refused.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt as _};

/// How long the rest of a refused body is waited for.
const LINGER: Duration = Duration::from_secs(1);

/// Takes in what is still coming of a refused body, for a moment: to close a connection on unread bytes makes the sender's system throw away
/// the answer (RFC 9112 section 9.6).
pub async fn linger<E>(mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin) {
    let rest = async { while let Some(Ok(_)) = pieces.next().await {} };
    // When the time is over the answer is sent all the same.
    let _ = tokio::time::timeout(LINGER, rest).await;
}
