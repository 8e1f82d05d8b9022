//! Records that somebody waits for: queued one after the other, and acknowledged all together.

use std::{
    sync::{Arc, OnceLock},
    thread::sleep,
    time::{Duration, Instant},
};

use rdkafka::message::OwnedHeaders;

use crate::{
    offset_tracker::{DeliveryObserver, DeliveryTicket, OffsetTracker},
    publisher::{DeliveryFailure, Outgoing, PublishError, Publisher},
};

const BEAT: Duration = Duration::from_micros(500);

/// Records on their way, and whether the broker has them.
pub struct Shipment<'p> {
    publisher: &'p Publisher<ShipmentTicket>,
    patience: Duration,
    tracker: OffsetTracker<Arc<FirstRefusal>>,
    count: i64,
}

/// What a record of a shipment comes to.
pub type ShipmentTicket = DeliveryTicket<Arc<FirstRefusal>>;

/// Why the broker did not take a record of a shipment.
#[derive(Debug, Default)]
pub struct FirstRefusal(OnceLock<DeliveryFailure>);

impl DeliveryObserver for FirstRefusal {
    fn settled(&self, outcome: Result<(), DeliveryFailure>) {
        if let Err(failure) = outcome {
            self.0.get_or_init(|| failure);
        }
    }
}

/// Why the broker may not have all records of a shipment. Some of them it may have.
#[derive(Debug, thiserror::Error)]
pub enum ShipmentError {
    /// One was not even queued.
    #[error(transparent)]
    NotQueued(#[from] PublishError),
    /// The broker did not take one.
    #[error(transparent)]
    Refused(DeliveryFailure),
    /// The broker says nothing.
    #[error("the broker has acknowledged nothing for {} s", .0.as_secs())]
    Unacknowledged(Duration),
}

impl ShipmentError {
    /// Whether a record is at fault, being larger than its topic takes: sent again, it is refused again.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        match self {
            Self::NotQueued(PublishError::TooLarge) => true,
            Self::Refused(failure) => failure.is_too_large(),
            Self::NotQueued(PublishError::QueueFull | PublishError::Client(_)) | Self::Unacknowledged(_) => false,
        }
    }
}

impl<'p> Shipment<'p> {
    /// Nothing yet. For so long the broker may make no room for a record, or acknowledge nothing.
    #[must_use]
    pub fn new(publisher: &'p Publisher<ShipmentTicket>, patience: Duration) -> Self {
        Self {
            publisher,
            patience,
            tracker: OffsetTracker::new(0, Arc::default()),
            count: 0,
        }
    }

    /// Queues a record, as soon as there is room for it. Blocks its thread.
    ///
    /// # Errors
    /// It is not queued, or an earlier one was refused. The shipment never arrives then.
    pub fn add(&mut self, record: Outgoing<'_>, headers: Option<OwnedHeaders>) -> Result<(), ShipmentError> {
        let ticket = self.tracker.begin(self.count);
        self.count += 1;
        self.publisher.publish_within(self.patience, record, headers, ticket)?;
        self.check()
    }

    /// Waits until the broker has all of them; says how many there are. Blocks its thread.
    ///
    /// # Errors
    /// One was refused, or the broker acknowledges nothing more.
    pub fn arrive(mut self) -> Result<u64, ShipmentError> {
        let (mut reached, mut since) = (0, Instant::now());
        loop {
            self.check()?;
            let acknowledged = self.tracker.watermark();
            if acknowledged == self.count {
                return Ok(self.count.unsigned_abs());
            }
            if acknowledged > reached {
                (reached, since) = (acknowledged, Instant::now());
            }
            if since.elapsed() > self.patience {
                return Err(ShipmentError::Unacknowledged(self.patience));
            }
            sleep(BEAT);
        }
    }

    fn check(&self) -> Result<(), ShipmentError> {
        match self.tracker.observer().0.get() {
            Some(refusal) => Err(ShipmentError::Refused(refusal.clone())),
            None => Ok(()),
        }
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

    fn publisher(cluster: &MockCluster<'_, DefaultProducerContext>) -> Publisher<ShipmentTicket> {
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
    fn a_record_that_is_refused_is_told_at_once_and_by_no_other_shipment() {
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
        cluster.broker_down(1).unwrap();
        let mut last = Shipment::new(&publisher, Duration::from_millis(50));
        add(&mut last).unwrap();
        assert!(matches!(last.arrive(), Err(ShipmentError::Unacknowledged(_))));
    }

    #[test]
    fn a_shipment_never_arrives_without_a_record_that_was_not_queued() {
        let cluster = MockCluster::new(1).unwrap();
        let publisher = publisher(&cluster);
        let mut shipment = Shipment::new(&publisher, Duration::from_millis(50));
        let value = vec![b'v'; 64 << 20];
        let record = Outgoing {
            topic: "t",
            key: None,
            value: Some(&value),
        };
        let error = shipment.add(record, None).unwrap_err();
        assert!(error.is_too_large(), "{error}");
        assert!(matches!(shipment.arrive(), Err(ShipmentError::Unacknowledged(_))));
    }
}
