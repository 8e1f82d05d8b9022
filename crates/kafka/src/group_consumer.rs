//! A member of a consumer group that decides itself where each partition is read from.
//!
//! Rebalances are events like records, on the one thread that polls. The group has its answer to an assignment at once, and the owner
//! starts the partitions ([`GroupConsumer::start`]) in its own time; a revocation waits for [`GroupConsumer::release`].

mod context;
mod reads;

use std::{
    sync::{PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::KafkaError,
    message::BorrowedMessage,
};

use self::context::{Change, Context};
use crate::{
    client,
    error::{Error, Kind, kind_of},
    groupless::{Asker, End},
    lifeline::Lifeline,
    settings::KafkaSettings,
    topics::{TopicDescription, describe_topics},
};

const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Of a question while there is nothing else to do.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(5);
/// More than there are before a group is joined.
const MAX_EVENTS: usize = 100;

/// A partition of a topic. The partition is compared first, as it tells more of them apart, and sooner.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The partition.
    pub partition: i32,
    /// The topic's name.
    pub topic: String,
}

impl TopicPartition {
    /// Whether reading can go on at `offset` in a log of these bounds.
    ///
    /// # Errors
    /// [`Error::OffsetOutsideLog`] where it cannot.
    pub fn check_offset(&self, offset: i64, (low, high): (i64, i64)) -> Result<(), Error> {
        if (low..=high).contains(&offset) {
            return Ok(());
        }
        Err(Error::OffsetOutsideLog {
            topic: self.topic.clone(),
            partition: self.partition,
            offset,
            low,
            high,
        })
    }
}

/// A position that the group recorded, with the note that was recorded beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The offset to go on from.
    pub offset: i64,
    /// The note.
    pub note: String,
}

/// What polling brought.
pub enum Event<'a> {
    /// A record of a partition that was started.
    Record(BorrowedMessage<'a>),
    /// Partitions that are now ours; each waits for its [`GroupConsumer::start`]. More can come before these are started.
    Assigned(Vec<TopicPartition>),
    /// Partitions that others will get, started or not; finish with them, then [`GroupConsumer::release`] them.
    Revoked(Vec<TopicPartition>),
    /// Partitions that the client does not read any more although their logs go on; each is to be started again.
    Stalled(Vec<TopicPartition>),
    /// The client has trouble; most passes by itself.
    Trouble(KafkaError),
    /// Nothing within the time given.
    Nothing,
}

/// The consumer. Not shared between threads.
pub struct GroupConsumer {
    consumer: BaseConsumer<Context>,
    asker: Asker,
    group: String,
}

