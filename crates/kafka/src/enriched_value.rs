//! The value of an enriched score, as large as its topic takes it: the last thing that can keep a report from being filed.

use scoresync_domain::{EnrichedScore, Reason, Rejection};

use crate::wire::Encoder;

impl Encoder<EnrichedScore<'static>> {
    /// Writes a score into a buffer, whose content is replaced.
    ///
    /// # Errors
    /// The report is too large: see [`Specification::greatest_output_bytes`](crate::Specification::greatest_output_bytes).
    pub fn encode_output(&self, score: &EnrichedScore<'_>, buffer: &mut Vec<u8>, max_bytes: usize) -> Result<(), Rejection> {
        let message = match self.encode(score, buffer) {
            Ok(()) if buffer.len() <= max_bytes => return Ok(()),
            Ok(()) => "the enriched score would be larger than its topic takes; shorten the report's texts".to_owned(),
            Err(error) => format!("the enriched score cannot be written: {error}"),
        };
        Err(Rejection {
            reason: Reason::TooLarge,
            message,
        })
    }
}
