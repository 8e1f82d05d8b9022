//! Writing to topics: an idempotent producer whose every acknowledgement reaches the one who waits for it.

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Message, Statistics,
    error::{KafkaError, RDKafkaErrorCode},
    message::{DeliveryResult, OwnedHeaders},
    producer::{BaseRecord, NoCustomPartitioner, Producer, ProducerContext, ThreadedProducer},
};

use crate::{
    client,
    error::{Error, Kind, advice, kind_of},
    lifeline::Lifeline,
    settings::{KafkaSettings, TopicSettings},
};

/// How often refusals are logged, of which there can be thousands.
const SAID_EVERY: Duration = Duration::from_secs(10);
/// Between two looks whether the queue has room.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(1);

/// Who hears what became of a record.
pub trait Ticket: Send + Sync + 'static {
    /// Called once, on the producer's thread: must be quick.
    fn settle(&self, outcome: Result<(), DeliveryFailure>);
}

/// The broker will not take a record, or the client gave it up.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the broker did not take a record for {topic}: {cause}{}", advice(.cause))]
pub struct DeliveryFailure {
    topic: String,
    cause: KafkaError,
}

impl DeliveryFailure {
    /// Whether the record itself is at fault, being larger than the topic takes.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        is_too_large(&self.cause)
    }

    /// That a right is missing, where that is why: only a person can give it.
    #[must_use]
    pub fn missing_right(&self) -> Option<Error> {
        is_missing_right(self.cause.rdkafka_error_code()).then(|| Error::Client {
            action: "write outputs".to_owned(),
            cause: self.cause.clone(),
        })
    }
}

/// A record to be written.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Topic's name.
    pub topic: &'a str,
    /// Decides the partition.
    pub key: Option<&'a [u8]>,
    /// Value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}

/// Why a record was not even queued.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The queue is full; make room by waiting.
    #[error("the producer's queue is full")]
    QueueFull,
    /// The record is larger than any of our topics takes.
    #[error("the record is too large")]
    TooLarge,
    /// The client does not queue it: see [`refusal`](PublishError::refusal).
    #[error("the record cannot be queued{}", advice(.0))]
    Client(#[source] KafkaError),
}

impl PublishError {
    /// The refusal by the broker that it is, which the client knows of from earlier records: the same as one that a ticket hears of.
    ///
    /// `None` where there is none: more room is needed, the record is at fault, or the producer as a whole cannot go on.
    #[must_use]
    pub fn refusal(&self, topic: &str) -> Option<DeliveryFailure> {
        match self {
            Self::Client(cause) if cause.rdkafka_error_code() != Some(RDKafkaErrorCode::Fatal) => Some(DeliveryFailure {
                topic: topic.to_owned(),
                cause: cause.clone(),
            }),
            Self::Client(_) | Self::QueueFull | Self::TooLarge => None,
        }
    }
}

/// Writes records; one per process and purpose. Tickets of one publisher are of one type.
pub struct Publisher<T: Ticket> {
    producer: ThreadedProducer<Context<T>>,
}

impl<T: Ticket> Publisher<T> {
    /// Connects in the background; nothing is sent yet.
    ///
    /// # Errors
    /// Settings that the client refuses.
    pub fn new(kafka: &KafkaSettings, topics: &TopicSettings) -> Result<Self, Error> {
        let config = client::producer(kafka, topics)?;
        let context = Context {
            lifeline: Lifeline::to(&kafka.brokers)?,
            lasting: Mutex::default(),
            refusal: Mutex::default(),
            said_at: Mutex::default(),
            ticket: PhantomData,
        };
        let producer: ThreadedProducer<Context<T>> = config.create_with_context(context).map_err(Error::client("make a producer"))?;
        let held: &Context<T> = producer.client().context();
        held.lifeline.hold(producer.client());
        Ok(Self { producer })
    }

    /// Queues a record. Its ticket is settled later, exactly once, unless an error is returned here.
    ///
    /// # Errors
    /// See [`PublishError`]; the ticket then is not settled.
    pub fn publish(&self, record: Outgoing<'_>, headers: Option<OwnedHeaders>, ticket: Arc<T>) -> Result<(), PublishError> {
        self.publish_within(Duration::ZERO, record, headers, ticket)
    }

    /// The same, waiting for room up to `patience`: a full queue empties in milliseconds while the broker answers.
    ///
    /// # Errors
    /// As for [`Self::publish`].
    pub fn publish_within(
        &self,
        patience: Duration,
        record: Outgoing<'_>,
        headers: Option<OwnedHeaders>,
        ticket: Arc<T>,
    ) -> Result<(), PublishError> {
        let mut outgoing = BaseRecord::with_opaque_to(record.topic, ticket);
        outgoing.key = record.key;
        outgoing.payload = record.value;
        outgoing.headers = headers;
        let mut deadline = None;
        loop {
            let Err((error, refused)) = self.producer.send(outgoing) else {
                return Ok(());
            };
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(if is_too_large(&error) {
                    PublishError::TooLarge
                } else {
                    PublishError::Client(self.cause_of(error))
                });
            }
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + patience);
            if Instant::now() >= deadline {
                return Err(PublishError::QueueFull);
            }
            std::thread::sleep(WAIT_FOR_ROOM);
            outgoing = refused;
        }
    }

    /// A client that was refused the right to write before it had anything to write says of each record that it cannot go on.
    fn cause_of(&self, error: KafkaError) -> KafkaError {
        let is_fatal = error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal);
        let first = is_fatal.then(|| self.producer.client().fatal_error()).flatten();
        match first {
            Some((code, _)) if is_missing_right(Some(code)) => KafkaError::MessageProduction(code),
            Some(_) | None => error,
        }
    }

    /// How many records are queued or on their way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        usize::try_from(self.producer.in_flight_count()).unwrap_or(0)
    }

    /// Why the producer will never write anything again, if it is so: what is queued stays queued then, and only another producer helps.
    #[must_use]
    pub fn fatal_error(&self) -> Option<String> {
        self.producer
            .client()
            .fatal_error()
            .map(|(code, reason)| format!("{code}: {reason}"))
    }

    /// Why the broker did not take a record, if there was one that it did not take; the latest counts.
    #[must_use]
    pub fn last_refusal(&self) -> Option<DeliveryFailure> {
        let context: &Context<T> = self.producer.client().context();
        lock(&context.refusal).clone()
    }

    /// The [last refusal](Self::last_refusal) as the end of a sentence, after a colon; nothing where there was none.
    #[must_use]
    pub fn because(&self) -> String {
        self.last_refusal().map(|refusal| format!(": {refusal}")).unwrap_or_default()
    }

    /// Waits until everything is acknowledged, or the time is over; says whether it is.
    #[must_use]
    pub fn settle(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while self.in_flight() > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_micros(500));
        }
        self.in_flight() == 0
    }
}

