//! Waiting for the archive on a thread that has other things to do.

use std::time::Duration;

use scoresync_archive::{ArchiveError, DatabaseError};
use tokio::runtime::Handle;

const PATIENCE: Duration = Duration::from_secs(10);

/// The thread that polls waits, so a database that does not answer at all may not take its time.
///
/// # Errors
/// The archive's, or [`ArchiveError::Transient`] where no answer came in time.
pub fn wait_for<T>(runtime: &Handle, answer: impl Future<Output = Result<T, ArchiveError>>) -> Result<T, ArchiveError> {
    wait_at_most(PATIENCE, runtime, answer)
}

fn wait_at_most<T>(limit: Duration, runtime: &Handle, answer: impl Future<Output = Result<T, ArchiveError>>) -> Result<T, ArchiveError> {
    let bounded = async { tokio::time::timeout(limit, answer).await };
    runtime.block_on(bounded).unwrap_or_else(|_| {
        Err(ArchiveError::Transient {
            attempt: "wait for the database",
            cause: DatabaseError {
                code: None,
                text: format!("no answer within {limit:?}"),
            },
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_never_answers_is_waited_for_in_vain_but_not_for_ever() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
        let never = std::future::pending::<Result<(), ArchiveError>>();
        let answer = wait_at_most(Duration::from_millis(10), runtime.handle(), never);
        assert!(matches!(answer, Err(ArchiveError::Transient { .. })));
    }
}
