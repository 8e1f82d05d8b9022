//! A client that has lost all its brokers is given those of its settings again.
//!
//! librdkafka takes a broker's word that its cluster has no brokers, as one says while it rejoins the cluster after a pause, and then never
//! connects to anybody again (confluentinc/librdkafka issue 5301; versions 2.10 to 2.13 at least). Only a client's own poll looks, through
//! its statistics. One of three modules with unsafe code: librdkafka has this call in its C interface alone.

#![expect(unsafe_code, reason = "rd_kafka_brokers_add has no safe wrapper")]

use std::{
    ffi::CString,
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering},
};

use rdkafka::{
    Statistics,
    client::{Client, ClientContext},
    types::RDKafka,
};
use rdkafka_sys as sys;

use crate::error::Error;

/// Belongs to the context of one client.
pub(crate) struct Lifeline {
    brokers: CString,
    client: AtomicPtr<RDKafka>,
}

impl Lifeline {
    /// Of a client of these bootstrap servers.
    pub(crate) fn to(brokers: &str) -> Result<Self, Error> {
        let brokers = CString::new(brokers).map_err(|_| Error::Setting {
            setting: "brokers".to_owned(),
            problem: "the list of brokers contains NUL",
        })?;
        Ok(Self {
            brokers,
            client: AtomicPtr::new(null_mut()),
        })
    }

    /// Takes hold of the client whose context this is part of.
    pub(crate) fn hold<C: ClientContext>(&self, client: &Client<C>) {
        self.client.store(client.native_ptr(), Ordering::Release);
    }

    /// To be called with each statistics of the client.
    pub(crate) fn look(&self, statistics: &Statistics) {
        let client = self.client.load(Ordering::Acquire);
        if client.is_null() || !has_no_brokers(statistics) {
            return;
        }
        // SAFETY: the client owns this context and tells its statistics from its own poll, so that it lives; the text ends with NUL.
        let added = unsafe { sys::rd_kafka_brokers_add(client, self.brokers.as_ptr()) };
        tracing::warn!(
            added,
            "the client has lost all its brokers; it is given the bootstrap servers again"
        );
    }
}

/// Whether nobody is left to whom the client could connect: a coordinator is an address within a broker.
fn has_no_brokers(statistics: &Statistics) -> bool {
    let mut brokers = statistics.brokers.values();
    brokers.all(|broker| broker.source != "learned" && broker.source != "configured")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rdkafka::{
        ClientConfig,
        consumer::{BaseConsumer, Consumer, ConsumerContext},
        mocking::MockCluster,
    };

    use super::*;

    struct Context(Lifeline);

    impl ClientContext for Context {
        fn stats(&self, _: Statistics) {
            self.0.look(&Statistics::default());
        }
    }

    impl ConsumerContext for Context {}

    #[test]
    fn a_client_that_has_no_brokers_finds_those_of_its_settings_again() {
        let cluster = MockCluster::new(1).unwrap();
        let lifeline = Lifeline::to(&cluster.bootstrap_servers()).unwrap();
        let consumer: BaseConsumer<Context> = ClientConfig::new()
            .set("statistics.interval.ms", "100")
            .set("group.id", "g")
            .create_with_context(Context(lifeline))
            .unwrap();
        let answers = || consumer.fetch_metadata(None, Duration::from_millis(200)).is_ok();
        assert!(!answers(), "the client knows brokers that nobody told it of");
        consumer.context().0.hold(consumer.client());
        let deadline = Instant::now() + Duration::from_secs(30);
        while !answers() {
            assert!(Instant::now() < deadline, "the client does not come back");
            consumer.poll(Duration::from_millis(50));
        }
    }

    #[test]
    fn a_coordinator_is_nobody_to_connect_to() {
        let check = |sources: &[&str], is_lost: bool| {
            let brokers = sources.iter().map(|source| {
                let broker = rdkafka::statistics::Broker {
                    source: (*source).to_owned(),
                    ..Default::default()
                };
                ((*source).to_owned(), broker)
            });
            let statistics = Statistics {
                brokers: brokers.collect(),
                ..Default::default()
            };
            assert_eq!(has_no_brokers(&statistics), is_lost, "{sources:?}");
        };
        check(&[], true);
        check(&["logical"], true);
        check(&["logical", "learned"], false);
        check(&["configured"], false);
    }
}