fn is_missing_right(code: Option<RDKafkaErrorCode>) -> bool {
    matches!(
        code,
        Some(RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed)
    )
}

fn is_too_large(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize)
    )
}

struct Context<T> {
    lifeline: Lifeline,
    /// What no attempt will mend, as the client told it.
    lasting: Mutex<Option<KafkaError>>,
    refusal: Mutex<Option<DeliveryFailure>>,
    /// When a refusal was logged last.
    said_at: Mutex<Option<Instant>>,
    ticket: PhantomData<fn() -> T>,
}

impl<T: Ticket> ClientContext for Context<T> {
    fn stats(&self, statistics: Statistics) {
        self.lifeline.look(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "the producer has trouble with the broker; it keeps trying");
        if kind_of(&error) == Kind::Environment {
            lock(&self.lasting).get_or_insert(error);
        }
    }
}

impl<T> Context<T> {
    /// Many can be refused at once; whoever wrote them says what comes of it.
    fn say(&self, failure: &DeliveryFailure) {
        let mut said_at = lock(&self.said_at);
        if said_at.is_none_or(|time| time.elapsed() >= SAID_EVERY) {
            *said_at = Some(Instant::now());
            tracing::warn!(error = failure as &dyn std::error::Error, "the broker does not take records");
        }
    }

    /// A client that cannot go on gives up what is queued, which tells nothing; why it cannot, it said before.
    fn first_cause(&self, cause: &KafkaError) -> KafkaError {
        let given_up = [
            RDKafkaErrorCode::PurgeQueue,
            RDKafkaErrorCode::PurgeInflight,
            RDKafkaErrorCode::Fatal,
        ];
        let is_given_up = cause.rdkafka_error_code().is_some_and(|code| given_up.contains(&code));
        let lasting = lock(&self.lasting).clone().filter(|_| is_given_up);
        lasting.unwrap_or_else(|| cause.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Ticket> ProducerContext<NoCustomPartitioner> for Context<T> {
    type DeliveryOpaque = Arc<T>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Self::DeliveryOpaque) {
        match result {
            Ok(_) => ticket.settle(Ok(())),
            Err((cause, message)) => {
                let failure = DeliveryFailure {
                    topic: message.topic().to_owned(),
                    cause: self.first_cause(cause),
                };
                self.say(&failure);
                *lock(&self.refusal) = Some(failure.clone());
                ticket.settle(Err(failure));
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rdkafka::{
        mocking::MockCluster,
        types::{RDKafkaApiKey, RDKafkaRespErr},
    };

    use super::*;

    pub(crate) fn refusal() -> DeliveryFailure {
        client(RDKafkaErrorCode::TopicAuthorizationFailed).refusal("employees").unwrap()
    }

    fn client(code: RDKafkaErrorCode) -> PublishError {
        PublishError::Client(KafkaError::MessageProduction(code))
    }

    #[test]
    fn what_the_client_does_not_queue_for_a_topic_is_a_refusal_with_advice() {
        let (refused, said) = (client(RDKafkaErrorCode::TopicAuthorizationFailed), refusal().to_string());
        assert!(said.contains("for employees") && said.contains("docs/security.md"), "{said}");
        assert!(refused.to_string().contains("docs/security.md"), "{refused}");
        for other in [client(RDKafkaErrorCode::Fatal), PublishError::QueueFull, PublishError::TooLarge] {
            assert!(other.refusal("employees").is_none(), "{other}");
        }
    }

    struct NeverSettled;

    impl Ticket for NeverSettled {
        fn settle(&self, outcome: Result<(), DeliveryFailure>) {
            panic!("a record that was not queued came to {outcome:?}");
        }
    }

    #[test]
    fn a_right_that_was_refused_before_the_first_record_is_named_with_it() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.request_errors(
            RDKafkaApiKey::InitProducerId,
            &[RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED; 10],
        );
        let kafka = KafkaSettings {
            brokers: cluster.bootstrap_servers(),
            ..KafkaSettings::default()
        };
        let publisher = Publisher::new(&kafka, &TopicSettings::default()).unwrap();
        let begun = Instant::now();
        while publisher.fatal_error().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing was refused");
            std::thread::sleep(Duration::from_millis(5));
        }
        let record = Outgoing {
            topic: "employees",
            key: None,
            value: None,
        };
        let refused = publisher.publish(record, None, Arc::new(NeverSettled)).unwrap_err();
        let refusal = refused.refusal("employees").unwrap();
        assert!(refusal.missing_right().is_some(), "{refusal}");
        assert!(refusal.to_string().contains("docs/security.md"), "{refusal}");
    }
}
