//! Whether the broker acknowledges, for the readiness of the stage, and whether the producer can go on at all.

use std::{
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use scoresync_service::StageReadiness;
use tokio::sync::Notify;

use crate::intake::{Intake, Unacknowledged};

/// How long the stage rests, not ready, at least: an instance that gets no requests could otherwise never show that it is well again.
const SHORTEST: Duration = Duration::from_secs(5);
/// And at most, after refusals without a success in between; each of them makes the rest longer.
const LONGEST: Duration = Duration::from_secs(600);
const LONGER: u32 = 4;
/// How often the producer is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Tells the readiness of the broker's troubles and of their end.
pub(super) struct BrokerWatch {
    readiness: StageReadiness,
    shortest: Duration,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    health: Health,
    rest: Duration,
    /// Reports were refused, and none was acknowledged since.
    is_refused: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    Well,
    Resting,
}

/// Waits until the producer cannot go on, and says why.
pub(super) async fn until_dead(intake: &Intake) -> String {
    loop {
        if let Some(cause) = intake.fatal_error() {
            return cause;
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl BrokerWatch {
    pub(super) fn new(readiness: StageReadiness) -> Self {
        Self::resting(readiness, SHORTEST)
    }

    /// One that rests for so long at least.
    pub(super) fn resting(readiness: StageReadiness, shortest: Duration) -> Self {
        Self {
            readiness,
            shortest,
            state: Mutex::new(State {
                health: Health::Well,
                rest: shortest,
                is_refused: false,
            }),
            changed: Notify::new(),
        }
    }

    /// The broker did not acknowledge.
    pub(super) fn note(&self, unacknowledged: &Unacknowledged) {
        match unacknowledged {
            Unacknowledged::TimeOut => self.note_trouble("the broker does not acknowledge reports".to_owned()),
            Unacknowledged::Refused(failure) => {
                self.note_refusal(&failure.to_string());
            }
        }
    }

    /// The broker, or the client for it, refuses reports: what may well last until a person acts.
    pub(super) fn note_refusal(&self, cause: &str) {
        let mut state = self.lock();
        let is_tried_again = state.is_refused && state.health == Health::Well;
        if is_tried_again {
            state.rest = (state.rest * LONGER).min(LONGEST);
        }
        state.is_refused = true;
        drop(state);
        self.note_trouble(format!("the broker refuses reports: {cause}"));
    }

    /// The broker has acknowledged a report.
    pub(super) fn note_success(&self) {
        let mut state = self.lock();
        if state.is_refused {
            state.is_refused = false;
            state.rest = self.shortest;
            self.recover(&mut state);
            self.changed.notify_one();
        }
    }

    fn note_trouble(&self, reason: String) {
        let mut state = self.lock();
        state.health = Health::Resting;
        self.readiness.not_ready(reason);
        self.changed.notify_one();
    }

    /// Makes the stage ready, and ready again once it has rested from the last trouble and all that is queued was settled.
    pub(super) async fn keep(&self, intake: &Intake) -> Infallible {
        self.readiness.ready();
        loop {
            self.changed.notified().await;
            while let Some(rest) = self.rest() {
                if tokio::time::timeout(rest, self.changed.notified()).await.is_err() {
                    while !intake.settle(Duration::ZERO) {
                        tokio::time::sleep(LOOK).await;
                    }
                    self.recover(&mut self.lock());
                }
            }
        }
    }

    /// How long to rest; `None` where that is over, or for nothing.
    fn rest(&self) -> Option<Duration> {
        let state = self.lock();
        (state.health == Health::Resting).then_some(state.rest)
    }

    fn recover(&self, state: &mut State) {
        state.health = Health::Well;
        self.readiness.ready();
    }

    pub(super) fn shut_down(&self) {
        self.readiness.not_ready("shutting down");
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
