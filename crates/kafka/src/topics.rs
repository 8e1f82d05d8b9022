//! The topics: their names, what they must be like, making and checking them, and telling one from its recreated namesake.

mod create;
mod describe;
mod layout;
mod names;
mod specification;
mod verify;

pub use create::{Creation, create_topics};
pub use describe::{TopicDescription, describe_topics};
pub(crate) use layout::partition_replicas;
pub use names::{Topic, TopicNames};
pub use specification::Specification;
pub use verify::{describe_topic, verify_topics};
