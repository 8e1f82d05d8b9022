//! A topic of dead letters that takes none.

use std::time::Duration;

use super::Arena;
use crate::letter_limit::limit_letters;

/// What a mapper says that is started meanwhile, and ends: somebody has to put the topic right.
const EXPLANATION: &str = "scores.dlq has max.message.bytes = 100";

impl Arena<'_> {
    pub(super) async fn refuse_letters(&self, duration: Duration) -> anyhow::Result<()> {
        self.fleet.lock().await.expect(EXPLANATION);
        limit_letters(self.installation, Some(100)).await?;
        tokio::time::sleep(duration).await;
        limit_letters(self.installation, None).await?;
        // Whoever found it so may still be about to end.
        tokio::time::sleep(duration).await;
        self.fleet.lock().await.expect_no_more(EXPLANATION);
        Ok(())
    }
}
