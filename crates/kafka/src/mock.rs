//! librdkafka's mock cluster: a broker inside of the process that acknowledges, refuses or is gone as a test wants it. For tests alone.

pub use rdkafka::{
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};
