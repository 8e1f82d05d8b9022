//! For tests alone: librdkafka's mock cluster, a broker inside of the process that acknowledges, refuses or is gone as a test wants it; and
//! headers as only a hostile producer writes them.

pub use rdkafka::{
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

pub use crate::dead_letter::lookup::raw::raw_headers;