impl GroupConsumer {
    /// Joins the group for these topics.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn join(kafka: &KafkaSettings, membership: &Membership<'_>) -> Result<Self, Error> {
        let consumer = Self::open(kafka, membership.group)?;
        consumer.subscribe(membership.topics)?;
        Ok(consumer)
    }

    /// Does not join yet: the group can be asked what it has recorded, and gives out no partitions.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn open(kafka: &KafkaSettings, group: &str) -> Result<Self, Error> {
        let config = client::consumer(kafka, group)?;
        let context = Context::new(Lifeline::to(&kafka.brokers)?);
        let consumer: BaseConsumer<Context> = config.create_with_context(context).map_err(Error::client("make a consumer"))?;
        consumer.context().lifeline.hold(consumer.client());
        Ok(Self {
            consumer,
            asker: Asker::for_the(End::Readable, kafka, group)?,
            group: group.to_owned(),
        })
    }

    /// Joins the group for these topics.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn subscribe(&self, topics: &[&str]) -> Result<(), Error> {
        self.consumer.subscribe(topics).map_err(Error::client("subscribe"))
    }

    /// The next event. Must be called again and again, however busy the owner is, or the group takes the partitions away.
    pub fn poll(&self, timeout: Duration) -> Event<'_> {
        self.asker.hear_seldom();
        if let Some(event) = self.change() {
            return event;
        }
        // A record must not be lost over what was told with it, nor must trouble, which some is told of only once: the change is told next.
        if let Some(polled) = self.consumer.poll(timeout) {
            return polled.map_or_else(Event::Trouble, Event::Record);
        }
        self.change().unwrap_or_else(|| {
            self.asker.hear();
            self.ask_for_an_end();
            Event::Nothing
        })
    }

    /// Of a partition that does not move, while there is nothing else to do.
    fn ask_for_an_end(&self) {
        let context = self.consumer.context();
        let Some(place) = self.is_connected().then(|| context.reads().question(Instant::now())).flatten() else {
            return;
        };
        let bounds = self.asker.bounds(&place.topic, place.partition, QUESTION_TIMEOUT);
        context.reads().answer(&place, bounds.ok().map(|(_, end)| end), Instant::now());
    }

    fn change(&self) -> Option<Event<'_>> {
        self.consumer.context().take().map(|change| match change {
            Change::Assigned(partitions) => Event::Assigned(partitions),
            Change::Revoked(partitions) => Event::Revoked(partitions),
            Change::Stalled(partitions) => Event::Stalled(partitions),
        })
    }

    /// Begins to read assigned partitions, each at its offset and not paused.
    ///
    /// # Errors
    /// Where the client refuses.
    pub fn start(&self, positions: &[(TopicPartition, i64)]) -> Result<(), Error> {
        // To librdkafka, even an assignment of nothing would be the answer to a rebalance that we have not heard of yet. So is a restart, after
        // which a successor can do again what we have in hand.
        if positions.is_empty() {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        for (place, offset) in positions {
            list.add_partition_offset(&place.topic, place.partition, Offset::Offset(*offset))
                .map_err(Error::client("start a partition"))?;
        }
        // A pause outlives the assignment that it was made in.
        self.consumer.resume(&list).map_err(Error::client("start partitions"))?;
        self.consumer.incremental_assign(&list).map_err(Error::client("start partitions"))?;
        let mut reads = self.consumer.context().reads();
        positions.iter().for_each(|(place, _)| reads.start(place.clone()));
        Ok(())
    }

    /// Gives partitions up; those that were not started are not ours to give. Answers one [`Event::Revoked`] whole.
    ///
    /// # Errors
    /// Where the client refuses.
    pub fn release(&self, partitions: &[TopicPartition]) -> Result<(), Error> {
        let mut reads = self.consumer.context().reads();
        let ours: Vec<TopicPartition> = partitions.iter().filter(|place| reads.end(place)).cloned().collect();
        // Whoever calls back looks at them, too.
        drop(reads);
        self.consumer
            .incremental_unassign(&list_of(&ours))
            .map_err(Error::client("release partitions"))
    }

    /// Reads a started partition anew from this offset.
    ///
    /// # Errors
    /// Where the client refuses.
    pub fn restart(&self, place: &TopicPartition, offset: i64) -> Result<(), Error> {
        self.release(std::slice::from_ref(place))?;
        self.start(&[(place.clone(), offset)])
    }

    /// Whether the group took our partitions away without waiting for us; what we have in hand then is somebody else's.
    #[must_use]
    pub fn assignment_lost(&self) -> bool {
        self.consumer.assignment_lost()
    }

    /// Stops delivery of a partition for a while.
    ///
    /// # Errors
    /// Where the client refuses.
    pub fn pause(&self, place: &TopicPartition) -> Result<(), Error> {
        self.consumer.context().reads().set_paused(place, true);
        self.consumer
            .pause(&list_of(std::slice::from_ref(place)))
            .map_err(Error::client("pause a partition"))
    }

    /// Goes on with a paused partition.
    ///
    /// # Errors
    /// Where the client refuses.
    pub fn resume(&self, place: &TopicPartition) -> Result<(), Error> {
        self.consumer.context().reads().set_paused(place, false);
        self.consumer
            .resume(&list_of(std::slice::from_ref(place)))
            .map_err(Error::client("resume a partition"))
    }

    /// What the group has recorded for a partition, if anything. Asks the broker.
    ///
    /// # Errors
    /// Where the broker does not answer.
    pub fn committed(&self, place: &TopicPartition) -> Result<Option<Committed>, Error> {
        let list = list_of(std::slice::from_ref(place));
        let answer = self
            .consumer
            .committed_offsets(list, CALL_TIMEOUT)
            .map_err(|cause| self.refusal().unwrap_or(cause))
            .map_err(Error::client(&format!("ask for positions that the group {} recorded", self.group)))?;
        let Some(found) = answer.find_partition(&place.topic, place.partition) else {
            return Ok(None);
        };
        // What could not be asked has no offset either, and is no first start.
        found.error().map_err(Error::client("ask for a recorded position"))?;
        let Offset::Offset(offset) = found.offset() else { return Ok(None) };
        let note = found.metadata().to_owned();
        Ok(Some(Committed { offset, note }))
    }

    /// Why the group does not answer, where a right is refused: that comes as an event. Before joining, no event can be a record.
    fn refusal(&self) -> Option<KafkaError> {
        let has_joined = self.consumer.subscription().map_or(true, |topics| topics.count() > 0);
        let mut events = (0..MAX_EVENTS).take_while(|_| !has_joined);
        events.find_map(|_| {
            self.consumer
                .poll(Duration::ZERO)?
                .err()
                .filter(|cause| kind_of(cause) == Kind::Environment)
        })
    }

    /// Records positions, each with a note of up to 4 KB. Without waiting, nobody hears of a failure (librdkafka tells its log alone).
    ///
    /// # Errors
    /// Where the broker does not answer (when waiting for it), or the client refuses.
    pub fn commit(&self, positions: &[(TopicPartition, Committed)], wait: bool) -> Result<(), Error> {
        let mut list = TopicPartitionList::new();
        for (place, committed) in positions {
            let mut element = list.add_partition(&place.topic, place.partition);
            element
                .set_offset(Offset::Offset(committed.offset))
                .map_err(Error::client("record a position"))?;
            element.set_metadata(&committed.note);
        }
        let mode = if wait { CommitMode::Sync } else { CommitMode::Async };
        self.consumer.commit(&list, mode).map_err(Error::client("record positions"))
    }

    /// First offset and end of a partition's log. Asks the broker.
    ///
    /// # Errors
    /// Where the broker does not answer.
    pub fn log_bounds(&self, place: &TopicPartition) -> Result<(i64, i64), Error> {
        let bounds = self.asker.bounds(&place.topic, place.partition, CALL_TIMEOUT);
        bounds.map_err(Error::client("ask for the bounds of a log"))
    }

    /// What the topic is. Asks the broker.
    ///
    /// # Errors
    /// Where the broker does not answer, or has no such topic.
    pub fn describe(&self, topic: &str) -> Result<TopicDescription, Error> {
        describe_topics(self.consumer.client(), topic, CALL_TIMEOUT)?.ok_or_else(|| Error::TopicMissing(topic.to_owned()))
    }

    /// Whether any broker was connected when the client last looked, at most about a second ago.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.consumer.context().disconnected.load(Ordering::Acquire)
    }

    /// End of each partition's log as the client last heard, for measuring lag: at most about a second old.
    #[must_use]
    pub fn log_ends(&self) -> Vec<(TopicPartition, i64)> {
        self.consumer
            .context()
            .log_ends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for GroupConsumer {
    /// Leaves the group; revocations are answered at once from here on.
    fn drop(&mut self) {
        self.consumer.context().closing.store(true, Ordering::Release);
        // Where a revocation still waits for its answer, the group cannot be left.
        if let Err(error) = self.consumer.incremental_unassign(&TopicPartitionList::new()) {
            tracing::debug!(%error, "no revocation could be answered at the end");
        }
    }
}

/// Which group, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Membership<'a> {
    /// Name of the group.
    pub group: &'a str,
    /// Names of the topics.
    pub topics: &'a [&'a str],
}

