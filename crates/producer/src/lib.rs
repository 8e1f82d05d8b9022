//! The producer: whatever a source sends becomes score reports in `scores.raw`, answered only when the broker has them.
//!
//! It reads the fields that make a result's key, and neither maps nor matches.

mod door;
mod format;
mod intake;
mod metrics;
mod source_format;
mod tokens;

pub use door::{Door, DoorError, DoorMetrics, DoorParts, DoorSettings};
pub use format::{
    BodyError, BrokenBody, Encoding, Format, FormatSettings, Limits, Row, RowReader, SettingsError, UnknownEncoding, Unreadable, read_rows,
};
pub use intake::{Acknowledgement, Intake, IntakeError, IntakeStartError, Submission, Unacknowledged};
pub use metrics::{ProducerMetrics, STAGE};
pub use source_format::format_settings_of;
pub use tokens::{NewToken, Right, TokenSettings, Tokens, TokensSettings, new_token};
