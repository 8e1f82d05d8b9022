//! One import of employees at a time, over all machines: whoever imports is the member of a consumer group that owns `employees`.
//!
//! The topic has one partition, so the group has one owner. An owner that is killed loses it when its session times out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use scoresync_kafka::{
    Error, Event, GroupConsumer, KafkaSettings, Kind, Membership, Topic, TopicNames, TopicPartition, TopicSettings, kind_of,
};

/// How long to wait for an owner that is there to finish.
const PATIENCE_WITH_OWNER: Duration = Duration::from_secs(4);
/// How long the group may take to answer; longer than the session of an owner that was killed.
const PATIENCE_WITH_GROUP: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else imports.
    #[error("another import of employees is going on (group {group}); wait until it has ended, and try again")]
    Owned {
        /// The consumer group whose owner it is.
        group: String,
    },
    /// The broker did not say in time who owns the group.
    #[error("kafka did not say within {PATIENCE_WITH_GROUP:?} whether another import of employees is going on (group {group})")]
    NoAnswer {
        /// The consumer group.
        group: String,
    },
    /// The import was to end before it began.
    #[error("the import of employees was interrupted before it began")]
    Interrupted,
    /// Kafka.
    #[error("cannot make sure that no other import of employees is going on")]
    Kafka(#[from] Error),
    /// The system gave no thread.
    #[error("cannot make sure that no other import of employees is going on")]
    Thread(#[from] std::io::Error),
}

/// The right to import, until it is dropped or lost.
#[derive(Debug)]
pub struct RosterLock {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    is_held: AtomicBool,
    is_released: AtomicBool,
}

impl RosterLock {
    /// Waits for the right; `goes_on` is asked whether to go on waiting.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn acquire(kafka: &KafkaSettings, topics: &TopicSettings, goes_on: &mut dyn FnMut() -> bool) -> Result<Self, LockError> {
        let group = format!("{}.roster-import", kafka.group_prefix);
        let topic = TopicNames::new(topics).name(Topic::Employees);
        let membership = Membership {
            group: &group,
            topics: &[&topic],
        };
        let consumer = GroupConsumer::join(kafka, &membership)?;
        let shared = Arc::new(Shared::default());
        let (sender, receiver) = channel();
        let member = Member {
            consumer,
            group: group.clone(),
            shared: Arc::clone(&shared),
            answers: sender,
        };
        let thread = thread::Builder::new().name("roster-lock".to_owned()).spawn(move || member.stay())?;
        let lock = Self {
            shared,
            thread: Some(thread),
        };
        let begun = Instant::now();
        let mut owned_since = None;
        loop {
            match receiver.recv_timeout(POLL) {
                Ok(Answer::Ours) => return Ok(lock),
                Ok(Answer::SomebodyElses) => drop(owned_since.get_or_insert_with(Instant::now)),
                Ok(Answer::Failed(error)) => return Err(error.into()),
                Err(_) if !goes_on() => return Err(LockError::Interrupted),
                Err(_) => {}
            }
            match owned_since {
                Some(since) if since.elapsed() > PATIENCE_WITH_OWNER => return Err(LockError::Owned { group }),
                None if begun.elapsed() > PATIENCE_WITH_GROUP => return Err(LockError::NoAnswer { group }),
                Some(_) | None => {}
            }
        }
    }

    /// Whether the right is still ours: a process that slept for too long loses it.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.shared.is_held.load(Ordering::Acquire)
    }
}

impl Drop for RosterLock {
    /// Leaves the group, so that the next one need not wait.
    fn drop(&mut self) {
        self.shared.is_released.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

enum Answer {
    Ours,
    SomebodyElses,
    Failed(Error),
}

/// The one who polls, on a thread of its own.
struct Member {
    consumer: GroupConsumer,
    group: String,
    shared: Arc<Shared>,
    answers: Sender<Answer>,
}

impl Member {
    fn stay(self) {
        while !self.shared.is_released.load(Ordering::Acquire) {
            let answered = match self.consumer.poll(POLL) {
                Event::Assigned(partitions) => self.assigned(&partitions),
                Event::Revoked(partitions) => {
                    if !partitions.is_empty() {
                        self.shared.is_held.store(false, Ordering::Release);
                    }
                    self.consumer.release(&partitions)
                }
                Event::Record(_) | Event::Stalled(_) | Event::Nothing => Ok(()),
                Event::Trouble(cause) if kind_of(&cause) == Kind::Environment => Err(Error::Client {
                    action: format!("join the group {}", self.group),
                    cause,
                }),
                Event::Trouble(error) => {
                    tracing::warn!(%error, "the lock of the roster has trouble with the broker: {error}");
                    Ok(())
                }
            };
            if let Err(error) = answered {
                self.shared.is_held.store(false, Ordering::Release);
                // Nobody listens any more once the lock was given.
                drop(self.answers.send(Answer::Failed(error)));
                break;
            }
        }
        self.shared.is_held.store(false, Ordering::Release);
    }

    /// Nothing of the partition is wanted but its ownership.
    fn assigned(&self, partitions: &[TopicPartition]) -> Result<(), Error> {
        let mut positions = Vec::new();
        for place in partitions {
            positions.push((place.clone(), self.consumer.log_bounds(place)?.1));
        }
        self.consumer.start(&positions)?;
        for place in partitions {
            self.consumer.pause(place)?;
        }
        let is_held = self.shared.is_held.load(Ordering::Acquire) || !partitions.is_empty();
        self.shared.is_held.store(is_held, Ordering::Release);
        drop(self.answers.send(if is_held { Answer::Ours } else { Answer::SomebodyElses }));
        Ok(())
    }
}