fn list_of(partitions: &[TopicPartition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for place in partitions {
        list.add_partition(&place.topic, place.partition);
    }
    list
}

#[cfg(test)]
mod tests {
    use rdkafka::{
        ClientConfig, Message,
        mocking::MockCluster,
        producer::{BaseProducer, BaseRecord, Producer},
    };

    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);
    const TOPIC: &str = "scores.raw";

    /// Its client stops by itself what it should read: `pause` behind the back of whoever counts what is paused.
    #[test]
    fn a_partition_that_the_client_stops_reading_is_told_and_can_be_started_again() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 1, 1).unwrap();
        let kafka = KafkaSettings {
            brokers: cluster.bootstrap_servers(),
            ..KafkaSettings::default()
        };
        let membership = Membership {
            group: "g",
            topics: &[TOPIC],
        };
        let owner = GroupConsumer::join(&kafka, &membership).unwrap();
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .create()
            .unwrap();
        let write = || {
            producer.send(BaseRecord::<str, str>::to(TOPIC).payload("x")).unwrap();
            producer.flush(LIMIT).unwrap();
        };
        let await_event = |is_awaited: fn(&Event<'_>) -> bool| {
            let begun = Instant::now();
            while !is_awaited(&owner.poll(Duration::from_millis(20))) {
                assert!(begun.elapsed() < LIMIT, "nothing was told within {LIMIT:?}");
            }
        };
        await_event(|event| matches!(event, Event::Assigned(_)));
        let partitions = [TopicPartition {
            topic: TOPIC.to_owned(),
            partition: 0,
        }];
        owner.start(&[(partitions[0].clone(), 0)]).unwrap();
        write();
        await_event(|event| matches!(event, Event::Record(_)));
        // The client does not hear of the second record, as it does not ask for any.
        owner.consumer.pause(&list_of(&partitions)).unwrap();
        write();
        await_event(|event| matches!(event, Event::Stalled(_)));
        owner.restart(&partitions[0], 1).unwrap();
        await_event(|event| matches!(event, Event::Record(record) if record.offset() == 1));
    }
}
