//! Records that somebody waits for: queued one after the other, and acknowledged all together.

use std::time::Duration;

use rdkafka::message::OwnedHeaders;

use crate::{
    offset_tracker::{DeliveryTicket, OffsetTracker},
    publisher::{DeliveryFailure, Outgoing, PublishError, Publisher},
};

/// Records on their way, and whether the broker has them.
pub struct Shipment<'p> {
    publisher: &'p Publisher<DeliveryTicket>,
    patience: Duration,
    tracker: OffsetTracker,
    count: i64,
}

/// Why the broker may not have all records of a shipment. Some of them it may have.
#[derive(Debug, thiserror::Error)]
pub enum ShipmentError {
    /// One was not even queued.
    #[error("a record cannot be queued")]
    NotQueued(#[from] PublishError),
    /// The broker did not take one.
    #[error(transparent)]
    Refused(DeliveryFailure),
    /// The broker says nothing.
    #[error("the broker has not acknowledged every record within {} s", .0.as_secs())]
    Unacknowledged(Duration),
}

impl<'p> Shipment<'p> {
    /// Nothing yet. The broker may take up to `patience` to make room for a record, and to acknowledge what is queued last.
    #[must_use]
    pub const fn new(publisher: &'p Publisher<DeliveryTicket>, patience: Duration) -> Self {
        Self {
            publisher,
            patience,
            tracker: OffsetTracker::new(0, ()),
            count: 0,
        }
    }

    /// Queues a record, as soon as there is room for it. Blocks its thread.
    ///
    /// # Errors
    /// It is not queued, or an earlier one was refused.
    pub fn add(&mut self, record: Outgoing<'_>, headers: Option<OwnedHeaders>) -> Result<(), ShipmentError> {
        let ticket = self.tracker.begin(self.count);
        self.publisher.publish_within(self.patience, record, headers, ticket)?;
        self.count += 1;
        if self.tracker.is_refused() { Err(self.failure()) } else { Ok(()) }
    }

    /// Waits until the broker has all of them; says how many there are. Blocks its thread.
    ///
    /// # Errors
    /// One was refused, or the time is over.
    pub fn arrive(mut self) -> Result<u64, ShipmentError> {
        if self.publisher.settle(self.patience) && self.tracker.watermark() == self.count {
            Ok(self.count.unsigned_abs())
        } else {
            Err(self.failure())
        }
    }

    fn failure(&self) -> ShipmentError {
        let refusal = self.publisher.last_refusal();
        refusal.map_or(ShipmentError::Unacknowledged(self.patience), ShipmentError::Refused)
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::{
        mocking::MockCluster,
        producer::DefaultProducerContext,
        types::{RDKafkaApiKey, RDKafkaRespErr},
    };

    use super::*;
    use crate::settings::{KafkaSettings, TopicSettings};

    const PATIENCE: Duration = Duration::from_secs(30);

    fn publisher(cluster: &MockCluster<'_, DefaultProducerContext>) -> Publisher<DeliveryTicket> {
        cluster.create_topic("t", 1, 1).unwrap();
        let kafka = KafkaSettings {
            brokers: cluster.bootstrap_servers(),
            ..KafkaSettings::default()
        };
        Publisher::new(&kafka, &TopicSettings::default()).unwrap()
    }

    fn add(shipment: &mut Shipment<'_>) -> Result<(), ShipmentError> {
        let record = Outgoing {
            topic: "t",
            key: Some(b"k"),
            value: None,
        };
        shipment.add(record, None)
    }

    #[test]
    fn it_arrives_when_every_record_is_acknowledged() {
        let cluster = MockCluster::new(1).unwrap();
        let publisher = publisher(&cluster);
        for count in [0, 3] {
            let mut shipment = Shipment::new(&publisher, PATIENCE);
            for _ in 0..count {
                add(&mut shipment).unwrap();
            }
            assert_eq!(shipment.arrive().unwrap(), count);
        }
    }

    #[test]
    fn a_record_that_is_refused_is_told_by_whoever_asks_next_and_spoils_no_other_shipment() {
        let cluster = MockCluster::new(1).unwrap();
        let publisher = publisher(&cluster);
        let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
        cluster.request_errors(RDKafkaApiKey::Produce, &[refused]);
        let mut shipment = Shipment::new(&publisher, PATIENCE);
        add(&mut shipment).unwrap();
        assert!(publisher.settle(PATIENCE), "nobody answers");
        let told = add(&mut shipment).unwrap_err().to_string();
        assert!(told.contains("did not take a record for t"), "{told}");
        assert!(matches!(shipment.arrive(), Err(ShipmentError::Refused(_))));
        let mut next = Shipment::new(&publisher, PATIENCE);
        add(&mut next).unwrap();
        assert_eq!(next.arrive().unwrap(), 1);
    }

    #[test]
    fn a_broker_that_is_away_is_not_waited_for_for_ever() {
        let cluster = MockCluster::new(1).unwrap();
        let publisher = publisher(&cluster);
        cluster.broker_down(1).unwrap();
        let mut shipment = Shipment::new(&publisher, Duration::from_millis(50));
        add(&mut shipment).unwrap();
        assert!(matches!(shipment.arrive(), Err(ShipmentError::Unacknowledged(_))));
    }
}
