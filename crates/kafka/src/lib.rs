//! Kafka, Avro and the schema registry, behind scoresync's own words: the only crate that names them.
//!
//! Lives here: topics, wire format, publisher, consumers, dead-letter headers. Never here: mapping, matching, databases.

mod catch_up;
mod client;
pub mod dead_letter;
mod decoder;
mod enriched_value;
mod error;
mod first_contact;
mod group_consumer;
mod groupless;
mod lifeline;
mod live_directory;
mod log_bounds;
#[cfg(any(test, feature = "mock"))]
pub mod mock;
mod offset_tracker;
mod publisher;
mod record_at;
mod registry;
mod schema_memory;
mod schemas;
mod settings;
mod shipment;
mod table_reader;
mod topic_reader;
mod topics;
mod wire;

pub use client::check_settings;
pub use decoder::{DecodeError, Decoder, SchemaLookupError, is_same_schema};
pub use error::{Error, Kind, doubts_positions, kind_of};
pub use group_consumer::{Committed, Event, GroupConsumer, Membership, TopicPartition};
pub use live_directory::{DirectoryChange, DirectoryError, LiveDirectory};
pub use offset_tracker::{DeliveryObserver, DeliveryTicket, OffsetTracker};
pub use publisher::{DeliveryFailure, Outgoing, PublishError, Publisher, Ticket};
pub use rdkafka::{
    Message,
    message::{BorrowedMessage, Headers, OwnedHeaders},
};
pub use record_at::{StoredRecord, record_at};
pub use registry::{Compatibility, Registry, RegistryError, SubjectVersion};
pub use schema_memory::SchemaMemory;
pub use schemas::{SubjectSchema, SubjectState, subjects};
pub use settings::{FirstStart, KafkaSettings, Mechanism, Protocol, RegistrySettings, SecuritySettings, TopicSettings};
pub use shipment::{Shipment, ShipmentError, ShipmentTicket};
pub use table_reader::{TableChange, TableEnds, TableError, TableReader};
pub use topic_reader::{Bounds, generation_bounds, read_topic, read_topic_from, recorded_positions, topic_bounds};
pub use topics::{
    Creation, Specification, Topic, TopicDescription, TopicNames, create_topics, describe_topic, describe_topics, verify_topics,
};
pub use wire::{DatumError, Encoder, FrameError, HEADER_BYTES, Record, SchemaError, parse_schema, read_datum, read_own, split_frame};
